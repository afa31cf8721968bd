//! What differs between the databases that speak SQL.

use crate::schema::Table;

/// How a database writes what the statements need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// The prefix of a table's name: a schema and a dot, or nothing.
    pub prefix: &'static str,
    /// The prefix of a parameter's number.
    pub parameter: char,
    /// What an agency's rows hold for its id; the id is the first parameter.
    pub agency: &'static str,
    /// How a term is searched.
    pub terms: Terms,
    /// Whether `REPLACE` writes a row over another one without reading it.
    pub replaces: bool,
}

impl Dialect {
    /// The first parameter of a statement on a table, as its column `agency` holds it.
    pub fn agency(self, table: &Table) -> String {
        if table.of_agency() { self.agency.to_owned() } else { format!("{}1", self.parameter) }
    }
}

/// How a database searches for a term in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terms {
    /// By the function `instr`.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code))]
    Instr,
    /// By `LIKE`, for which an index can be used; a backslash escapes a wildcard.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code))]
    Like,
}
