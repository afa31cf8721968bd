//! The raw form of a new reseller, and its validation.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::{ContactPerson, Status};
use crate::access::Hasher;
use crate::error::{Code, FieldError, FieldErrors, Refusal};
use crate::partner_type::PartnerType;
use crate::values::{
    Email, ExternalId, LoginDomain, LoginDomainPolicy, Metadata, Name, Password, PasswordPolicy,
    Phone, Timestamp, Website, plain_text,
};

/// A phone number as typed: national with its country, or international without.
///
/// It is given by names, as `{"country": "US", "number": "…"}`, as `["US", "…"]`, or as one text.
/// Its errors always have the field name `phone.number`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate)]
#[serde(from = "PhoneTyped")]
pub struct PhoneDraft {
    /// The ISO 3166-1 alpha-2 code of the country to which a national number belongs.
    pub country: Option<String>,
    /// The number as typed.
    #[validate(length(min = 1, code = "empty"))]
    pub number: String,
}

/// How a phone may be written.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum PhoneTyped {
    Text(String),
    Pair(Option<String>, String),
    Parts {
        #[serde(default)]
        country: Option<String>,
        #[serde(default)]
        number: String,
    },
}

impl From<PhoneTyped> for PhoneDraft {
    fn from(typed: PhoneTyped) -> Self {
        match typed {
            PhoneTyped::Text(number) => Self { country: None, number },
            PhoneTyped::Pair(country, number) | PhoneTyped::Parts { country, number } => {
                Self { country, number }
            }
        }
    }
}

impl PhoneDraft {
    /// A number in international form (`+49 …`).
    ///
    /// ```
    /// use partnerkit::PhoneDraft;
    ///
    /// let phone = PhoneDraft::international("+49 30 901820");
    /// assert_eq!((phone.country, &*phone.number), (None, "+49 30 901820"));
    /// ```
    pub fn international(number: impl Into<String>) -> Self {
        Self { country: None, number: number.into() }
    }

    /// A number as it is dialled within a country.
    ///
    /// ```
    /// use partnerkit::PhoneDraft;
    ///
    /// let phone = PhoneDraft::national("US", "(415) 555-2671");
    /// assert_eq!(phone.country.as_deref(), Some("US"));
    /// ```
    pub fn national(country: impl Into<String>, number: impl Into<String>) -> Self {
        Self { country: Some(country.into()), number: number.into() }
    }
}

/// A contact person as typed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct ContactDraft {
    /// The person's name.
    #[validate(length(min = 1, code = "empty"))]
    pub name: String,
    /// The person's email, which need not be unique.
    #[validate(length(min = 1, code = "empty"))]
    pub email: String,
    /// The person's phone.
    #[validate(nested)]
    pub phone: PhoneDraft,
}

