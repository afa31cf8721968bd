//! What every error says of its kind, and the refused fields.

use partnerkit::ErrorKind;

use crate::failures::{FieldError, PartnerKitError};

#[uniffi::export]
impl PartnerKitError {
    /// The stable slug of the kind, the same one in every language (`not_found`); `internal`, if the
    /// library itself is wrong.
    pub fn kind(&self) -> String {
        self.of().map_or("internal", ErrorKind::slug).to_owned()
    }

    /// The HTTP status for the kind: 4xx if the client can do something about it, and 503 if the same
    /// request may succeed later.
    pub fn http_status(&self) -> u16 {
        self.of().map_or(500, ErrorKind::http_status)
    }
}

impl From<&partnerkit::FieldError> for FieldError {
    fn from(refused: &partnerkit::FieldError) -> Self {
        let message = refused.message();
        let partnerkit::FieldError { field, code, params, expected: _ } = refused;
        Self {
            field: field.clone(),
            code: code.slug().to_owned(),
            params: params.iter().map(|(name, bound)| ((*name).to_owned(), *bound)).collect(),
            message,
        }
    }
}
