//! An operation as a method in Python.

use std::collections::BTreeSet;

use super::hints::{answered, given};
use crate::shared::forms;
use crate::surface::{Argument, Field, Operation, Record, Surface};
use crate::types::Type;

/// The longest line.
pub const WIDTH: usize = 96;

/// A method in Python.
pub struct Method<'o> {
    pub surface: &'o Surface,
    pub operation: &'o Operation,
    /// The parameters, by position or by name.
    pub parameters: Vec<Parameter<'o>>,
    /// How many of the parameters may be given by position.
    pub in_place: usize,
    /// The form whose fields are keyword arguments.
    pub form: Option<(&'o Argument, &'o Record)>,
}

/// A parameter.
pub struct Parameter<'o> {
    pub name: &'o str,
    pub of: &'o Type,
    pub default: Option<&'static str>,
    /// Whether it is a field of the form that may be given by position.
    pub is_field: bool,
}

impl<'o> Method<'o> {
    pub fn of(operation: &'o Operation, surface: &'o Surface) -> Self {
        let arguments = || operation.arguments.iter();
        let form = arguments().find_map(|a| Some((a, surface.form_of(a)?)));
        let plain = || arguments().filter(|argument| surface.form_of(argument).is_none());
        let is_optional = |argument: &&Argument| matches!(argument.of, Type::Optional(_));
        let required = plain().filter(|argument| !is_optional(argument));
        let in_order = required.chain(plain().filter(is_optional));
        let mut parameters: Vec<_> = in_order.map(parameter).collect();
        if let Some(field) = form.and_then(|(_, form)| first_field(form)) {
            let (name, of, default) = (&*field.name, &field.of, Some("None"));
            parameters.insert(0, Parameter { name, of, default, is_field: true });
        }
        let secret = parameters.iter().position(|parameter| is_secret(parameter.name));
        let secrets = parameters.iter().filter(|parameter| is_secret(parameter.name)).count();
        // If there are several passwords, they can be given only by name.
        let in_place = secret.filter(|_| secrets > 1).unwrap_or(parameters.len());
        Self { surface, operation, parameters, in_place, form }
    }

    /// The method that awaits it on an asynchronous handle.
    pub fn run(&self) -> &'static str {
        match self.operation.name.as_str() {
            "close" => "_run_alone",
            _ if forms::hashes(self.operation, self.surface) => "_run_long",
            _ => "_run",
        }
    }

    /// The parameters with their types.
    pub fn typed(&self) -> Vec<String> {
        let mut typed = vec!["self".to_owned()];
        if self.form.is_some() {
            // The fields of a form may have any names, even `self`, so that is positional only.
            typed.push("/".to_owned());
        }
        for (place, parameter) in self.parameters.iter().enumerate() {
            if place == self.in_place {
                typed.push("*".to_owned());
            }
            let default = parameter.default.map(|default| format!(" = {default}"));
            let (name, mut of) = (parameter.name, given(parameter.of, self.surface));
            if parameter.is_field {
                of += " | None";
            }
            typed.push(format!("{name}: {of}{}", default.unwrap_or_default()));
        }
        typed.extend(self.form.map(|(_, form)| format!("**fields: Unpack[{}]", fields_of(form))));
        typed
    }

    /// The arguments with which another method forwards its parameters.
    pub fn passed(&self) -> Vec<String> {
        let mut passed = Vec::new();
        for (place, Parameter { name, default, is_field, .. }) in self.parameters.iter().enumerate()
        {
            let by_name = place >= self.in_place || (default.is_some() && !is_field);
            passed.push(if by_name { format!("{name}={name}") } else { (*name).to_owned() });
        }
        passed.extend(self.form.map(|_| "**fields".to_owned()));
        passed
    }

    /// The type of the result; `agency` is the name of the handle of an agency.
    pub fn answer(&self, agency: &str) -> String {
        answered(&self.operation.answer, agency, self.surface)
    }

    /// The package's names in its types.
    pub fn names(&self) -> BTreeSet<String> {
        let words = self.typed().join(" ") + " " + &self.answer("");
        let words = words.split(|c: char| !c.is_alphanumeric());
        let is_name = |word: &&str| {
            let own = ["None", "Iterable", "Mapping", "Sequence", "PathLike", "Unpack", "UUID"];
            word.starts_with(char::is_uppercase) && !own.contains(word)
        };
        words.filter(is_name).map(str::to_owned).collect()
    }
}

fn parameter(argument: &Argument) -> Parameter<'_> {
    let default = argument.may_lack.then_some("None");
    Parameter { name: &argument.name, of: &argument.of, default, is_field: false }
}

fn is_secret(name: &str) -> bool {
    name == "current" || name.starts_with("password")
}

/// The field of a form that may be given by position: the text of a list, which is used most.
pub fn first_field(form: &Record) -> Option<&Field> {
    form.fields.first().filter(|field| form.name == "ResellerQuery" && field.name == "text")
}

/// The name of the class of a form's fields.
pub fn fields_of(form: &Record) -> &str {
    if form.name == "ResellerQuery" { "Conditions" } else { &form.name }
}

/// Whether signatures name an instant, for which a module imports `datetime`.
pub fn has_instant(code: &str) -> bool {
    code.contains(": datetime")
}

/// A list in one line, or, if that is too long, on an indented line of its own, or with one item
/// per line, as `ruff format` writes it.
pub fn listed(before: &str, items: &[String], after: &str) -> String {
    let one = format!("{before}{}{after}\n", items.join(", "));
    if one.len() <= WIDTH + 1 {
        return one;
    }
    let indent = " ".repeat(before.len() - before.trim_start().len());
    let inner = format!("{indent}    {}\n", items.join(", "));
    if inner.len() <= WIDTH + 1 {
        return format!("{before}\n{inner}{indent}{after}\n");
    }
    // A comma after `**fields` is allowed, too.
    let each: String = items.iter().map(|item| format!("{indent}    {item},\n")).collect();
    format!("{before}\n{each}{indent}{after}\n")
}
