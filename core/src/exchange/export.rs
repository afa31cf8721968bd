//! Giving resellers out as CSV.

use std::io::Write;

use super::cells::{COLUMNS, guarded};
use crate::agency::Agency;
use crate::error::{Error, Result};
use crate::reseller::Reseller;
use crate::search::ResellerQuery;

/// How many rows are read at once.
const PAGE: u32 = 200;

impl Agency {
    /// Writes the resellers that a query finds as CSV, with a first line of column names, and
    /// says how many. They are read page by page: whoever is there throughout is written once.
    /// What a spreadsheet would take for a formula, at the beginning of a cell or behind a
    /// semicolon in it, stands behind an apostrophe, which an import takes off again (S48).
    ///
    /// Errors: `Io`; those of [`page`](Self::page).
    pub fn export_csv(&self, query: &ResellerQuery, output: impl Write) -> Result<u64> {
        self.observe("export_csv", None, || {
            let mut writer = csv::Writer::from_writer(output);
            writer.write_record(COLUMNS).map_err(failed)?;
            let (mut written, mut next) = (0, Some(query.clone().limit(PAGE)));
            while let Some(query) = next {
                let page = self.page(&query)?;
                for reseller in &page.resellers {
                    write(&mut writer, reseller)?;
                    written += 1;
                }
                next = page.next.map(|cursor| query.after(cursor));
            }
            writer.flush().map_err(|error| Error::io(error.kind()))?;
            Ok(written)
        })
    }
}

/// One row, in the order of the columns.
fn write<W: Write>(writer: &mut csv::Writer<W>, of: &Reseller) -> Result<()> {
    let metadata = of.metadata.as_map();
    let metadata = (!metadata.is_empty()).then(|| serde_json::to_string(metadata));
    let metadata = metadata.transpose().map_err(|_| Error::storage("metadata has no JSON form"))?;
    let row = [
        of.id.to_string(),
        of.status.slug().to_owned(),
        of.partner_type.slug().to_owned(),
        of.name.to_string(),
        of.email.to_string(),
        of.phone.to_string(),
        of.contact.name.to_string(),
        of.contact.email.to_string(),
        of.contact.phone.to_string(),
        of.login_domain.to_string(),
        of.website.as_ref().map(ToString::to_string).unwrap_or_default(),
        of.external_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        metadata.unwrap_or_default(),
        of.created_at.to_string(),
        of.updated_at.to_string(),
    ];
    writer.write_record(row.iter().map(|cell| guarded(cell).into_owned())).map_err(failed)
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io(error.kind()),
        _ => Error::io("not CSV"),
    }
}
