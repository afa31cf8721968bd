//! On a surface with kinds of arguments and records that the chosen operations may not have.

use super::{Part, failures, operations, records, values};
use crate::source::Source;
use crate::surface::{ALSO, Surface};

const SOURCE: &str = "
    pub struct NoteId(Uuid);
    pub struct Slug(String);
    pub struct Timestamp(i64);
    pub enum ErrorKind {
        /// Refused; [`Error::fields`] has why.
        Validation,
        Conflict,
    }
    /// Known as [`Tone`].
    pub enum Tone { Kind, Firm }
    pub struct Note { pub id: NoteId, pub edited_at: Option<Timestamp>, pub tags: Vec<Slug> }
    pub enum Found { One(u64), Many(u64, bool) }
    #[serde(rename = \"Found\")]
    struct FoundRecord { count: u64 }
    pub struct Session { pub note: Note, pub stamp: String }
    pub struct NoteDraft {
        /// See `edited_at` of `stamp_out` and `no_field`, and /* that */.
        pub tone: Tone,
        pub pairs: BTreeMap<String, String>,
        #[serde(skip)]
        pub unreadable: FieldErrors,
    }
    impl Tenant {
        /// Takes it.
        ///
        /// Errors: field `edited_at`.
        ///
        /// ```example
        /// agency.take(1);
        /// ```
        /// ```python
        /// agency.take(1)
        /// ```
        /// ```javascript
        /// await agency.take(1);
        /// ```
        pub fn take(&self, draft: &NoteDraft, label: &str, at: Option<&Slug>) -> Result<Session> {}
        /// Counts.
        ///
        /// ```example
        /// agency.found();
        /// ```
        /// ```python
        /// agency.found()
        /// ```
        /// ```javascript
        /// await agency.found();
        /// ```
        pub fn found(&self, password: &str) -> Result<Option<Found>> {}
        /// Not among the chosen ones.
        ///
        /// ```example
        /// agency.pair();
        /// ```
        /// ```python
        /// agency.pair()
        /// ```
        /// ```javascript
        /// await agency.pair();
        /// ```
        pub fn pair(&self) -> Result<(u64, u64)> {}
    }
";

fn surface() -> Surface {
    let also = ALSO.map(|name| format!("pub struct {name} {{ pub line: u64 }}\n"));
    Surface::of(&Source::of(&format!("{SOURCE}{}", also.concat()))).expect("a surface")
}

fn has(text: &str, lines: &[&str]) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in lines {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn operations_take_owned_arguments_and_lend_them() {
    let surface = surface();
    let text = operations::text(&Part::of(&surface, &["found", "take"])).expect("text");
    has(
        &text,
        &[
            "#[uniffi::method(default(at = None))] pub async fn take(&self, draft: NoteDraft, \
             label: String, at: Option<Slug>) -> Result<Session, PartnerKitError>",
            "let draft = partnerkit::NoteDraft::from(draft);",
            "brief(move || it.take(&draft, &label, at.as_ref()).map(Session::from)).await",
            "-> Result<Option<Found>, PartnerKitError>",
            "long(move || it.found(&password)).await",
            "use crate::forms::{NoteDraft};",
            "use crate::records::{Session};",
            "Errors: field `edited_at`.",
        ],
    );
    assert!(!text.contains("pair"), "{text}");
}

#[test]
fn records_are_the_cores_unless_they_have_a_secret() {
    let surface = surface();
    let part = Part::of(&surface, &["found", "take"]);
    let text = records::text(&part).expect("text");
    has(
        &text,
        &[
            "#[uniffi::remote(Enum)] pub enum Found { One(u64), Many(u64, bool), }",
            "/// Known as `Tone`. #[uniffi::remote(Enum)] pub enum Tone { Kind, Firm, }",
            "#[uniffi::remote(Record)] pub struct Note { pub id: NoteId, \
             pub edited_at: Option<Timestamp>, pub tags: Vec<Slug>, }",
            "#[derive(Clone, uniffi::Record)] #[uniffi::export(Display)] pub struct Session {",
            "impl From<partnerkit::Session> for Session {",
            "impl fmt::Display for Session {",
        ],
    );
    assert!(!text.contains("FoundRecord") && !text.contains("count"), "{text}");
    has(
        &records::forms(&part).expect("text"),
        &[
            "#[uniffi(default)] pub tone: Option<Tone>, #[uniffi(default)] pub pairs: \
             HashMap<String, String>, }",
            "Self { tone: tone.unwrap_or_default(), pairs: pairs.into_iter().collect(), \
             ..Self::default() }",
            "/// See `editedAt` of `stamp_out` and `no_field`, and /* that * /.",
        ],
    );
}

#[test]
fn values_and_errors_are_told() {
    let surface = surface();
    let part = Part::of(&surface, &["take"]);
    has(
        &values::text(&part).expect("text"),
        &[
            "NoteId, String, { remote, lower: |value| value.to_string(),",
            "Slug, String, { remote, lower: |value| value.as_str().to_owned(),",
            "Timestamp, SystemTime, { remote, lower: |value| system_time(value),",
        ],
    );
    has(
        &failures::text(&part).expect("text"),
        &[
            "/// Refused; `fields` has why. Validation { /// The reason in English. detail: String,",
            "ErrorKind::Conflict => Self::Conflict { detail, current_version: \
             error.current_version() },",
            "Self::Conflict { .. } => Some(ErrorKind::Conflict),",
        ],
    );
}

#[test]
fn what_uniffi_cannot_have_is_refused() {
    let surface = surface();
    let refused = operations::text(&Part::of(&surface, &["pair"])).expect_err("a tuple");
    assert!(refused.contains("Tuple"), "{refused}");
}
