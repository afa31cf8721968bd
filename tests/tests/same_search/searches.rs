//! Searches that somebody might type, and some that nobody would.

use partnerkit::{PartnerType, ResellerQuery, SortBy, Status, Timestamp};
use partnerkit_tests::seeded::Random;

use crate::changes::Changes;
use crate::texts::{FOREIGN, organisations};
use crate::worlds::AGENCIES;

/// The kinds of search texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Part,
    Common,
    Several,
    Short,
    Foreign,
    Absent,
    Wildcard,
    Everything,
}

/// The kinds, repeated by how frequent each is.
const KINDS: [Kind; 14] = [
    Kind::Part,
    Kind::Part,
    Kind::Part,
    Kind::Common,
    Kind::Common,
    Kind::Several,
    Kind::Several,
    Kind::Short,
    Kind::Short,
    Kind::Foreign,
    Kind::Foreign,
    Kind::Absent,
    Kind::Wildcard,
    Kind::Everything,
];

const WILDCARDS: [&str; 16] = [
    "%", "_", "\\", "'", "\"", "*", "!", "%%", "__", "\\%", "%_", "''", "\"\"", "!%", "%' OR '1",
    "\" OR \"",
];

#[derive(Debug)]
pub struct Search {
    pub kind: Kind,
    pub agency: &'static str,
    pub text: String,
    pub status: Option<Status>,
    pub partner_type: Option<PartnerType>,
    pub joined_from: Option<Timestamp>,
    pub joined_before: Option<Timestamp>,
    pub sort: Option<(SortBy, bool)>,
    pub limit: Option<u32>,
    pub with_total: bool,
    /// How many pages are read.
    pub pages: usize,
}

impl Search {
    pub fn query(&self, after: Option<&str>) -> ResellerQuery {
        let mut query = ResellerQuery::text(self.text.as_str());
        query = self.status.into_iter().fold(query, ResellerQuery::status);
        query = self.partner_type.into_iter().fold(query, ResellerQuery::partner_type);
        query = self.joined_from.into_iter().fold(query, ResellerQuery::joined_from);
        query = self.joined_before.into_iter().fold(query, ResellerQuery::joined_before);
        query = match self.sort {
            Some((by, true)) => query.descending(by),
            Some((by, false)) => query.ascending(by),
            None => query,
        };
        query = self.limit.into_iter().fold(query, ResellerQuery::limit);
        query = after.into_iter().fold(query, ResellerQuery::after);
        if self.with_total { query.with_total() } else { query }
    }

    pub fn is_filtered(&self) -> bool {
        self.status.is_some()
            || self.partner_type.is_some()
            || self.joined_from.is_some()
            || self.joined_before.is_some()
    }
}

pub struct Searches {
    random: Random,
    texts: Vec<String>,
}

impl Searches {
    pub fn new(random: Random) -> Self {
        let texts = organisations().into_iter().flat_map(|(name, email)| [name, email]);
        Self { random, texts: texts.collect() }
    }

    /// A search among the rows that the changes have created.
    pub fn next_search(&mut self, changes: &Changes) -> Search {
        let kind = self.random.pick(&KINDS);
        let text = self.text(kind);
        let random = &mut self.random;
        let some = |random: &mut Random, times| random.once_in(times).then_some(());
        let sorts = [SortBy::Joined, SortBy::Name, SortBy::Email];
        let from = changes.some_instant(random);
        // A range of one instant, or of any length.
        let before = if random.once_in(2) { from + 1 } else { changes.some_instant(random) };
        let [from, before] = [from, before].map(Timestamp::from_millis);
        Search {
            kind,
            agency: AGENCIES[usize::from(random.once_in(12))],
            text,
            status: some(random, 6).map(|()| random.pick(&[Status::Active, Status::Inactive])),
            partner_type: some(random, 6)
                .map(|()| random.pick(&[PartnerType::OwnPlans, PartnerType::Commission])),
            joined_from: some(random, 6).map(|()| from),
            joined_before: some(random, 6).map(|()| before),
            sort: some(random, 2).map(|()| (random.pick(&sorts), random.once_in(2))),
            limit: some(random, 3).map(|()| random.pick(&[1, 2, 3, 7, 24, 26, 50, 200])),
            with_total: random.once_in(3),
            pages: random.pick(&[1, 1, 1, 1, 1, 1, 2, 3]),
        }
    }

