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
mod settings;
mod stub;

use std::collections::BTreeSet;
use std::fs;
use std::io::Result;
use std::path::Path;

use crate::Generated;
use crate::rust::formatted;
use crate::shared;
use crate::surface::Surface;
pub use awaited::awaited;
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
        ("bindings-python/python/partnerkit/settings.py".into(), settings::text(root)?),
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
    let forms: Vec<_> = shared::forms::all(surface).into_iter().map(method::fields_of).collect();
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

#[cfg(test)]
mod tests {
    use super::{arguments, asynchronous, forms, glue, records};
    use crate::source::Source;
    use crate::surface::{ALSO, Surface};

    /// Arguments, fields and results of kinds that the library itself may not have.
    const SOURCE: &str = "
        pub struct NoteId(Uuid);
        pub struct Slug(String);
        pub struct Timestamp(i64);
        pub struct Note { pub id: NoteId, pub edited_at: Option<Timestamp>, pub tags: Vec<Slug> }
        pub enum Channel { Phone, Email }
        pub enum Tone { Kind, Firm }
        pub struct Address { pub street: String, pub city: Option<String> }
        pub struct NotePatch { pub id: Option<NoteId>, pub tone: Option<Tone>, pub to: Address }
        impl Tenant {
            /// Does it.
            ///
            /// ```example
            /// agency.take(1);
            /// ```
            /// ```python
            /// agency.take(1)
            /// ```
            /// ```javascript
            /// await agency.take(1);
            /// ```
            pub fn take(
                &self,
                ids: &[NoteId],
                slug: Slug,
                channel: Option<Channel>,
                urgent: bool,
                before: Option<Timestamp>,
                patch: &NotePatch,
            ) -> Result<Vec<NoteId>> {}
            /// Finds them.
            ///
            /// ```example
            /// agency.found();
            /// ```
            /// ```python
            /// agency.found()
            /// ```
            /// ```javascript
            /// await agency.found();
            /// ```
            pub fn found(&self) -> Result<Vec<Note>> {}
        }
    ";

    fn surface() -> Surface {
        let also = ALSO.map(|name| format!("pub struct {name} {{ pub line: u64 }}\n"));
        Surface::of(&Source::of(&format!("{SOURCE}{}", also.concat()))).expect("a surface")
    }

    fn has(text: &str, lines: &[&str]) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in lines {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn arguments_of_every_kind_are_made() {
        let (surface, slug) = (surface(), "texts!(Channel, Slug)");
        has(&arguments::text(&surface), &["ids!(NoteId: \"note\")", slug]);
        has(
            &glue::text(&surface),
            &[
                "let ids: Vec<NoteId> = argument(\"ids\", ids)?;",
                "let channel: Option < Channel > = optional(\"channel\", channel)?;",
                "let patch: NotePatch = form(None, fields, py)?;",
            ],
        );
    }

    #[test]
    fn types_of_every_kind_are_told() {
        let surface = surface();
        has(
            &asynchronous::text(&surface),
            &[
                "from datetime import datetime",
                "from .forms import NotePatch",
                "from .records import Channel, Note",
                "self, /, ids: Iterable[UUID | str], slug: str, urgent: bool, \
                 channel: Channel | str | None = None, before: datetime | None = None, \
                 **fields: Unpack[NotePatch], ) -> list[UUID]:",
                "async def found(self) -> list[Note]:",
            ],
        );
        has(
            &forms::text(&surface),
            &[
                "from uuid import UUID",
                "from .records import Tone",
                "id: UUID | str | None",
                "tone: Tone | Literal[\"kind\", \"firm\"] | None",
                "to: Address",
            ],
        );
        has(
            &records::text(&surface, ""),
            &[
                "class Channel(StrEnum)",
                "class Tone(StrEnum)",
                " id: UUID ",
                " edited_at: datetime | None = None ",
                " tags: tuple[str, ...] ",
            ],
        );
    }
}
