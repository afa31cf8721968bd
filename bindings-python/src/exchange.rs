//! Files in and out: Python's file objects as the core's readers and writers.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use partnerkit::{ImportReport, RowOutcome, RowReport};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::class::class;
use crate::error::field_errors;
use crate::value::{id, object, record};

/// What Python raised meanwhile: the first counts, and is raised again when the call is over.
#[derive(Clone, Default)]
pub struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    fn keep(&self, raised: PyErr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(raised);
    }

    fn any(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub fn again(&self) -> PyResult<()> {
        let raised = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        raised.map_or(Ok(()), Err)
    }
}

/// A file: a path that is opened here, or an object that reads or writes bytes.
pub struct PythonFile {
    file: Py<PyAny>,
    raised: Raised,
}

impl PythonFile {
    pub fn open(file: &Bound<'_, PyAny>, mode: &str, raised: &Raised) -> PyResult<Self> {
        let py = file.py();
        let is_path = file.is_instance_of::<PyString>() || file.hasattr("__fspath__")?;
        let file = if is_path {
            py.import("builtins")?.call_method1("open", (file, mode))?
        } else {
            file.clone()
        };
        Ok(Self { file: file.unbind(), raised: raised.clone() })
    }

    /// Asks the file for something, unless Python has raised: then the core is to end, too. So
    /// that somebody can interrupt a long file, signals are looked at as well.
    fn ask<T>(&self, work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> io::Result<T> {
        if self.raised.any() {
            return Err(io::Error::other("Python has raised"));
        }
        let asked = Python::attach(|py| {
            py.check_signals()?;
            work(self.file.bind(py))
        });
        asked.map_err(|raised| {
            self.raised.keep(raised);
            io::Error::other("Python raised")
        })
    }
}

impl Read for PythonFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.ask(|file| {
            let read: Vec<u8> = file.call_method1("read", (buffer.len(),))?.extract()?;
            Ok(read)
        })?;
        let fits = buffer.get_mut(..read.len()).ok_or_else(|| io::Error::other("too much"))?;
        fits.copy_from_slice(&read);
        Ok(read.len())
    }
}

impl Write for PythonFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ask(|file| file.call_method1("write", (PyBytes::new(file.py(), bytes),)).map(drop))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ask(|file| file.call_method0("flush").map(drop))
    }
}

/// What is told of each row: to a function, until it raises.
pub struct Told {
    pub to: Option<Py<PyAny>>,
    pub raised: Raised,
}

impl Told {
    pub fn tell(&mut self, row: RowReport) {
        let Some(to) = self.to.as_ref().filter(|_| !self.raised.any()) else { return };
        let told = Python::attach(|py| to.bind(py).call1((row_report(py, &row)?,)).map(drop));
        if let Err(raised) = told {
            self.raised.keep(raised);
        }
    }
}

fn row_report<'py>(py: Python<'py>, row: &RowReport) -> PyResult<Bound<'py, PyAny>> {
    let RowReport { line, outcome } = row;
    let (kind, reseller, errors) = match outcome {
        RowOutcome::Created(created) => ("created", Some(id(py, *created)?), Vec::new()),
        RowOutcome::Existing(existing) => ("existing", Some(id(py, *existing)?), Vec::new()),
        RowOutcome::Rejected(errors) => ("rejected", None, field_errors(py, errors.as_slice())?),
    };
    let fields = [
        ("line", object(py, line)?),
        ("kind", class!(py, records::RowKind)?.call1((kind,))?),
        ("reseller", object(py, reseller)?),
        ("errors", object(py, errors)?),
    ];
    record(class!(py, records::RowReport)?, &fields)
}

/// The record of a report.
pub fn report(py: Python<'_>, report: ImportReport) -> PyResult<Bound<'_, PyAny>> {
    let ImportReport { created, existing, rejected } = report;
    class!(py, records::ImportReport)?.call1((created, existing, rejected))
}
