//! What an agency's newest resellers look like: whether walking down the list soon meets a term.
//!
//! The planner takes what is common for evenly spread. What only older rows have, one campaign's
//! addresses say, it would look for by walking past everything that came since; then the index
//! has to be taken whatever the planner thinks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::codec::{self, Param};
use super::pipeline::{Answer, Statement};
use super::session::Session;
use crate::error::Result;
use crate::search::SortBy;
use crate::storage::PageSpec;
use crate::values::AgencyId;

/// How many rows are looked at.
const ROWS: usize = 2_000;
/// In how many of them a term must be to be met soon: a page of it is 7,000 rows away then, which
/// costs about what the index costs.
const OFTEN: usize = 8;
/// How long they are taken for the newest ones.
const FRESH: Duration = Duration::from_secs(600);
/// Of how many agencies they are kept, at about 100 KB each.
const AGENCIES: usize = 64;

const TEXTS: &str = "\
    SELECT search_text FROM partnerkit.resellers WHERE agency = $1 \
    ORDER BY created_at DESC, id DESC LIMIT $2";

/// The search texts of agencies' newest resellers, as of some minutes ago.
#[derive(Default)]
pub(super) struct Newest(Mutex<BTreeMap<AgencyId, Seen>>);

#[derive(Clone)]
struct Seen {
    at: Instant,
    texts: Arc<[String]>,
}

impl Newest {
    fn get(&self, agency: &AgencyId) -> Option<Arc<[String]>> {
        let seen = self.lock().get(agency).cloned();
        seen.filter(|seen| seen.at.elapsed() < FRESH).map(|seen| seen.texts)
    }

    fn put(&self, agency: &AgencyId, texts: Arc<[String]>) {
        let mut agencies = self.lock();
        if agencies.len() >= AGENCIES {
            agencies.clear();
        }
        agencies.insert(agency.clone(), Seen { at: Instant::now(), texts });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AgencyId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session<'_> {
    /// Whether a page's rows are among older ones, if there are any, and the index can find them;
    /// none if the newest ones have not been read lately.
    pub(super) fn are_older(&self, spec: &PageSpec) -> Option<bool> {
        let newest_first = spec.sort.by == SortBy::Joined && spec.sort.descending;
        let terms = &spec.filter.terms;
        if !newest_first || spec.after.is_some() || !terms.iter().any(|term| is_indexed(term)) {
            return Some(false);
        }
        let texts = self.connections().newest.get(self.agency)?;
        let found = texts.iter().filter(|text| terms.iter().all(|term| text.contains(term)));
        Some(texts.len() == ROWS && found.take(OFTEN).count() < OFTEN)
    }

    /// Asks for the newest ones.
    pub(super) fn newest(&self) -> Statement {
        let limit = Param::integer(i64::try_from(ROWS).unwrap_or(i64::MAX));
        Statement::new(TEXTS, vec![self.agency_param(), limit])
    }

    /// Keeps the answer.
    pub(super) fn note_newest(&self, answer: &Answer) -> Result<()> {
        let texts = answer.rows.iter().map(|row| codec::text(row, 0));
        self.connections().newest.put(self.agency, texts.collect::<Result<_>>()?);
        Ok(())
    }
}

/// Whether a database of any locale has trigrams of a term.
fn is_indexed(term: &str) -> bool {
    term.as_bytes().windows(3).any(|piece| piece.iter().all(u8::is_ascii_alphanumeric))
}
