//! A sample of an agency's newest resellers, which tells whether walking down the list soon meets a
//! term. Some terms are only in older rows, for example the email addresses of one campaign.

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

/// The number of rows in the sample.
const ROWS: usize = 2_000;
/// How many rows of the sample must have a term so that it is met soon. At this number, a page of
/// matches takes about 7,000 rows, which costs about as much as the index.
const OFTEN: usize = 8;
/// How long a sample is used before it is read again.
const FRESH: Duration = Duration::from_secs(10);
/// How many agencies' samples are kept, of some 100 KB each.
const AGENCIES: usize = 64;

const TEXTS: &str = "\
    SELECT search_text FROM partnerkit.resellers WHERE agency = $1 \
    ORDER BY created_at DESC, id DESC";

/// The search texts of agencies' newest resellers, at most some seconds old.
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

    /// Forgets all samples, because an agency is gone.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AgencyId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session<'_> {
    /// Whether the newest rows have the terms often enough to be met soon. The sample is read if it
    /// is missing or old, which costs one more round trip.
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

/// Concatenated texts, so that all of them are searched at once.
#[derive(Default)]
struct Texts {
    all: String,
    /// The end of each text.
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.all.push_str(text);
        // No term contains a newline, so none is found across two texts.
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
