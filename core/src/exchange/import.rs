//! Importing resellers from CSV: every row has its answer, and a bad row does not stop the others.

use std::io::Read;

use super::cells::Header;
use super::records::Records;
use super::{ImportOptions, ImportReport, RowOutcome, RowReport};

use crate::error::{Code, Error, FieldErrors, Refusal, Result, refused};
use crate::reseller::{AcceptedDraft, ContactDraft, PhoneDraft, ResellerDraft, Taken};
use crate::tenant::Tenant;

/// How many rows are created in one step, and how many bytes they have, without the last row.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 1 << 20;

/// A row that was read.
struct Row {
    line: u64,
    draft: Result<AcceptedDraft, FieldErrors>,
    /// The values of a row whose login domain the policy refuses: a reseller that has it already
    /// keeps it, even if the policy has changed since (S4).
    held: Option<AcceptedDraft>,
}

impl Tenant {
    /// Creates a reseller for each row of a CSV file, and calls `each` with the outcome of every
    /// row as soon as it is known. The first line names the columns, in any order:
    ///
    /// - required: `partner_type`, `name`, `email`, `phone`, `contact_name`, `contact_email`,
    ///   `contact_phone`, `login_domain`;
    /// - optional: `website`, `external_id`, `metadata` (a JSON object of texts), `phone_country`
    ///   and `contact_phone_country` (for national numbers), and, for resellers from another
    ///   system, `status`, `deactivation_reason`, `created_at` (RFC 3339) and `password_hash`. A
    ///   reseller without a hash is created as invited, without a password;
    /// - allowed, because [`export_csv`](Self::export_csv) writes them, but not read: `id`,
    ///   `updated_at`.
    ///
    /// If a reseller of the agency has the email, login domain and external id of a row already, it
    /// is left as it is. So a file can be imported again, for example after an interruption.
    ///
    /// A row has at most 256 KiB; a longer one is refused (`row`: `too_long`). A row that continues
    /// over several lines because of a misplaced quotation mark is refused, too (`row`: `invalid`).
    /// In both cases only its first line is lost: the next line is read as a row again. So a file
    /// of any size and content needs little memory.
    ///
    /// Errors: `Io`; fields `columns` (`unknown_column`, `taken`, `too_many`, `too_long`,
    /// `invalid`) and the names of missing columns (`empty`); `delimiter` (`invalid`) for a
    /// character that is not ASCII, a quotation mark or the end of a line. Rows that were created
    /// before an error stay.
    ///
    /// ```example
    /// use partnerkit::{ImportOptions, ImportReport, ResellerQuery, RowOutcome};
    ///
    /// let mut file = Vec::new();
    /// agency.export_csv(&ResellerQuery::all(), &mut file)?;
    ///
    /// let contoso = platform.create_agency("contoso", None)?;
    /// let mut rejected = Vec::new();
    /// let report = contoso.import_csv(&*file, &ImportOptions::default(), |row| match row.outcome {
    ///     RowOutcome::Rejected(errors) => rejected.push((row.line, errors.as_slice()[0].to_string())),
    ///     _ => {}
    /// })?;
    /// assert_eq!(report, ImportReport { created: 0, existing: 0, rejected: 1 });
    /// assert_eq!(rejected, [(2, "login_domain is already in use".to_owned())]);
    /// ```
    /// ```python
    /// import io
    ///
    /// file = io.BytesIO()  # or a path: "partners.csv"
    /// agency.export_csv(file)
    /// file.seek(0)
    /// rows = []
    /// report = agency.import_csv(file, each=rows.append)
    /// assert (report.created, report.existing, report.rejected) == (0, 1, 0)
    /// assert [(row.line, row.kind, row.reseller) for row in rows] == [(2, "existing", acme.id)]
    /// ```
    /// ```javascript
    /// await agency.exportCsv('partners.csv');
    /// const report = await agency.importCsv('partners.csv', { // or bytes, or a stream
    ///   each({ line, kind, reseller }) {
    ///     assert.deepEqual([line, kind, reseller], [2, 'existing', acme.id]);
    ///   },
    /// });
    /// assert.deepEqual(report, { created: 0, existing: 1, rejected: 0 });
    /// ```
    pub fn import_csv(
        &self,
        input: impl Read,
        options: &ImportOptions,
        mut each: impl FnMut(RowReport),
    ) -> Result<ImportReport> {
        let mut records = Records::new(input, checked(options.delimiter)?);
        let header = header(&mut records)?;
        let (mut report, mut taken) = (ImportReport::default(), Taken::default());
        loop {
            let rows = self.read_rows(&header, &mut records)?;
            if rows.is_empty() {
                return Ok(report);
            }
            for row in self.take_in(rows, options, &mut taken)? {
                report.count(&row.outcome);
                each(row);
            }
        }
    }

