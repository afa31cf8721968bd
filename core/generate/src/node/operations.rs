//! The operations of both handles as classes, from which the package's handles inherit.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::documentation::comment;
use super::hints::of_texts;
use super::method::Method;
use super::readers::of_values;
use super::{header, listed, methods};
use crate::shared::forms;
use crate::surface::Surface;

pub fn platform(surface: &Surface) -> String {
    let [platform, _] = methods(surface);
    file("Platform", &platform.1, surface)
}

pub fn agency(surface: &Surface) -> String {
    let [_, agency] = methods(surface);
    file("Agency", &agency.1, surface)
}

fn file(handle: &str, methods: &[Method<'_>], surface: &Surface) -> String {
    let body: String = methods.iter().map(method).collect();
    let names: BTreeSet<_> = methods.iter().flat_map(Method::names).collect();
    let forms: BTreeSet<_> =
        forms::all(surface).into_iter().map(|form| form.name.clone()).collect();
    let is_record = |name: &&String| surface.has(name) && !forms.contains(*name);
    let mut text = header(&format!("The operations of `{handle}`."));
    text.push('\n');
    if names.contains("Agency") {
        text += "import { Agency } from './agency';\n";
    }
    text += "import { call, type CallOptions } from './calls';\n";
    if names.contains("ValidationError") {
        text += "import { made, withErrors, type ValidationError } from './errors';\n";
    }
    text += &import("./forms", names.intersection(&forms));
    if body.contains(" named(") {
        text += "import { named } from './given';\n";
    }
    text += "import type { Operations, Start } from './native';\n";
    if body.contains("packed(") {
        text += "import { packed } from './packing';\n";
    }
    text += &import_records(&body, names.iter().filter(is_record));
    text += &of_texts(&body);
    text += &of_values(&body);
    let lower = handle.to_lowercase();
    let native =
        methods.iter().map(|method| format!("  | '{}'", super::camel(&method.operation.name)));
    let native: Vec<_> = native.collect();
    let _ = write!(
        text,
        "
/** The names of the native methods. */
export type {handle}Operation =
{native};

/** The operations that concern {about}. */
export abstract class {handle}Operations {{
  readonly #native: Operations<{handle}Operation>;

  /** @internal */
  protected constructor(native: Operations<{handle}Operation>) {{
    this.#native = native;
  }}
{body}}}
",
        native = native.join("\n"),
        about = if lower == "platform" { "all agencies" } else { "one agency" },
    );
    text
}

fn import<'n>(from: &str, names: impl Iterator<Item = &'n String>) -> String {
    let names: Vec<_> = names.cloned().collect();
    match names.as_slice() {
        [] => String::new(),
        _ => listed("import type {", &names, &format!("}} from '{from}';")),
    }
}

/// The import of records and of their readers.
fn import_records<'n>(body: &str, names: impl Iterator<Item = &'n String>) -> String {
    let words: BTreeSet<_> = body.split(|c: char| !c.is_alphanumeric()).collect();
    let readers = words.iter().filter(|word| word.strip_prefix("read").is_some_and(is_capital));
    let types = names.map(|name| format!("type {name}"));
    let all: Vec<_> = readers.map(|&word| word.to_owned()).chain(types).collect();
    listed("import {", &all, "} from './records';")
}

fn is_capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn method(method: &Method<'_>) -> String {
    let operation = method.operation;
    let name = super::camel(&operation.name);
    let example = Some(&*operation.examples.javascript);
    let documentation = comment(&operation.documentation, example, 2, method.surface);
    let passed: Vec<_> = ["call".to_owned()].into_iter().chain(method.passed()).collect();
    let answer = method.answer();
    let (mut body, begun) = begun(method, &name, &passed);
    body += &match &*answer {
        "Agency" => format!("    return Agency.of(await {begun});\n"),
        _ if answer.contains("ValidationError") => {
            format!("    return withErrors(await {begun});\n")
        }
        _ => format!("    return {begun};\n"),
    };
    let is_async = if body.contains("await") { "async " } else { "" };
    let head = format!("  {is_async}{name}(");
    let head = listed(&head, &method.typed(), &format!("): Promise<{answer}> {{"));
    format!("\n{documentation}{head}{body}  }}\n")
}

/// The function that begins a call, and the expression that calls it. What stands in the options is
/// read from them together with the signal.
fn begun(method: &Method<'_>, name: &str, passed: &[String]) -> (String, String) {
    let read = method.reader();
    let plain = format!("call({read}, begin, options)");
    let Some((what, names)) = method.named() else {
        let begin = format!("    const begin: Start = (call) => this.#native.{name}(");
        return (listed(&begin, passed, ");"), plain);
    };
    let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    let native = listed(&format!("      return this.#native.{name}("), passed, ");");
    if what == "options" {
        let begin = "    const begin: Start<typeof options> = (call, given) => {\n";
        let begun = format!("call({read}, begin, options, [{}])", names.join(", "));
        return (format!("{begin}{native}    }};\n"), begun);
    }
    let given = format!("      const given = named('{what}', {what}, [");
    let given = listed(&given, &names, "]);");
    (format!("    const begin: Start = (call) => {{\n{given}{native}    }};\n"), plain)
}
