//! Forms into drafts and patches; resellers and pages into records.

use std::collections::BTreeMap;

use partnerkit::{
    Code, ContactDraft, ContactPerson, Page, PartnerType, Patch, PhoneDraft, Reseller,
    ResellerDraft, ResellerPatch, Status, Total,
};
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::class::class;
use crate::error::refused;
use crate::value::{id, instant, member, object, only, record};

/// A phone as typed: international text, or a pair of country code and national number.
pub struct Phone(PhoneDraft);

impl<'a, 'py> FromPyObject<'a, 'py> for Phone {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Self(PhoneDraft::international(text.to_cow()?)));
        }
        let pair: PyResult<(Option<String>, String)> = value.extract();
        let (country, number) = pair.map_err(|_| {
            PyTypeError::new_err("a phone is '+49 30 …', or a pair ('US', '415 …')")
        })?;
        Ok(Self(PhoneDraft { country, number }))
    }
}

/// A contact person as typed: a dict, or any object with these attributes.
pub struct Contact(ContactDraft);

impl<'a, 'py> FromPyObject<'a, 'py> for Contact {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(given) = value.cast::<PyDict>() {
            only(&given, &["name", "email", "phone"])?;
        }
        let text = |name| match member(&value, name)? {
            Some(text) => text.extract(),
            None => Ok(String::new()),
        };
        let phone = member(&value, "phone")?.map(|phone| phone.extract::<Phone>()).transpose()?;
        let phone = phone.map(|phone| phone.0).unwrap_or_default();
        Ok(Self(ContactDraft { name: text("name")?, email: text("email")?, phone }))
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
    let mut draft = ResellerDraft::default();
    let Some(fields) = fields else { return Ok(draft) };
    only(fields, DRAFT)?;
    let ResellerDraft {
        partner_type,
        name,
        email,
        phone,
        password,
        password_confirmation,
        password_hash,
        invite,
        contact,
        login_domain,
        website,
        external_id,
        metadata,
    } = &mut draft;
    fill(fields, "partner_type", partner_type)?;
    fill(fields, "name", name)?;
    fill(fields, "email", email)?;
    if let Some(Phone(given)) = field(fields, "phone")? {
        *phone = given;
    }
    fill(fields, "password", password)?;
    fill(fields, "password_confirmation", password_confirmation)?;
    fill(fields, "password_hash", password_hash)?;
    fill(fields, "invite", invite)?;
    if let Some(Contact(given)) = field(fields, "contact")? {
        *contact = given;
    }
    fill(fields, "login_domain", login_domain)?;
    fill(fields, "website", website)?;
    fill(fields, "external_id", external_id)?;
    fill(fields, "metadata", metadata)?;
    Ok(draft)
}

const PATCH: &[&str] = &["name", "email", "phone", "contact", "website", "external_id", "metadata"];

/// What to change: a name that is not given is left, `None` clears.
pub fn patch(fields: Option<&Bound<'_, PyDict>>) -> PyResult<ResellerPatch> {
    let Some(fields) = fields else { return Ok(ResellerPatch::default()) };
    only(fields, PATCH)?;
    Ok(ResellerPatch {
        name: field(fields, "name")?,
        email: field(fields, "email")?,
        phone: field(fields, "phone")?.map(|Phone(phone)| phone),
        contact: field(fields, "contact")?.map(|Contact(contact)| contact),
        website: clearable(fields, "website")?,
        external_id: clearable(fields, "external_id")?,
        metadata: field::<BTreeMap<String, String>>(fields, "metadata")?,
    })
}

fn field<'py, T>(fields: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    fields.get_item(name)?.map(|value| typed(name, &value)).transpose()
}

