//! Resellers as CSV: import, row by row, and export (S48).

mod cells;
mod export;
mod import;
mod lines;
mod records;

use crate::error::FieldErrors;
use crate::reseller::ResellerId;
use serde::Serialize;

/// How a file is imported.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions {
    /// Reports what would happen, and writes nothing.
    pub dry_run: bool,
    /// What stands between cells: a comma unless it is set.
    pub delimiter: u8,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { dry_run: false, delimiter: b',' }
    }
}

/// The outcome of one row, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReport {
    /// The line of the file the row begins at, from 1.
    pub line: u64,
    /// The outcome.
    pub outcome: RowOutcome,
}

/// The outcome of a row, or in a dry run what the outcome would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// The reseller was created. In a dry run the id is not kept.
    Created(ResellerId),
    /// A reseller with this email, login domain and external id exists already.
    Existing(ResellerId),
    /// The row was rejected, for all these reasons.
    Rejected(FieldErrors),
}

/// The numbers of rows of a file, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// How many rows were created.
    pub created: u64,
    /// How many existed already.
    pub existing: u64,
    /// How many were rejected.
    pub rejected: u64,
}

impl ImportReport {
    fn count(&mut self, outcome: &RowOutcome) {
        let counter = match outcome {
            RowOutcome::Created(_) => &mut self.created,
            RowOutcome::Existing(_) => &mut self.existing,
            RowOutcome::Rejected(_) => &mut self.rejected,
        };
        *counter += 1;
    }
}
