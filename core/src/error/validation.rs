//! Refused input: which field, which code, and every reason of a form at once.

use std::borrow::Cow;
use std::fmt;

use super::Error;

/// The one list of field codes: the slug that every language shows, and its English text.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $text:literal;)*) => {
        /// Why a field was refused. Slugs are stable; texts may be improved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $text] $name,)* }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable slug.
            ///
            /// ```
            /// use partnerkit::Code;
            ///
            /// assert_eq!(Code::TooLong.slug(), "too_long");
            /// assert!(Code::ALL.iter().any(|code| code.slug() == "guessable"));
            /// ```
            pub fn slug(self) -> &'static str {
                match self { $(Code::$name => $slug,)* }
            }

            /// The English text.
            ///
            /// ```
            /// assert_eq!(partnerkit::Code::Taken.text(), "is already in use");
            /// ```
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    Empty = "empty", "is required";
    TooLong = "too_long", "is too long";
    TooShort = "too_short", "is too short";
    TooMany = "too_many", "has too many entries";
    Uppercase = "uppercase", "must not contain capital letters";
    Whitespace = "whitespace", "must not contain spaces";
    Digit = "digit", "must not contain digits";
    SpecialCharacter = "special_character", "must contain letters only";
    Hyphen = "hyphen", "must not begin or end with a hyphen, nor have two in a row";
    NotAscii = "not_ascii", "must contain the letters a to z only";
    Reserved = "reserved", "is reserved";
    Taken = "taken", "is already in use";
    Quarantined = "quarantined", "was in use until recently and is not free yet";
    ControlCharacter = "control_character", "contains a character that cannot be shown";
    Invalid = "invalid", "is not valid";
    UnknownCountry = "unknown_country", "is not a known country";
    CountryMismatch = "country_mismatch", "does not belong to the given country";
    UnsupportedScheme = "unsupported_scheme", "must begin with https:// or http://";
    UserInfo = "user_info", "must not contain a user name or password";
    Mismatch = "mismatch", "does not match";
    Guessable = "guessable", "is too easy to guess";
    Unexpected = "unexpected", "must be left empty here";
    UnknownField = "unknown_field", "is not a known field";
    UnknownColumn = "unknown_column", "are not all known";
    UnknownTimeZone = "unknown_time_zone", "is not a known time zone";
    UnknownMetric = "unknown_metric", "is not a known metric";
    NotACounter = "not_a_counter", "must be a counter";
    Negative = "negative", "must not be negative";
    UnknownReseller = "unknown_reseller", "is not a reseller of this agency";
    TooLate = "too_late", "is of an event that is too old to be taken back";
    TooOld = "too_old", "is too long ago";
    TooRecent = "too_recent", "is recent enough to be recorded as an event";
    InTheFuture = "in_the_future", "lies in the future";
    Overflow = "overflow", "would exceed the largest number that can be kept";
    QuarterHour = "quarter_hour", "must lie on a quarter of an hour";
    OutOfRange = "out_of_range", "is out of range";
}

/// One refused field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's stable name, dotted inside a nested record (`contact.email`).
    pub field: String,
    /// Why it was refused.
    pub code: Code,
    /// The bound that was broken, where there is one (`("max", 200)`); never user input.
    pub params: Vec<(&'static str, i64)>,
    /// What would be right, where the code does not say it (`one of active, inactive`): English, and
    /// never user input.
    pub expected: Option<Cow<'static, str>>,
}

impl FieldError {
    /// A refusal without parameters.
    ///
    /// ```
    /// use partnerkit::{Code, FieldError};
    ///
    /// let error = FieldError::new("contact.email", Code::Empty);
    /// assert_eq!(error.to_string(), "contact.email is required");
    /// ```
    pub fn new(field: impl Into<String>, code: Code) -> Self {
        Refusal::from(code).of(field)
    }

    /// The same refusal, which says what would be right.
    ///
    /// ```
    /// use partnerkit::{Code, FieldError};
    ///
    /// let error = FieldError::new("reseller", Code::Invalid).expecting("a text");
    /// assert_eq!(error.to_string(), "reseller is not valid: expected a text");
    /// ```
    #[must_use]
    pub fn expecting(self, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// The reason in English, with what would be right and the bound where there are such.
    ///
    /// ```
    /// use partnerkit::{Name, Refusal};
    ///
    /// let refused = Name::parse(&"x".repeat(201)).unwrap_err().of("name");
    /// assert_eq!(refused.message(), "is too long (max 200)");
    /// ```
    pub fn message(&self) -> String {
        let bounds = self.params.iter().map(|(name, value)| format!(" ({name} {value})"));
        let expected = self.expected.iter().map(|expected| format!(": expected {expected}"));
        self.code.text().to_owned() + &bounds.chain(expected).collect::<String>()
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message())
    }
}

/// Why a single value was refused, before it is known which field it was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) code: Code,
    params: Vec<(&'static str, i64)>,
    expected: Option<Cow<'static, str>>,
}

impl Refusal {
    pub(crate) fn too_long(max: i64) -> Self {
        Self::bounded(Code::TooLong, vec![("max", max)])
    }