/// The form of a new reseller, as typed. Everything up to `login_domain` is required, except for a
/// password if `invite` or `password_hash` replaces it; the rest is optional.
///
/// Rules of the form (required fields, fields that must agree) are declared here; the rules of a
/// value are in its own type.
#[derive(Clone, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
#[validate(schema(function = "password_agrees", skip_on_field_errors = false))]
pub struct ResellerDraft {
    /// Slug of the partner type: `own_plans` or `commission`.
    #[validate(length(min = 1, code = "empty"))]
    pub partner_type: String,
    /// The name, 1–200 characters.
    #[validate(length(min = 1, code = "empty"))]
    pub name: String,
    /// The email, unique within the agency.
    #[validate(length(min = 1, code = "empty"))]
    pub email: String,
    /// The phone.
    #[validate(nested)]
    pub phone: PhoneDraft,
    /// The first password: 15 characters or more, or 8 if the platform has a second factor. It must
    /// be empty if `invite` is set.
    #[serde(skip_serializing)]
    pub password: String,
    /// The same password again.
    #[serde(skip_serializing)]
    pub password_confirmation: String,
    /// An existing hash, instead of a password: a PHC string of Argon2, or a hash of the scheme
    /// that the platform's `legacy_verifier` knows. A hash that is cheaper than the platform's
    /// `hashing_cost` takes as long to verify as any other; a more expensive one takes longer,
    /// which can be noticed until a new password is set.
    #[serde(skip_serializing)]
    pub password_hash: Option<String>,
    /// Creates the reseller without a password: sign-in is refused until one is set.
    pub invite: bool,
    /// The contact person.
    #[validate(nested)]
    pub contact: ContactDraft,
    /// The login domain, `[a-z]{1,63}` unless the platform accepts DNS labels; many are reserved.
    #[validate(length(min = 1, code = "empty"))]
    pub login_domain: String,
    /// The website, optional.
    pub website: Option<String>,
    /// The host's own id, optional, unique within the agency.
    pub external_id: Option<String>,
    /// The host's own data, optional: at most 50 texts of up to 500 characters, with keys of up to
    /// 40.
    pub metadata: BTreeMap<String, String>,
    /// Whether the reseller may sign in: `active` by default, or `inactive` for one that was
    /// deactivated in an earlier system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why an inactive reseller was deactivated; optional, 1–500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation_reason: Option<String>,
    /// When a reseller of an earlier system joined; by default now. It must not be in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// An idempotency key of the host: the reseller is created once, however often the call is
    /// repeated.
    #[serde(skip_serializing)]
    pub idempotency_key: Option<String>,
    /// The errors of fields that [`form::read`](crate::form::read) could not read. These fields are
    /// empty here, and are refused together with everything else that is wrong.
    #[serde(skip)]
    pub unreadable: FieldErrors,
}

impl fmt::Debug for ResellerDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Everything else in a draft is either personal or secret.
        f.debug_struct("ResellerDraft")
            .field("login_domain", &self.login_domain)
            .finish_non_exhaustive()
    }
}

/// What a new reseller signs in with.
pub(crate) enum FirstPassword {
    /// It was invited, and will set one.
    None,
    Typed(Password),
    /// An imported hash.
    Hash(String),
}

/// The rules by which a form is validated.
pub(crate) struct FormRules<'r> {
    pub passwords: PasswordPolicy,
    pub login_domains: &'r LoginDomainPolicy,
    pub hasher: &'r Hasher,
    pub now: Timestamp,
}

/// A draft whose fields have all become values.
pub(crate) struct AcceptedDraft {
    pub partner_type: PartnerType,
    pub name: Name,
    pub email: Email,
    pub phone: Phone,
    pub password: FirstPassword,
    pub contact: ContactPerson,
    pub login_domain: LoginDomain,
    pub website: Option<Website>,
    pub external_id: Option<ExternalId>,
    pub metadata: Metadata,
    pub standing: Standing,
    pub created_at: Option<Timestamp>,
}

/// Whether a new reseller is active, and if not, why.
pub(crate) struct Standing {
    pub status: Status,
    pub deactivation_reason: Option<String>,
}

impl ResellerDraft {
    /// The same form with an idempotency key: however often it is sent, one reseller is created.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// let globex = agency.create_reseller(form.clone().once("order-17"))?;
    /// let again = agency.create_reseller(form.once("order-17"))?; // a repeated request
    /// assert_eq!(again, globex);
    /// assert_eq!(agency.overview()?.active_resellers, 2);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    #[must_use]
    pub fn once(self, key: impl Into<String>) -> Self {
        Self { idempotency_key: Some(key.into()), ..self }
    }

