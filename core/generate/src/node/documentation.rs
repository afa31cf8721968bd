//! Documentation in the terms of TypeScript.

use std::collections::BTreeSet;

use super::camel;
use crate::shared::markdown::{plain, wrapped};
use crate::surface::Surface;

/// Kinds of errors, and the classes that they are in JavaScript.
const ERRORS: [(&str, &str); 9] = [
    ("`AccessDenied`", "`AccessDeniedError`"),
    ("`Busy`", "`BusyError`"),
    ("`Configuration`", "`ConfigurationError`"),
    ("`Conflict`", "`ConflictError`"),
    ("`InvalidCursor`", "`InvalidCursorError`"),
    ("`Io`", "`FileError`"),
    ("`NotFound`", "`NotFoundError`"),
    ("`Storage`", "`StorageError`"),
    ("`Throttled`", "`ThrottledError`"),
];

/// A comment with documentation and an example.
pub fn comment(markdown: &str, example: Option<&str>, indent: usize, surface: &Surface) -> String {
    let indent = " ".repeat(indent);
    let mut text = documentation(markdown, surface);
    if let Some(example) = example {
        text += &format!("\n\n@example\n```ts\n{example}\n```");
    }
    // A comment ends where this stands.
    let text = text.replace("*/", "*\\/");
    if text.is_empty() {
        return String::new();
    }
    if !text.contains('\n') {
        return format!("{indent}/** {text} */\n");
    }
    let lines = text.lines().map(|line| match line {
        "" => format!("{indent} *\n"),
        line => format!("{indent} * {line}\n"),
    });
    format!("{indent}/**\n{}{indent} */\n", lines.collect::<String>())
}

/// Documentation with the names that things have in JavaScript.
fn documentation(markdown: &str, surface: &Surface) -> String {
    let mut text = plain(markdown);
    for (kind, class) in ERRORS {
        text = text.replace(kind, class);
    }
    let text = text.replace("`None`", "null");
    let text = text.replace("Errors:", "Throws:").replace("Field errors: ", "Refused fields: ");
    wrapped(&spoken(&text, &names(surface)))
}

/// `` `login_domain` `` is `` `loginDomain` ``.
fn spoken(text: &str, names: &BTreeSet<&str>) -> String {
    let parts = text.split('`').enumerate().map(|(place, part)| {
        let words = part.split('.').map(|name| match names.contains(name) {
            true => camel(name),
            false => name.to_owned(),
        });
        if place % 2 == 1 { words.collect::<Vec<_>>().join(".") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// The names of operations, arguments and fields, except those that are slugs, too.
fn names(surface: &Surface) -> BTreeSet<&str> {
    let operations = surface.operations().flat_map(|operation| {
        let arguments = operation.arguments.iter().map(|argument| &*argument.name);
        arguments.chain([&*operation.name])
    });
    let fields = surface.records.iter().flat_map(|record| &record.fields);
    let variants = surface.enumerations.iter().flat_map(|of| &of.variants);
    let slugs = variants.map(|variant| &*variant.slug);
    let slugs: BTreeSet<_> = slugs.chain(surface.codes.iter().map(|code| &*code.slug)).collect();
    let names = operations.chain(fields.map(|field| &*field.name));
    names.filter(|name| !slugs.contains(name)).collect()
}
