//! Reading the sample of an agency's newest resellers, which tells whether walking down the list soon
//! meets a term. Some terms are only in older rows, for example the email addresses of one campaign.

use std::sync::Arc;

use super::codec::{self, Param};
use super::pipeline::Statement;
use super::session::Session;
use crate::error::Result;
use crate::schema::Kind;
use crate::storage::newest::{ROWS, Texts};
use crate::values::AgencyId;

/// How many rows of the sample must have a term so that it is met soon. At this number, a page of
/// matches takes about 7,000 rows, which costs about as much as the index.
const OFTEN: usize = 8;

const TEXTS: &str = "\
    SELECT search_text FROM partnerkit.resellers WHERE agency = $1 \
    ORDER BY created_at DESC, id DESC";

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
        Ok(texts.count(terms, OFTEN) == OFTEN)
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
