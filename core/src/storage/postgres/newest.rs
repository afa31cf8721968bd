//! What an agency's newest resellers look like: whether walking down the list soon meets a term.
//! What only older rows have is one campaign's addresses, say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memchr::memmem::Finder;

use super::codec::{self, Param};
use super::pipeline::Statement;
use super::session::Session;
use crate::error::Result;
use crate::schema::Kind;
use crate::values::AgencyId;

/// How many rows are looked at.
const ROWS: usize = 2_000;
/// In how many of them a term must be to be met soon: a page of it is 7,000 rows away then, which
/// costs about what the index costs.
const OFTEN: usize = 8;
/// How long they are taken for the newest ones.
const FRESH: Duration = Duration::from_secs(10);
/// Of how many agencies they are kept, at some 100 KB each.
const AGENCIES: usize = 64;

const TEXTS: &str = "\
    SELECT search_text FROM partnerkit.resellers WHERE agency = $1 \
    ORDER BY created_at DESC, id DESC";

/// The search texts of agencies' newest resellers, as of some seconds ago.
#[derive(Default)]
pub(super) struct Newest(Mutex<BTreeMap<AgencyId, Seen>>);

struct Seen {
    at: Instant,
    texts: Arc<Texts>,
}

impl Newest {
    fn get(&self, agency: &AgencyId) -> Option<Arc<Texts>> {
        let agencies = self.lock();
        let seen = agencies.get(agency).filter(|seen| seen.at.elapsed() < FRESH)?;
        Some(Arc::clone(&seen.texts))
    }

    fn put(&self, agency: &AgencyId, texts: &Arc<Texts>) {
        let mut agencies = self.lock();
        agencies.retain(|_, seen| seen.at.elapsed() < FRESH);
        if agencies.len() >= AGENCIES {
            agencies.clear();
        }
        let seen = Seen { at: Instant::now(), texts: Arc::clone(texts) };
        agencies.insert(agency.clone(), seen);
    }

    /// Forgets all of them, because an agency is gone.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AgencyId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session<'_> {
    /// Whether the newest rows have the terms as often as to meet them soon. They are asked for
    /// only if they have not been lately: one wait more.
    pub(super) fn newest_have_often(
        &mut self,
        agency: &AgencyId,
        terms: &[String],
    ) -> Result<bool> {
        let texts = match self.connections().newest.get(agency) {
            Some(texts) => texts,
            None => self.read_newest(agency)?,
        };
        Ok(texts.have_often(terms))
    }

    fn read_newest(&mut self, agency: &AgencyId) -> Result<Arc<Texts>> {
        let of_agency = vec![Param::one(Kind::Text, agency.as_str().into())];
        let newest = Statement::once(format!("{TEXTS} LIMIT {ROWS}"), of_agency);
        let mut texts = Texts::default();
        for row in &self.reply(newest)?.rows {
            texts.push(codec::text(row, 0)?);
        }
        let texts = Arc::new(texts);
        self.connections().newest.put(agency, &texts);
        Ok(texts)
    }
}

/// Texts after each other, so that all of them are searched at once.
#[derive(Default)]
struct Texts {
    all: String,
    /// Where each one ends.
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.all.push_str(text);
        // In no term, so that none is found across two texts.
        self.all.push('\n');
        self.ends.push(self.all.len());
    }

    fn have_often(&self, terms: &[String]) -> bool {
        let Some(longest) = terms.iter().max_by_key(|term| term.len()) else { return true };
        let finder = Finder::new(longest);
        let (mut from, mut found) = (0, 0);
        while let Some(hit) = finder.find(&self.all.as_bytes()[from..]) {
            let place = self.ends.partition_point(|end| *end <= from + hit);
            let Some(end) = self.ends.get(place) else { break };
            let start = if place == 0 { 0 } else { self.ends[place - 1] };
            let text = &self.all[start..*end];
            found += usize::from(terms.iter().all(|term| text.contains(term)));
            if found == OFTEN {
                return true;
            }
            from = *end;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{OFTEN, Texts};

    #[test]
    fn terms_are_counted_once_a_text_and_together() {
        let mut texts = Texts::default();
        for n in 0..OFTEN {
            texts.push(&format!("acme acme\nacme{n}@example.org"));
            texts.push("böll\nb@example.org");
        }
        let have = |terms: &[&str]| {
            let terms: Vec<_> = terms.iter().map(|term| (*term).to_owned()).collect();
            texts.have_often(&terms)
        };
        assert!(have(&["acme"]) && have(&["e", "acme"]) && have(&["böl", "ll"]) && have(&["org"]));
        assert!(!have(&["acme", "ll"]) && !have(&["acme0"]) && !have(&["none"]));
    }
}
