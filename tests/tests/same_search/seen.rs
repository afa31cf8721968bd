//! Checks that there were searches of every kind; otherwise they would prove little.

use std::collections::BTreeMap;

use partnerkit::Page;

use crate::searches::{Kind, Search};
use crate::worlds::AGENCIES;

/// How often each condition was seen.
#[derive(Default)]
pub struct Seen(BTreeMap<String, usize>);

impl Seen {
    pub fn add(&mut self, search: &Search, number: usize, page: &Page) {
        self.note(format!("{:?}", search.kind));
        self.note(format!("page {number}"));
        if page.resellers.is_empty() {
            self.note("nothing".to_owned());
        } else if let Some(plan) = plan(search, page) {
            self.note(plan.to_owned());
        }
    }

    fn note(&mut self, what: String) {
        *self.0.entry(what).or_default() += 1;
    }

    /// # Panics
    /// If a condition was seen too seldom.
    pub fn is_enough(&self) {
        let mut wanted: Vec<(String, usize)> =
            KINDS.iter().map(|k| (format!("{k:?}"), 500)).collect();
        wanted.extend([0, 1, 2].map(|number| (format!("page {number}"), 500)));
        wanted.extend(PLANS.map(|(plan, times)| (plan.to_owned(), times)));
        let found = |what: &String| self.0.get(what).copied().unwrap_or_default();
        let seldom: Vec<_> = wanted.iter().filter(|(what, times)| found(what) < *times).collect();
        assert!(seldom.is_empty(), "{seldom:?} of {:?}", self.0);
    }
}

const KINDS: [Kind; 8] = [
    Kind::Part,
    Kind::Common,
    Kind::Several,
    Kind::Short,
    Kind::Foreign,
    Kind::Absent,
    Kind::Wildcard,
    Kind::Everything,
];

const WALK: &str = "common, and the page is full";
const WALK_THEN_INDEX: &str = "common, and the page is not full";
const INDEX: &str = "rare";
const SHORT_WALK: &str = "short, and the page is full";
const BEGINNINGS: &str = "short, and the page is not full";

const PLANS: [(&str, usize); 6] = [
    (WALK, 300),
    (WALK_THEN_INDEX, 50),
    (INDEX, 700),
    (SHORT_WALK, 1_000),
    (BEGINNINGS, 300),
    ("nothing", 1_000),
];

/// The expected plan of a search in the large agency. SQLite first walks down the list if no term
/// has a piece for the index, or if the text is in more than 1,500 rows, as every text of
/// [`Kind::Common`] with a piece is. The store's actual plan cannot be seen from here.
fn plan(search: &Search, page: &Page) -> Option<&'static str> {
    let is_mark = |c: &char| ('\u{300}'..'\u{370}').contains(c);
    let letters = |term: &str| term.chars().filter(|c| !is_mark(c)).count();
    let longest = search.text.split_whitespace().map(letters).max()?;
    if search.agency != AGENCIES[0] {
        return None;
    }
    match (longest, search.kind, page.next.is_some()) {
        (1..=2, _, true) => Some(SHORT_WALK),
        (1..=2, _, false) => Some(BEGINNINGS),
        (_, Kind::Common, true) => Some(WALK),
        (_, Kind::Common, false) => Some(WALK_THEN_INDEX),
        _ if search.is_filtered() => None,
        // All matches, which are a page at most.
        (.., false) => Some(INDEX),
        (.., true) => None,
    }
}
