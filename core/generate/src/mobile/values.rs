//! The types of a single value.

use std::fmt::Write as _;

use super::Part;
use crate::rust::header;
use crate::surface::Value;
use crate::types::Type;

pub fn text(part: &Part<'_>) -> Result<String, String> {
    let mut body = String::new();
    for value in part.surface.values.iter().filter(|value| part.names.contains(&value.name)) {
        let (sent, lowered, lifted) = sent(&value.name, &value.of)?;
        // As rustfmt would have it, which leaves a macro with documentation as it is.
        let comment = part.comment(documentation(value)).replace("///", "    ///");
        let _ = write!(
            body,
            "uniffi::custom_type!(
{comment}    {name}, {sent}, {{
        remote,
        lower: |value| {lowered},
        try_lift: |sent| {lifted},
    }}
);

",
            name = value.name,
        );
    }
    let mut head = header("The types of a single value, as what they are sent.");
    if body.contains("HashMap<") {
        head += "use std::collections::HashMap;\n";
    }
    head += "use std::time::SystemTime;\n\n";
    head += &part.imported(&body);
    Ok(head + "\nuse crate::conversion::{read, system_time};\n\n" + &body)
}

fn documentation(value: &Value) -> &str {
    match &*value.name {
        // It is no number in Kotlin and Swift.
        "Timestamp" => "An instant, to the millisecond.",
        _ => &value.documentation,
    }
}

/// As what a value is sent, and how it is made of the value and read.
fn sent(name: &str, of: &Type) -> Result<(&'static str, &'static str, &'static str), String> {
    let is_text = |of: &Type| *of == Type::Text;
    Ok(match of {
        Type::Integer(_) if name == "Timestamp" => {
            ("SystemTime", "system_time(value)", "Ok(sent.into())")
        }
        Type::Text => ("String", "value.as_str().to_owned()", "read(sent)"),
        Type::Uuid => ("String", "value.to_string()", "read(sent)"),
        Type::Map(key, value) if is_text(key) && is_text(value) => (
            "HashMap<String, String>",
            "value.as_map().clone().into_iter().collect()",
            "read(sent)",
        ),
        other => return Err(format!("Kotlin and Swift have no {name} around {other:?} yet")),
    })
}
