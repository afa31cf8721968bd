//! The schema as Python data.

use partnerkit::schema::{Column, Index, Kind, TABLES, Table};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use crate::class::{class, once};

/// The tables as Python sees them, made once.
fn python_tables(py: Python<'_>) -> PyResult<&Vec<Py<PyAny>>> {
    static MADE: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();
    once(py, &MADE, || TABLES.iter().map(|table| Ok(make_table(py, table)?.unbind())).collect())
}

/// The table as Python sees it.
pub fn python_table<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyAny>> {
    let position = TABLES.iter().position(|known| known.name == table.name);
    let made = position.and_then(|position| python_tables(py).ok()?.get(position));
    let unknown = || PyValueError::new_err("the schema has no such table");
    Ok(made.ok_or_else(unknown)?.bind(py).clone())
}

fn make_table<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyAny>> {
    let Table { name, columns, key, indexes, home: _, parent: _, refers: _ } = table;
    let column = |column: &Column| {
        let Column { name, kind, nullable, derived: _ } = column;
        let kind = class!(py, storage::Kind)?.call1((kind_slug(*kind),))?;
        class!(py, storage::Column)?.call1((*name, kind, *nullable))
    };
    let index = |index: &Index| {
        let Index { name, columns, unique } = index;
        class!(py, storage::Index)?.call1((*name, PyTuple::new(py, *columns)?, *unique))
    };
    let columns: PyResult<Vec<_>> = columns.iter().map(column).collect();
    let indexes: PyResult<Vec<_>> = indexes.iter().map(index).collect();
    let key = PyTuple::new(py, *key)?;
    let (columns, indexes) = (PyTuple::new(py, columns?)?, PyTuple::new(py, indexes?)?);
    class!(py, storage::Table)?.call1((*name, columns, key, indexes))
}

fn kind_slug(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "integer",
        Kind::Text => "text",
        Kind::Bytes => "bytes",
        Kind::Uuid => "uuid",
    }
}

/// The tables that every storage keeps, as data.
///
/// ```python
/// (resellers,) = [table for table in partnerkit.schema() if table.name == "resellers"]
/// assert resellers.key == ("agency", "id")
/// assert ("email", True) in [(index.name, index.unique) for index in resellers.indexes]
/// ```
#[pyfunction]
pub fn schema(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, python_tables(py)?)
}
