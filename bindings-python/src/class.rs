//! The classes of the Python half of the package.

/// A class of the package, looked up once.
macro_rules! class {
    ($py:expr, $module:ident::$name:ident) => {{
        use pyo3::{Py, sync::PyOnceLock, types::PyType};
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        CLASS.import($py, concat!("partnerkit.", stringify!($module)), stringify!($name))
    }};
}
pub(crate) use class;
