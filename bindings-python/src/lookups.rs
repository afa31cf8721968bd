//! Functions that need no store: countries, national numbers, and the codes of refused fields.

use partnerkit::{Code, Phone};
use pyo3::prelude::*;
use serde::Serialize;

use crate::answer::answer;
use crate::error::validation;
use crate::given::argument;

/// Every country of the telephone numbering plan, by code: for a form's drop-down.
///
/// ```python
/// (us,) = [country for country in partnerkit.phone_countries() if country.code == "US"]
/// assert (us.calling_code, us.example) == (1, "2015550123")
/// ```
#[pyfunction]
pub fn phone_countries(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    answer(py, &py.detach(partnerkit::phone_countries))
}

/// A phone number as it is written in its country. Raises ValidationError with `phone` if the text
/// is not an international number.
///
/// ```python
/// assert partnerkit.national_format("+14155552671") == "(415) 555-2671"
/// ```
#[pyfunction]
pub fn national_format(py: Python<'_>, phone: &Bound<'_, PyAny>) -> PyResult<String> {
    let phone: String = argument("phone", phone)?;
    let format = || Phone::parse(&phone, None).map(|phone| phone.national_format());
    let refused = |refusal: partnerkit::Refusal| validation(py, refusal.of("phone").into());
    // The GIL is released, because this may wait for a thread that is about to fork.
    py.detach(format).map_err(refused)
}

/// Every code of a refused field, with its English text: for translations.
///
/// ```python
/// german = {"taken": "ist schon vergeben"}  # what there is no text for stays English
/// texts = {code.slug: german.get(code.slug, code.text) for code in partnerkit.field_codes()}
/// assert (texts["taken"], texts["reserved"]) == ("ist schon vergeben", "is reserved")
/// ```
#[pyfunction]
pub fn field_codes(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let codes = Code::ALL.iter().map(|code| CodeRecord { slug: code.slug(), text: code.text() });
    answer(py, &codes.collect::<Vec<_>>())
}

#[derive(Serialize)]
#[serde(rename = "Code")]
struct CodeRecord {
    slug: &'static str,
    text: &'static str,
}
