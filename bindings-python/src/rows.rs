//! The verbs of rows as methods of a Python object, and the conversion of rows.

use std::ops;

use partnerkit::Result;
use partnerkit::schema::{Column, Kind, RESELLERS, Row, Table, Value};
use partnerkit::storage::{
    Batch, Condition, Filter, Get, Is, Keys, Lock, PageSpec, Scan, Verbs, remove_by_key,
};
use pyo3::IntoPyObjectExt;
use pyo3::call::PyCallArgs;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};

use crate::class::class;
use crate::error::from_storage;
use crate::schema::python_table;

/// A `partnerkit.storage.TableTransaction` while the thread is attached to Python; each verb is a
/// method.
pub struct Attached<'a, 'py>(pub &'a Bound<'py, PyAny>);

impl<'py> Attached<'_, 'py> {
    fn call<A: PyCallArgs<'py>, T>(
        &self,
        method: &str,
        arguments: impl FnOnce(Python<'py>) -> PyResult<A>,
        read: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<T>,
    ) -> Result<T> {
        let py = self.0.py();
        let answer = arguments(py).and_then(|a| self.0.call_method1(method, a));
        answer.and_then(|answer| read(&answer)).map_err(|raised| from_storage(py, raised))
    }

    fn give(&self, method: &str, table: &Table, rows: &[Row]) -> Result<()> {
        let arguments = |py| Ok((python_table(py, table)?, python_rows(py, rows)?));
        self.call(method, arguments, |_| Ok(()))
    }

    /// Calls a method that returns for each row whether it was stored.
    fn try_give(&self, method: &str, Batch { table, rows }: &Batch) -> Result<Vec<bool>> {
        let arguments = |py| Ok((python_table(py, table)?, python_rows(py, rows)?));
        self.call(method, arguments, |answer| each(answer, rows.len(), |stored| stored.extract()))
    }
}

impl Verbs for Attached<'_, '_> {
    fn get(&mut self, Get { table, by, keys, lock }: &Get) -> Result<Vec<Option<Row>>> {
        let arguments = |py| {
            let by = PyTuple::new(py, *by)?;
            Ok((python_table(py, table)?, by, python_rows(py, keys)?, python_lock(py, *lock)?))
        };
        let row = |row: &Bound<'_, PyAny>| match row.is_none() {
            true => Ok(None),
            false => rust_row(table, row).map(Some),
        };
        self.call("get", arguments, |answer| each(answer, keys.len(), row))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>> {
        let row = |row: &Bound<'_, PyAny>| rust_row(scan.table, row);
        self.call("scan", |py| Ok((python_scan(py, scan)?,)), |found| up_to(scan.limit, found, row))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Row>> {
        let row = |row: &Bound<'_, PyAny>| rust_row(&RESELLERS, row);
        self.call("page", |py| Ok((python_page(py, spec)?,)), |found| up_to(spec.limit, found, row))
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        self.call("count", |py| Ok((python_filter(py, filter)?, cap)), |count| count.extract())
    }

    fn insert(&mut self, batch: &Batch) -> Result<Vec<bool>> {
        self.try_give("insert", batch)
    }

    fn update(&mut self, batch: &Batch) -> Result<Vec<bool>> {
        self.try_give("update", batch)
    }

    fn put(&mut self, Batch { table, rows }: &Batch) -> Result<()> {
        self.give("put", table, rows)
    }

    fn add(&mut self, Batch { table, rows }: &Batch) -> Result<()> {
        self.give("add", table, rows)
    }

    fn delete(&mut self, Keys { table, keys }: &Keys) -> Result<()> {
        self.give("delete", table, keys)
    }

    fn remove(&mut self, scan: &Scan) -> Result<u64> {
        match self.0.hasattr("remove") {
            Ok(false) => remove_by_key(self, scan),
            _ => self.call("remove", |py| Ok((python_scan(py, scan)?,)), |count| count.extract()),
        }
    }
}

fn python_scan<'py>(py: Python<'py>, scan: &Scan) -> PyResult<Bound<'py, PyAny>> {
    let Scan { table, columns, equals, range: (from, to), reverse, limit, lock } = scan;
    let arguments = (
        python_table(py, table)?,
        PyTuple::new(py, *columns)?,
        python_row(py, equals)?,
        (python_bound(py, from)?, python_bound(py, to)?),
        *reverse,
        *limit,
        python_lock(py, *lock)?,
    );
    class!(py, storage::Scan)?.call1(arguments)
}

fn python_bound<'py>(
    py: Python<'py>,
    bound: &ops::Bound<Row>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (row, inclusive) = match bound {
        ops::Bound::Unbounded => return Ok(None),
        ops::Bound::Included(row) => (row, true),
        ops::Bound::Excluded(row) => (row, false),
    };
    class!(py, storage::Bound)?.call1((python_row(py, row)?, inclusive)).map(Some)
}