    fn text(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Part => self.part(12),
            Kind::Common => self.common(),
            Kind::Several => self.several(),
            Kind::Short => self.part(2),
            Kind::Foreign => self.foreign(),
            Kind::Absent => self.absent(),
            Kind::Wildcard => self.wildcard(),
            Kind::Everything => self.random.pick(&["", " ", "\u{3000}\t"]).to_owned(),
        }
    }

    fn part(&mut self, most: usize) -> String {
        let text = self.random.below(self.texts.len());
        let part = cut(&mut self.random, &self.texts[text], most);
        disguised(&mut self.random, &part)
    }

    /// A text that thousands of rows have.
    fn common(&mut self) -> String {
        let words = ["university", "universit", "info@", "contact@", "office@", "hello@", ".edu"];
        let word = self.random.pick(&words);
        let part = cut(&mut self.random, word, 10);
        disguised(&mut self.random, &part)
    }

    /// Several terms of one row, or of any rows.
    fn several(&mut self) -> String {
        let together = !self.random.once_in(3);
        let mut text = self.random.below(self.texts.len());
        let mut terms = Vec::new();
        for _ in 0..2 + self.random.below(2) {
            let part = cut(&mut self.random, &self.texts[text], 6);
            terms.push(disguised(&mut self.random, &part));
            if !together {
                text = self.random.below(self.texts.len());
            }
        }
        terms.join(self.random.pick(&[" ", "  ", "\t", "\n", "\u{a0}", "\u{3000}"]))
    }

    fn foreign(&mut self) -> String {
        let (name, email) = self.random.pick(FOREIGN);
        let text = if self.random.once_in(5) { email } else { name };
        let part = cut(&mut self.random, text, 5);
        if self.random.once_in(2) { part } else { disguised(&mut self.random, &part) }
    }

    /// The reversed letters of a term, whose pieces are common, or a term with a letter that no row
    /// has.
    fn absent(&mut self) -> String {
        let part = self.part(9);
        match self.random.below(6) {
            0 => format!("{part}\0"),
            1 => format!("{part}ꙮ"),
            2 => format!("{part} ꙮꙮꙮ"),
            _ => part.chars().rev().collect(),
        }
    }

    /// A wildcard alone, or in the place of a character of a text.
    fn wildcard(&mut self) -> String {
        let wildcard = self.random.pick(&WILDCARDS);
        if self.random.once_in(2) {
            return wildcard.to_owned();
        }
        let mut letters: Vec<String> = self.part(8).chars().map(String::from).collect();
        let place = self.random.below(letters.len());
        letters[place] = wildcard.to_owned();
        letters.concat()
    }
}

/// Some consecutive characters of a text.
fn cut(random: &mut Random, text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    let start = random.below(letters.len());
    letters[start..].iter().take(1 + random.below(most)).collect()
}

/// A text with the same folded form: in any case, with more or fewer accents.
fn disguised(random: &mut Random, text: &str) -> String {
    let mut disguised = String::new();
    for c in text.chars() {
        let plain = "áàâäãåéèêëíìîïóòôöõúùûüñçł".chars().position(|accented| accented == c);
        let plain = plain.and_then(|at| "aaaaaaeeeeiiiiooooouuuuncl".chars().nth(at));
        let c = plain.filter(|_| random.once_in(2)).unwrap_or(c);
        match random.below(4) {
            0 => disguised.extend(c.to_uppercase()),
            _ => disguised.push(c),
        }
        if c.is_alphabetic() && random.once_in(12) {
            disguised.push(random.pick(&['\u{301}', '\u{308}', '\u{327}']));
        }
    }
    disguised
}
