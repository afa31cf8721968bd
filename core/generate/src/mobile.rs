//! Generates the Rust that uniffi makes Kotlin and Swift of: values, records, forms, errors and
//! operations.
//!
//! It is a trial on a few operations, so it refuses every type that they do not need. The macros of
//! uniffi repeat the fields and variants of the core's types, so that a forgotten one does not compile.

mod documentation;
mod failures;
mod operations;
mod records;
mod values;

use std::collections::BTreeSet;
use std::io::Error;
use std::path::Path;

use crate::Generated;
use crate::rust::formatted;
use crate::surface::{Operation, Record, SECRET, Surface};
use crate::types::Type;

/// The operations that there are in these languages so far.
const OPERATIONS: [&str; 4] = ["create_reseller", "page", "reseller", "sign_in"];

/// What the operations need of the surface.
struct Part<'s> {
    surface: &'s Surface,
    platform: Vec<&'s Operation>,
    agency: Vec<&'s Operation>,
    /// The forms that they take, with the records in these.
    forms: Vec<&'s Record>,
    /// The records that they return.
    records: Vec<&'s Record>,
    /// All types that they name.
    names: BTreeSet<String>,
}

pub fn files(surface: &Surface, root: &Path) -> std::io::Result<Vec<Generated>> {
    let part = Part::of(surface, &OPERATIONS);
    let texts = part.texts().map_err(Error::other)?;
    let files = texts.into_iter().map(|(name, text)| {
        Ok((format!("bindings-mobile/src/{name}.rs"), formatted(&text, root)?))
    });
    files.collect()
}

impl<'s> Part<'s> {
    fn of(surface: &'s Surface, operations: &[&str]) -> Self {
        let chosen = |of: &'s [Operation]| -> Vec<_> {
            of.iter().filter(|operation| operations.contains(&&*operation.name)).collect()
        };
        let (platform, agency) = (chosen(&surface.platform), chosen(&surface.agency));
        let all = || platform.iter().chain(&agency);
        let arguments = all().flat_map(|operation| &operation.arguments);
        let taken = named(surface, arguments.map(|argument| &argument.of));
        let returned = named(surface, all().map(|operation| &operation.answer));
        let records = |names: &BTreeSet<String>| -> Vec<&Record> {
            surface.records.iter().filter(|record| names.contains(&record.name)).collect()
        };
        let (forms, records) = (records(&taken), records(&returned));
        let names = taken.into_iter().chain(returned).collect();
        Self { surface, platform, agency, forms, records, names }
    }

    fn texts(&self) -> Result<Vec<(&'static str, String)>, String> {
        Ok(vec![
            ("failures", failures::text(self)?),
            ("forms", records::forms(self)?),
            ("operations", operations::text(self)?),
            ("records", records::text(self)?),
            ("values", values::text(self)?),
        ])
    }

    /// Whether a type is a copy of the core's, because uniffi cannot take the core's as it is: a form
    /// has defaults and maps, and a record with a secret has a text of its own.
    fn is_mirrored(&self, name: &str) -> bool {
        let is = |records: &[&Record]| records.iter().any(|record| record.name == name);
        let has_secret =
            |record: &&&Record| record.fields.iter().any(|field| SECRET.contains(&&*field.name));
        is(&self.forms) || self.records.iter().filter(has_secret).any(|record| record.name == name)
    }

    /// Whether the core's record has fields that the surface leaves out.
    fn has_more(&self, record: &Record) -> bool {
        self.surface.partial.contains(&record.name)
    }

    /// A type, as uniffi can have it.
    fn written(&self, of: &Type) -> Result<String, String> {
        Ok(match of {
            Type::Nothing => "()".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Text => "String".to_owned(),
            Type::Integer(name) | Type::Named(name) => name.clone(),
            Type::Optional(of) => format!("Option<{}>", self.written(of)?),
            Type::List(of) => format!("Vec<{}>", self.written(of)?),
            Type::Map(key, value) => {
                format!("HashMap<{}, {}>", self.written(key)?, self.written(value)?)
            }
            other => return Err(format!("Kotlin and Swift have no {other:?} yet")),
        })
    }

    /// The import of what a text names of the core.
    fn imported(&self, text: &str) -> String {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: Vec<_> = code.collect();
        let code = code.join("\n");
        let words: BTreeSet<_> = code.split(|c: char| !c.is_alphanumeric()).collect();
        let is_here = |name: &&String| words.contains(&***name) && !self.is_mirrored(name);
        let names: Vec<_> = self.names.iter().filter(is_here).map(String::as_str).collect();
        match names.as_slice() {
            [] => String::new(),
            _ => format!("use partnerkit::{{{}}};\n", names.join(", ")),
        }
    }
}

/// The names of types and, recursively, of all in them.
fn named<'t>(surface: &Surface, types: impl Iterator<Item = &'t Type>) -> BTreeSet<String> {
    let mut open: Vec<_> = types.flat_map(Type::names).map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let fields = surface.record(&name).into_iter().flat_map(|record| &record.fields);
        open.extend(fields.flat_map(|field| field.of.names()).map(str::to_owned));
        seen.insert(name);
    }
    seen
}

#[cfg(test)]
mod tests;
