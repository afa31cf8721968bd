//! A sample of an agency's newest resellers, by which a store plans a search: whether walking down
//! the list soon meets the terms, and which pieces of a term are rare.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "sqlite")]
use std::sync::OnceLock;

use memchr::memmem::Finder;

use crate::values::AgencyId;

/// The number of rows in the sample.
pub(super) const ROWS: usize = 2_000;
/// How long a sample is used before it is read again.
const FRESH: Duration = Duration::from_secs(10);
/// How many agencies' samples are kept, of some 100 KB each.
const AGENCIES: usize = 64;

/// The search texts of agencies' newest resellers, at most some seconds old.
#[derive(Default)]
pub(super) struct Newest(Mutex<BTreeMap<AgencyId, Seen>>);

struct Seen {
    at: Instant,
    texts: Arc<Texts>,
}

impl Newest {
    pub fn get(&self, agency: &AgencyId) -> Option<Arc<Texts>> {
        let agencies = self.lock();
        let seen = agencies.get(agency).filter(|seen| seen.at.elapsed() < FRESH)?;
        Some(Arc::clone(&seen.texts))
    }

    pub fn put(&self, agency: &AgencyId, texts: &Arc<Texts>) {
        let mut agencies = self.lock();
        agencies.retain(|_, seen| seen.at.elapsed() < FRESH);
        if agencies.len() >= AGENCIES {
            agencies.clear();
        }
        let seen = Seen { at: Instant::now(), texts: Arc::clone(texts) };
        agencies.insert(agency.clone(), seen);
    }

    /// Forgets all samples, because rows or an agency are gone.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AgencyId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Concatenated texts, so that all of them are searched at once.
#[derive(Default)]
pub(super) struct Texts {
    all: String,
    /// The end of each text.
    ends: Vec<usize>,
    #[cfg(feature = "sqlite")]
    pieces: OnceLock<Pieces>,
}

impl Texts {
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        // No term contains a newline, so none is found across two texts.
        self.all.push('\n');
        self.ends.push(self.all.len());
    }

    /// How many texts have all of the terms, counted up to `most`.
    pub fn count(&self, terms: &[String], most: usize) -> usize {
        let Some(longest) = terms.iter().max_by_key(|term| term.len()) else {
            return self.ends.len().min(most);
        };
        let finder = Finder::new(longest);
        let (mut from, mut found) = (0, 0);
        while found < most
            && let Some(hit) = finder.find(&self.all.as_bytes()[from..])
        {
            let place = self.ends.partition_point(|end| *end <= from + hit);
            let Some(end) = self.ends.get(place) else { break };
            let start = if place == 0 { 0 } else { self.ends[place - 1] };
            let text = &self.all[start..*end];
            found += usize::from(terms.iter().all(|term| text.contains(term)));
            from = *end;
        }
        found
    }
}

#[cfg(feature = "sqlite")]
impl Texts {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// About how often a piece of a term occurs in the texts, and never less, up to 65,535 times.
    pub fn occurrences(&self, piece: &str) -> u16 {
        self.pieces.get_or_init(|| Pieces::of(&self.all)).occurrences(piece)
    }
}

/// How often any three bytes that follow each other occur in the texts. Several of them may share a
/// counter.
#[cfg(feature = "sqlite")]
struct Pieces(Vec<u16>);

#[cfg(feature = "sqlite")]
impl Pieces {
    const BITS: u32 = 13;

    fn of(texts: &str) -> Self {
        let mut counters = vec![0_u16; 1 << Self::BITS];
        for three in texts.as_bytes().windows(3) {
            let counter = &mut counters[Self::place(three)];
            *counter = counter.saturating_add(1);
        }
        Self(counters)
    }

    fn occurrences(&self, piece: &str) -> u16 {
        let three = piece.as_bytes().windows(3);
        three.map(|three| self.0[Self::place(three)]).min().unwrap_or(u16::MAX)
    }

    /// The place of the counter: the upper bits of a product (Fibonacci hashing).
    fn place(three: &[u8]) -> usize {
        let number = three.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte));
        (number.wrapping_mul(0x9E37_79B1) >> (u32::BITS - Self::BITS)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    fn texts() -> Texts {
        let mut texts = Texts::default();
        for n in 0..8 {
            texts.push(&format!("acme acme\nacme{n}@example.org"));
            texts.push("böll\nb@example.org");
        }
        texts
    }

    #[test]
    fn terms_are_counted_once_a_text_and_together() {
        let texts = texts();
        let count = |terms: &[&str], most| {
            let terms: Vec<_> = terms.iter().map(|term| (*term).to_owned()).collect();
            texts.count(&terms, most)
        };
        assert_eq!(count(&["acme"], 100), 8);
        assert_eq!(count(&["acme"], 3), 3);
        assert_eq!(count(&["e", "acme"], 100), 8);
        assert_eq!(count(&["böl", "ll"], 100), 8);
        assert_eq!(count(&["org"], 100), 16);
        assert_eq!(count(&["acme", "ll"], 100), 0);
        assert_eq!(count(&["acme0"], 100), 1);
        assert_eq!(count(&["none"], 100), 0);
        assert_eq!(count(&[], 100), 16);
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn pieces_are_counted_wherever_they_occur() {
        let texts = texts();
        assert_eq!(texts.len(), 16);
        for (piece, times) in [("acm", 24), ("böl", 8), ("xam", 16), ("me7", 1), ("qqq", 0)] {
            assert_eq!(texts.occurrences(piece), times, "{piece}");
        }
    }
}
