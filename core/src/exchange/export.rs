//! Exporting resellers as CSV.

use std::io::Write;

use super::cells::{cells, columns, guarded};
use crate::error::{Error, Result};
use crate::search::ResellerQuery;
use crate::tenant::Tenant;

/// How many rows are read at once.
const PAGE: u32 = 200;

impl Tenant {
    /// Writes the resellers that a query finds as CSV, with a first line of column names, and
    /// returns their number. They are read page by page: a reseller that exists throughout is
    /// written exactly once. If a spreadsheet would take the beginning of a cell, or the text after
    /// a semicolon in it, for a formula, an apostrophe is put in front, which an import removes
    /// again.
    ///
    /// Errors: `Io`; the errors of [`page`](Self::page).
    ///
    /// ```example
    /// use partnerkit::ResellerQuery;
    ///
    /// let mut file = Vec::new(); // or `std::fs::File::create("partners.csv")`
    /// assert_eq!(agency.export_csv(&ResellerQuery::text("telecom"), &mut file)?, 1);
    /// assert!(String::from_utf8_lossy(&file).contains("Acme Télécom"));
    /// ```
    /// ```python
    /// import io
    ///
    /// file = io.BytesIO()  # or a path: "partners.csv"
    /// assert agency.export_csv(file, "telecom") == 1
    /// assert "Acme Télécom" in file.getvalue().decode()
    /// ```
    /// ```javascript
    /// import { readFile } from 'node:fs/promises';
    ///
    /// const written = await agency.exportCsv('partners.csv', { text: 'telecom' }); // or a stream
    /// assert.equal(written, 1);
    /// assert.match(await readFile('partners.csv', 'utf8'), /Acme Télécom/);
    /// ```
    pub fn export_csv(&self, query: &ResellerQuery, output: impl Write) -> Result<u64> {
        let mut query = query.clone().limit(PAGE);
        // Read before anything is written, so that a refused query leaves the file as it is.
        let mut page = self.page(&query)?;
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(columns()).map_err(failed)?;
        let mut written = 0;
        loop {
            for reseller in &page.resellers {
                let cells = cells(reseller)?;
                let cells = cells.iter().map(|cell| guarded(cell).into_owned());
                writer.write_record(cells).map_err(failed)?;
                written += 1;
            }
            let Some(cursor) = page.next else { break };
            query = query.after(cursor);
            page = self.page(&query)?;
        }
        writer.flush().map_err(|error| Error::io(error.kind()))?;
        Ok(written)
    }
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io(error.kind()),
        _ => Error::io("a row could not be written as CSV"),
    }
}
