//! Errors.

use std::fmt::Write as _;

use super::Part;
use crate::rust::header;
use crate::types::Type;

/// What an error of a kind has beside its text: the field, its type and documentation, and how it is
/// made.
const DETAILS: [(&str, &str, &str, &str, &str); 3] = [
    (
        "Validation",
        "fields",
        "Vec<FieldError>",
        "Every refused field.",
        "error.fields().iter().map(FieldError::from).collect()",
    ),
    (
        "Conflict",
        "current_version",
        "Option<u64>",
        "The version that the record has now; none where the conflict is about an idempotency key.",
        "error.current_version()",
    ),
    (
        "Throttled",
        "retry_after",
        "Duration",
        "How long to wait.",
        "error.retry_after().unwrap_or_default()",
    ),
];

pub fn text(part: &Part<'_>) -> Result<String, String> {
    let mut body = String::new();
    let refused = part.surface.record("FieldError").ok_or("there is no FieldError")?;
    let _ = writeln!(
        body,
        "{}#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]\npub struct FieldError {{",
        part.comment(&refused.documentation)
    );
    for field in &refused.fields {
        // A code is a slug here, because there may be new ones in any version.
        let is_code = field.of == Type::Named("Code".to_owned());
        let of = if is_code { "String".to_owned() } else { part.written(&field.of)? };
        let _ = writeln!(body, "{}pub {}: {of},", part.comment(&field.documentation), field.name);
    }
    body += "}\n\n";
    let mut variants = String::new();
    let (mut made, mut slugs, mut texts) = (String::new(), String::new(), Vec::new());
    for kind in &part.surface.kinds {
        // What is a method of the error there is a field of the variant here.
        let documentation = part.comment(&kind.documentation).replace("`Error.", "`");
        let name = &kind.name;
        let _ = writeln!(
            variants,
            "{documentation}{name} {{\n/// The reason in English.\ndetail: String,"
        );
        let detail = DETAILS.iter().find(|(of, ..)| of == name);
        let given = detail.map(|(_, field, of, documentation, given)| {
            let _ = writeln!(variants, "/// {documentation}\n{field}: {of},");
            format!(", {field}: {given}")
        });
        variants += "},\n";
        let given = given.unwrap_or_default();
        let _ = writeln!(made, "ErrorKind::{name} => Self::{name} {{ detail{given} }},");
        let _ = writeln!(slugs, "Self::{name} {{ .. }} => Some(ErrorKind::{name}),");
        texts.push(format!("Self::{name} {{ detail, .. }}"));
    }
    let _ = write!(
        body,
        "/// Why a call failed. Each variant is a kind of error. No text of it has user input or a secret.
        #[derive(Debug, uniffi::Error)]
        #[uniffi::export(Display)]
        pub enum PartnerKitError {{
            {variants}
            /// The library itself is wrong: it has panicked.
            Internal {{
                /// What it says of that.
                detail: String,
            }},
        }}

        impl From<partnerkit::Error> for PartnerKitError {{
            fn from(error: partnerkit::Error) -> Self {{
                let detail = error.to_string();
                match error.kind() {{
                    {made}
                    // The core's enumeration may get more; the generator then writes them here.
                    kind => Self::Internal {{ detail: format!(\"{{}}: {{detail}}\", kind.slug()) }},
                }}
            }}
        }}

        impl PartnerKitError {{
            /// The kind; none, if the library itself is wrong.
            pub(crate) fn of(&self) -> Option<ErrorKind> {{
                match self {{
                    {slugs}
                    Self::Internal {{ .. }} => None,
                }}
            }}
        }}

        impl fmt::Display for PartnerKitError {{
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{
                let ({} | Self::Internal {{ detail }}) = self;
                f.write_str(detail)
            }}
        }}

        ",
        texts.join(" | "),
    );
    let head = header("Errors, a variant for each kind.");
    Ok(format!(
        "{head}use std::collections::HashMap;\nuse std::fmt;\nuse std::time::Duration;\n
        use partnerkit::ErrorKind;\n\n{body}"
    ))
}
