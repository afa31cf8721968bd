//! The types of arguments, answers and fields in TypeScript.

use crate::surface::{Surface, snake};
use crate::types::Type;

/// What is given as an argument, or as the field of a form.
pub fn given(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Path => "string".to_owned(),
        Type::Optional(of) | Type::Patch(of) => format!("{} | null", given(of, surface)),
        Type::List(of) | Type::Set(of) => format!("readonly {}[]", grouped(&given(of, surface))),
        Type::Map(_, value) => format!("Readonly<Record<string, {}>>", given(value, surface)),
        Type::Integer(of) if of == "i64" => "bigint | number".to_owned(),
        Type::Named(name) => match &**name {
            "EventDraft" => "UsageEvent".to_owned(),
            "PhoneDraft" => "Phone".to_owned(),
            "Timestamp" => "Instant".to_owned(),
            _ if surface.has(name) && surface.held(name).is_none() => name.clone(),
            _ => single(of, surface),
        },
        _ => single(of, surface),
    }
}

/// A union that is the type of an array's items.
fn grouped(of: &str) -> String {
    if of.contains(" | ") { format!("({of})") } else { of.to_owned() }
}

/// What an operation answers, and the field of a record.
pub fn answered(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Nothing => "void".to_owned(),
        Type::Optional(of) => format!("{} | null", answered(of, surface)),
        Type::List(of) | Type::Set(of) => format!("readonly {}[]", grouped(&answered(of, surface))),
        Type::Map(key, value) => {
            let (is_slug, value) = (is_slug(key, surface), answered(value, surface));
            match is_slug {
                Some(of) => format!("Readonly<Partial<Record<{of}, {value}>>>"),
                None => format!("Readonly<Record<string, {value}>>"),
            }
        }
        Type::Either(one, other) => {
            format!("{} | {}", answered(one, surface), answered(other, surface))
        }
        Type::Named(name) => match (&**name, surface.held(name)) {
            ("FieldErrors", _) => "ValidationError".to_owned(),
            ("Code", _) => "FieldCode".to_owned(),
            ("Agency", _) => "Agency".to_owned(),
            (_, Some(of @ Type::Map(..))) => answered(of, surface),
            (_, None) if surface.has(name) => name.clone(),
            _ => single(of, surface),
        },
        _ => single(of, surface),
    }
}

/// A single value.
fn single(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Bool => "boolean".to_owned(),
        // Usage may pass 2^53; versions and counts of rows do not.
        Type::Integer(of) if of == "i64" => "bigint".to_owned(),
        Type::Integer(_) => "number".to_owned(),
        Type::Named(name) if name == "Timestamp" => "Date".to_owned(),
        Type::Named(name) => {
            surface.held(name).map_or_else(|| "string".to_owned(), |of| single(of, surface))
        }
        _ => "string".to_owned(),
    }
}

/// The enumeration whose slugs are the keys of a map.
fn is_slug<'t>(key: &'t Type, surface: &Surface) -> Option<&'t str> {
    match key {
        Type::Named(name) if surface.enumeration(name).is_some() => Some(name),
        _ => None,
    }
}

/// The type of a field of texts that takes the slugs of an enumeration: the one with the field's name.
pub fn slug_of(field: &str, of: &Type, surface: &Surface) -> Option<String> {
    let is_text = of.names().is_empty();
    let mut named = surface.enumerations.iter().filter(|of| snake(&of.name) == field);
    named.next().filter(|_| is_text).map(|of| of.name.clone())
}

/// Slugs in what comes from outside, which has them as any text.
pub fn slug(of: &str) -> String {
    format!("Slug<{of}>")
}

/// The import of the types of `texts.ts` that a text uses.
pub fn of_texts(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let used: Vec<_> =
        ["Instant", "Slug"].into_iter().filter(|name| words.contains(name)).collect();
    match used.is_empty() {
        true => String::new(),
        false => format!("import type {{ {} }} from './texts';\n", used.join(", ")),
    }
}
