//! Taking resellers in from CSV: every row has its answer, and a bad one stops nobody.

use std::io::Read;

use super::cells::Header;
use super::{ImportOptions, ImportReport, RowOutcome, RowReport};
use crate::agency::{Agency, Taken};
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::reseller::{AcceptedDraft, ContactDraft, PhoneDraft, ResellerDraft};

/// How many rows are created in one step.
const BATCH: usize = 500;

/// A row, read.
struct Row {
    line: u64,
    draft: Result<AcceptedDraft, FieldErrors>,
    /// Of a row that is refused for its login domain alone: who has it already keeps it, whatever
    /// the policy has become since (S4).
    held: Option<AcceptedDraft>,
}

impl Agency {
    /// Creates a reseller of each row of a CSV file, invited to set its password, and tells
    /// `each` about every row as soon as it is known. The first line names the columns in any
    /// order: those of [`export_csv`](Self::export_csv), and `phone_country` and
    /// `contact_phone_country` for national numbers. What an export tells beside the form (id,
    /// status, times) is not read.
    ///
    /// A row whose email, login domain and external id a reseller of the agency has already is
    /// left alone: so a file can be taken in again, also after it was interrupted (S48).
    ///
    /// Errors: `Io`; fields `columns` (`unexpected`, `taken`) and those of missing columns
    /// (`empty`). Rows that were created before an error stay.
    pub fn import_csv(
        &self,
        input: impl Read,
        options: &ImportOptions,
        mut each: impl FnMut(RowReport),
    ) -> Result<ImportReport> {
        self.observe("import_csv", None, || {
            let mut reader = csv::ReaderBuilder::new()
                .flexible(true)
                .delimiter(options.delimiter)
                .from_reader(input);
            let header = Header::read(&without_mark(reader.headers().map_err(failed)?))?;
            let (mut report, mut taken) = (ImportReport::default(), Taken::default());
            let mut records = reader.records();
            loop {
                let rows = self.read_rows(&header, records.by_ref().take(BATCH))?;
                if rows.is_empty() {
                    return Ok(report);
                }
                for row in self.take_in(rows, options, &mut taken)? {
                    report.count(&row.outcome);
                    each(row);
                }
            }
        })
    }

    fn read_rows(
        &self,
        header: &Header,
        records: impl Iterator<Item = csv::Result<csv::StringRecord>>,
    ) -> Result<Vec<Row>> {
        let row = |record: csv::Result<csv::StringRecord>| match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let draft =
                    if header.fits(&record) { draft(header, &record) } else { Err(unread()) };
                Ok(self.row(line, draft))
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                // Text that is not UTF-8 is a bad row; a file that cannot be read is an error.
                let is_text = matches!(error.kind(), csv::ErrorKind::Utf8 { .. });
                if is_text { Ok(self.row(line, Err(unread()))) } else { Err(failed(error)) }
            }
        };
        records.map(row).collect()
    }

    fn row(&self, line: u64, read: Result<ResellerDraft, FieldErrors>) -> Row {
        let draft = read.as_ref().map_err(Clone::clone).and_then(|draft| self.accept(draft));
        let held = match (read, &draft) {
            (Ok(read), Err(_)) => self.accept_held(&read).ok(),
            _ => None,
        };
        Row { line, draft, held }
    }

    /// One step: what is there already is left alone, the rest is created or refused.
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
            // What this very file has created a later row repeats, however far away it stands.
            let existing = existing.filter(|reseller| !taken.has_any_of(self, reseller));
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
fn draft(header: &Header, record: &csv::StringRecord) -> Result<ResellerDraft, FieldErrors> {
    let cell = |column| header.cell(record, column).to_owned();
    let optional = |column| Some(cell(column)).filter(|cell| !cell.is_empty());
    let phone = |country, number| PhoneDraft { country: optional(country), number: cell(number) };
    let metadata = optional("metadata").map(|json| serde_json::from_str(&json)).transpose();
    let metadata = metadata.map_err(|_| FieldError::new("metadata", Code::Invalid))?;
    Ok(ResellerDraft {
        partner_type: cell("partner_type"),
        name: cell("name"),
        email: cell("email"),
        phone: phone("phone_country", "phone"),
        invite: true,
        contact: ContactDraft {
            name: cell("contact_name"),
            email: cell("contact_email"),
            phone: phone("contact_phone_country", "contact_phone"),
        },
        login_domain: cell("login_domain"),
        website: optional("website"),
        external_id: optional("external_id"),
        metadata: metadata.unwrap_or_default(),
        ..ResellerDraft::default()
    })
}

/// A row that has not as many cells as the first line, or is not text.
fn unread() -> FieldErrors {
    FieldErrors::from(Refusal::from(Code::Invalid).of("row"))
}

/// Spreadsheets put a mark of the encoding in front of the first column's name.
fn without_mark(header: &csv::StringRecord) -> csv::StringRecord {
    header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect()
}

fn failed(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io(error.kind()),
        _ => Error::io("not CSV"),
    }
}
