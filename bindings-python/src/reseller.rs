//! Forms into drafts and patches.

use std::collections::{BTreeMap, BTreeSet};

use partnerkit::{ContactDraft, Patch, PhoneDraft, ResellerDraft, ResellerPatch};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::no_text;
use crate::value::{Text, member, only};

/// A phone as typed: international text, or a pair of country code and national number.
struct Phone {
    country: Option<Text>,
    number: Text,
}

impl Phone {
    /// Both parts are one field in errors, too.
    fn noted(self, field: &str, no_text: &mut BTreeSet<String>) -> PhoneDraft {
        let country = self.country.map(|country| country.noted(field, no_text));
        PhoneDraft { country, number: self.number.noted(field, no_text) }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Phone {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return Ok(Self { country: None, number: value.extract()? });
        }
        let pair: PyResult<(Option<Text>, Text)> = value.extract();
        let (country, number) = pair.map_err(|_| {
            PyTypeError::new_err("a phone is '+49 30 …', or a pair ('US', '415 …')")
        })?;
        Ok(Self { country, number })
    }
}

/// A contact person as typed: a dict, or any object with these attributes.
struct Contact {
    name: Text,
    email: Text,
    phone: Option<Phone>,
}

impl Contact {
    fn noted(self, no_text: &mut BTreeSet<String>) -> ContactDraft {
        let phone = self.phone.map(|phone| phone.noted("contact.phone.number", no_text));
        ContactDraft {
            name: self.name.noted("contact.name", no_text),
            email: self.email.noted("contact.email", no_text),
            phone: phone.unwrap_or_default(),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Contact {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(given) = value.cast::<PyDict>() {
            only(&given, &["name", "email", "phone"])?;
        }
        let text = |name| match member(&value, name)? {
            Some(text) => text.extract(),
            None => Ok(Text::default()),
        };
        let phone = member(&value, "phone")?.map(|phone| phone.extract()).transpose()?;
        Ok(Self { name: text("name")?, email: text("email")?, phone })
    }
}

/// A form as given: fields by name, and the names of those that hold no text.
struct Form<'a, 'py> {
    fields: &'a Bound<'py, PyDict>,
    no_text: BTreeSet<String>,
}

impl<'a, 'py> Form<'a, 'py> {
    /// A form; names that mean nothing in it are refused.
    fn new(fields: &'a Bound<'py, PyDict>, known: &[&str]) -> PyResult<Self> {
        only(fields, known)?;
        Ok(Self { fields, no_text: BTreeSet::new() })
    }

    fn field<T>(&self, name: &str) -> PyResult<Option<T>>
    where
        T: for<'b> FromPyObject<'b, 'py, Error = PyErr>,
    {
        self.fields.get_item(name)?.map(|value| typed(name, &value)).transpose()
    }

    fn text(&mut self, name: &str) -> PyResult<Option<String>> {
        let text = self.field::<Text>(name)?;
        Ok(text.map(|text| text.noted(name, &mut self.no_text)))
    }

    /// A text that may be given as `None`.
    fn optional(&mut self, name: &str) -> PyResult<Option<Option<String>>> {
        let text = self.field::<Option<Text>>(name)?;
        Ok(text.map(|text| text.map(|text| text.noted(name, &mut self.no_text))))
    }

    fn clearable(&mut self, name: &str) -> PyResult<Patch<String>> {
        Ok(match self.optional(name)? {
            None => Patch::Leave,
            Some(None) => Patch::Clear,
            Some(Some(text)) => Patch::Set(text),
        })
    }

    fn phone(&mut self) -> PyResult<Option<PhoneDraft>> {
        let phone = self.field::<Phone>("phone")?;
        Ok(phone.map(|phone| phone.noted("phone.number", &mut self.no_text)))
    }

    fn contact(&mut self) -> PyResult<Option<ContactDraft>> {
        let contact = self.field::<Contact>("contact")?;
        Ok(contact.map(|contact| contact.noted(&mut self.no_text)))
    }

    fn metadata(&mut self) -> PyResult<Option<BTreeMap<String, String>>> {
        let Some(given) = self.field::<BTreeMap<Text, Text>>("metadata")? else { return Ok(None) };
        let mut noted = |text: Text| text.noted("metadata", &mut self.no_text);
        Ok(Some(given.into_iter().map(|(key, value)| (noted(key), noted(value))).collect()))
    }
}

const DRAFT: &[&str] = &[
    "partner_type",
    "name",
    "email",
    "phone",
    "password",
    "password_confirmation",
    "password_hash",
    "invite",
    "contact",
    "login_domain",
    "website",
    "external_id",
    "metadata",
];

/// The form of a new reseller. What is not given is empty: the core says that it is required,
/// together with everything else that is wrong.
pub fn draft(fields: Option<&Bound<'_, PyDict>>) -> PyResult<ResellerDraft> {
    let Some(fields) = fields else { return Ok(ResellerDraft::default()) };
    let mut form = Form::new(fields, DRAFT)?;
    Ok(ResellerDraft {
        idempotency_key: None,
        partner_type: form.text("partner_type")?.unwrap_or_default(),
        name: form.text("name")?.unwrap_or_default(),
        email: form.text("email")?.unwrap_or_default(),
        phone: form.phone()?.unwrap_or_default(),
        password: form.text("password")?.unwrap_or_default(),
        password_confirmation: form.text("password_confirmation")?.unwrap_or_default(),
        password_hash: form.optional("password_hash")?.flatten(),
        invite: form.field("invite")?.unwrap_or_default(),
        contact: form.contact()?.unwrap_or_default(),
        login_domain: form.text("login_domain")?.unwrap_or_default(),
        website: form.optional("website")?.flatten(),
        external_id: form.optional("external_id")?.flatten(),
        metadata: form.metadata()?.unwrap_or_default(),
        no_text: form.no_text,
    })
}

const PATCH: &[&str] = &["name", "email", "phone", "contact", "website", "external_id", "metadata"];

/// What to change: a name that is not given is left, `None` clears.
pub fn patch(fields: Option<&Bound<'_, PyDict>>) -> PyResult<ResellerPatch> {
    let Some(fields) = fields else { return Ok(ResellerPatch::default()) };
    let mut form = Form::new(fields, PATCH)?;
    Ok(ResellerPatch {
        name: form.text("name")?,
        email: form.text("email")?,
        phone: form.phone()?,
        contact: form.contact()?,
        website: form.clearable("website")?,
        external_id: form.clearable("external_id")?,
        metadata: form.metadata()?,
        no_text: form.no_text,
    })
}

/// What was typed into a field. An error names the field and never repeats the text.
fn typed<'py, T>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    value.extract().map_err(|error: PyErr| {
        let py = value.py();
        if error.is_instance_of::<PyTypeError>(py) {
            PyTypeError::new_err(format!("{name}: {}", error.value(py)))
        } else {
            error
        }
    })
}

/// A new password, typed twice.
pub fn new_password(
    password: &Bound<'_, PyAny>,
    confirmation: &Bound<'_, PyAny>,
) -> PyResult<(String, String)> {
    let mut refused = BTreeSet::new();
    let mut text =
        |name: &str, value| PyResult::Ok(typed::<Text>(name, value)?.noted(name, &mut refused));
    let texts = (text("password", password)?, text("password_confirmation", confirmation)?);
    if refused.is_empty() { Ok(texts) } else { Err(no_text(password.py(), refused)) }
}