    /// The form without its secrets, as one text. Equal forms have equal texts.
    pub(crate) fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a form of texts has a JSON form")
    }

    /// The errors of an empty form, which name the required fields.
    pub(crate) fn missing() -> FieldErrors {
        form_errors(&Self::default()).in_order_of(FORM_ORDER)
    }

    /// Every field as a value, or every reason why not, in the order of the form.
    pub(crate) fn accept(&self, rules: &FormRules<'_>) -> Result<AcceptedDraft, FieldErrors> {
        let mut errors = form_errors(self);
        let accepted = self.values(rules, &mut errors);
        errors.unreadable(&self.unreadable);
        match accepted {
            Some(accepted) if errors.is_empty() => Ok(accepted),
            _ => Err(errors.in_order_of(FORM_ORDER)),
        }
    }

    fn values(&self, rules: &FormRules<'_>, errors: &mut FieldErrors) -> Option<AcceptedDraft> {
        let partner_type = PartnerType::parse(&self.partner_type);
        let partner_type = errors.keep("partner_type", partner_type);
        let name = errors.keep("name", Name::parse(&self.name));
        let email = errors.keep("email", Email::parse(&self.email));
        let phone = self.phone.parse();
        // Often they are the same, and a number takes longer to parse than all other values.
        let same = self.contact.phone.is_typed_like(&self.phone);
        let contact_phone = if same { phone.clone() } else { self.contact.phone.parse() };
        let phone = errors.keep("phone.number", phone);
        let contact = self.contact.values(contact_phone, errors);
        let login_domain =
            errors.keep("login_domain", rules.login_domains.parse(&self.login_domain));
        // Only accepted values: a refused text may have any length.
        let context = [
            name.as_ref().map(Name::as_str),
            email.as_ref().map(Email::as_str),
            login_domain.as_ref().map(LoginDomain::as_str),
        ];
        let context: Vec<_> = context.into_iter().flatten().collect();
        let password = self.first_password(rules, &context, errors);
        let website = optional(errors, "website", self.website.as_deref(), Website::parse);
        let external_id =
            optional(errors, "external_id", self.external_id.as_deref(), ExternalId::parse);
        let metadata = errors.keep("metadata", Metadata::parse(self.metadata.clone()));
        let standing = self.standing(errors);
        let created_at = self.created_at.map(|at| joined(at, rules.now)).transpose();
        let created_at = errors.keep("created_at", created_at);
        Some(AcceptedDraft {
            partner_type: partner_type?,
            name: name?,
            email: email?,
            phone: phone?,
            password: password?,
            contact: contact?,
            login_domain: login_domain?,
            website: website?,
            external_id: external_id?,
            metadata: metadata?,
            standing: standing?,
            created_at: created_at?,
        })
    }

    fn standing(&self, errors: &mut FieldErrors) -> Option<Standing> {
        let status = optional(errors, "status", self.status.as_deref(), Status::parse);
        let reason = self.deactivation_reason.as_deref();
        let reason = optional(errors, "deactivation_reason", reason, deactivation_reason);
        let status = status?.unwrap_or(Status::Active);
        if status == Status::Active && matches!(reason, Some(Some(_))) {
            errors.push(FieldError::new("deactivation_reason", Code::Unexpected));
        }
        Some(Standing { status, deactivation_reason: reason? })
    }

    /// The first password: typed, imported as a hash, or none yet.
    fn first_password(
        &self,
        rules: &FormRules<'_>,
        context: &[&str],
        errors: &mut FieldErrors,
    ) -> Option<FirstPassword> {
        let hash = self.password_hash.as_deref().filter(|hash| !hash.is_empty());
        if hash.is_some() && self.invite {
            errors.push(FieldError::new("password_hash", Code::Unexpected));
        }
        if (self.invite || hash.is_some()) && !self.password.is_empty() {
            errors.push(FieldError::new("password", Code::Unexpected));
        }
        if let Some(hash) = hash {
            let imported = errors.keep("password_hash", rules.hasher.imported(hash));
            return imported.map(FirstPassword::Hash);
        }
        if self.invite {
            return Some(FirstPassword::None);
        }
        let password = Password::parse(&self.password, rules.passwords, context);
        errors.keep("password", password).map(FirstPassword::Typed)
    }
}

