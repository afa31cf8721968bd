//! The words of the search index, which stand for pieces of text: how they are written, added and
//! removed.

use rusqlite::Connection;

use crate::search::pieces_of_text;

/// A change that is not in the index yet. The index writes a segment for each savepoint and commit,
/// so all changes are applied together, just before the commit.
#[derive(Debug)]
pub(super) enum IndexChange {
    Put(Indexed),
    Take(Indexed),
}

/// A row as the index has it.
#[derive(Debug)]
pub(super) struct Indexed {
    pub number: i64,
    /// The prefix of every piece.
    pub prefix: String,
    pub text: String,
}

impl IndexChange {
    /// Applies the change to the index.
    pub fn apply(&self, connection: &Connection) -> rusqlite::Result<()> {
        let (sql, row) = match self {
            Self::Put(row) => ("INSERT INTO resellers_search (rowid, pieces) VALUES (?1, ?2)", row),
            Self::Take(row) => (
                "INSERT INTO resellers_search (resellers_search, rowid, pieces)
                 VALUES ('delete', ?1, ?2)",
                row,
            ),
        };
        connection.prepare_cached(sql)?.execute((row.number, row.written())).map(drop)
    }
}

impl Indexed {
    fn written(&self) -> String {
        let mut written = String::with_capacity(self.text.len() * 8);
        for piece in pieces_of_text(&self.text) {
            written.push_str(&self.prefix);
            written.extend(word(piece));
            written.push(' ');
        }
        written
    }
}

/// A piece as a word of the index. A character that would end a word is replaced. So two pieces may
/// become one word, which only means that one more row is checked.
pub(super) fn word(piece: &str) -> impl Iterator<Item = char> {
    piece.chars().map(|c| match c {
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => char::from(c as u8 | 0x80),
        c => c,
    })
}
