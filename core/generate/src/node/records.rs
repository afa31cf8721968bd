//! The records of results: interfaces, unions of slugs, and the factories with which the native
//! module makes records.

use std::fmt::Write as _;

use super::documentation::comment;
use super::hints::{answered, given, of_texts};
use super::{camel, header};
use crate::shared::forms;
use crate::surface::{Enumeration, Field, Record, SECRET, Surface};
use crate::types::Type;

/// Fields with names of fields, which are told by their names in JavaScript.
const OF_NAMES: [(&str, &str); 2] = [("Change", "fields"), ("EventOutcome", "field")];

/// Records that callers make, and whose fields therefore accept several types.
const GIVEN: [&str; 1] = ["UsageEvent"];

pub fn text(surface: &Surface) -> String {
    let is_answered = |name: &str| surface.answered.contains(name);
    let named = forms::named(surface);
    let mut enumerations: Vec<_> = surface.enumerations.iter().collect();
    enumerations.retain(|of| is_answered(&of.name) || named.contains(&*of.name));
    enumerations.sort_by_key(|of| &of.name);
    let mut records: Vec<_> = surface.records.iter().filter(|of| is_answered(&of.name)).collect();
    records.sort_by_key(|of| &of.name);
    let mut text = header(
        "What the library returns: plain objects. Instants are `Date`s with milliseconds, ids are
 * texts, usage is a `bigint`.",
    );
    text += "\nimport { concealing } from './concealing';\nimport { fieldName } from './names';\n";
    let interfaces: String = records.iter().map(|record| interface(record, surface)).collect();
    text += &of_texts(&interfaces);
    enumerations.iter().for_each(|of| text += &union(of, surface));
    text + &codes(surface) + &interfaces + &factories(&records)
}

fn union(of: &Enumeration, surface: &Surface) -> String {
    let mut text =
        format!("\n{}export type {} =\n", comment(&of.documentation, None, 0, surface), of.name);
    for (place, variant) in of.variants.iter().enumerate() {
        let end = if place + 1 == of.variants.len() { ";" } else { "" };
        let documentation = comment(&variant.documentation, None, 2, surface);
        let _ = writeln!(text, "{documentation}  | '{}'{end}", variant.slug);
    }
    text
}

/// The codes of refused fields.
fn codes(surface: &Surface) -> String {
    let slugs: Vec<_> = surface.codes.iter().map(|code| format!("  | '{}'", code.slug)).collect();
    format!(
        "\n/** Why a field was refused; `fieldCodes` gives the English texts. */
export type FieldCode =\n{};\n",
        slugs.join("\n")
    )
}

fn interface(record: &Record, surface: &Surface) -> String {
    let mut text = format!(
        "\n{}export interface {} {{\n",
        comment(&record.documentation, None, 0, surface),
        record.name
    );
    for field in &record.fields {
        let of = of(record, field, surface);
        text += &comment(&field.documentation, None, 2, surface);
        let _ = writeln!(text, "  readonly {}: {of};", camel(&field.name));
    }
    text + "}\n"
}

fn of(record: &Record, field: &Field, surface: &Surface) -> String {
    if GIVEN.contains(&&*record.name) {
        return given(&field.of, surface);
    }
    // The bounds of fields are small.
    match (&*field.name, &field.of) {
        ("params", Type::Optional(_)) => "Readonly<Record<string, number>> | null".to_owned(),
        ("params", _) => "Readonly<Record<string, number>>".to_owned(),
        _ => answered(&field.of, surface),
    }
}

fn factories(records: &[&Record]) -> String {
    let mut text = "\n/** How the native module makes each record: its fields in order.
 * @internal
 */
export const factories = {\n"
        .to_owned();
    for record in records.iter().filter(|record| !GIVEN.contains(&&*record.name)) {
        let fields: Vec<_> =
            record.fields.iter().map(|field| format!("'{}'", field.name)).collect();
        let names: Vec<_> = record.fields.iter().map(|field| camel(&field.name)).collect();
        let parameters: Vec<_> = record
            .fields
            .iter()
            .map(|field| format!("{}: {}['{0}']", camel(&field.name), record.name))
            .collect();
        let values: Vec<_> = names
            .iter()
            .zip(&record.fields)
            .map(|(name, field)| match OF_NAMES.contains(&(&*record.name, &*field.name)) {
                true if matches!(field.of, Type::List(_)) => {
                    format!("{name}: {name}.map(fieldName)")
                }
                true => format!("{name}: {name} === null ? null : fieldName({name})"),
                false => name.clone(),
            })
            .collect();
        let mut made = format!("({{ {} }})", values.join(", "));
        if let Some(secret) = record.fields.iter().find(|f| SECRET.contains(&&*f.name)) {
            made = format!("concealing('{}', {made})", camel(&secret.name));
        }
        let _ = writeln!(
            text,
            "  {}: {{\n    fields: [{}],\n    make: (\n      {},\n    ): {0} => {made},\n  }},",
            record.name,
            fields.join(", "),
            parameters.join(",\n      "),
        );
    }
    text + "};\n"
}
