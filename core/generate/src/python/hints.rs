//! The types of arguments, answers and fields, as Python's type checkers read them.

use super::method::fields_of;
use crate::surface::{Enumeration, Surface};
use crate::types::Type;

/// What is given as an argument: whatever the native module makes one of.
pub fn given(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Path => "str | PathLike[str]".to_owned(),
        Type::Optional(of) => format!("{} | None", given(of, surface)),
        Type::List(of) | Type::Set(of) => format!("Iterable[{}]", given(of, surface)),
        Type::Named(name) => match (&**name, surface.record(name)) {
            // An event may also be a dict of anything.
            ("EventDraft", _) => "UsageEvent | Mapping[str, object]".to_owned(),
            (_, Some(form)) => fields_of(form).to_owned(),
            _ if surface.enumeration(name).is_some() => format!("{name} | str"),
            _ => taken(of, surface),
        },
        _ => taken(of, surface),
    }
}

/// The field of a form.
pub fn typed(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Optional(of) | Type::Patch(of) => format!("{} | None", typed(of, surface)),
        Type::List(of) | Type::Set(of) => match &**of {
            // A list comes from data, where any text may stand.
            Type::Named(name) if surface.enumeration(name).is_some() => {
                format!("Sequence[{name} | str]")
            }
            of => format!("Sequence[{}]", typed(of, surface)),
        },
        Type::Map(key, value) => {
            format!("Mapping[{}, {}]", typed(key, surface), typed(value, surface))
        }
        Type::Named(name) => match (surface.record(name), surface.enumeration(name)) {
            _ if name == "PhoneDraft" => "Phone".to_owned(),
            (Some(form), _) => fields_of(form).to_owned(),
            (_, Some(of)) => slug_of(of),
            _ => taken(of, surface),
        },
        _ => taken(of, surface),
    }
}

/// A member of an enumeration, or its slug.
pub fn slug_of(of: &Enumeration) -> String {
    let slugs: Vec<_> = of.variants.iter().map(|v| format!("\"{}\"", v.slug)).collect();
    format!("{} | Literal[{}]", of.name, slugs.join(", "))
}

/// A single value that is given.
fn taken(of: &Type, surface: &Surface) -> String {
    match single(of, surface).as_str() {
        "UUID" => "UUID | str".to_owned(),
        single => single.to_owned(),
    }
}

/// What an operation answers.
pub fn answered(of: &Type, agency: &str, surface: &Surface) -> String {
    let inner = |of| answered(of, agency, surface);
    match of {
        Type::Nothing => "None".to_owned(),
        Type::Optional(of) => format!("{} | None", inner(of)),
        Type::List(of) | Type::Set(of) => format!("list[{}]", inner(of)),
        Type::Map(key, value) => format!("dict[{}, {}]", inner(key), inner(value)),
        Type::Either(one, other) => format!("{} | {}", inner(one), inner(other)),
        Type::Named(name) => match &**name {
            "Agency" => agency.to_owned(),
            "FieldErrors" => "ValidationError".to_owned(),
            _ => kept(of, surface),
        },
        _ => kept(of, surface),
    }
}

/// The field of a record, as the serializer makes it.
pub fn kept(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Optional(of) => format!("{} | None", kept(of, surface)),
        Type::List(of) | Type::Set(of) => format!("tuple[{}, ...]", kept(of, surface)),
        // A key is looked up by its slug, too.
        Type::Map(_, value) => format!("Mapping[str, {}]", kept(value, surface)),
        Type::Named(name) => match surface.held(name) {
            Some(of @ Type::Map(..)) => kept(of, surface),
            None if surface.has(name) => name.clone(),
            _ => single(of, surface),
        },
        _ => single(of, surface),
    }
}

/// A single value.
fn single(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Bool => "bool".to_owned(),
        Type::Integer(_) => "int".to_owned(),
        Type::Uuid => "UUID".to_owned(),
        Type::Named(name) if name == "Timestamp" => "datetime".to_owned(),
        Type::Named(name) => {
            surface.held(name).map_or_else(|| "str".to_owned(), |of| single(of, surface))
        }
        _ => "str".to_owned(),
    }
}
