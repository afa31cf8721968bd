//! The words of the search index: pieces of text, as they are written, put in and taken out.

use rusqlite::Connection;

use crate::search::pieces_of_text;

/// What the index still has to be told. It writes a segment for each savepoint and commit, so it
/// is told everything at once, just before the commit.
#[derive(Debug)]
pub(super) enum IndexChange {
    Put(Indexed),
    Take(Indexed),
}

/// A row as the index knows it.
#[derive(Debug)]
pub(super) struct Indexed {
    pub number: i64,
    /// What every piece begins with.
    pub prefix: String,
    pub text: String,
}

impl IndexChange {
    /// Tells the index.
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

/// A piece as a word of the index: what would end a word there stands for another character. Two
/// pieces may become one word, which costs a look into a row and nothing else.
pub(super) fn word(piece: &str) -> impl Iterator<Item = char> {
    piece.chars().map(|c| match c {
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => char::from(c as u8 | 0x80),
        c => c,
    })
}
