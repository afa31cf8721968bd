//! The readers of answers in TypeScript: how the package makes a value of a type from what the native
//! module has packed. `bindings-node/lib/values.ts` has the readers of values that are no records.

use super::hints::answered;
use crate::surface::Surface;
use crate::types::Type;

/// The readers of `values.ts`.
const SINGLE: &str = "single";
const DATE: &str = "date";
const INTEGER: &str = "integer";
pub const NAME: &str = "nameOfField";
const NOTHING: &str = "nothing";

/// A reader, as a name or as an arrow function.
pub fn reader(of: &Type, surface: &Surface) -> String {
    let single = || format!("{SINGLE}<{}>", answered(of, surface));
    match of {
        Type::Nothing => NOTHING.to_owned(),
        Type::Optional(_) | Type::List(_) | Type::Set(_) | Type::Map(..) => {
            format!("(from) => {}", read(of, surface))
        }
        Type::Either(right, _) => format!("made({})", reader(right, surface)),
        Type::Integer(of) if of == "i64" => INTEGER.to_owned(),
        Type::Named(name) => match (&**name, surface.held(name)) {
            ("Timestamp", _) => DATE.to_owned(),
            ("Code", _) => single(),
            (_, Some(held)) => reader(held, surface),
            _ if surface.enumeration(name).is_some() => single(),
            _ if surface.has(name) => of_record(name),
            _ => single(),
        },
        _ => single(),
    }
}

/// The name of a record's reader.
pub fn of_record(name: &str) -> String {
    format!("read{name}")
}

/// The expression that reads a value from `from`.
pub fn read(of: &Type, surface: &Surface) -> String {
    match of {
        Type::Optional(of) => optional(of, surface),
        Type::List(of) | Type::Set(of) => format!("from.list({})", reader(of, surface)),
        Type::Map(_, value) => format!("from.map({})", reader(value, surface)),
        Type::Named(name) if is_map(name, surface) => {
            surface.held(name).map_or_else(String::new, |held| read(held, surface))
        }
        _ => called(&reader(of, surface)),
    }
}

fn optional(of: &Type, surface: &Surface) -> String {
    let reader = reader(of, surface);
    match &*reader {
        _ if is_single(&reader) => called(&reader),
        DATE | INTEGER | NAME => format!("from.nullable({reader})"),
        _ => format!("from.maybe({reader})"),
    }
}

/// The call of a reader.
fn called(reader: &str) -> String {
    if is_single(reader) { "from.next()".to_owned() } else { format!("{reader}(from)") }
}

fn is_single(reader: &str) -> bool {
    reader.starts_with(SINGLE)
}

fn is_map(name: &str, surface: &Surface) -> bool {
    surface.held(name).is_some_and(|held| matches!(held, Type::Map(..)))
}

/// The import of what a text uses of `values.ts`.
pub fn of_values(text: &str) -> String {
    let is_used = |name: &&str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word == *name)
    };
    let mut used: Vec<_> =
        [DATE, INTEGER, NAME, NOTHING, SINGLE].into_iter().filter(is_used).collect();
    if is_used(&"Values") {
        used.push("type Values");
    }
    format!("import {{ {} }} from './values';\n", used.join(", "))
}