/// Parses the reason of a deactivation. Codes: `too_long`, `control_character`.
pub(super) fn deactivation_reason(raw: &str) -> Result<String, Refusal> {
    plain_text(raw, 500)
}

/// Checks when a reseller of an earlier system joined: the dates of every language must reach the
/// instant.
fn joined(at: Timestamp, now: Timestamp) -> Result<Timestamp, Refusal> {
    if at > now.plus_millis(Timestamp::CLOCK_TOLERANCE) {
        return Err(Code::InTheFuture.into());
    }
    if at < Timestamp::YEAR_1 { Err(Code::OutOfRange.into()) } else { Ok(at.min(now)) }
}

impl PhoneDraft {
    pub(super) fn parse(&self) -> Result<Phone, Refusal> {
        // A list of countries in which none was chosen gives an empty text.
        let country = self.country.as_deref().filter(|country| !is_blank(country));
        Phone::parse(&self.number, country)
    }

    fn is_typed_like(&self, other: &Self) -> bool {
        (&self.country, &self.number) == (&other.country, &other.number)
    }
}

impl ContactDraft {
    /// The values, of which the phone has been parsed.
    pub(super) fn values(
        &self,
        phone: Result<Phone, Refusal>,
        errors: &mut FieldErrors,
    ) -> Option<ContactPerson> {
        let name = errors.keep("contact.name", Name::parse(&self.name));
        let email = errors.keep("contact.email", Email::parse(&self.email));
        let phone = errors.keep("contact.phone.number", phone);
        Some(ContactPerson { name: name?, email: email?, phone: phone? })
    }
}

/// Whether a text that may be left out says nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Parses an optional field. One that is empty, or only white space, is one that was left out.
pub(super) fn optional<T>(
    errors: &mut FieldErrors,
    field: &str,
    raw: Option<&str>,
    parse: impl Fn(&str) -> Result<T, Refusal>,
) -> Option<Option<T>> {
    match raw.filter(|raw| !is_blank(raw)) {
        None => Some(None),
        Some(raw) => errors.keep(field, parse(raw)).map(Some),
    }
}

pub(crate) const FORM_ORDER: &[&str] = &[
    "partner_type",
    "name",
    "email",
    "phone.number",
    "password",
    "password_confirmation",
    "password_hash",
    "contact.name",
    "contact.email",
    "contact.phone.number",
    "login_domain",
    "website",
    "external_id",
    "metadata",
    "status",
    "deactivation_reason",
    "created_at",
];

fn password_agrees(draft: &ResellerDraft) -> Result<(), ValidationError> {
    let agrees = draft.unreadable.has("password")
        || Password::typed_twice(&draft.password, &draft.password_confirmation);
    if agrees { Ok(()) } else { Err(ValidationError::new("mismatch")) }
}

/// The errors of a form's declared rules, with the library's own codes.
pub(super) fn form_errors(form: &impl Validate) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if let Err(refused) = form.validate() {
        collect("", refused, &mut errors);
    }
    errors
}

fn collect(prefix: &str, refused: ValidationErrors, errors: &mut FieldErrors) {
    let by_field: HashMap<_, _> = refused.into_errors();
    for (field, kind) in by_field {
        match kind {
            ValidationErrorsKind::Struct(nested) => {
                collect(&format!("{prefix}{field}."), *nested, errors);
            }
            ValidationErrorsKind::List(items) => {
                items.into_values().for_each(|nested| collect(prefix, *nested, errors));
            }
            ValidationErrorsKind::Field(list) => {
                for error in list {
                    errors.push(declared(format!("{prefix}{field}"), &error.code));
                }
            }
        }
    }
}

/// Translates an error. The only declared rules are "is required" and "must match".
fn declared(field: String, code: &str) -> FieldError {
    match code {
        "mismatch" => FieldError::new("password_confirmation", Code::Mismatch),
        _ => FieldError::new(field, Code::Empty),
    }
}
