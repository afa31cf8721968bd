//! A storage written in Python, as the core's `TableStore`; the schema as Python data.
//!
//! Everything runs on the thread of the caller, inside whatever the host has open there.

use partnerkit::storage::schema::{Column, Index, Kind, Row, TABLES, Table, Value, sort_column};
use partnerkit::storage::tables::{Mode, Scan, TableStore, TableTransaction};
use partnerkit::storage::{Erasure, Filter, Lock, PageSpec, Scope};
use partnerkit::{AgencyId, Position, Result, SortKey};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};

use crate::class::class;
use crate::error::{forget_raised, from_storage};
use crate::value::Text;

/// Runs Python code for the core.
fn python<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    Python::attach(|py| work(py).map_err(|raised| from_storage(py, raised)))
}

/// A `partnerkit.storage.TableStore`.
pub struct PythonStore(Py<PyAny>);

impl PythonStore {
    pub fn new(store: Py<PyAny>) -> Self {
        Self(store)
    }
}

impl TableStore for PythonStore {
    fn schema_version(&self) -> Result<u32> {
        python(|py| self.0.call_method0(py, "schema_version")?.extract(py))
    }

    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>> {
        python(|py| {
            forget_raised(py);
            let mode = class!(py, storage::Mode)?.call1((mode_slug(mode),))?;
            let begun = self.0.call_method1(py, "begin", (agency.as_str(), mode))?;
            Ok(Box::new(PythonTransaction(begun)) as _)
        })
    }

    fn scrub(&self) -> Result<Erasure> {
        python(|py| {
            let complete = self.0.call_method0(py, "scrub")?.is_truthy(py)?;
            Ok(if complete { Erasure::Complete } else { Erasure::Pending })
        })
    }

    /// A store that cannot tell will not be able to begin either, and says so there.
    fn joined(&self) -> bool {
        python(|py| self.0.call_method0(py, "joined")?.is_truthy(py)).unwrap_or(false)
    }
}

fn mode_slug(mode: Mode) -> &'static str {
    match mode {
        Mode::Read => "read",
        Mode::Beside => "beside",
        Mode::Write(Scope::Own) => "own",
        Mode::Write(Scope::Join) => "join",
    }
}

/// A `partnerkit.storage.TableTransaction`.
struct PythonTransaction(Py<PyAny>);

impl PythonTransaction {
    /// A method that is given rows and answers nothing.
    fn give(&self, method: &str, table: &'static Table, rows: &[Row]) -> Result<()> {
        python(|py| {
            let arguments = (python_table(py, table)?, python_rows(py, rows)?);
            self.0.call_method1(py, method, arguments)?;
            Ok(())
        })
    }

    /// A method that is given rows and answers for each whether it is stored.
    fn try_give(&self, method: &str, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>> {
        python(|py| {
            let arguments = (python_table(py, table)?, python_rows(py, rows)?);
            let stored: Vec<bool> = self.0.call_method1(py, method, arguments)?.extract(py)?;
            as_many(rows, stored)
        })
    }
}

impl TableTransaction for PythonTransaction {
    fn get(
        &mut self,
        table: &'static Table,
        keys: &[Row],
        lock: Option<Lock>,
    ) -> Result<Vec<Option<Row>>> {
        python(|py| {
            let lock = lock.map(|lock| class!(py, storage::Lock)?.call1((lock_slug(lock),)));
            let arguments = (python_table(py, table)?, python_rows(py, keys)?, lock.transpose()?);
            let found = self.0.bind(py).call_method1("get", arguments)?;
            let row = |row: PyResult<Bound<'_, PyAny>>| {
                let row = row?;
                if row.is_none() { Ok(None) } else { rust_row(&row).map(Some) }
            };
            let found: PyResult<Vec<_>> = found.try_iter()?.map(row).collect();
            as_many(keys, found?)
        })
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>> {
        python(|py| {
            let Scan { table, columns, equals, after, limit } = scan;
            let table = python_table(py, table)?;
            let columns = PyTuple::new(py, *columns)?;
            let after = after.as_ref().map(|after| python_value(py, after)).transpose()?;
            let arguments = (table, columns, python_row(py, equals)?, after, *limit);
            let scan = class!(py, storage::Scan)?.call1(arguments)?;
            rust_rows(&self.0.bind(py).call_method1("scan", (scan,))?)
        })
    }

    fn search(&mut self, agency: &AgencyId, spec: &PageSpec) -> Result<Vec<Row>> {
        python(|py| {
            let PageSpec { filter, sort, after, limit } = spec;
            let after = after.as_ref().map(|after| position(py, after)).transpose()?;
            let column = sort_column(sort.by);
            let arguments = (python_filter(py, filter)?, column, sort.descending, after, *limit);
            let spec = class!(py, storage::PageSpec)?.call1(arguments)?;
            rust_rows(&self.0.bind(py).call_method1("search", (agency.as_str(), spec))?)
        })
    }

