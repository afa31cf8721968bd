//! Which values operations take, so that the native module makes them of what is given, and the
//! names of the fields of forms.

use std::fmt::Write as _;

use super::{camel, methods};
use crate::rust::{header, used};
use crate::shared::{forms, taken};
use crate::surface::{Record, Surface, snake};

pub fn text(surface: &Surface) -> String {
    let handles = methods(surface);
    let methods = handles.iter().flat_map(|(_, methods)| methods);
    let form = |form: &str| format!("{form}: {}", table(form));
    let (mut code, macros) = taken::code(methods.map(|method| method.operation), surface, form);
    for form in forms::all(surface) {
        code += &names(form, surface);
    }
    format!(
        "{}use partnerkit::{{{}}};\n\nuse crate::given::{{{}}};\nuse crate::names::Names;\n\n{code}",
        header("The values that operations take, and the names of the fields of forms."),
        used(&code, surface, &[]).join(", "),
        macros.join(", "),
    )
}

/// The name of a form's table of names.
fn table(form: &str) -> String {
    snake(form).to_uppercase()
}

fn names(form: &Record, surface: &Surface) -> String {
    let mut text = format!("\npub static {}: Names = Names(&[\n", table(&form.name));
    for field in &form.fields {
        let within = field.of.names().into_iter().find(|name| surface.record(name).is_some());
        let within = within.map_or("None".to_owned(), |name| format!("Some(&{})", table(name)));
        let _ = writeln!(text, "(\"{}\", \"{}\", {within}),", camel(&field.name), field.name);
    }
    text + "]);\n"
}