fn python_page<'py>(py: Python<'py>, spec: &PageSpec) -> PyResult<Bound<'py, PyAny>> {
    let PageSpec { filter, order, descending, after, limit } = spec;
    let after = after.as_ref().map(|(value, id)| PyResult::Ok((python_value(py, value)?, *id)));
    let filter = python_filter(py, filter)?;
    class!(py, storage::PageSpec)?.call1((filter, *order, *descending, after.transpose()?, *limit))
}

fn python_filter<'py>(py: Python<'py>, filter: &Filter) -> PyResult<Bound<'py, PyAny>> {
    let Filter { agency, terms, conditions } = filter;
    let conditions = conditions.iter().map(|condition| python_condition(py, condition));
    let conditions = PyTuple::new(py, conditions.collect::<PyResult<Vec<_>>>()?)?;
    class!(py, storage::Filter)?.call1((agency.as_str(), PyTuple::new(py, terms)?, conditions))
}

fn python_condition<'py>(
    py: Python<'py>,
    Condition { column, is }: &Condition,
) -> PyResult<Bound<'py, PyAny>> {
    let (is, value) = match is {
        Is::Slug(slug) => ("slug", slug.into_bound_py_any(py)?),
        Is::AtLeast(value) => ("at_least", python_value(py, value)?),
        Is::Below(value) => ("below", python_value(py, value)?),
    };
    class!(py, storage::Condition)?.call1((*column, class!(py, storage::Is)?.call1((is,))?, value))
}

fn python_lock(py: Python<'_>, lock: Option<Lock>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let slug = |lock| match lock {
        Lock::KeyShare => "key_share",
        Lock::Share => "share",
        Lock::NoKeyUpdate => "no_key_update",
        Lock::Update => "update",
    };
    lock.map(|lock| class!(py, storage::Lock)?.call1((slug(lock),))).transpose()
}

/// Reads one answer for each row of the call.
fn each<'py, A>(
    answer: &Bound<'py, PyAny>,
    asked: usize,
    read: impl Fn(&Bound<'py, PyAny>) -> PyResult<A>,
) -> PyResult<Vec<A>> {
    let answers = at_most(answer, asked, read)?;
    let wrong = || PyValueError::new_err("the storage must return exactly one answer for each row");
    answers.filter(|answers| answers.len() == asked).ok_or_else(wrong)
}

/// Reads rows, but no more than were asked for.
fn up_to<'py, A>(
    limit: u32,
    answer: &Bound<'py, PyAny>,
    read: impl Fn(&Bound<'py, PyAny>) -> PyResult<A>,
) -> PyResult<Vec<A>> {
    let too_many = || PyValueError::new_err("the storage returned more rows than requested");
    at_most(answer, limit as usize, read)?.ok_or_else(too_many)
}

/// Reads the items of an answer up to a limit. `len` is not called, because it may return any
/// number.
fn at_most<'py, A>(
    answer: &Bound<'py, PyAny>,
    most: usize,
    read: impl Fn(&Bound<'py, PyAny>) -> PyResult<A>,
) -> PyResult<Option<Vec<A>>> {
    let mut items = Vec::new();
    for item in answer.try_iter()? {
        if items.len() == most {
            return Ok(None);
        }
        items.push(read(&item?)?);
    }
    Ok(Some(items))
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

fn rust_row(table: &Table, row: &Bound<'_, PyAny>) -> PyResult<Row> {
    let wrong = || PyValueError::new_err("a row does not match the columns of its table");
    let value = |(place, value): (usize, PyResult<Bound<'_, PyAny>>)| {
        rust_value(table.columns.get(place).ok_or_else(wrong)?, &value?)
    };
    let row: Row = row.try_iter()?.enumerate().map(value).collect::<PyResult<_>>()?;
    if row.len() == table.columns.len() { Ok(row) } else { Err(wrong()) }
}

fn rust_value(column: &Column, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() && column.nullable {
        return Ok(Value::Null);
    }
    let other = || PyTypeError::new_err("a value in a row is not of its column's kind");
    match column.kind {
        Kind::Integer if value.is_instance_of::<PyInt>() => value.extract().map(Value::Integer),
        Kind::Text if value.is_instance_of::<PyString>() => {
            let half = |_| PyValueError::new_err("a row has a text with a lone surrogate");
            value.cast::<PyString>()?.to_cow().map(|text| Value::Text(text.into())).map_err(half)
        }
        Kind::Integer | Kind::Text => Err(other()),
        Kind::Bytes => {
            let bytes = value.cast::<PyBytes>().map_err(|_| other())?;
            Ok(Value::Bytes(bytes.as_bytes().to_vec()))
        }
        Kind::Uuid => value.extract().map(Value::Uuid).map_err(|_| other()),
    }
}
