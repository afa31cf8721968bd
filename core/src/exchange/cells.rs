//! Columns and cells: reading a file's first line, and protecting spreadsheets from cells that look
//! like formulas.

use std::borrow::Cow;

use crate::error::{Code, FieldError, FieldErrors, Refusal, Result};
use crate::reseller::{Reseller, ResellerDraft};
use crate::schema::entity::Stored;
use crate::schema::{Column, Row, Value};
use crate::values::Timestamp;

/// Columns of a reseller that are never in a file.
const KEPT_BACK: [&str; 2] = ["agency", "version"];

/// The cells that an export writes of a reseller, by the names of its columns.
pub(super) fn cells(of: &Reseller) -> Result<Vec<String>> {
    let mut row = Row::with_capacity(Reseller::COLUMNS.len());
    of.write(&mut row)?;
    let cells = Reseller::COLUMNS.iter().zip(row);
    Ok(cells
        .filter(|(column, _)| is_shown(column))
        .map(|(column, value)| cell(column, value))
        .collect())
}

/// The columns that an export writes and an import knows: all except [`KEPT_BACK`].
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    Reseller::COLUMNS.iter().filter(|column| is_shown(column)).map(|column| column.name)
}

fn is_shown(column: &Column) -> bool {
    !KEPT_BACK.contains(&column.name)
}

/// The text of a value. A null and empty metadata are empty cells. All numbers in a file are
/// instants.
fn cell(column: &Column, value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(json) if column.name == "metadata" && json == "{}" => String::new(),
        Value::Text(text) => text,
        Value::Uuid(id) => id.to_string(),
        Value::Integer(at) => Timestamp::from_millis(at).to_string(),
        Value::Bytes(_) => unreachable!("nobody could read them"),
    }
}

/// Further columns that an import reads: the countries of national numbers, and existing password
/// hashes.
const FURTHER: [&str; 3] = ["phone_country", "contact_phone_country", "password_hash"];

/// A first line with more columns than this is refused, because each of them could have an error.
const MOST: usize = 100;

/// The columns of a file, in their order.
pub(super) struct Header(Vec<String>);

impl Header {
    /// Reads the first line. Field errors: `columns` for too many columns, and for a column that is
    /// unknown or repeated, with its place from 1; the name of each required column that is
    /// missing.
    pub fn read(record: &csv::StringRecord) -> Result<Self, FieldErrors> {
        if record.len() > MOST {
            let params = vec![("max", MOST as i64)];
            return Err(Refusal::bounded(Code::TooMany, params).of("columns").into());
        }
        let names: Vec<String> = record.iter().map(|name| name.trim().to_lowercase()).collect();
        let known = |name: &str| columns().chain(FURTHER).any(|column| column == name);
        let mut errors = FieldErrors::default();
        for (i, name) in names.iter().enumerate() {
            let code = if !known(name) {
                Code::UnknownColumn
            } else if names[..i].contains(name) {
                Code::Taken
            } else {
                continue;
            };
            let place = i64::try_from(i + 1).unwrap_or(i64::MAX);
            errors.push(Refusal::bounded(code, vec![("column", place)]).of("columns"));
        }
        for missing in ResellerDraft::missing().as_slice() {
            let column = missing.field.trim_end_matches(".number").replace('.', "_");
            if !names.contains(&column) {
                errors.push(FieldError::new(column, missing.code));
            }
        }
        if errors.is_empty() { Ok(Self(names)) } else { Err(errors) }
    }

    /// Whether a row has as many cells as the first line.
    pub fn fits(&self, record: &csv::StringRecord) -> bool {
        record.len() == self.0.len()
    }

    /// A row's cell in a column; empty where the file has no such column.
    pub fn cell<'r>(&self, record: &'r csv::StringRecord, column: &str) -> Cow<'r, str> {
        let place = self.0.iter().position(|name| name == column);
        unguarded(place.and_then(|place| record.get(place)).unwrap_or_default())
    }
}

/// The cell in a form that no spreadsheet takes for a formula (OWASP, CSV injection): an apostrophe
/// is put in front of any text that might begin one. This is done for each piece between
/// semicolons, because where a comma is the decimal sign, spreadsheets separate cells by
/// semicolons, even inside quotation marks.
pub(super) fn guarded(cell: &str) -> Cow<'_, str> {
    if !cell.split(SEPARATOR).any(is_dangerous) {
        return cell.into();
    }
    let guard = |piece: &str| [if is_dangerous(piece) { "'" } else { "" }, piece].concat();
    cell.split(SEPARATOR).map(guard).collect::<Vec<_>>().join(";").into()
}

/// The cell as it was before it was guarded.
fn unguarded(cell: &str) -> Cow<'_, str> {
    let guard = |piece: &str| piece.strip_prefix('\'').is_some_and(is_dangerous);
    if !cell.split(SEPARATOR).any(guard) {
        return cell.into();
    }
    let bare = |piece| if guard(piece) { &piece[1..] } else { piece };
    cell.split(SEPARATOR).map(bare).collect::<Vec<_>>().join(";").into()
}

const SEPARATOR: char = ';';

/// Whether the text between separators might begin a formula, possibly after characters that a
/// spreadsheet skips: white space, invisible characters, quotation marks. An apostrophe counts,
/// too, so that a text that begins with one is imported as it was.
fn is_dangerous(piece: &str) -> bool {
    let is_passed = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '"' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    piece.starts_with(['\'', '\t', '\r', '\n', '\0'])
        || piece.trim_start_matches(is_passed).starts_with(FORMULA)
}

/// The characters that begin a formula, of any width, because some spreadsheets treat all widths
/// alike.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FORMULA, guarded, is_shown, unguarded};
    use crate::reseller::Reseller;
    use crate::schema::Kind;
    use crate::schema::entity::Stored;

    #[test]
    fn every_number_in_a_file_is_an_instant() {
        let mut numbers = Reseller::COLUMNS.iter().filter(|column| column.kind == Kind::Integer);
        assert!(numbers.all(|column| !is_shown(column) || column.name.ends_with("_at")));
    }

    #[test]
    fn s48_no_cell_begins_like_a_formula() {
        for formula in FORMULA {
            for before in ["", " ", "\u{a0}", "\u{3000}\n", "\t", "\"", "\u{feff}", "\0", "' "] {
                let cell = format!("{before}{formula}1+1");
                assert_eq!(guarded(&cell), format!("'{cell}"), "{cell:?}");
                let within = format!("Acme;{cell};{formula}");
                assert_eq!(guarded(&within), format!("Acme;'{cell};'{formula}"), "{within:?}");
            }
        }
        for cell in ["\tx", "\rx", "\nx", "\0x", "'x"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for cell in ["O'Neill", "a=b", "", ";", " x", "\"x\"", "1-2; 3"] {
            assert_eq!(guarded(cell), cell);
        }
        assert_eq!(unguarded("'hello"), "'hello", "as somebody else wrote it");
    }

    proptest! {
        #[test]
        fn s48_a_guarded_cell_comes_back(cell in "(['\"=+@＝﹣;\t\r\n\0 \u{feff}x-]{0,8}|.*)") {
            let guarded = guarded(&cell);
            prop_assert_eq!(unguarded(&guarded), cell.as_str());
        }
    }
}
