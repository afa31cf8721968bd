//! The classes of the Python half of the package, and what else is made once.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// What is in the cell, made now if it is empty.
///
/// It is made without a lock: what is made runs Python code, and that may switch threads, fork, or
/// come back here. What a second thread makes meanwhile is dropped.
pub fn once<'c, T>(
    py: Python<'_>,
    cell: &'c PyOnceLock<T>,
    make: impl FnOnce() -> PyResult<T>,
) -> PyResult<&'c T> {
    if cell.get(py).is_none() {
        drop(cell.set(py, make()?));
    }
    Ok(cell.get(py).expect("it has just been filled"))
}

/// What a module has under a name, looked up once.
macro_rules! imported {
    ($py:expr, $module:expr, $name:expr) => {{
        use pyo3::prelude::*;
        use pyo3::sync::PyOnceLock;
        static FOUND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        $crate::class::once($py, &FOUND, || Ok($py.import($module)?.getattr($name)?.unbind()))
            .map(|found| found.bind($py))
    }};
}
pub(crate) use imported;

/// A class of the package, looked up once.
macro_rules! class {
    ($py:expr, $module:ident::$name:ident) => {{
        use pyo3::types::PyType;
        $crate::class::imported!(
            $py,
            concat!("partnerkit.", stringify!($module)),
            stringify!($name)
        )
        .and_then(|class| Ok(class.cast::<PyType>()?))
    }};
}
pub(crate) use class;
