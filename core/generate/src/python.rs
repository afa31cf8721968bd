//! Generates the files for Python: the methods of the native module, its stub for type checkers,
//! records and forms, and the asynchronous handles.

mod asynchronous;
mod awaited;
mod documentation;
mod forms;
mod glue;
mod method;
mod records;
mod stub;

use std::collections::BTreeSet;
use std::fs;
use std::io::Result;
use std::path::Path;

use crate::Generated;
use crate::rust::formatted;
use crate::surface::Surface;
use method::Method;

pub fn files(surface: &Surface, root: &Path) -> Result<Vec<Generated>> {
    let behaviour = fs::read_to_string(root.join(records::BEHAVIOUR))?;
    Ok(vec![
        ("bindings-python/python/partnerkit/records.py", records::text(surface, &behaviour)),
        ("bindings-python/src/operations.rs", formatted(&glue::text(surface), root)?),
        ("bindings-python/python/partnerkit/_native.pyi", stub::text(surface, root)?),
        ("bindings-python/python/partnerkit/asynchronous.py", asynchronous::text(surface)),
        ("bindings-python/python/partnerkit/forms.py", forms::text(surface)),
    ])
}

/// The handles and their methods, without those that take a file, which are written by hand.
fn operations(surface: &Surface) -> [(&'static str, Vec<Method<'_>>); 2] {
    [("Platform", &surface.platform), ("Agency", &surface.agency)].map(|(handle, operations)| {
        let plain = operations.iter().filter(|operation| !operation.has_stream());
        (handle, plain.map(|operation| Method::of(operation, surface)).collect())
    })
}

/// The import statements for names of the package.
fn imported(names: &BTreeSet<String>, surface: &Surface, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let forms: Vec<_> = forms::all(surface).into_iter().map(method::fields_of).collect();
    let is_form = |name: &&String| forms.contains(&name.as_str());
    let named: Vec<_> = names.iter().filter(is_form).map(String::as_str).collect();
    let records = names.iter().filter(|name| !is_form(name) && *name != "ValidationError");
    let records: String = records.map(|name| format!("{indent}    {name},\n")).collect();
    format!(
        "{indent}from .forms import {}
{indent}from .records import (
{records}{indent})
",
        named.join(", ")
    )
}
