//! Documentation in the terms of Kotlin and Swift.

use std::fmt::Write as _;

use super::Part;
use crate::shared::markdown::plain;

/// Paragraphs that name the fields of errors, whose names are alike in all languages.
const OF_ERRORS: [&str; 2] = ["Errors: ", "Field errors: "];

impl Part<'_> {
    /// The comment with a documentation.
    pub(super) fn comment(&self, markdown: &str) -> String {
        let mut text = String::new();
        for line in self.documentation(markdown).lines() {
            let _ = writeln!(text, "/// {line}");
        }
        text
    }

    fn documentation(&self, markdown: &str) -> String {
        // This would end a comment in Kotlin.
        let text = plain(markdown).replace("*/", "* /");
        let paragraphs = text.trim().split("\n\n").map(|paragraph| {
            let is_of_errors = OF_ERRORS.iter().any(|begin| paragraph.starts_with(begin));
            if is_of_errors { paragraph.to_owned() } else { self.renamed(paragraph) }
        });
        paragraphs.collect::<Vec<_>>().join("\n\n")
    }

    /// `` `password_hash` `` is `` `passwordHash` ``, if it is the name of a field or an operation.
    fn renamed(&self, paragraph: &str) -> String {
        let has = |name: &str| {
            let records = self.forms.iter().chain(&self.records);
            let mut fields = records.flat_map(|record| &record.fields);
            let mut operations = self.surface.operations();
            fields.any(|field| field.name == name) || operations.any(|o| o.name == name)
        };
        let parts = paragraph.split('`').enumerate().map(|(place, part)| {
            let words = part.split('.');
            let is_name = place % 2 == 1 && words.clone().next_back().is_some_and(has);
            if is_name { words.map(camel).collect::<Vec<_>>().join(".") } else { part.to_owned() }
        });
        parts.collect::<Vec<_>>().join("`")
    }
}

/// `password_hash` is `passwordHash`.
fn camel(snake: &str) -> String {
    let mut camel = String::new();
    for (place, word) in snake.split('_').enumerate() {
        match (place, word.split_at_checked(1)) {
            (1.., Some((first, rest))) => camel.extend([&*first.to_uppercase(), rest]),
            _ => camel += word,
        }
    }
    camel
}
