//! Resellers as CSV: taking them in row by row, and giving them out (S48).

mod cells;
mod export;
mod import;
mod lines;
mod records;

use crate::error::FieldErrors;
use crate::reseller::ResellerId;
use serde::Serialize;

/// How a file is taken in.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions {
    /// Says what would happen, and writes nothing.
    pub dry_run: bool,
    /// What stands between cells: a comma unless it is set.
    pub delimiter: u8,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { dry_run: false, delimiter: b',' }
    }
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReport {
    /// The line of the file the row begins at, from 1.
    pub line: u64,
    /// What became of it.
    pub outcome: RowOutcome,
}

/// What became of a row, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// It is a reseller now. In a dry run the id is not kept.
    Created(ResellerId),
    /// The reseller was there already, with this email, login domain and external id.
    Existing(ResellerId),
    /// Every reason why it was not created.
    Rejected(FieldErrors),
}

/// What became of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// How many rows were created.
    pub created: u64,
    /// How many were there already.
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
