//! Generates the files for Python: the methods of the native module, its stub for type checkers,
//! records and forms, and the asynchronous handles.

mod arguments;
mod asynchronous;
mod awaited;
mod documentation;
mod forms;
mod glue;
mod hints;
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
        ("bindings-python/src/arguments.rs".into(), formatted(&arguments::text(surface), root)?),
        ("bindings-python/src/operations.rs".into(), formatted(&glue::text(surface), root)?),
        ("bindings-python/python/partnerkit/_native.pyi".into(), stub::text(surface, root)?),
        ("bindings-python/python/partnerkit/asynchronous.py".into(), asynchronous::text(surface)),
        ("bindings-python/python/partnerkit/forms.py".into(), forms::text(surface)),
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
    let mut names: Vec<_> =
        names.iter().filter(|name| *name != "ValidationError").cloned().collect();
    let named: Vec<_> = names.extract_if(.., |name| forms.contains(&&**name)).collect();
    let imports =
        [("forms", named), ("records", names)].map(|(module, names)| match names.as_slice() {
            [] => String::new(),
            _ => import(&format!("{indent}from .{module} import "), &names),
        });
    imports.concat()
}

/// An import, as `ruff format` has it.
fn import(from: &str, names: &[String]) -> String {
    let one = format!("{from}{}\n", names.join(", "));
    if one.len() <= method::WIDTH + 1 {
        return one;
    }
    let indent = " ".repeat(from.len() - from.trim_start().len());
    let each: String = names.iter().map(|name| format!("{indent}    {name},\n")).collect();
    format!("{from}(\n{each}{indent})\n")
}