    fn count(&mut self, agency: &AgencyId, filter: &Filter, cap: u64) -> Result<u64> {
        python(|py| {
            let arguments = (agency.as_str(), python_filter(py, filter)?, cap);
            self.0.call_method1(py, "count", arguments)?.extract(py)
        })
    }

    fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>> {
        self.try_give("insert", table, rows)
    }

    fn update(&mut self, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>> {
        self.try_give("update", table, rows)
    }

    fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.give("put", table, rows)
    }

    fn add(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.give("add", table, rows)
    }

    fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<()> {
        self.give("delete", table, keys)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        python(|py| self.0.call_method0(py, "commit").map(drop))
    }

    fn rollback(self: Box<Self>) -> Result<()> {
        python(|py| self.0.call_method0(py, "rollback").map(drop))
    }
}

fn python_filter<'py>(py: Python<'py>, filter: &Filter) -> PyResult<Bound<'py, PyAny>> {
    let Filter { terms, status, partner_type, joined_from, joined_before } = filter;
    let arguments = (
        PyTuple::new(py, terms)?,
        status.map(|status| status.slug()),
        partner_type.map(|partner_type| partner_type.slug()),
        joined_from.map(|from| from.as_millis()),
        joined_before.map(|before| before.as_millis()),
    );
    class!(py, storage::Filter)?.call1(arguments)
}

fn position<'py>(py: Python<'py>, Position { key, id }: &Position) -> PyResult<Bound<'py, PyAny>> {
    match key {
        SortKey::Instant(at) => (at.as_millis(), id.as_uuid()).into_bound_py_any(py),
        SortKey::Text(text) => (text, id.as_uuid()).into_bound_py_any(py),
    }
}

fn lock_slug(lock: Lock) -> &'static str {
    match lock {
        Lock::KeyShare => "key_share",
        Lock::Share => "share",
        Lock::NoKeyUpdate => "no_key_update",
        Lock::Update => "update",
    }
}

/// One answer for each row that was asked about.
fn as_many<A>(asked: &[Row], answers: Vec<A>) -> PyResult<Vec<A>> {
    if answers.len() == asked.len() {
        return Ok(answers);
    }
    Err(PyValueError::new_err("the storage has not given one answer for each row"))
}

fn python_rows<'py>(py: Python<'py>, rows: &[Row]) -> PyResult<Vec<Bound<'py, PyTuple>>> {
    rows.iter().map(|row| python_row(py, row)).collect()
}

fn python_row<'py>(py: Python<'py>, row: &Row) -> PyResult<Bound<'py, PyTuple>> {
    let values: PyResult<Vec<_>> = row.iter().map(|value| python_value(py, value)).collect();
    PyTuple::new(py, values?)
}

fn python_value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Integer(number) => number.into_bound_py_any(py),
        Value::Text(text) => text.into_bound_py_any(py),
        Value::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        Value::Uuid(uuid) => uuid.into_bound_py_any(py),
    }
}

fn rust_rows(rows: &Bound<'_, PyAny>) -> PyResult<Vec<Row>> {
    rows.try_iter()?.map(|row| rust_row(&row?)).collect()
}

fn rust_row(row: &Bound<'_, PyAny>) -> PyResult<Row> {
    row.try_iter()?.map(|value| rust_value(&value?)).collect()
}

fn rust_value(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        Ok(Value::Null)
    } else if value.is_instance_of::<PyString>() {
        let text = value.extract::<Text>()?.ok();
        let half = || PyValueError::new_err("a row holds a text with a lone surrogate");
        text.map(Value::Text).ok_or_else(half)
    } else if value.is_instance_of::<PyInt>() {
        value.extract().map(Value::Integer)
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        Ok(Value::Bytes(bytes.as_bytes().to_vec()))
    } else {
        let expected = "a row holds None, int, str, bytes and uuid.UUID only";
        value.extract().map(Value::Uuid).map_err(|_| PyTypeError::new_err(expected))
    }
}

/// The tables as Python sees them, made once.
fn python_tables(py: Python<'_>) -> PyResult<&Vec<Py<PyAny>>> {
    static MADE: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();
    MADE.get_or_try_init(py, || {
        TABLES.iter().map(|table| Ok(make_table(py, table)?.unbind())).collect()
    })
}

fn python_table<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyAny>> {
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
#[pyfunction]
pub fn schema(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    PyTuple::new(py, python_tables(py)?)
}
