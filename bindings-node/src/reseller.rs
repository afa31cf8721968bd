//! Resellers: the form as a JavaScript object, and the record as one.

use std::collections::HashMap;

use napi_derive::napi;
use partnerkit::{ContactPerson, Reseller};

use crate::value::Js;

/// The form of a new reseller. The core reports missing fields.
#[napi(object, object_to_js = false)]
pub struct ResellerDraft {
    pub partner_type: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<PhoneDraft>,
    pub password: Option<String>,
    pub password_confirmation: Option<String>,
    pub invite: Option<bool>,
    pub contact: Option<ContactDraft>,
    pub login_domain: Option<String>,
    pub website: Option<String>,
    pub external_id: Option<String>,
    pub metadata: Option<HashMap<String, String>>,
}

/// A phone number as typed.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct PhoneDraft {
    pub country: Option<String>,
    pub number: Option<String>,
}

/// A contact person as typed.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ContactDraft {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<PhoneDraft>,
}

impl From<PhoneDraft> for partnerkit::PhoneDraft {
    fn from(draft: PhoneDraft) -> Self {
        let PhoneDraft { country, number } = draft;
        Self { country, number: number.unwrap_or_default() }
    }
}

impl From<ContactDraft> for partnerkit::ContactDraft {
    fn from(draft: ContactDraft) -> Self {
        let ContactDraft { name, email, phone } = draft;
        Self {
            name: name.unwrap_or_default(),
            email: email.unwrap_or_default(),
            phone: phone.unwrap_or_default().into(),
        }
    }
}

impl From<ResellerDraft> for partnerkit::ResellerDraft {
    fn from(draft: ResellerDraft) -> Self {
        Self {
            idempotency_key: None,
            partner_type: draft.partner_type.unwrap_or_default(),
            name: draft.name.unwrap_or_default(),
            email: draft.email.unwrap_or_default(),
            phone: draft.phone.unwrap_or_default().into(),
            password: draft.password.unwrap_or_default(),
            password_confirmation: draft.password_confirmation.unwrap_or_default(),
            password_hash: None,
            invite: draft.invite.unwrap_or_default(),
            contact: draft.contact.unwrap_or_default().into(),
            login_domain: draft.login_domain.unwrap_or_default(),
            website: draft.website,
            external_id: draft.external_id,
            metadata: draft.metadata.unwrap_or_default().into_iter().collect(),
            status: None,
            deactivation_reason: None,
            created_at: None,
            // napi has made texts of all texts already, so no field is unreadable.
            unreadable: partnerkit::FieldErrors::default(),
        }
    }
}

/// The record, field by field, so that the code does not compile if one is forgotten.
pub fn record(reseller: Reseller) -> Js {
    let Reseller {
        id,
        agency,
        version,
        status,
        deactivation_reason,
        partner_type,
        login_domain,
        name,
        email,
        phone,
        contact,
        website,
        external_id,
        metadata,
        created_at,
        updated_at,
    } = reseller;
    let ContactPerson { name: contact_name, email: contact_email, phone: contact_phone } = contact;
    let metadata = metadata.as_map().iter();
    let metadata = metadata.map(|(key, value)| Js::texts([key.as_str(), value.as_str()]));
    Js::Object(vec![
        ("id", Js::Text(id.to_string())),
        ("agency", Js::from(agency.as_str())),
        ("version", Js::Number(version as f64)),
        ("status", Js::from(status.slug())),
        ("deactivationReason", deactivation_reason.as_deref().into()),
        ("partnerType", Js::from(partner_type.slug())),
        ("loginDomain", Js::from(login_domain.as_str())),
        ("name", Js::from(name.as_str())),
        ("email", Js::from(email.as_str())),
        ("phone", Js::from(phone.as_str())),
        (
            "contact",
            Js::Object(vec![
                ("name", Js::from(contact_name.as_str())),
                ("email", Js::from(contact_email.as_str())),
                ("phone", Js::from(contact_phone.as_str())),
            ]),
        ),
        ("website", website.as_ref().map(|website| website.as_str()).into()),
        ("externalId", external_id.as_ref().map(|id| id.as_str()).into()),
        // As pairs; `index.js` makes an object of them.
        ("metadata", Js::List(metadata.collect())),
        ("createdAt", Js::Instant(created_at.as_millis())),
        ("updatedAt", Js::Instant(updated_at.as_millis())),
    ])
}