    /// Reads the rows of one step, which are fewer if they are long.
    fn read_rows(&self, header: &Header, records: &mut Records<impl Read>) -> Result<Vec<Row>> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while rows.len() < BATCH && bytes < BATCH_BYTES {
            let Some(record) = records.read().map_err(failed)? else { break };
            let draft = match record.cells {
                Ok(cells) if header.fits(&cells) => Ok(draft(header, &cells)),
                Ok(_) => Err(Refusal::from(Code::Invalid).of("row").into()),
                Err(refusal) => Err(refusal.of("row").into()),
            };
            bytes += record.bytes;
            rows.push(self.row(record.line, draft));
        }
        Ok(rows)
    }

    fn row(&self, line: u64, read: Result<ResellerDraft, FieldErrors>) -> Row {
        let draft = read.as_ref().map_err(Clone::clone).and_then(|draft| self.accept(draft));
        let held = match (read, &draft) {
            (Ok(read), Err(_)) => self.accept_held(&read).ok(),
            _ => None,
        };
        Row { line, draft, held }
    }

    /// One step: rows that exist already are left as they are, the others are created or refused.
    fn take_in(
        &self,
        rows: Vec<Row>,
        options: &ImportOptions,
        taken: &mut Taken,
    ) -> Result<Vec<RowReport>> {
        let drafts = rows.iter().map(|row| row.draft.as_ref().ok().or(row.held.as_ref()));
        let existing = self.existing(drafts.collect())?;
        let mut drafts = Vec::new();
        let mut answers = Vec::new();
        for (row, existing) in rows.into_iter().zip(existing) {
            // A reseller that this file has created does not count: then the row repeats an earlier
            // one, however far away that is.
            let existing = existing.filter(|reseller| !taken.has_any_of(reseller));
            let outcome = existing.map(|reseller| RowOutcome::Existing(reseller.id));
            if outcome.is_none() {
                drafts.push(row.draft);
            }
            answers.push((row.line, outcome));
        }
        let created = self.take_accepted(drafts, options.dry_run, taken)?;
        let mut created = created.into_iter().map(|answer| match answer {
            Ok(reseller) => RowOutcome::Created(reseller.id),
            Err(errors) => RowOutcome::Rejected(errors),
        });
        let answer = |(line, outcome): (u64, Option<RowOutcome>)| {
            let outcome = outcome.or_else(|| created.next())?;
            Some(RowReport { line, outcome })
        };
        Ok(answers.into_iter().filter_map(answer).collect())
    }
}

/// The form of a row.
fn draft(header: &Header, record: &csv::StringRecord) -> ResellerDraft {
    let cell = |column| header.cell(record, column).into_owned();
    let optional = |column| Some(cell(column)).filter(|cell| !cell.is_empty());
    let phone = |country, number| PhoneDraft { country: optional(country), number: cell(number) };
    let mut unreadable = FieldErrors::default();
    let metadata = optional("metadata").and_then(|json| {
        let read = serde_json::from_str(&json).map_err(|_| Code::Invalid.into());
        unreadable.keep("metadata", read)
    });
    let created_at =
        optional("created_at").and_then(|at| unreadable.keep("created_at", at.parse()));
    let password_hash = optional("password_hash");
    ResellerDraft {
        partner_type: cell("partner_type"),
        name: cell("name"),
        email: cell("email"),
        phone: phone("phone_country", "phone"),
        invite: password_hash.is_none(),
        password_hash,
        contact: ContactDraft {
            name: cell("contact_name"),
            email: cell("contact_email"),
            phone: phone("contact_phone_country", "contact_phone"),
        },
        login_domain: cell("login_domain"),
        website: optional("website"),
        external_id: optional("external_id"),
        metadata: metadata.unwrap_or_default(),
        status: optional("status"),
        deactivation_reason: optional("deactivation_reason"),
        created_at,
        unreadable,
        ..ResellerDraft::default()
    }
}

/// Reads the first line. In an empty file, all columns are missing.
fn header(records: &mut Records<impl Read>) -> Result<Header> {
    let first = records.read().map_err(failed)?;
    let cells = first.map_or_else(|| Ok(csv::StringRecord::new()), |record| record.cells);
    let cells = cells.map_err(refused("columns"))?;
    Ok(Header::read(&cells)?)
}

/// Refuses delimiters that have another meaning in a file.
fn checked(delimiter: u8) -> Result<u8, FieldErrors> {
    let is_other = matches!(delimiter, b'"' | b'\r' | b'\n') || !delimiter.is_ascii();
    if is_other {
        Err(Refusal::invalid("one ASCII character that is no quotation mark")
            .of("delimiter")
            .into())
    } else {
        Ok(delimiter)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io(error.kind())
}

#[cfg(test)]
mod tests {
    use super::{Header, draft};
    use crate::exchange::cells::columns;

    /// The columns of an export that are not in the form.
    const NOT_OF_THE_FORM: [&str; 2] = ["id", "updated_at"];

    #[test]
    fn s48_every_column_of_an_export_is_read_but_for_what_is_beside_the_form() {
        let header = Header::read(&columns().collect()).expect("an export's columns are known");
        for column in columns() {
            let typed = match column {
                "metadata" => r#"{"key":"typed"}"#,
                "created_at" => "2024-05-06T07:08:09Z",
                _ => "typed",
            };
            let cell = |of| if of == column { typed } else { "" };
            let form = draft(&header, &columns().map(cell).collect()).body();
            let form = String::from_utf8_lossy(&form);
            let is_read = form.contains("typed") || form.contains("1714979289000");
            assert_eq!(is_read, !NOT_OF_THE_FORM.contains(&column), "{column}");
        }
    }
}
