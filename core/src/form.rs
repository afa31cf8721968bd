//! Forms as another language or JSON gives them: fields by name, with values of any type.
//!
//! A field of a wrong type is refused together with everything else that is wrong with the form.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::agency::AgencyPatch;
use crate::error::{Code, FieldError, FieldErrors};
pub use crate::given::Given;
use crate::given::{Misfit, Reading};
use crate::reseller::{FORM_ORDER, ResellerDraft, ResellerPatch};
use crate::search::ResellerQuery;
use crate::usage::UsageQuery;

/// A form that [`read`] makes of fields that are given by name.
///
/// ```
/// use std::collections::BTreeMap;
/// use partnerkit::ResellerPatch;
/// use partnerkit::form::{Given, read};
///
/// let given = BTreeMap::from([("email".to_owned(), Given::Truth(true))]);
/// let patch: ResellerPatch = read(given).unwrap(); // keeps what is wrong until it is judged
/// assert_eq!(patch.unreadable.as_slice()[0].to_string(), "email is not valid");
/// ```
pub trait Form: DeserializeOwned {
    /// Keeps the errors of fields that could not be read; in the form they are missing.
    ///
    /// Errors: the fields, if the form has no place to keep them until it is validated.
    fn refusing(self, unreadable: FieldErrors) -> Result<Self, FieldErrors> {
        if unreadable.is_empty() { Ok(self) } else { Err(unreadable) }
    }
}

impl Form for AgencyPatch {}
impl Form for ResellerQuery {}
impl Form for UsageQuery {}

impl Form for ResellerPatch {
    fn refusing(self, unreadable: FieldErrors) -> Result<Self, FieldErrors> {
        Ok(Self { unreadable, ..self })
    }
}

impl Form for ResellerDraft {
    fn refusing(mut self, unreadable: FieldErrors) -> Result<Self, FieldErrors> {
        if !unreadable.is_empty() {
            // An idempotency key is for the complete form, so it is dropped.
            self.idempotency_key = None;
        }
        Ok(Self { unreadable, ..self })
    }
}

/// Reads a form: for bindings.
///
/// A field of another type is `invalid`, a number too large for it `out_of_range`, and a name that
/// the form does not have `unknown_field`. `Nothing` leaves a field as if it were not there, unless
/// the form has a meaning for it.
///
/// ```
/// use std::collections::BTreeMap;
/// use partnerkit::form::{Given, read};
/// use partnerkit::{Code, ResellerQuery};
///
/// let given = BTreeMap::from([
///     ("text".to_owned(), Given::Text("acme".to_owned())),
///     ("limit".to_owned(), Given::Truth(true)),
/// ]);
/// let refused = read::<ResellerQuery>(given).expect_err("a truth value is no number");
/// assert_eq!(refused.as_slice()[0].code, Code::Invalid);
/// ```
pub fn read<F: Form>(given: BTreeMap<String, Given>) -> Result<F, FieldErrors> {
    let mut given = Given::Record(given);
    let mut unreadable = FieldErrors::default();
    loop {
        let Misfit { field, code } = match F::deserialize(Reading(&given)) {
            Ok(form) => return form.refusing(unreadable),
            Err(misfit) => misfit,
        };
        // Each round removes a field, so this ends.
        let removed = given.remove(&field);
        if removed != Some(Given::Nothing) || code == Code::UnknownField {
            unreadable.push(FieldError::new(told(field), code));
        }
        if removed.is_none() {
            return Err(unreadable);
        }
    }
}

/// The name of a field in errors; all parts of a phone have one name.
fn told(path: String) -> String {
    let of_phone = |name: &&&str| name.strip_suffix(".number") == Some(&path);
    FORM_ORDER.iter().find(of_phone).map_or(path.clone(), |name| (*name).to_owned())
}
