//! Which values operations take, by how a native module makes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::surface::{Operation, Surface, snake};
use crate::types::Type;

/// The macros of a native module that make values, in the order of their lines.
const KINDS: [&str; 3] = ["ids", "texts", "forms"];

/// The calls of the macros for what the operations take, and the names of the macros. A form that is
/// a single argument is made by name.
pub fn code<'o>(
    operations: impl Iterator<Item = &'o Operation>,
    surface: &Surface,
    form: impl Fn(&str) -> String,
) -> (String, Vec<&'static str>) {
    let mut kinds: [Vec<String>; 3] = Default::default();
    for name in names(operations, surface) {
        let [ids, texts, forms] = &mut kinds;
        if surface.enumeration(&name).is_some() {
            texts.push(name);
        } else if surface.record(&name).is_some() {
            forms.push(form(&name));
        } else if surface.held(&name) == Some(&Type::Uuid) {
            let of = snake(name.strip_suffix("Id").unwrap_or(&name)).replace('_', " ");
            ids.push(format!("{name}: \"{of}\""));
        } else if surface.held(&name) == Some(&Type::Text) {
            texts.push(name);
        }
    }
    let mut code = String::new();
    let mut macros = Vec::new();
    for (kind, names) in KINDS.into_iter().zip(kinds) {
        if !names.is_empty() {
            macros.push(kind);
            let _ = writeln!(code, "{kind}!({});", names.join(", "));
        }
    }
    macros.sort_unstable();
    (code, macros)
}

/// The named types of arguments, without events, which are read from whatever an object has.
fn names<'o>(
    operations: impl Iterator<Item = &'o Operation>,
    surface: &Surface,
) -> BTreeSet<String> {
    let arguments = operations.flat_map(|operation| &operation.arguments);
    let plain = arguments.filter(|argument| surface.form_of(argument).is_none());
    let names = plain.flat_map(|argument| argument.of.names()).map(str::to_owned);
    names.filter(|name| name != "EventDraft").collect()
}
