//! Python's file objects as the core's readers and writers.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use partnerkit::RowReport;
use pyo3::exceptions::{PyBlockingIOError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use crate::answer::answer;
use crate::class::class;

/// The first exception that Python raised during the call; it is raised again when the call has
/// ended.
#[derive(Clone, Default)]
pub struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    fn keep(&self, raised: PyErr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(raised);
    }

    fn any(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn again(&self) -> PyResult<()> {
        let raised = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        raised.map_or(Ok(()), Err)
    }
}

/// A file: a path, which is opened here, or an object that reads or writes bytes.
pub struct PythonFile {
    file: File,
    raised: Raised,
}

enum File {
    /// A path, and the mode in which to open it. It is opened at its first use, so that a refused
    /// call does not empty the file.
    Path(Py<PyAny>, &'static str),
    /// A file that was opened here, and so is closed here.
    Opened(Py<PyAny>),
    Given(Py<PyAny>),
}

impl PythonFile {
    pub fn of(file: &Bound<'_, PyAny>, mode: &'static str, raised: &Raised) -> PyResult<Self> {
        let raised = raised.clone();
        if file.is_instance_of::<PyString>() || file.hasattr("__fspath__")? {
            return Ok(Self { file: File::Path(file.clone().unbind(), mode), raised });
        }
        if is_of(file, "TextIOBase")? {
            let text = format!("file: is open for text; open it in mode '{mode}'");
            return Err(PyTypeError::new_err(text));
        }
        let method = if mode == "rb" { "read" } else { "write" };
        if !file.hasattr(method)? {
            let text = format!("file: expected a path, or an object with '{method}'");
            return Err(PyTypeError::new_err(text));
        }
        Ok(Self { file: File::Given(file.clone().unbind()), raised })
    }

    /// Closes a file that was opened here. The first of these errors is raised: an exception of
    /// Python during the call, the core's error, and an exception from closing.
    pub fn end<T>(self, py: Python<'_>, done: PyResult<T>) -> PyResult<T> {
        let raised = self.raised.again();
        let closed = match self.file {
            File::Opened(file) => file.call_method0(py, "close").map(drop),
            File::Path(..) | File::Given(_) => Ok(()),
        };
        raised?;
        let done = done?;
        closed.map(|()| done)
    }

    /// Calls the file, unless Python has raised an exception, which also ends the core's work.
    /// Signals are checked, too, so that a long file can be interrupted.
    fn ask<T>(&mut self, work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> io::Result<T> {
        if self.raised.any() {
            return Err(io::Error::other("Python has raised"));
        }
        let asked = Python::attach(|py| {
            py.check_signals()?;
            work(self.file.open(py)?)
        });
        asked.map_err(|raised| {
            self.raised.keep(raised);
            io::Error::other("Python raised")
        })
    }
}

impl File {
    fn open<'py>(&mut self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        if let Self::Path(path, mode) = self {
            let opened = py.import("builtins")?.call_method1("open", (&*path, *mode))?;
            *self = Self::Opened(opened.unbind());
        }
        let (Self::Path(file, _) | Self::Opened(file) | Self::Given(file)) = self;
        Ok(file.bind(py))
    }
}

impl Read for PythonFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ask(|file| {
            let read = file.call_method1("read", (buffer.len(),))?;
            let read = bytes(&read)?;
            let read = read.as_bytes();
            let Some(fits) = buffer.get_mut(..read.len()) else {
                return Err(wrong_count(file.py(), "file: read() gave more than was asked for"));
            };
            fits.copy_from_slice(read);
            Ok(read.len())
        })
    }
}

impl Write for PythonFile {
    /// A file may take less than it is given; the caller then writes the rest.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ask(|file| {
            let written = file.call_method1("write", (PyBytes::new(file.py(), bytes),))?;
            taken(file, &written, bytes.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ask(|file| file.call_method0("flush").map(drop))
    }
}

/// The result of `read`. With `None`, Python's files say that they have no data now.
fn bytes<'py>(read: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = read.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    if read.is_none() {
        return Err(would_block("file: read() has nothing now: it does not block"));
    }
    if read.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("file: read() returned text; open the file in mode 'rb'"));
    }
    let bytes = PyMemoryView::from(read)
        .and_then(|view| read.py().get_type::<PyBytes>().call1((view,)))
        .map_err(|_| PyTypeError::new_err("file: read() must return bytes"))?;
    Ok(bytes.cast_into()?)
}

/// How much of `given` a file has taken, by the result of `write`. From one of Python's own files,
/// `None` means that it takes nothing now. Other objects with a `write`, such as Django's
/// `HttpResponse`, return no count, and take everything.
fn taken(file: &Bound<'_, PyAny>, written: &Bound<'_, PyAny>, given: usize) -> PyResult<usize> {
    if written.is_none() {
        return if is_of(file, "IOBase")? {
            Err(would_block("file: write() takes nothing now: it does not block"))
        } else {
            Ok(given)
        };
    }
    match written.extract() {
        Ok(count) if (1..=given).contains(&count) => Ok(count),
        Err(raised) if raised.is_instance_of::<PyTypeError>(file.py()) => Err(
            PyTypeError::new_err("file: write() must return the number of bytes written, or None"),
        ),
        _ => Err(wrong_count(file.py(), "file: write() returned an impossible number of bytes")),
    }
}

/// Whether a file is of a class of Python's module `io`.
fn is_of(file: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    file.is_instance(&file.py().import("io")?.getattr(class)?)
}

fn would_block(message: &'static str) -> PyErr {
    PyBlockingIOError::new_err(message)
}

fn wrong_count(py: Python<'_>, message: &str) -> PyErr {
    let made = class!(py, errors::FileError).and_then(|class| class.call1((message,)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// Passes each row's outcome to a function, until that raises an exception.
pub struct Told {
    pub to: Option<Py<PyAny>>,
    pub raised: Raised,
}

impl Told {
    pub fn tell(&mut self, row: RowReport) {
        let Some(to) = self.to.as_ref().filter(|_| !self.raised.any()) else { return };
        let told = Python::attach(|py| to.bind(py).call1((answer(py, &row)?,)).map(drop));
        if let Err(raised) = told {
            self.raised.keep(raised);
        }
    }
}
