//! Which values operations take, so that the native module makes them of what is given.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::operations;
use crate::rust::{header, used};
use crate::surface::{Surface, snake};
use crate::types::Type;

pub fn text(surface: &Surface) -> String {
    let mut taken = BTreeSet::new();
    for (_, methods) in operations(surface) {
        for method in methods {
            let arguments = method.operation.arguments.iter();
            let plain = arguments.filter(|argument| surface.form_of(argument).is_none());
            taken.extend(plain.flat_map(|argument| argument.of.names()).map(str::to_owned));
        }
    }
    let mut kinds: [Vec<String>; 4] = Default::default();
    for name in taken {
        let [ids, texts, slugs, forms] = &mut kinds;
        if surface.enumeration(&name).is_some() {
            slugs.push(format!("{name}: {}", refusal(&name, surface)));
        } else if surface.record(&name).is_some() {
            forms.push(name);
        } else if surface.held(&name) == Some(&Type::Uuid) {
            let of = snake(name.strip_suffix("Id").unwrap_or(&name)).replace('_', " ");
            ids.push(format!("{name}: \"{of}\""));
        } else if surface.held(&name) == Some(&Type::Text) {
            texts.push(name);
        }
    }
    // It is read from whatever an object has as attributes.
    kinds[3].retain(|name| name != "EventDraft");
    let mut code = String::new();
    let mut macros = Vec::new();
    for (kind, names) in ["ids", "texts", "slugs", "forms"].into_iter().zip(kinds) {
        if !names.is_empty() {
            macros.push(kind);
            let _ = writeln!(code, "{kind}!({});", names.join(", "));
        }
    }
    macros.sort_unstable();
    format!(
        "{}use partnerkit::{{{}}};\n\nuse crate::given::{{{}}};\n\n{code}",
        header("The values that operations take."),
        used(&code, surface, &["Code"]).join(", "),
        macros.join(", "),
    )
}

/// The code for a text that is no slug of an enumeration: its own, where there is one.
fn refusal(enumeration: &str, surface: &Surface) -> String {
    let own = format!("unknown_{}", snake(enumeration));
    let has_own = surface.codes.iter().any(|code| code.slug == own);
    if has_own { format!("Code::Unknown{enumeration}") } else { "Code::Invalid".to_owned() }
}
