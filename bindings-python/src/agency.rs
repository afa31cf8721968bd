//! `partnerkit.Agency`: the methods that are not operations or take a file. The operations are
//! generated.

use partnerkit::{Code, FieldError, ImportOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::answer::answer;
use crate::error::{call, validation};
use crate::exchange::{PythonFile, Raised, Told};
use crate::given::{argument, form, optional};
use crate::handle::{Handle, Threads};
use crate::search::Search;

/// One agency's resellers, usage and changes. Records of other agencies do not exist for it.
#[pyclass(frozen, module = "partnerkit")]
pub struct Agency(pub Handle<partnerkit::Agency>, pub Threads);

#[pymethods]
impl Agency {
    /// A handle is its own copy. Django's `setUpTestData` copies it for each test.
    fn __copy__(handle: Py<Self>) -> Py<Self> {
        handle
    }

    fn __deepcopy__(handle: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        handle
    }

    /// Whether asynchronous handles may call it on threads of their own.
    #[getter]
    fn _any_thread(&self) -> bool {
        self.1 == Threads::Any
    }

    /// The agency's id.
    ///
    /// ```python
    /// assert agency.id == "northwind"
    /// ```
    #[getter]
    fn id(&self) -> &str {
        self.0.id().as_str()
    }

    /// A handle on the same agency that records this actor of the host with every change. Raises
    /// ValidationError with the field `actor` (1-200 characters).
    ///
    /// ```python
    /// agency.acting_as("user-42").deactivate(acme.id)
    /// change = agency.changes()[-1]
    /// assert (change.kind, change.actor) == ("reseller_deactivated", "user-42")
    /// ```
    fn acting_as(&self, py: Python<'_>, actor: &Bound<'_, PyAny>) -> PyResult<Self> {
        let actor: String = argument("actor", actor)?;
        call(py, || self.0.acting_as(&actor)).map(|agency| Self(agency.into(), self.1))
    }

    /// Creates a reseller for each row of a CSV file, without a password unless the row has a hash.
    /// `file` is a path, or an object that reads bytes; `each` is called with a RowReport for every
    /// row, and an exception from it ends the import. Rows that exist already are left as they are,
    /// so that a file can be imported again. Raises FileError, ValidationError; exceptions of the
    /// file; TypeError if the file returns text; BlockingIOError if it is non-blocking and has no
    /// data now.
    ///
    /// ```python
    /// import io
    ///
    /// file = io.BytesIO()  # or a path: "partners.csv"
    /// agency.export_csv(file)
    /// file.seek(0)
    /// rows = []
    /// report = agency.import_csv(file, each=rows.append)
    /// assert (report.created, report.existing, report.rejected) == (0, 1, 0)
    /// assert [(row.line, row.kind, row.reseller) for row in rows] == [(2, "existing", acme.id)]
    /// ```
    #[pyo3(signature = (file, *, dry_run=false, delimiter=None, each=None))]
    fn import_csv<'py>(
        &self,
        py: Python<'py>,
        file: &Bound<'py, PyAny>,
        dry_run: bool,
        delimiter: Option<&Bound<'py, PyAny>>,
        each: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut options = ImportOptions { dry_run, ..ImportOptions::default() };
        if let Some(delimiter) = optional::<String>("delimiter", delimiter)? {
            let &[delimiter] = delimiter.as_bytes() else {
                let refused = FieldError::new("delimiter", Code::Invalid);
                let refused = refused.expecting("one ASCII character");
                return Err(validation(py, refused.into()));
            };
            options.delimiter = delimiter;
        }
        let raised = Raised::default();
        let mut reader = PythonFile::of(file, "rb", &raised)?;
        let mut told = Told { to: each, raised };
        let done = call(py, || self.0.import_csv(&mut reader, &options, |row| told.tell(row)));
        answer(py, &reader.end(py, done)?)
    }

    /// Writes resellers as CSV and returns their number. `file` is a path, or an object whose
    /// `write` takes bytes, and may return that it has taken only a part of them; text and
    /// conditions are those of `page`. Raises FileError; exceptions of the file; TypeError if the
    /// file takes text; BlockingIOError if it is non-blocking and takes nothing now. After an
    /// exception the file may contain a part of the rows.
    ///
    /// ```python
    /// import io
    ///
    /// file = io.BytesIO()  # or a path: "partners.csv"
    /// assert agency.export_csv(file, "telecom") == 1
    /// assert "Acme Télécom" in file.getvalue().decode()
    /// ```
    #[pyo3(signature = (file, text=None, **fields))]
    fn export_csv(
        &self,
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        text: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        let query = form(text.map(|text| ("text", text)), fields, py)?;
        let mut writer = PythonFile::of(file, "wb", &Raised::default())?;
        let done = call(py, || self.0.export_csv(&query, &mut writer));
        writer.end(py, done)
    }

    /// Every reseller that a text and the conditions of `page` find, read page by page as needed;
    /// limit is the size of a page.
    ///
    /// ```python
    /// agency.create_reseller(**form)
    /// found = agency.search("telecom", status="active")
    /// assert [reseller.name for reseller in found] == ["Acme Télécom"]
    /// everybody = agency.search(sort="name", limit=100)
    /// assert [reseller.login_domain for reseller in everybody] == ["acme", "globex"]
    /// ```
    #[pyo3(signature = (text=None, **fields))]
    fn search(
        &self,
        py: Python<'_>,
        text: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Search> {
        let query = form(text.map(|text| ("text", text)), fields, py)?;
        Ok(Search::new(&self.0, query))
    }

    fn __repr__(&self) -> String {
        format!("<partnerkit.Agency '{}'>", self.id())
    }
}
