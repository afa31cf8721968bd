//! What differs between the databases that speak SQL.

use crate::schema::Table;

/// How a database writes what the statements need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// What stands before a table's name: a schema and its dot, or nothing.
    pub prefix: &'static str,
    /// What stands before a parameter's number.
    pub parameter: char,
    /// What stands in an agency's rows for its id, which is the first parameter.
    pub agency: &'static str,
    /// How a term is looked for.
    pub terms: Terms,
}

impl Dialect {
    /// The first parameter of a statement on a table, as its column `agency` holds it.
    pub fn agency(self, table: &Table) -> String {
        if table.of_agency() { self.agency.to_owned() } else { format!("{}1", self.parameter) }
    }
}

/// How a database looks for a term in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terms {
    /// By the function `instr`.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code))]
    Instr,
    /// By `LIKE`, which an index can serve; a backslash in front makes a character of a wildcard.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code))]
    Like,
}
