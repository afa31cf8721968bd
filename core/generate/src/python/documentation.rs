//! Documentation in Python's terms.

use crate::shared::markdown::{lines, plain, wrapped};

/// How long a line about a field is.
const WIDTH: usize = 76;

/// Kinds of errors, and the exceptions that they are in Python.
const EXCEPTIONS: [(&str, &str); 9] = [
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

/// Documentation in Python's terms, without Rust's links and names.
pub fn documentation(markdown: &str) -> String {
    let mut text = plain(markdown);
    for (kind, exception) in EXCEPTIONS {
        text = text.replace(kind, exception);
    }
    let text = text.replace("Errors:", "Raises:").replace("Field errors: ", "Refused fields: ");
    wrapped(&text)
}

/// A docstring within a class, indented by `indent`.
pub fn docstring(markdown: &str, indent: usize) -> String {
    quoted(&documentation(markdown), indent)
}

/// A docstring of a class, with its fields and their documentation. `help()` shows nothing of what
/// stands below a field.
pub fn docstring_of_fields<'f>(
    markdown: &str,
    fields: impl IntoIterator<Item = (&'f str, &'f str)>,
    indent: usize,
) -> String {
    let mut text = format!("{}\n\nFields:", documentation(markdown));
    for (name, about) in fields {
        let about = documentation(&format!("{name}: {about}"));
        let lines = about.split("\n\n").flat_map(|one| lines(one, WIDTH)).enumerate();
        lines.for_each(|(at, line)| {
            text += &format!("\n{:1$}{line}", "", if at == 0 { 4 } else { 8 })
        });
    }
    quoted(&text, indent)
}

/// A docstring of an operation, with its example.
pub fn docstring_with(markdown: &str, example: &str, indent: usize) -> String {
    quoted(&with_example(markdown, example), indent)
}

/// Documentation, followed by an example.
pub fn with_example(markdown: &str, example: &str) -> String {
    format!("{}\n\n```python\n{example}\n```", documentation(markdown))
}

fn quoted(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    // A docstring ends where its quotes are repeated, and a backslash begins an escape.
    let text = text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\"\"");
    let text = match text.strip_suffix('"') {
        Some(rest) => format!("{rest}\\\""),
        None => text,
    };
    let end = if text.contains('\n') { format!("\n{indent}") } else { String::new() };
    let lines: Vec<_> = text.lines().collect();
    let text = lines.join(&format!("\n{indent}")).replace(&format!("\n{indent}\n"), "\n\n");
    format!("{indent}\"\"\"{text}{end}\"\"\"\n")
}

#[cfg(test)]
mod tests {
    use super::{docstring, docstring_of_fields};

    #[test]
    fn a_class_names_its_fields() {
        let long = "word ".repeat(20);
        let fields = [("id", "The id."), ("note", &*long)];
        let expected = format!(
            "    \"\"\"A note.\n\n    Fields:\n        id: The id.\n        note: {}word\n{}{}word\n    \"\"\"\n",
            "word ".repeat(13),
            " ".repeat(12),
            "word ".repeat(5),
        );
        assert_eq!(docstring_of_fields("A note.", fields, 4), expected);
    }

    #[test]
    fn no_text_ends_its_docstring_or_is_an_escape() {
        for (text, expected) in [
            (r#"A """ and"#, r#""""A \""" and""""#),
            (r"C:\new", r#""""C:\\new""""#),
            (r#"Says "so""#, r#""""Says "so\"""""#),
            ("Say [`sign in", r#""""Say [`sign in""""#),
        ] {
            assert_eq!(docstring(text, 0), format!("{expected}\n"));
        }
    }
}
