//! The values of which a record is made: each has its own type, and is made only by `parse`.
//!
//! A value holds its canonical form; `parse` of that form gives the same value again.

mod agency_id;
mod domain_name;
mod email;
mod external_id;
mod fold;
mod id;
mod login_domain;
mod login_domain_policy;
mod metadata;
mod name;
mod password;
mod phone;
mod text;
mod timestamp;
mod website;

pub use agency_id::AgencyId;
pub use email::Email;
pub use external_id::ExternalId;
pub use login_domain::LoginDomain;
pub use login_domain_policy::{LoginDomainPolicy, Quarantine};
pub use metadata::Metadata;
pub use name::Name;
pub use password::{Password, PasswordPolicy};
pub use phone::{Phone, PhoneCountry, phone_countries};
pub(crate) use timestamp::INSTANT;
pub use timestamp::Timestamp;
pub use website::Website;

pub(crate) use domain_name::domain_name;
pub(crate) use fold::fold;
pub(crate) use id::id_value;
pub(crate) use text::plain_text;

/// Implements what the newtypes around a canonical string have in common.
macro_rules! text_value {
    ($name:ident) => {
        $crate::values::text_value!($name, $name::parse);
    };
    ($name:ident, $parse:expr) => {
        impl $name {
            /// The canonical form.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Makes the value from a canonical form that a store kept.
            pub(crate) fn from_stored(canonical: String) -> Self {
                Self(canonical)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct(stringify!($name), &self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = String::deserialize(deserializer)?;
                let parse: fn(&str) -> Result<Self, crate::error::Refusal> = $parse;
                parse(&raw).map_err(|refusal| serde::de::Error::custom(refusal.code().slug()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use text_value;
