//! What a span learns from an answer: whose call it was.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{header, used};
use crate::surface::{Record, Surface};
use crate::types::Type;

/// The answers that are told of, each with the ids in it. Those of other types, and of what a noun
/// answers before it becomes the handle's, stand in `observe.rs`.
pub fn text(surface: &Surface) -> String {
    let plain = surface.operations().filter(|operation| operation.becomes.is_none());
    let mut answers = BTreeMap::new();
    for operation in plain {
        let of = match &operation.answer {
            Type::Optional(of) => of,
            of => of,
        };
        if let Type::Named(name) = of {
            answers.insert(&**name, surface.record(name).map(ids).unwrap_or_default());
        }
    }
    let mut code = String::new();
    for (name, Ids { agency, reseller }) in answers {
        let known = match (agency, reseller) {
            (None, None) => {
                let _ = writeln!(code, "impl Telling for {name} {{}}\n");
                continue;
            }
            ids => <[_; 2]>::from(ids).map(|id| id.unwrap_or("None")),
        };
        let _ = writeln!(
            code,
            "impl Telling for {name} {{
                fn known(&self) -> Known<'_> {{
                    Known {{ agency: {}, reseller: {} }}
                }}
            }}\n",
            known[0], known[1]
        );
    }
    let names = used(&code, surface, &[]).join(", ");
    let head = header("What the answers of operations tell of whose call it was.");
    format!("{head}use super::{{Known, Telling}};\nuse crate::{{{names}}};\n\n{code}")
}

/// Where the ids are in an answer.
#[derive(Default)]
struct Ids {
    agency: Option<&'static str>,
    reseller: Option<&'static str>,
}

/// The ids that a record has as its own, or as those of the reseller in it.
fn ids(record: &Record) -> Ids {
    let has = |name: &str, of: &str| {
        let of = Type::Named(of.to_owned());
        record.fields.iter().any(|field| field.name == name && field.of == of)
    };
    let reseller = [
        (has("id", "ResellerId"), "Some(self.id)"),
        (has("reseller", "ResellerId"), "Some(self.reseller)"),
        (has("reseller", "Reseller"), "Some(self.reseller.id)"),
    ];
    Ids {
        agency: has("agency", "AgencyId").then_some("Some(&self.agency)"),
        reseller: reseller.into_iter().find_map(|(is_there, id)| is_there.then_some(id)),
    }
}
