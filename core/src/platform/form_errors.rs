//! What is wrong with a form, as far as that is known without the store.

use super::Operator;
use crate::error::{Code, FieldError, Result};
use crate::reseller::{FORM_ORDER, ResellerDraft};

impl Operator {
    /// Everything that is wrong with the form of a new reseller, in the order of the form, or what is
    /// wrong with one field: for a page that checks a form while it is filled in. No store is asked,
    /// so what is taken, or reserved by an agency, is known only when the reseller is created.
    ///
    /// A field is named as in its errors (`login_domain`, `contact.email`), and a record names all
    /// fields in it (`contact`). A name that the form does not have is `unknown_field`.
    ///
    /// ```example
    /// use partnerkit::{Code, FieldError, ResellerDraft};
    ///
    /// let typed = ResellerDraft { login_domain: "Globex".into(), ..form };
    /// let wrong = platform.form_errors(&typed, None)?;
    /// assert_eq!(wrong, [FieldError::new("login_domain", Code::Uppercase)]);
    /// assert_eq!(platform.form_errors(&typed, Some("email"))?, []);
    /// ```
    /// ```python
    /// typed = {**form, "login_domain": "Globex"}
    /// (wrong,) = platform.form_errors(**typed)
    /// assert (wrong.field, wrong.code) == ("login_domain", "uppercase")
    /// assert platform.form_errors("email", **typed) == []
    /// ```
    /// ```javascript
    /// const typed = { ...form, loginDomain: 'Globex' };
    /// const [wrong] = platform.formErrors(typed);
    /// assert.deepEqual([wrong.field, wrong.code], ['loginDomain', 'uppercase']);
    /// assert.deepEqual(platform.formErrors(typed, { field: 'email' }), []);
    /// ```
    pub fn form_errors(
        &self,
        draft: &ResellerDraft,
        field: Option<&str>,
    ) -> Result<Vec<FieldError>> {
        let accepted = draft.accept(&self.shared.form_rules());
        let mut wrong = accepted.err().map_or_else(Vec::new, |errors| errors.as_slice().to_vec());
        if let Some(field) = field {
            if !is_of_form(field) {
                return Ok(vec![FieldError::new(field, Code::UnknownField)]);
            }
            wrong.retain(|error| is_of(&error.field, field));
        }
        Ok(wrong)
    }
}

/// Fields of the form of which nothing but the type can be wrong.
const OTHERS: &[&str] = &["invite", "idempotency_key"];

/// Whether the form has a field, or a record, of this name.
fn is_of_form(field: &str) -> bool {
    FORM_ORDER.iter().chain(OTHERS).any(|known| is_of(known, field))
}

/// Whether a path is a field, or in it.
fn is_of(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
