//! The methods of the native module: they convert the arguments, and run the core's operation on a
//! thread.

use std::fmt::Write as _;

use super::method::{Length, Method, is_packed};
use super::{camel, methods};
use crate::rust::{self, Owned};
use crate::surface::{Argument, Surface, snake};
use crate::types::Type;

pub fn text(surface: &Surface) -> String {
    let mut body = String::new();
    for (handle, methods) in methods(surface) {
        let _ = writeln!(body, "#[napi]\nimpl {handle} {{");
        for method in methods {
            body += &glue(handle, &method);
        }
        body += "}\n\n";
    }
    rust::glue(&body, surface, &IMPORTS)
}

const IMPORTS: [&str; 6] = [
    "use napi::Unknown;",
    "use napi_derive::napi;",
    "use crate::arguments;",
    "use crate::given::{argument, form, nullable, optional, whole_text};",
    "use crate::home::{Begun, Each, Length, Plain};",
    "use crate::unpacked;",
];

fn glue(handle: &str, method: &Method<'_>) -> String {
    let operation = method.operation;
    let name = &operation.name;
    let mut taken = vec!["&self".to_owned(), "call: u32".to_owned()];
    taken.extend(
        operation.arguments.iter().map(|argument| format!("{}: Unknown<'_>", argument.name)),
    );
    let owned: Vec<_> = operation.arguments.iter().map(unpacking).collect();
    let mut read = String::new();
    for (argument, owned) in operation.arguments.iter().zip(&owned) {
        let (name, of) = (&owned.name, owned.converted());
        let _ = writeln!(read, "let {name}: {of} = {}?;", made(argument, method));
    }
    let lent: Vec<_> = owned.iter().map(|owned| &*owned.lent).collect();
    let each = matches!(&operation.answer, Type::List(of) if matches!(**of, Type::Either(..)));
    let wrapped = match (operation.answers_handle(), each) {
        (true, _) => "|agency| Agency::new(home, agency)",
        (_, true) => "Each",
        _ => "Plain",
    };
    let home = match operation.answers_handle() {
        true => "let home = self.home.clone();\n",
        false => "",
    };
    let it = handle.to_lowercase();
    let work = format!("move || {it}.{name}({}).map({wrapped})", lent.join(", "));
    let length = match method.length() {
        Length::Brief => "Length::Brief".to_owned(),
        Length::Long => "Length::Long".to_owned(),
        Length::Of(form) => format!("Length::of_hashing(!{form}.password.is_empty())"),
    };
    format!(
        "#[napi(catch_unwind)]
        pub fn {name}({}) -> Begun {{
            self.home.call(call, || {{
                {read}{home}let {it} = self.{it}.clone();
                Ok(({length}, {work}))
            }})
        }}\n\n",
        taken.join(", "),
    )
}

/// An owned argument. Events come packed, and are unpacked on the thread of the call.
fn unpacking(argument: &Argument) -> Owned {
    let owned = Owned::of(argument);
    if !is_packed(argument) {
        return owned;
    }
    let lent = format!("&unpacked::events(&{})?", owned.name);
    Owned { of: "String".to_owned(), lent, ..owned }
}

/// The expression that converts an argument.
fn made(argument: &Argument, method: &Method<'_>) -> String {
    let (name, told) = (&argument.name, camel(&argument.name));
    let is_confirmed =
        method.operation.arguments.iter().any(|other| other.name == "password_confirmation");
    match &argument.of {
        _ if method.form(argument).is_some() => {
            let Type::Named(form) = &argument.of else { unreachable!("a form has a name") };
            let names = snake(form).to_uppercase();
            format!("form(\"{told}\", {name}, &arguments::{names})")
        }
        // A password that will be stored must not have lone surrogates.
        _ if name.starts_with("password") && is_confirmed => {
            format!("whole_text(\"{told}\", {name})")
        }
        // What is required and may be null is never left out by mistake.
        Type::Optional(_) if method.requires(argument) => format!("nullable(\"{told}\", {name})"),
        Type::Optional(_) => format!("optional(\"{told}\", {name})"),
        _ => format!("argument(\"{told}\", {name})"),
    }
}
