//! The classes of the Python half of the package, and other objects that are made once.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The value in the cell, which is made now if the cell is empty.
///
/// It is made without a lock, because making it runs Python code, which may switch threads, fork,
/// or call this function again. If a second thread makes a value meanwhile, that one is dropped.
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

/// Declares an object of a module, looked up once by its name.
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

/// Declares a class of the package, looked up once.
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
