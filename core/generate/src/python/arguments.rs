//! Which values operations take, so that the native module makes them of what is given.

use super::operations;
use crate::rust::{header, used};
use crate::shared::taken;
use crate::surface::Surface;

pub fn text(surface: &Surface) -> String {
    let handles = operations(surface);
    let methods = handles.iter().flat_map(|(_, methods)| methods);
    let (code, macros) =
        taken::code(methods.map(|method| method.operation), surface, str::to_owned);
    format!(
        "{}use partnerkit::{{{}}};\n\nuse crate::given::{{{}}};\n\n{code}",
        header("The values that operations take."),
        used(&code, surface, &[]).join(", "),
        macros.join(", "),
    )
}
