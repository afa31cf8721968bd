//! Documentation as Python has it.

/// How long a line may be.
const WIDTH: usize = 96;

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

/// Documentation as Python has it: without links, lines of the semantics and names of Rust.
pub fn documentation(markdown: &str) -> String {
    let in_line = markdown.replace("\n(S", " (S");
    let mut text = without_definitions(&without_links(&without_lines(&in_line)));
    for (kind, exception) in EXCEPTIONS {
        text = text.replace(kind, exception);
    }
    let text = text.replace("Erasure::Pending", "pending").replace("::", ".");
    let text = text.replace("Errors: ", "Raises: ").replace("Field errors: ", "Refused fields: ");
    let paragraphs: Vec<_> = text.trim().split("\n\n").map(wrapped).collect();
    paragraphs.join("\n\n")
}

/// A docstring within a class that is indented so far.
pub fn docstring(markdown: &str, indent: usize) -> String {
    let (text, indent) = (documentation(markdown), " ".repeat(indent));
    let end = if text.contains('\n') { format!("\n{indent}") } else { String::new() };
    let lines: Vec<_> = text.lines().collect();
    let text = lines.join(&format!("\n{indent}")).replace(&format!("\n{indent}\n"), "\n\n");
    format!("{indent}\"\"\"{text}{end}\"\"\"\n")
}

/// `(S22)` says nothing to a user.
fn without_lines(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(" (S") {
        let (before, from) = rest.split_at(at);
        kept += before;
        let end = from.find(')').map_or(from.len(), |end| end + 1);
        let inner = &from[2..end.saturating_sub(1).max(2)];
        let is_lines = inner.split(", ").all(|line| {
            line.strip_prefix('S').is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit()))
        });
        if !is_lines {
            kept += &from[..end];
        }
        rest = &from[end..];
    }
    kept + rest
}

/// `` [`page`](Self::page) `` and `` [`page`] `` are `` `page` ``.
fn without_links(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[`") {
        let (before, from) = rest.split_at(at);
        kept += before;
        let Some(end) = from.find("`]") else { break };
        kept += &from[1..=end];
        rest = &from[end + 2..];
        if rest.starts_with('(') {
            rest = rest.find(')').map_or(rest, |close| &rest[close + 1..]);
        }
    }
    kept + rest
}

/// The definition of a link stands in a line of its own.
fn without_definitions(text: &str) -> String {
    let lines = text.lines().filter(|line| !(line.starts_with('`') && line.contains("`: ")));
    lines.collect::<Vec<_>>().join("\n")
}

fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && line.len() + 1 + word.len() > WIDTH - 8 {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
