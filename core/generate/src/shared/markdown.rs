//! Documentation, without what only Rust has.

/// The longest line.
const WIDTH: usize = 88;

/// Documentation without Rust's links and paths.
pub fn plain(markdown: &str) -> String {
    let text = without_definitions(&without_links(markdown));
    text.replace("Erasure::Pending", "pending").replace("::", ".")
}

/// Paragraphs, each of whose lines has at most the longest line's length.
pub fn wrapped(text: &str) -> String {
    let paragraphs: Vec<_> = text.trim().split("\n\n").map(paragraph).collect();
    paragraphs.join("\n\n")
}

/// `` [`page`](Self::page) `` and `` [`page`] `` are `` `page` ``.
fn without_links(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("[`") {
        let (before, from) = rest.split_at(at);
        kept += before;
        rest = from;
        let Some(end) = from.find("`]") else { break };
        kept += &from[1..=end];
        rest = &from[end + 2..];
        if rest.starts_with('(') {
            rest = rest.find(')').map_or(rest, |close| &rest[close + 1..]);
        }
    }
    kept + rest
}

/// Removes definitions of links, which are lines of their own.
fn without_definitions(text: &str) -> String {
    let lines = text.lines().filter(|line| !(line.starts_with('`') && line.contains("`: ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// A paragraph, or a list, each of whose items begins on a line of its own.
fn paragraph(text: &str) -> String {
    let mut items: Vec<String> = Vec::new();
    for line in text.lines() {
        match items.last_mut() {
            Some(item) if !line.starts_with(ITEM) => *item += &format!("\n{line}"),
            _ => items.push(line.to_owned()),
        }
    }
    let wrapped = items.iter().map(|item| match item.starts_with(ITEM) {
        true => lines(item, WIDTH - ITEM.len()).join("\n  "),
        false => lines(item, WIDTH).join("\n"),
    });
    wrapped.collect::<Vec<_>>().join("\n")
}

const ITEM: &str = "- ";

/// The lines of a paragraph, none of them longer than `width` unless a word is.
pub fn lines(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
