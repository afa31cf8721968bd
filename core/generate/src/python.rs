//! What follows for Python: the methods of the native module, what type checkers know of it, and the
//! facades whose calls are awaited.

mod asynchronous;
mod awaited;
mod documentation;
mod forms;
mod glue;
mod method;
mod stub;

use std::collections::BTreeSet;
use std::io::Result;
use std::path::Path;

use crate::Generated;
use crate::rust::formatted;
use crate::surface::Surface;
use method::Method;

pub fn files(surface: &Surface, root: &Path) -> Result<Vec<Generated>> {
    Ok(vec![
        ("bindings-python/src/operations.rs", formatted(&glue::text(surface), root)?),
        ("bindings-python/python/partnerkit/_native.pyi", stub::text(surface, root)?),
        ("bindings-python/python/partnerkit/asynchronous.py", asynchronous::text(surface)),
        ("bindings-python/python/partnerkit/forms.py", forms::text(surface)),
    ])
}

/// The handles and their methods, but for those with a file, which are written by hand.
fn operations(surface: &Surface) -> [(&'static str, Vec<Method<'_>>); 2] {
    [("Platform", &surface.platform), ("Agency", &surface.agency)].map(|(handle, operations)| {
        let plain = operations.iter().filter(|operation| !operation.has_stream());
        (handle, plain.map(|operation| Method::of(operation, surface)).collect())
    })
}

/// The forms, which have a module of their own.
const FORMS: [&str; 4] = ["AgencyPatch", "Conditions", "ResellerDraft", "ResellerPatch"];

/// Imports of the package's names.
fn imported(names: &BTreeSet<String>, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let is_form = |name: &&String| FORMS.contains(&name.as_str());
    let forms: Vec<_> = names.iter().filter(is_form).map(String::as_str).collect();
    let records = names.iter().filter(|name| !is_form(name) && *name != "ValidationError");
    let records: String = records.map(|name| format!("{indent}    {name},\n")).collect();
    format!(
        "{indent}from .forms import {}
{indent}from .records import (
{records}{indent})
",
        forms.join(", ")
    )
}
