//! The calls of the conformance suite that prove isolation: every operation that names a reseller.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::rust::{Owned, header};
use crate::surface::{Argument, Field, Operation, Surface};
use crate::types::Type;

/// Every operation of an agency that names a reseller, called on one that the case gives.
///
/// The error is an operation of the whole platform that names a reseller: it would be a way into
/// any agency, and no case could tell.
pub fn calls(surface: &Surface) -> Result<String, String> {
    let names = |operation: &&Operation| names_a_reseller(operation, surface);
    if let Some(operation) = surface.platform.iter().find(names) {
        return Err(format!("{}: only an operation of an agency names a reseller", operation.name));
    }
    let mut text = header("Every operation of an agency that names a reseller, called on one.");
    let mut calls = String::new();
    let mut words = BTreeSet::from(["Agency"]);
    for operation in surface.agency.iter().filter(names) {
        let arguments: Vec<_> =
            operation.arguments.iter().map(|argument| sampled(argument, surface)).collect();
        let types = operation.arguments.iter().flat_map(|argument| argument.of.names());
        words.extend(types.filter(|name| surface.exported.contains(*name)));
        let (name, arguments) = (&operation.name, arguments.join(", "));
        let _ = writeln!(calls, "(\"{name}\", |agency, of| told(agency.{name}({arguments}))),");
    }
    let words: Vec<_> = words.into_iter().collect();
    let _ = writeln!(
        text,
        "use super::subject::Subject;\nuse super::told;\nuse crate::{{{}}};\n
        /// What an operation answers about a reseller, as text.
        type Call = fn(&Agency, &Subject) -> String;

        /// Each of them, by its name.
        pub(super) const CALLS: &[(&str, Call)] = &[{calls}];",
        words.join(", "),
    );
    Ok(text)
}

fn sampled(argument: &Argument, surface: &Surface) -> String {
    let (owned, name) = (Owned::of(argument), &*argument.name);
    let (of, is_optional) = match &argument.of {
        Type::Optional(of) => (&**of, true),
        of => (of, false),
    };
    let made = match made(of, surface) {
        Some(made) if is_optional => format!("Some({made})"),
        Some(made) => made,
        None => {
            let of = owned.of.replace("impl Reported", "EventDraft");
            format!("of.sample::<{}>(\"{name}\")", of.replace(" + Send + 'static", ""))
        }
    };
    owned.lent.replace(name, &made)
}

/// A value of a type for which the subject needs no sample of its own: a member of an enumeration,
/// a form with all its texts unless it says which reseller it is about, an id. An id is that of no record, so that the operation gets as far as
/// the reseller.
fn made(of: &Type, surface: &Surface) -> Option<String> {
    let Type::Named(name) = of else { return None };
    if let Some(of) = surface.enumeration(name) {
        return of.variants.first().map(|first| format!("{name}::{}", first.name));
    }
    if name != "ResellerId" && surface.held(name) == Some(&Type::Uuid) {
        return Some(format!("{name}::from_uuid(of.id.as_uuid())"));
    }
    let is_text = |of: &Type| match of {
        Type::Optional(of) | Type::Patch(of) => **of == Type::Text,
        of => *of == Type::Text,
    };
    let fields = surface.record(name)?.fields.iter();
    if fields.clone().any(|field| says_which(field, surface, &mut BTreeSet::new())) {
        return None;
    }
    let texts: Vec<_> = fields.filter(|field| is_text(&field.of)).map(|f| &f.name).collect();
    Some(format!("of.form::<{name}>(&{texts:?})"))
}

/// Whether one of its arguments says which reseller, or which record of one, it is about.
fn names_a_reseller(operation: &Operation, surface: &Surface) -> bool {
    let is_id = |name: &str| name == "id" || name.ends_with("_id");
    operation.arguments.iter().any(|argument| {
        let is_key = argument.of == Type::Text && is_id(&argument.name);
        let in_agency = surface.agency.iter().any(|other| std::ptr::eq(other, operation));
        is_key && in_agency || reaches(&argument.of, surface, &mut BTreeSet::new())
    })
}

/// Whether a type has the id of a reseller in it, however deep, or a field that says which it is.
fn reaches<'s>(of: &'s Type, surface: &'s Surface, seen: &mut BTreeSet<&'s str>) -> bool {
    of.names().into_iter().any(|name| {
        let record = surface.records.iter().find(|record| record.name == name);
        let fields = record.into_iter().flat_map(|record| &record.fields);
        name == "ResellerId"
            || seen.insert(name) && fields.into_iter().any(|field| says_which(field, surface, seen))
    })
}

fn says_which<'s>(field: &'s Field, surface: &'s Surface, seen: &mut BTreeSet<&'s str>) -> bool {
    field.name == "reseller" || reaches(&field.of, surface, seen)
}
