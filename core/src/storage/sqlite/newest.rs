//! Reading the sample of an agency's newest resellers.

use std::sync::Arc;

use super::failure::storage_error;
use super::rows::{NUMBER, Rows, bound};
use crate::error::Result;
use crate::schema::{Value, damaged};
use crate::storage::newest::{ROWS, Texts};
use crate::values::AgencyId;

impl Rows<'_> {
    /// The sample, which is read if it is missing or old.
    pub(super) fn newest_texts(&self, agency: &AgencyId) -> Result<Arc<Texts>> {
        if let Some(texts) = self.newest().and_then(|newest| newest.get(agency)) {
            return Ok(texts);
        }
        let texts = Arc::new(self.read_newest(agency)?);
        if let Some(newest) = self.newest() {
            newest.put(agency, &texts);
        }
        Ok(texts)
    }

    fn read_newest(&self, agency: &AgencyId) -> Result<Texts> {
        let sql = format!(
            "SELECT search_text FROM resellers WHERE agency = {NUMBER}
             ORDER BY created_at DESC, id DESC LIMIT {ROWS}"
        );
        let mut statement = self.prepare(&sql)?;
        let agency = [Value::from(agency.as_str())];
        let mut rows = statement.query(bound(&agency)).map_err(storage_error)?;
        let mut texts = Texts::default();
        while let Some(row) = rows.next().map_err(storage_error)? {
            let text = row.get_ref(0).map_err(storage_error)?;
            texts.push(text.as_str().map_err(|_| damaged())?);
        }
        Ok(texts)
    }
}