    pub(crate) fn too_short(min: i64) -> Self {
        Self::bounded(Code::TooShort, vec![("min", min)])
    }

    pub(crate) fn too_many(max: i64) -> Self {
        Self::bounded(Code::TooMany, vec![("max", max)])
    }

    pub(crate) fn out_of_range(min: i64, max: i64) -> Self {
        Self::bounded(Code::OutOfRange, vec![("min", min), ("max", max)])
    }

    /// A refusal with bounds.
    pub(crate) fn bounded(code: Code, params: Vec<(&'static str, i64)>) -> Self {
        Self { params, ..code.into() }
    }

    /// A value that is not valid; `expected` is what would be, in English.
    pub(crate) fn invalid(expected: &'static str) -> Self {
        Self::from(Code::Invalid).expecting(expected)
    }

    /// A text that is none of the slugs that are known.
    pub(crate) fn unknown_slug(code: Code, known: impl IntoIterator<Item = &'static str>) -> Self {
        Self::from(code).expecting(one_of(known))
    }

    pub(crate) fn expecting(self, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// The error of a field with this refusal.
    ///
    /// ```
    /// use partnerkit::Name;
    ///
    /// let refusal = Name::parse(&"x".repeat(201)).unwrap_err();
    /// assert_eq!(refusal.of("name").to_string(), "name is too long (max 200)");
    /// ```
    pub fn of(self, field: impl Into<String>) -> FieldError {
        let Self { code, params, expected } = self;
        FieldError { field: field.into(), code, params, expected }
    }

    /// Why the value was refused.
    ///
    /// ```
    /// use partnerkit::{Code, Email};
    ///
    /// assert_eq!(Email::parse("owner at acme").unwrap_err().code(), Code::Whitespace);
    /// ```
    pub fn code(&self) -> Code {
        self.code
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, params: Vec::new(), expected: None }
    }
}

/// All refused fields of one form, in the order of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// The refusals so far.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// let answers = agency.check_resellers(&[partnerkit::ResellerDraft::default()])?;
    /// let errors = answers[0].as_ref().unwrap_err();
    /// let fields: Vec<_> = errors.as_slice().iter().map(|error| &*error.field).collect();
    /// assert_eq!(fields[..3], ["partner_type", "name", "email"]); // in the order of the form
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn as_slice(&self) -> &[FieldError] {
        &self.0
    }

    /// Whether nothing was refused.
    ///
    /// ```
    /// use partnerkit::{Code, FieldError, FieldErrors};
    ///
    /// assert!(FieldErrors::default().is_empty());
    /// assert!(!FieldErrors::from(FieldError::new("name", Code::Empty)).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The refusals in the order of the form's fields.
    pub(crate) fn in_order_of(mut self, fields: &[&str]) -> Self {
        // An error of a whole record is sorted like its first field.
        let is_in = |field: &str, whole: &str| {
            field.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let place = |error: &FieldError| fields.iter().position(|field| is_in(field, &error.field));
        self.0.sort_by_key(|error| place(error).unwrap_or(fields.len()));
        self
    }

    /// The refusals with the name of a nested record in front.
    pub(crate) fn under(mut self, record: &str) -> Self {
        for error in &mut self.0 {
            error.field = format!("{record}.{}", error.field);
        }
        self
    }

    /// Adds the errors of fields that could not be read, and removes all other errors of those
    /// fields.
    pub(crate) fn unreadable(&mut self, fields: &Self) {
        self.0.retain(|error| !fields.has(&error.field));
        self.0.extend(fields.0.iter().cloned());
    }

    /// Whether a field, or the record that it is in, was refused.
    pub(crate) fn has(&self, field: &str) -> bool {
        let refuses = |error: &FieldError| {
            let inner = field.strip_prefix(&error.field);
            inner.is_some_and(|inner| inner.is_empty() || inner.starts_with('.'))
        };
        self.0.iter().any(refuses)
    }

    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub(crate) fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Keeps the value, or notes why the field was refused.
    pub(crate) fn keep<T>(&mut self, field: &str, parsed: Result<T, Refusal>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(refusal) => {
                // A field that a rule of the form has refused already gets no second error.
                if !self.0.iter().any(|e| e.field == field) {
                    self.0.push(refusal.of(field));
                }
                None
            }
        }
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> Self {
        Self(vec![error])
    }
}

impl FromIterator<FieldError> for FieldErrors {
    fn from_iter<I: IntoIterator<Item = FieldError>>(errors: I) -> Self {
        Self(errors.into_iter().collect())
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// Makes the error of one refused field: `parse(raw).map_err(refused("name"))`.
pub(crate) fn refused<R: Into<Refusal>>(field: &'static str) -> impl Fn(R) -> Error {
    move |refusal| FieldErrors::from(refusal.into().of(field)).into()
}

/// The slugs from which one has to be chosen, in words.
pub(crate) fn one_of(slugs: impl IntoIterator<Item = &'static str>) -> String {
    let slugs: Vec<_> = slugs.into_iter().collect();
    format!("one of {}", slugs.join(", "))
}
