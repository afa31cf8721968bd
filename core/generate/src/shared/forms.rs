//! Which records are forms.

use std::collections::BTreeSet;

use crate::surface::{Argument, Field, Operation, Record, Surface};
use crate::types::Type;

/// Records that are not given as forms: an event is a record of any values, and options are single
/// arguments.
const APART: [&str; 2] = ["EventDraft", "ImportOptions"];

/// The forms: records that are arguments and never results. Each comes after the forms that it
/// names.
pub fn all(surface: &Surface) -> Vec<&Record> {
    let is_form = |record: &&Record| {
        !surface.answered.contains(&record.name) && !APART.contains(&&*record.name)
    };
    let mut left: Vec<&Record> = surface.records.iter().filter(is_form).collect();
    let mut forms: Vec<&Record> = Vec::new();
    while !left.is_empty() {
        let open: Vec<_> = left.iter().map(|form| form.name.clone()).collect();
        let is_open =
            |field: &Field| field.of.names().iter().any(|&name| open.iter().any(|o| o == name));
        let (ready, later) = left.into_iter().partition(|form| !form.fields.iter().any(is_open));
        forms.extend::<Vec<_>>(ready);
        left = later;
    }
    forms
}

/// Fields without which a form makes no sense. Those of a person's form may come empty, and are refused
/// together with everything else that is wrong.
const REQUIRED: [(&str, &str); 2] = [("UsageQuery", "start"), ("UsageQuery", "end")];

/// Whether a program has to give a field of a form.
pub fn is_required(form: &Record, field: &Field) -> bool {
    REQUIRED.contains(&(&*form.name, &*field.name))
}

/// What operations can be given, by the names of its types: arguments and fields of forms.
pub fn named(surface: &Surface) -> BTreeSet<&str> {
    let is_plain = |argument: &&Argument| surface.form_of(argument).is_none();
    let arguments = surface.operations().flat_map(|operation| &operation.arguments);
    let arguments = arguments.filter(is_plain).flat_map(|argument| argument.of.names());
    let fields = all(surface).into_iter().flat_map(|form| &form.fields);
    arguments.chain(fields.flat_map(|field| field.of.names())).collect()
}

/// Whether an operation hashes a password, which takes long and has a queue of its own.
pub fn hashes(operation: &Operation, surface: &Surface) -> bool {
    let is_password = |name: &str| name.starts_with("password");
    let has_password = |form: &Record| form.fields.iter().any(|f| is_password(&f.name));
    let takes_forms = Type::List(Box::new(Type::Named("ResellerDraft".to_owned())));
    operation.arguments.iter().any(|argument| {
        is_password(&argument.name)
            || argument.of == takes_forms
            || surface.form_of(argument).is_some_and(has_password)
    })
}
