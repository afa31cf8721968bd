//! The methods of the native module: they convert the arguments, call the core, and convert the
//! result.

use std::fmt::Write as _;

use super::documentation::with_example;
use super::method::Method;
use super::operations;
use crate::rust::{self, Owned};
use crate::surface::Surface;
use crate::types::Type;

pub fn text(surface: &Surface) -> String {
    let mut body = String::new();
    for (handle, methods) in operations(surface) {
        let _ = writeln!(body, "#[pymethods]\nimpl {handle} {{");
        for method in methods {
            body += &glue(&method);
        }
        body += "}\n\n";
    }
    rust::glue(&body, surface, &IMPORTS)
}

const IMPORTS: [&str; 5] = [
    "use pyo3::prelude::*;",
    "use pyo3::types::PyDict;",
    "use crate::answer::answer;",
    "use crate::error::{answers, call};",
    "use crate::given::{argument, form, optional, whole_text};",
];

fn glue(method: &Method<'_>) -> String {
    let operation = method.operation;
    let mut text = String::new();
    for line in with_example(&operation.documentation, &operation.examples.python).lines() {
        let _ = writeln!(text, "/// {line}");
    }
    let signature = signature(method).join(", ");
    if signature.contains(['=', '*']) {
        let _ = writeln!(text, "#[pyo3(signature = ({signature}))]");
    }
    let mut taken = vec!["py: Python<'py>".to_owned()];
    for parameter in &method.parameters {
        let optional = parameter.default.is_some() || matches!(parameter.of, Type::Optional(_));
        let of = if optional { "Option<&Bound<'py, PyAny>>" } else { "&Bound<'py, PyAny>" };
        taken.push(format!("{}: {of}", parameter.name));
    }
    taken.extend(method.form.map(|_| "fields: Option<&Bound<'py, PyDict>>".to_owned()));
    let (before, after, answer) = match &operation.answer {
        Type::Nothing => ("", "", "()"),
        Type::List(of) if matches!(**of, Type::Either(..)) => {
            ("answers(py, ", "?)", "Vec<Bound<'py, PyAny>>")
        }
        _ if operation.answers_handle() => {
            ("", ".map(|agency| Agency(agency.into(), self.1))", "Agency")
        }
        _ => ("answer(py, &", "?)", "Bound<'py, PyAny>"),
    };
    let name = &operation.name;
    let _ = writeln!(text, "fn {name}<'py>(&self, {}) -> PyResult<{answer}> {{", taken.join(", "));
    let owned: Vec<_> = operation.arguments.iter().map(Owned::of).collect();
    for (argument, owned) in operation.arguments.iter().zip(&owned) {
        let made = match (method.form, &argument.of) {
            (Some((form, _)), _) if form.name == argument.name => made_of_form(method),
            // A password that will be stored must not have lone surrogates.
            _ if is_new_password(method, &argument.name) => {
                format!("whole_text(\"{0}\", {0})?", argument.name)
            }
            (_, Type::Optional(_)) => format!("optional(\"{0}\", {0})?", argument.name),
            _ => format!("argument(\"{0}\", {0})?", argument.name),
        };
        let _ = writeln!(text, "let {}: {} = {made};", owned.name, owned.converted());
    }
    let lent: Vec<_> = owned.iter().map(|owned| &*owned.lent).collect();
    let _ = writeln!(text, "{before}call(py, || self.0.{name}({})){after}\n}}\n", lent.join(", "));
    text
}

fn is_new_password(method: &Method<'_>, name: &str) -> bool {
    let is_given = |name: &str| method.parameters.iter().any(|parameter| parameter.name == name);
    name.starts_with("password") && is_given("password_confirmation")
}

/// The parameters of a function of pyo3.
fn signature(method: &Method<'_>) -> Vec<String> {
    let mut signature = Vec::new();
    for (place, parameter) in method.parameters.iter().enumerate() {
        if place == method.in_place {
            signature.push("*".to_owned());
        }
        let default = parameter.default.map(|_| "=None").unwrap_or_default();
        signature.push(format!("{}{default}", parameter.name));
    }
    signature.extend(method.form.map(|_| "**fields".to_owned()));
    signature
}

fn made_of_form(method: &Method<'_>) -> String {
    let first = method.parameters.iter().find(|parameter| parameter.is_field);
    let first = first
        .map_or("None".to_owned(), |field| format!("{0}.map(|{0}| (\"{0}\", {0}))", field.name));
    format!("form({first}, fields, py)?")
}
