//! The records of results: interfaces, unions of slugs, and the readers that make records from what the
//! native module has packed.

use std::fmt::Write as _;

use super::documentation::comment;
use super::hints::{answered, given, of_texts, slug};
use super::readers::{NAME, of_record, of_values, read};
use super::{camel, header, listed};
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
    text += "\nimport { concealing } from './concealing';\n";
    let interfaces: String = records.iter().map(|record| interface(record, surface)).collect();
    let readers: String = records
        .iter()
        .filter(|record| !GIVEN.contains(&&*record.name))
        .map(|record| reader(record, surface))
        .collect();
    text += &of_texts(&interfaces);
    text += &of_values(&readers);
    enumerations.iter().for_each(|of| text += &union(of, surface));
    text + &codes(surface) + &kinds(surface) + &interfaces + &readers
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

/// The codes of errors, and that of a defect of the library.
fn kinds(surface: &Surface) -> String {
    let slugs = surface.kinds.iter().map(|kind| &*kind.slug).chain(["internal"]);
    let slugs: Vec<_> = slugs.map(|slug| format!("  | '{slug}'")).collect();
    format!(
        "\n/** What kind of thing went wrong: the `code` of an error. */
export type ErrorCode =\n{};\n",
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
        let is_slug = |name: &&str| surface.enumeration(name).is_some();
        let of = field.of.names().into_iter().find(is_slug);
        return of.map_or_else(|| given(&field.of, surface), slug);
    }
    // The bounds of fields are small.
    match (&*field.name, &field.of) {
        ("params", Type::Optional(_)) => "Readonly<Record<string, number>> | null".to_owned(),
        ("params", _) => "Readonly<Record<string, number>>".to_owned(),
        _ => answered(&field.of, surface),
    }
}

/// The function that reads a record.
fn reader(record: &Record, surface: &Surface) -> String {
    let name = &record.name;
    let fields: Vec<_> = record
        .fields
        .iter()
        .map(|field| format!("{}: {}", camel(&field.name), value(record, field, surface)))
        .collect();
    let secret = record.fields.iter().find(|field| SECRET.contains(&&*field.name));
    let (before, after) = match secret {
        Some(secret) => (format!("concealing('{}', {{", camel(&secret.name)), "});"),
        None => ("{".to_owned(), "};"),
    };
    format!(
        "\n/** @internal */\nexport function {}(from: Values): {name} {{\n{}}}\n",
        of_record(name),
        listed(&format!("  return {before}"), &fields, after),
    )
}

/// The expression that reads a field.
fn value(record: &Record, field: &Field, surface: &Surface) -> String {
    if OF_NAMES.contains(&(&*record.name, &*field.name)) {
        return match field.of {
            Type::List(_) => format!("from.list({NAME})"),
            _ => format!("from.nullable({NAME})"),
        };
    }
    // The bounds of fields are small.
    match (&*field.name, &field.of) {
        ("params", Type::Optional(_)) => "from.maybe((of) => of.map(single<number>))".to_owned(),
        ("params", _) => "from.map(single<number>)".to_owned(),
        _ => read(&field.of, surface),
    }
}
