//! A change to a reseller's profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Reseller;
use super::draft::{ContactDraft, FORM_ORDER, PhoneDraft, form_errors, optional};
use crate::error::{FieldErrors, Refusal};
use crate::values::{Email, ExternalId, Metadata, Name, Website};

/// What to do with an optional field: keep, clear or set it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Keep what is stored.
    #[default]
    Leave,
    /// Remove what is stored.
    Clear,
    /// Store this instead.
    Set(T),
}

/// A missing field keeps the value, and a null clears it.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|given| given.map_or(Self::Clear, Self::Set))
    }
}

/// The fields of a profile to change, as typed. A field that is not given stays as it is. A null
/// clears `website` and `external_id`; for other fields it means that the field is not given.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ResellerPatch {
    /// A new name.
    pub name: Option<String>,
    /// A new email. It ends every earlier access stamp.
    pub email: Option<String>,
    /// A new phone.
    pub phone: Option<PhoneDraft>,
    /// A new contact person, which replaces the old one completely.
    pub contact: Option<ContactDraft>,
    /// A new website, or a null to clear it.
    pub website: Patch<String>,
    /// A new id of the host, or a null to clear it.
    pub external_id: Patch<String>,
    /// The host's own data, which replaces the old data completely: at most 50 texts of up to 500
    /// characters, with keys of up to 40.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The errors of fields that [`form::read`](crate::form::read) could not read, as in a draft.
    #[serde(skip)]
    pub unreadable: FieldErrors,
}

impl ResellerPatch {
    /// The changed reseller, with the old version, and the names of the fields that differ.
    pub(crate) fn apply(
        &self,
        before: &Reseller,
    ) -> Result<(Reseller, Vec<&'static str>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut after = before.clone();
        required(&mut errors, "name", self.name.as_deref(), Name::parse, &mut after.name);
        required(&mut errors, "email", self.email.as_deref(), Email::parse, &mut after.email);
        required(
            &mut errors,
            "phone.number",
            self.phone.as_ref(),
            PhoneDraft::parse,
            &mut after.phone,
        );
        if let Some(contact) = &self.contact {
            let mut refused = form_errors(contact).under("contact");
            match contact.values(contact.phone.parse(), &mut refused) {
                Some(contact) if refused.is_empty() => after.contact = contact,
                _ => errors.extend(refused),
            }
        }
        patched(&mut errors, "website", &self.website, Website::parse, &mut after.website);
        patched(
            &mut errors,
            "external_id",
            &self.external_id,
            ExternalId::parse,
            &mut after.external_id,
        );
        if let Some(metadata) = &self.metadata
            && let Some(metadata) = errors.keep("metadata", Metadata::parse(metadata.clone()))
        {
            after.metadata = metadata;
        }
        errors.unreadable(&self.unreadable);
        if !errors.is_empty() {
            return Err(errors.in_order_of(FORM_ORDER));
        }
        let changed = changed_fields(before, &after);
        Ok((after, changed))
    }
}

fn required<R: ?Sized, T>(
    errors: &mut FieldErrors,
    field: &str,
    raw: Option<&R>,
    parse: impl Fn(&R) -> Result<T, Refusal>,
    slot: &mut T,
) {
    if let Some(value) = raw.and_then(|raw| errors.keep(field, parse(raw))) {
        *slot = value;
    }
}

fn patched<T>(
    errors: &mut FieldErrors,
    field: &str,
    patch: &Patch<String>,
    parse: impl Fn(&str) -> Result<T, Refusal>,
    slot: &mut Option<T>,
) {
    match patch {
        Patch::Leave => {}
        Patch::Clear => *slot = None,
        Patch::Set(raw) => {
            if let Some(value) = optional(errors, field, Some(raw), parse) {
                *slot = value;
            }
        }
    }
}

fn changed_fields(before: &Reseller, after: &Reseller) -> Vec<&'static str> {
    let pairs = [
        ("name", before.name != after.name),
        ("email", before.email != after.email),
        ("phone", before.phone != after.phone),
        ("contact", before.contact != after.contact),
        ("website", before.website != after.website),
        ("external_id", before.external_id != after.external_id),
        ("metadata", before.metadata != after.metadata),
    ];
    pairs.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}
