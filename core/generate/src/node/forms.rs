//! The fields of forms as interfaces.

use std::fmt::Write as _;

use super::documentation::comment;
use super::hints::{given, of_texts, slug, slug_of};
use super::{camel, header};
use crate::shared::forms;
use crate::surface::{Field, Surface};
use crate::types::Type;

pub fn text(surface: &Surface) -> String {
    let forms = forms::all(surface);
    let mut body = String::new();
    for form in &forms {
        let documentation = comment(&form.documentation, None, 0, surface);
        let _ = write!(body, "\n{documentation}export interface {} {{\n", form.name);
        for field in &form.fields {
            body += &comment(&field.documentation, None, 2, surface);
            let (name, of) = (camel(&field.name), of(field, surface));
            let _ = match forms::is_required(form, field) {
                true => writeln!(body, "  {name}: {};", of.trim_end_matches(" | null")),
                false => writeln!(body, "  {name}?: {of} | undefined;"),
            };
        }
        body += "}\n";
        if form.name == "PhoneDraft" {
            body += PHONE;
        }
    }
    let words: Vec<_> = body.split(|c: char| !c.is_alphanumeric()).collect();
    let names: Vec<_> = surface.enumerations.iter().map(|of| &*of.name).collect();
    let mut used: Vec<_> = names.into_iter().filter(|name| words.contains(name)).collect();
    used.sort_unstable();
    let imports = format!("\nimport type {{ {} }} from './records';\n", used.join(", "));
    let imports = imports + &of_texts(&body);
    header("The fields of forms. What is undefined is not there; what is null is empty.")
        + &imports
        + &body
}

const PHONE: &str = "
/** A phone as typed: `'+49 30 901820'`, `['US', '(415) 555-2671']`, or both by name. */
export type Phone = string | readonly [country: string | null, number: string] | PhoneDraft;
";

/// The type of a field. Every field may be null, as in the JSON of another system.
fn of(field: &Field, surface: &Surface) -> String {
    // What is a text in the core is as somebody typed it.
    let typed = slug_of(&field.name, &field.of, surface).map(|of| slug(&of));
    let of = typed.unwrap_or_else(|| given(&field.of, surface));
    let is_whole = matches!(field.of, Type::Optional(_) | Type::Patch(_)) && of.ends_with("null");
    if is_whole { of } else { of + " | null" }
}
