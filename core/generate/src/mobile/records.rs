//! Records, enumerations and forms.

use std::fmt::Write as _;

use super::Part;
use crate::rust::header;
use crate::surface::{Enumeration, Field, Record};
use crate::types::Type;

/// The records that are returned, and every enumeration.
pub fn text(part: &Part<'_>) -> Result<String, String> {
    let mut body = String::new();
    let surface = part.surface;
    let all = surface.enumerations.iter().chain(&surface.sums);
    for enumeration in all.filter(|enumeration| part.names.contains(&enumeration.name)) {
        body += &remote_enumeration(enumeration, part)?;
    }
    let is_sum = |name: &str| surface.sums.iter().any(|sum| sum.name == name);
    for record in part.records.iter().filter(|record| !is_sum(&record.name)) {
        if part.is_mirrored(&record.name) {
            body += &mirror(record, part, &Kind::Returned)?;
        } else {
            let (documentation, declared) = declaration(record, part, &Kind::Returned)?;
            let _ = write!(body, "{documentation}#[uniffi::remote(Record)]\n{declared}");
        }
    }
    let head = header("Records that operations return, and enumerations.");
    Ok(format!("{head}{IMPORTS}{}\n{body}", part.imported(&body)))
}

/// The forms that are taken.
pub fn forms(part: &Part<'_>) -> Result<String, String> {
    let mut body = String::new();
    for form in &part.forms {
        body += &mirror(form, part, &Kind::Form)?;
    }
    let head = header("Forms, with defaults for what need not be given.");
    let maps = "use std::collections::HashMap;\n";
    Ok(format!("{head}{maps}{IMPORTS}{}\n{body}", part.imported(&body)))
}

const IMPORTS: &str = "use std::fmt;\n\n";

/// What a mirrored record is for.
enum Kind {
    Form,
    Returned,
}

fn remote_enumeration(of: &Enumeration, part: &Part<'_>) -> Result<String, String> {
    let mut text = part.comment(&of.documentation);
    let _ = writeln!(text, "#[uniffi::remote(Enum)]\npub enum {} {{", of.name);
    for variant in &of.variants {
        if !variant.fields.is_empty() {
            return Err(format!("Kotlin and Swift have no {} with named fields yet", of.name));
        }
        let held: Vec<_> =
            variant.holds.iter().map(|held| part.written(held)).collect::<Result<_, _>>()?;
        let held = if held.is_empty() { String::new() } else { format!("({})", held.join(", ")) };
        let _ = writeln!(text, "{}{}{held},", part.comment(&variant.documentation), variant.name);
    }
    Ok(text + "}\n\n")
}

/// The documentation of a record, and its struct.
fn declaration(record: &Record, part: &Part<'_>, kind: &Kind) -> Result<(String, String), String> {
    let mut text = format!("pub struct {} {{\n", record.name);
    for field in &record.fields {
        let default = matches!(kind, Kind::Form).then_some("#[uniffi(default)]\n");
        let _ = writeln!(
            text,
            "{}{}pub {}: {},",
            part.comment(&field.documentation),
            default.unwrap_or_default(),
            field.name,
            written(field, part, kind)?,
        );
    }
    Ok((part.comment(&record.documentation), text + "}\n\n"))
}

/// The type of a field. An enumeration of a form may be left out.
fn written(field: &Field, part: &Part<'_>, kind: &Kind) -> Result<String, String> {
    let of = part.written(&field.of)?;
    Ok(if is_defaulted(field, part, kind) { format!("Option<{of}>") } else { of })
}

fn is_defaulted(field: &Field, part: &Part<'_>, kind: &Kind) -> bool {
    let Type::Named(name) = &field.of else { return false };
    matches!(kind, Kind::Form) && part.surface.enumeration(name).is_some()
}

/// A record that is a copy of the core's, with its conversions. Its text is what the core's has for
/// debugging, which shows no secret.
fn mirror(record: &Record, part: &Part<'_>, kind: &Kind) -> Result<String, String> {
    let name = &record.name;
    let names: Vec<_> = record.fields.iter().map(|field| &*field.name).collect();
    let names = names.join(", ");
    let converted = |field: &Field| {
        let value = match &field.of {
            Type::Named(of) if part.is_mirrored(of) => format!("{}.into()", field.name),
            Type::Map(..) => format!("{}.into_iter().collect()", field.name),
            _ if is_defaulted(field, part, kind) => format!("{}.unwrap_or_default()", field.name),
            _ => return field.name.clone(),
        };
        format!("{}: {value}", field.name)
    };
    let given: Vec<_> = record.fields.iter().map(converted).collect();
    let mut given = given.join(", ");
    if part.has_more(record) {
        given += ", ..Self::default()";
    }
    let (documentation, declared) = declaration(record, part, kind)?;
    let mut text = format!(
        "{documentation}#[derive(Clone, uniffi::Record)]
        #[uniffi::export(Display)]
        {declared}
        impl From<{name}> for partnerkit::{name} {{
            fn from(it: {name}) -> Self {{
                let {name} {{ {names} }} = it;
                Self {{ {given} }}
            }}
        }}

        impl fmt::Display for {name} {{
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{
                fmt::Debug::fmt(&partnerkit::{name}::from(self.clone()), f)
            }}
        }}

        "
    );
    if matches!(kind, Kind::Returned) {
        let _ = write!(
            text,
            "impl From<partnerkit::{name}> for {name} {{
                fn from(it: partnerkit::{name}) -> Self {{
                    let partnerkit::{name} {{ {names} }} = it;
                    Self {{ {given} }}
                }}
            }}

            "
        );
    }
    Ok(text)
}
