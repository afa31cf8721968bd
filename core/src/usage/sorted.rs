//! Records in the order of their keys, of which some are changed: what a transaction counts in. They
//! are found by halving a list of keys that lie side by side, because a batch of a thousand events
//! looks for thousands of them, and a tree takes twice as long.

/// A record that has its key.
pub(super) trait Keyed {
    type Key: Copy + Ord;

    fn key(&self) -> Self::Key;
}

/// Records in the order of their keys, each with whether it has changed.
#[derive(Clone)]
pub(super) struct Sorted<R: Keyed> {
    keys: Vec<R::Key>,
    records: Vec<R>,
    changed: Vec<bool>,
}

impl<R: Keyed> Sorted<R> {
    /// Records that are sorted, as questions answer them whose keys are sorted.
    pub fn of(records: Vec<R>) -> Self {
        let keys: Vec<_> = records.iter().map(R::key).collect();
        debug_assert!(keys.is_sorted(), "the keys of a question were not sorted");
        let changed = vec![false; records.len()];
        Self { keys, records, changed }
    }

    pub fn get(&self, key: R::Key) -> Option<&R> {
        self.keys.binary_search(&key).ok().map(|place| &self.records[place])
    }

    /// The place of the record with a key, which is inserted if there is none.
    pub fn place_of(&mut self, key: R::Key, new: impl FnOnce(R::Key) -> R) -> usize {
        self.keys.binary_search(&key).unwrap_or_else(|place| {
            self.keys.insert(place, key);
            self.records.insert(place, new(key));
            self.changed.insert(place, false);
            place
        })
    }

    /// The record at a place, to look at it before it is changed.
    pub fn at(&mut self, place: usize) -> &mut R {
        &mut self.records[place]
    }

    /// Notes that the record at a place has changed.
    pub fn has_changed(&mut self, place: usize) {
        self.changed[place] = true;
    }

    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.records.iter()
    }

    /// The records that have changed, in order.
    pub fn into_changed(self) -> Vec<R> {
        let Self { mut records, changed, .. } = self;
        let mut changed = changed.into_iter();
        records.retain(|_| changed.next() == Some(true));
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Record(u8, &'static str);

    impl Keyed for Record {
        type Key = u8;

        fn key(&self) -> u8 {
            self.0
        }
    }

    #[test]
    fn only_what_has_changed_is_given_back_in_order() {
        let mut sorted = Sorted::of(vec![Record(1, "a"), Record(3, "c"), Record(5, "e")]);
        let last = sorted.place_of(5, |_| unreachable!("it is there"));
        sorted.at(last).1 = "E";
        sorted.has_changed(last);
        let new = sorted.place_of(2, |key| Record(key, "b"));
        sorted.has_changed(new);
        assert_eq!(sorted.get(3), Some(&Record(3, "c")));
        assert_eq!(sorted.get(4), None);
        assert_eq!(sorted.into_changed(), [Record(2, "b"), Record(5, "E")]);
    }
}
