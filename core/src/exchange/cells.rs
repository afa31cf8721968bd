//! Columns and cells: what a file's first line may say, and how a cell is kept from being taken
//! for a formula.

use std::borrow::Cow;

use crate::error::{Code, FieldError, FieldErrors, Refusal};

/// The columns that an export writes, in this order.
pub(super) const COLUMNS: [&str; 15] = [
    "id",
    "status",
    "partner_type",
    "name",
    "email",
    "phone",
    "contact_name",
    "contact_email",
    "contact_phone",
    "login_domain",
    "website",
    "external_id",
    "metadata",
    "created_at",
    "updated_at",
];

/// Further columns that an import reads: countries of national numbers.
const COUNTRIES: [&str; 2] = ["phone_country", "contact_phone_country"];

const REQUIRED: [&str; 8] = [
    "partner_type",
    "name",
    "email",
    "phone",
    "contact_name",
    "contact_email",
    "contact_phone",
    "login_domain",
];

/// Which column stands where.
pub(super) struct Header(Vec<String>);

impl Header {
    /// Reads the first line. Field errors: `columns` for one that is unknown or there twice,
    /// with its place from 1; the names of required columns that are missing.
    pub fn read(record: &csv::StringRecord) -> Result<Self, FieldErrors> {
        let names: Vec<String> = record.iter().map(|name| name.trim().to_lowercase()).collect();
        let known = |name: &str| COLUMNS.contains(&name) || COUNTRIES.contains(&name);
        let mut errors = FieldErrors::default();
        for (i, name) in names.iter().enumerate() {
            let code = if !known(name) {
                Code::Unexpected
            } else if names[..i].contains(name) {
                Code::Taken
            } else {
                continue;
            };
            let place = i64::try_from(i + 1).unwrap_or(i64::MAX);
            errors.push(Refusal { code, params: vec![("column", place)] }.of("columns"));
        }
        for required in REQUIRED {
            if !names.iter().any(|name| name == required) {
                errors.push(FieldError::new(required, Code::Empty));
            }
        }
        if errors.is_empty() { Ok(Self(names)) } else { Err(errors) }
    }

    /// Whether a row has as many cells as the first line.
    pub fn fits(&self, record: &csv::StringRecord) -> bool {
        record.len() == self.0.len()
    }

    /// A row's cell in a column; empty where the file has no such column.
    pub fn cell<'r>(&self, record: &'r csv::StringRecord, column: &str) -> &'r str {
        let place = self.0.iter().position(|name| name == column);
        unguarded(place.and_then(|place| record.get(place)).unwrap_or_default())
    }
}

/// The cell in a form that no spreadsheet takes for a formula (OWASP, CSV injection): behind an
/// apostrophe, if it begins with a character that one might begin with.
pub(super) fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(dangerous) { format!("'{cell}").into() } else { cell.into() }
}

/// The cell as it was before it was guarded.
fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(dangerous)).unwrap_or(cell)
}

/// The apostrophe is one of them, so that a cell comes back as it was whatever it begins with.
fn dangerous(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\'')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{guarded, unguarded};

    #[test]
    fn s48_no_cell_begins_like_a_formula() {
        for cell in ["=1+1", "+49", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert!(guarded(cell).starts_with('\''), "{cell:?}");
        }
        assert_eq!(guarded("O'Neill"), "O'Neill");
        assert_eq!(unguarded("'hello"), "'hello");
    }

    proptest! {
        #[test]
        fn s48_a_guarded_cell_comes_back(cell in "['=+@\t-]{0,4}.*") {
            let guarded = guarded(&cell);
            prop_assert_eq!(unguarded(&guarded), cell.as_str());
        }
    }
}
