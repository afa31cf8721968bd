//! What differs between the databases that speak SQL.

/// How a database writes what the statements need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// What stands before a table's name: a schema and its dot, or nothing.
    pub prefix: &'static str,
    /// What stands before a parameter's number.
    pub parameter: char,
    /// How a term is looked for.
    pub terms: Terms,
}

/// How a database looks for a term in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Terms {
    /// By the function `instr`.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code))]
    Instr,
    /// By `LIKE`, which an index can serve.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code))]
    Like,
}
