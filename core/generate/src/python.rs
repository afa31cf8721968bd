//! What follows for Python: the methods of the native module, what type checkers know of it, and the
//! facades whose calls are awaited.

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
        ("bindings-python/python/partnerkit/records.py".into(), records::text(surface, &behaviour)),
        ("bindings-python/src/operations.rs".into(), formatted(&glue::text(surface), root)?),
        ("bindings-python/python/partnerkit/_native.pyi".into(), stub::text(surface, root)?),
        ("bindings-python/python/partnerkit/asynchronous.py".into(), asynchronous::text(surface)),
        ("bindings-python/python/partnerkit/forms.py".into(), forms::text(surface)),
    ])
}

/// The handles and their methods, but for those with a file, which are written by hand.
fn operations(surface: &Surface) -> [(&'static str, Vec<Method<'_>>); 2] {
    [("Platform", &surface.platform), ("Agency", &surface.agency)].map(|(handle, operations)| {
        let plain = operations.iter().filter(|operation| !operation.has_stream());
        (handle, plain.map(|operation| Method::of(operation, surface)).collect())
    })
}

/// Imports of the package's names.
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
