//! The stub of the native module, for editors and type checkers.

use std::collections::BTreeSet;
use std::fs;
use std::io::Result;
use std::path::Path;

use super::documentation::docstring_with;
use super::method::{Method, has_instant, listed};
use super::{imported, operations};
use crate::surface::Surface;

/// The template, which is written by hand; the operations of a handle replace the line that names
/// it.
const TEMPLATE: &str = "bindings-python/native.pyi";

/// The records that the template imports itself.
const BY_HAND: [&str; 4] = ["ImportReport", "PhoneCountry", "Reseller", "RowReport"];

pub fn text(surface: &Surface, root: &Path) -> Result<String> {
    let mut text = fs::read_to_string(root.join(TEMPLATE))?;
    let mut names = BTreeSet::new();
    for (handle, methods) in operations(surface) {
        let mut stubs = String::new();
        for method in methods {
            names.extend(method.names());
            stubs += &stub(&method);
        }
        text = text.replace(&format!("    # The operations of {handle}.\n"), &stubs);
    }
    if has_instant(&text) {
        text = text.replacen("from os import", "from datetime import datetime\nfrom os import", 1);
    }
    names.remove("Agency");
    names.extend(BY_HAND.map(str::to_owned));
    Ok(text.replace("# What operations name.\n", &imported(&names, surface, 0)))
}

fn stub(method: &Method<'_>) -> String {
    let operation = method.operation;
    let head = format!("    def {}(", operation.name);
    let after = format!(") -> {}:", method.answer("Agency"));
    let docstring = docstring_with(&operation.documentation, &operation.examples.python, 8);
    listed(&head, &method.typed(), &after) + &docstring
}
