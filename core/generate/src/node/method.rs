//! An operation as a method in TypeScript.

use super::camel;
use super::hints::{answered, given, slug_of};
use super::readers::reader;
use crate::shared::forms;
use crate::surface::{Argument, Operation, Record, Surface};
use crate::types::Type;

/// How many arguments a caller may be expected to give in order.
const IN_ORDER: usize = 2;

/// A method in TypeScript. What is required is given in order if it is little, and otherwise in one
/// object with what is optional. A form is an object of its own.
pub struct Method<'o> {
    pub surface: &'o Surface,
    pub operation: &'o Operation,
    /// What is given in order.
    pub required: Vec<&'o Argument>,
    /// What is given in the options, or in the one object.
    pub optional: Vec<&'o Argument>,
    /// Whether there is one object for all arguments.
    pub is_request: bool,
}

/// How long an operation takes.
pub enum Length<'o> {
    /// It waits only for the store.
    Brief,
    /// It hashes a password, or takes long for another reason.
    Long,
    /// A form that is this argument says whether there is a password to hash.
    Of(&'o str),
}

impl<'o> Method<'o> {
    pub fn of(operation: &'o Operation, surface: &'o Surface) -> Self {
        let is_optional = |argument: &&Argument| argument.may_lack;
        let arguments = || operation.arguments.iter();
        let required: Vec<_> = arguments().filter(|argument| !is_optional(argument)).collect();
        Self {
            surface,
            operation,
            is_request: required.len() > IN_ORDER,
            optional: arguments().filter(is_optional).collect(),
            required,
        }
    }

    pub fn length(&self) -> Length<'o> {
        let has_password = |form: &Record| form.fields.iter().any(|of| of.name == "password");
        let mut arguments = self.operation.arguments.iter();
        let form = arguments.find(|argument| self.form(argument).is_some_and(has_password));
        match form {
            Some(form) => Length::Of(&form.name),
            None if forms::hashes(self.operation, self.surface) => Length::Long,
            // Closing ends the other calls, so it must not wait for them.
            None if self.operation.name == "close" => Length::Long,
            None => Length::Brief,
        }
    }

    pub fn form(&self, argument: &Argument) -> Option<&'o Record> {
        self.surface.form_of(argument)
    }

    /// Whether a caller has to give an argument.
    pub fn requires(&self, argument: &Argument) -> bool {
        self.required.iter().any(|required| required.name == argument.name)
    }

    /// The parameters with their types.
    pub fn typed(&self) -> Vec<String> {
        let field = |argument: &&Argument| {
            let (name, of) = (camel(&argument.name), self.given(argument));
            let optional = self.optional.iter().any(|other| other.name == argument.name);
            match of.strip_suffix(" | null") {
                Some(of) if optional => format!("{name}?: {of} | null | undefined"),
                _ => format!("{name}: {of}"),
            }
        };
        let optional: Vec<_> = self.optional.iter().map(field).collect();
        if self.is_request {
            let required = self.required.iter().map(field);
            let fields: Vec<_> = required.chain(optional).collect();
            let request = format!("request: {{ {} }}", fields.join("; "));
            return vec![request, "options?: CallOptions".to_owned()];
        }
        let mut typed: Vec<_> =
            self.required.iter().map(|argument| self.parameter(argument)).collect();
        typed.push(match optional.is_empty() {
            true => "options?: CallOptions".to_owned(),
            false => format!("options: {{ {} }} & CallOptions = {{}}", optional.join("; ")),
        });
        typed
    }

    /// The type of an argument; a text with the name of an enumeration is one of its slugs.
    fn given(&self, argument: &Argument) -> String {
        let slug = slug_of(&argument.name, &argument.of, self.surface);
        slug.unwrap_or_else(|| given(&argument.of, self.surface))
    }

    /// A parameter; a query may be left out.
    fn parameter(&self, argument: &Argument) -> String {
        let of = self.given(argument);
        let is_query = of == "ResellerQuery";
        let default = if is_query { " = {}" } else { "" };
        format!("{}: {of}{default}", camel(&argument.name))
    }

    /// The arguments for the native method, in the operation's order.
    pub fn passed(&self) -> Vec<String> {
        let of = |argument: &Argument| {
            let is_optional = self.optional.iter().any(|other| other.name == argument.name);
            let name = camel(&argument.name);
            let given = match (self.is_request, is_optional) {
                (true, _) | (false, true) => format!("given.{name}"),
                (false, false) => name.clone(),
            };
            if is_packed(argument) { self.packed(&name, &given) } else { given }
        };
        self.operation.arguments.iter().map(of).collect()
    }

    /// The expression that packs a list of events.
    fn packed(&self, name: &str, given: &str) -> String {
        let fields = self.surface.record("UsageEvent").map(|event| &*event.fields);
        let names = fields.unwrap_or_default().iter().map(|field| format!("'{}'", field.name));
        format!("packed('{name}', {given}, [{}])", names.collect::<Vec<_>>().join(", "))
    }

    /// The object whose fields are arguments, and their names.
    pub fn named(&self) -> Option<(&'static str, Vec<String>)> {
        let names = |arguments: &[&Argument]| -> Vec<String> {
            arguments.iter().map(|argument| camel(&argument.name)).collect()
        };
        if self.is_request {
            return Some(("request", [names(&self.required), names(&self.optional)].concat()));
        }
        let signal = vec!["signal".to_owned()];
        let has_some = !self.optional.is_empty();
        has_some.then(|| ("options", [names(&self.optional), signal].concat()))
    }

    /// The type of the result.
    pub fn answer(&self) -> String {
        answered(&self.operation.answer, self.surface)
    }

    /// The reader of the result; null for a handle, which is not packed.
    pub fn reader(&self) -> String {
        match self.operation.answers_handle() {
            true => "null".to_owned(),
            false => reader(&self.operation.answer, self.surface),
        }
    }

    /// The package's names in its types.
    pub fn names(&self) -> Vec<String> {
        let words = self.typed().join(" ") + " " + &self.answer();
        let words = words.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned).collect()
    }
}

/// Whether the package packs an argument into one text.
pub fn is_packed(argument: &Argument) -> bool {
    matches!(&argument.of, Type::List(of) if of.names() == ["EventDraft"])
}
