//! Forms as another language or JSON gives them: fields by name, with values of any type.
//!
//! A field of a wrong type is refused together with everything else that is wrong with the form.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::agency::AgencyPatch;
use crate::error::{Code, FieldError, FieldErrors};
pub use crate::given::Given;
use crate::given::{Reading, names};
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
/// assert_eq!(
///     patch.unreadable.as_slice()[0].to_string(),
///     "email is not valid: expected a text",
/// );
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

impl Form for ResellerQuery {
    fn refusing(self, unreadable: FieldErrors) -> Result<Self, FieldErrors> {
        let problems = self.problems();
        all_at_once(self, problems, &unreadable)
    }
}

impl Form for UsageQuery {
    fn refusing(self, unreadable: FieldErrors) -> Result<Self, FieldErrors> {
        let problems = self.problems();
        all_at_once(self, problems, &unreadable)
    }
}

/// Refuses a form that has fields that could not be read, with everything else that is wrong with it.
fn all_at_once<F: Form>(
    form: F,
    mut problems: FieldErrors,
    unreadable: &FieldErrors,
) -> Result<F, FieldErrors> {
    if unreadable.is_empty() {
        return Ok(form);
    }
    problems.unreadable(unreadable);
    Err(problems.in_order_of(names::<F>()))
}

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
/// the form has a meaning for it. Errors are in the order of the form's fields, and unknown names come
/// last.
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
        let misfit = match F::deserialize(Reading(&given)) {
            Ok(form) => return form.refusing(unreadable),
            Err(misfit) => misfit,
        };
        // Each round removes a field, so this ends.
        let removed = given.remove(&misfit.field);
        if removed != Some(Given::Nothing) || misfit.code == Code::UnknownField {
            let field = told(misfit.field.clone());
            unreadable.push(misfit.of(field));
        }
        if removed.is_none() {
            return Err(unreadable);
        }
    }
}

/// Reads one value, which is an argument of an operation: for bindings. What a user of the host may have
/// typed is refused like a field of a form, whatever its type is.
///
/// Errors: the field `name`, `empty` if nothing is given, `invalid` for another type, `out_of_range` for
/// a number too large.
///
/// ```
/// use partnerkit::form::{Given, value};
///
/// assert_eq!(value::<i64>("quantity", &Given::Whole(3)).unwrap(), 3);
/// let refused = value::<i64>("quantity", &Given::Text("3".into())).unwrap_err();
/// assert_eq!(refused.to_string(), "quantity is not valid: expected a whole number");
/// ```
pub fn value<T: DeserializeOwned>(name: &str, given: &Given) -> Result<T, FieldErrors> {
    match given {
        Given::Nothing => Err(FieldError::new(name, Code::Empty).into()),
        given => T::deserialize(Reading(given)).map_err(|misfit| misfit.of(name).into()),
    }
}

/// The name of a field in errors; all parts of a phone have one name.
fn told(path: String) -> String {
    let of_phone = |name: &&&str| name.strip_suffix(".number") == Some(&path);
    FORM_ORDER.iter().find(of_phone).map_or(path.clone(), |name| (*name).to_owned())
}