/// What was typed into a field. An error names the field and never repeats the text.
fn typed<'py, T>(name: &str, value: &Bound<'py, PyAny>) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    value.extract().map_err(|error: PyErr| {
        let py = value.py();
        if error.is_instance_of::<PyUnicodeEncodeError>(py) {
            // A lone surrogate. Python's own error would show the whole text.
            refused(py, name, Code::Invalid)
        } else if error.is_instance_of::<PyTypeError>(py) {
            PyTypeError::new_err(format!("{name}: {}", error.value(py)))
        } else {
            error
        }
    })
}

fn fill<'py, T>(fields: &Bound<'py, PyDict>, name: &str, slot: &mut T) -> PyResult<()>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    if let Some(value) = field(fields, name)? {
        *slot = value;
    }
    Ok(())
}

fn clearable(fields: &Bound<'_, PyDict>, name: &str) -> PyResult<Patch<String>> {
    Ok(match field::<Option<String>>(fields, name)? {
        None => Patch::Leave,
        Some(None) => Patch::Clear,
        Some(Some(text)) => Patch::Set(text),
    })
}

/// A new password, typed twice.
pub fn new_password(
    password: &Bound<'_, PyAny>,
    confirmation: &Bound<'_, PyAny>,
) -> PyResult<(String, String)> {
    Ok((typed("password", password)?, typed("password_confirmation", confirmation)?))
}

/// The record of a reseller.
pub fn reseller(py: Python<'_>, reseller: Reseller) -> PyResult<Bound<'_, PyAny>> {
    let Reseller {
        id: reseller_id,
        agency,
        version,
        status: active,
        deactivation_reason,
        partner_type: sells,
        login_domain,
        name,
        email,
        phone,
        contact: person,
        website,
        external_id,
        metadata,
        created_at,
        updated_at,
    } = reseller;
    let fields = [
        ("id", id(py, reseller_id)?),
        ("agency", object(py, agency.as_str())?),
        ("version", object(py, version)?),
        ("status", status(py, active)?),
        ("deactivation_reason", object(py, deactivation_reason)?),
        ("partner_type", partner_type(py, sells)?),
        ("login_domain", object(py, login_domain.as_str())?),
        ("name", object(py, name.as_str())?),
        ("email", object(py, email.as_str())?),
        ("phone", object(py, phone.as_str())?),
        ("contact", contact(py, &person)?),
        ("website", object(py, website.as_ref().map(|website| website.as_str()))?),
        ("external_id", object(py, external_id.as_ref().map(|id| id.as_str()))?),
        ("metadata", object(py, metadata.as_map())?),
        ("created_at", instant(py, created_at)?),
        ("updated_at", instant(py, updated_at)?),
    ];
    record(class!(py, records::Reseller)?, &fields)
}

fn contact<'py>(py: Python<'py>, person: &ContactPerson) -> PyResult<Bound<'py, PyAny>> {
    let ContactPerson { name, email, phone } = person;
    let class = class!(py, records::ContactPerson)?;
    class.call1((name.as_str(), email.as_str(), phone.as_str()))
}

/// A status of the package's enumeration.
pub fn status(py: Python<'_>, status: Status) -> PyResult<Bound<'_, PyAny>> {
    class!(py, records::Status)?.call1((status.slug(),))
}

fn partner_type(py: Python<'_>, partner_type: PartnerType) -> PyResult<Bound<'_, PyAny>> {
    class!(py, records::PartnerType)?.call1((partner_type.slug(),))
}

/// The record of a page.
pub fn page(py: Python<'_>, page: Page) -> PyResult<Bound<'_, PyAny>> {
    let Page { resellers, next, total } = page;
    let resellers: PyResult<Vec<_>> = resellers.into_iter().map(|r| reseller(py, r)).collect();
    let counted = total.map(|total| match total {
        Total::Exact(count) => (count, true),
        Total::AtLeast(count) => (count, false),
    });
    let total = counted.map(|counted| class!(py, records::Total)?.call1(counted)).transpose()?;
    class!(py, records::Page)?.call1((resellers?, next, total))
}
