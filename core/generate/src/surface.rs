//! The surface as data: the operations and types that every language offers.

use std::collections::BTreeSet;

use quote::ToTokens;
use serde::Serialize;
use syn::{
    Attribute, Expr, Fields, FnArg, ImplItemConst, ImplItemFn, ItemEnum, ItemStruct, Lit, Meta,
    Pat, ReturnType,
};

use crate::examples::{self, Examples};
use crate::source::Source;
use crate::types::Type;

/// The operations, and the types of their arguments and results.
#[derive(Debug, Serialize)]
pub struct Surface {
    /// The operations of the platform.
    pub platform: Vec<Operation>,
    /// The operations of an agency.
    pub agency: Vec<Operation>,
    /// Structs with named fields.
    pub records: Vec<Record>,
    /// Enumerations.
    pub enumerations: Vec<Enumeration>,
    /// Why a field is refused.
    pub codes: Vec<Code>,
    /// Types of a single value.
    pub values: Vec<Value>,
    /// The kinds of errors, which are not the type of anything that is taken or returned.
    #[serde(skip)]
    pub kinds: Vec<Variant>,
    /// The names of records that have a field in Rust that other languages do not have.
    #[serde(skip)]
    pub partial: BTreeSet<String>,
    /// Enumerations whose variants have values. Among the records is what most languages have
    /// instead.
    #[serde(skip)]
    pub sums: Vec<Enumeration>,
    /// The names that Rust exports.
    #[serde(skip)]
    pub exported: BTreeSet<String>,
    /// The names of records and enumerations that are results.
    #[serde(skip)]
    pub answered: BTreeSet<String>,
}

/// An operation.
#[derive(Debug, Serialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Its documentation, as Markdown.
    pub documentation: String,
    /// An example of a call, in each language.
    pub examples: Examples,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// The type of its result.
    pub answer: Type,
    /// The type of its result in Rust.
    #[serde(skip)]
    pub written: String,
    /// The type into which the noun's result is converted.
    #[serde(skip)]
    pub becomes: Option<&'static str>,
}

impl Operation {
    /// Whether it has an argument of which each language has its own form.
    pub fn has_stream(&self) -> bool {
        self.arguments.iter().any(|argument| argument.of.is_stream())
    }

    /// Whether it returns the handle on an agency.
    pub fn answers_handle(&self) -> bool {
        self.answer == Type::Named("Agency".to_owned())
    }
}

/// An argument of an operation.
#[derive(Debug, Serialize)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub of: Type,
    /// Whether a caller may leave it out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_lack: bool,
    /// The type in Rust.
    #[serde(skip)]
    pub written: String,
}

/// Optional arguments that have to be said, by their operations: they lift a limit, or skip a check, and
/// a value that happens to be missing must not do it.
const SAID: [(&str, &str); 2] = [("set_allowance", "limit"), ("check_access", "host")];

/// A struct with named fields.
#[derive(Debug, Serialize)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub documentation: String,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// A field of a record, or of a variant.
#[derive(Debug, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub documentation: String,
    /// Its type.
    #[serde(rename = "type")]
    pub of: Type,
}

/// An enumeration.
#[derive(Debug, Serialize)]
pub struct Enumeration {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub documentation: String,
    /// Its variants.
    pub variants: Vec<Variant>,
}

/// A variant of an enumeration.
#[derive(Debug, Serialize)]
pub struct Variant {
    /// Its name in Rust.
    pub name: String,
    /// Its name in every other language, and in JSON.
    pub slug: String,
    /// Its documentation.
    pub documentation: String,
    /// Its fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// The types of its fields without names.
    #[serde(skip)]
    pub holds: Vec<Type>,
}

/// Why a field is refused.
#[derive(Debug, Serialize)]
pub struct Code {
    /// Its stable slug.
    pub slug: String,
    /// Its English text.
    pub text: String,
}

/// A type of a single value.
#[derive(Debug, Serialize)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub documentation: String,
    /// What it holds; nothing for what has no text or number of its own in other languages.
    #[serde(rename = "type")]
    pub of: Type,
}

/// Types that callers get in another way than as a result, or that are arguments under a less
/// specific type.
pub const ALSO: [&str; 4] = ["FieldError", "PhoneCountry", "RowReport", "UsageEvent"];

/// Fields that no text of a record may show.
pub const SECRET: [&str; 1] = ["stamp"];

/// Types that are not records: the handle that an operation returns, and the list of codes.
const APART: [&str; 2] = ["Agency", "Code"];

/// The results of nouns, and the types into which the handles convert them.
const BECOMES: [(&str, &str); 2] = [("Tenant", "Agency"), ("DeletedAgency", "Erasure")];

impl Surface {
    /// The surface of a source.
    pub fn of(source: &Source) -> Result<Self, String> {
        let operations = |of: &str| {
            let methods = source.methods.get(of).into_iter().flatten();
            methods.map(operation).collect::<Result<Vec<_>, _>>()
        };
        let mut surface = Self {
            platform: operations("Operator")?,
            agency: operations("Tenant")?,
            records: Vec::new(),
            enumerations: Vec::new(),
            codes: source.codes.iter().cloned().map(|[slug, text]| Code { slug, text }).collect(),
            values: Vec::new(),
            kinds: source.enums.get("ErrorKind").map(variants).transpose()?.unwrap_or_default(),
            partial: BTreeSet::new(),
            sums: Vec::new(),
            exported: source.exported.clone(),
            answered: BTreeSet::new(),
        };
        let types = surface.operations().flat_map(|operation| {
            let arguments = operation.arguments.iter().map(|argument| &argument.of);
            arguments.chain([&operation.answer]).flat_map(Type::names).map(str::to_owned)
        });
        let types: BTreeSet<String> = types.chain(ALSO.map(str::to_owned)).collect();
        let answers = surface.operations();
        let answers = answers.flat_map(|operation| operation.answer.names()).map(str::to_owned);
        let answers: BTreeSet<String> = answers.chain(ALSO.map(str::to_owned)).collect();
        surface.answered = surface.add_all(source, answers)?;
        surface.add_all(source, types)?;
        Ok(surface)
    }

    /// Adds types and, recursively, all types that they name, and returns the names.
    fn add_all(
        &mut self,
        source: &Source,
        mut open: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, String> {
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop_first() {
            if APART.contains(&&*name) || self.has(&name) || !seen.insert(name.clone()) {
                continue;
            }
            open.extend(self.add(source, name)?);
        }
        Ok(seen)
    }

    /// Whether there is a type of a name.
    pub fn has(&self, name: &str) -> bool {
        self.record(name).is_some() || self.enumeration(name).is_some() || self.held(name).is_some()
    }

    /// What a type of a single value holds.
    pub fn held(&self, name: &str) -> Option<&Type> {
        self.values.iter().find(|value| value.name == name).map(|value| &value.of)
    }

    /// The enumeration of a name.
    pub fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enumerations.iter().find(|enumeration| enumeration.name == name)
    }

    /// The record of a name.
    pub fn record(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name == name)
    }

    /// All operations, of both handles.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.platform.iter().chain(&self.agency)
    }

    /// The form of an argument: a record whose fields are keyword arguments in other languages.
    pub fn form_of(&self, argument: &Argument) -> Option<&Record> {
        let Type::Named(name) = &argument.of else { return None };
        self.record(name)
    }

    /// Adds a type, and returns the types that it names.
    fn add(&mut self, source: &Source, name: String) -> Result<Vec<String>, String> {
        let names = |fields: &[Field]| -> Vec<String> {
            fields.iter().flat_map(|field| field.of.names()).map(str::to_owned).collect()
        };
        if let Some(item) = source.wired.get(&name) {
            if let Some(sum) = source.enums.get(&name) {
                let (name, documentation) = (name.clone(), document(&sum.attrs));
                self.sums.push(Enumeration { name, documentation, variants: variants(sum)? });
            }
            return self.add_record(name, item);
        }
        if let Some(item) = source.enums.get(&name) {
            let variants = variants(item)?;
            let named = variants.iter().flat_map(|variant| names(&variant.fields)).collect();
            let documentation = document(&item.attrs);
            self.enumerations.push(Enumeration { name, documentation, variants });
            return Ok(named);
        }
        let item = source.structs.get(&name).ok_or_else(|| format!("there is no type {name}"))?;
        if fields(&item.fields)?.is_empty() {
            let documentation = document(&item.attrs);
            match source.constants.get(&name) {
                Some(constants) => {
                    self.enumerations.push(enumerated(name, documentation, constants))
                }
                None => {
                    let of = held(&item.fields)?;
                    self.values.push(Value { name, documentation, of });
                }
            }
            return Ok(Vec::new());
        }
        self.add_record(name, item)
    }

    fn add_record(&mut self, name: String, item: &ItemStruct) -> Result<Vec<String>, String> {
        let (documentation, fields) = (document(&item.attrs), fields(&item.fields)?);
        if fields.len() < item.fields.len() {
            self.partial.insert(name.clone());
        }
        let named = fields.iter().flat_map(|field| field.of.names()).map(str::to_owned).collect();
        self.records.push(Record { name, documentation, fields });
        Ok(named)
    }
}

/// What a type around one value holds.
fn held(fields: &Fields) -> Result<Type, String> {
    match fields {
        Fields::Unnamed(fields) => {
            fields.unnamed.first().map_or(Ok(Type::Nothing), |f| Type::of(&f.ty))
        }
        _ => Ok(Type::Nothing),
    }
}

/// The variants of an enumeration.
fn variants(item: &ItemEnum) -> Result<Vec<Variant>, String> {
    let variant = |variant: &syn::Variant| {
        let (name, documentation) = (variant.ident.to_string(), document(&variant.attrs));
        let holds = match &variant.fields {
            Fields::Unnamed(fields) => fields.unnamed.iter().map(|f| Type::of(&f.ty)).collect(),
            _ => Ok(Vec::new()),
        };
        let (fields, holds) = (fields(&variant.fields)?, holds?);
        Ok(Variant { slug: snake(&name), name, documentation, fields, holds })
    };
    item.variants.iter().map(variant).collect()
}

/// A type whose only values are its constants, which is an enumeration in other languages.
fn enumerated(name: String, documentation: String, constants: &[ImplItemConst]) -> Enumeration {
    let variant = |constant: &ImplItemConst| {
        let name = constant.ident.to_string();
        let (slug, documentation) = (name.to_lowercase(), document(&constant.attrs));
        Variant { name, slug, documentation, fields: Vec::new(), holds: Vec::new() }
    };
    Enumeration { name, documentation, variants: constants.iter().map(variant).collect() }
}

fn operation(method: &ImplItemFn) -> Result<Operation, String> {
    let name = method.sig.ident.to_string();
    let wrong = |why: String| format!("{name}: {why}");
    let argument = |argument: &FnArg| match argument {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => Some(match &*typed.pat {
            Pat::Ident(pattern) => Type::of(&typed.ty).map(|of| {
                let argument = pattern.ident.to_string();
                let is_said = SAID.contains(&(&*name, &*argument));
                let may_lack = matches!(of, Type::Optional(_)) && !is_said;
                let written = typed.ty.to_token_stream().to_string();
                Argument { name: argument, of, may_lack, written }
            }),
            _ => Err("an argument has no name".to_owned()),
        }),
    };
    let arguments = method.sig.inputs.iter().filter_map(argument);
    let arguments = arguments.collect::<Result<_, _>>().map_err(wrong)?;
    let ReturnType::Type(_, answer) = &method.sig.output else {
        return Err(wrong("an operation answers with a result".to_owned()));
    };
    let mut written = answer.to_token_stream().to_string();
    let becomes = BECOMES.iter().find(|(inner, _)| written == format!("Result < {inner} >"));
    if let Some((_, outer)) = becomes {
        written = format!("Result < {outer} >");
    }
    let answer = syn::parse_str(&written).map_err(|error| wrong(error.to_string()))?;
    let (documentation, examples) = examples::split(&document(&method.attrs)).map_err(wrong)?;
    examples.check_width().map_err(wrong)?;
    Ok(Operation {
        documentation,
        examples,
        arguments,
        answer: Type::of(&answer).map_err(wrong)?,
        written,
        becomes: becomes.map(|(_, outer)| *outer),
        name,
    })
}

/// The public named fields.
fn fields(fields: &Fields) -> Result<Vec<Field>, String> {
    let Fields::Named(named) = fields else { return Ok(Vec::new()) };
    let shown = named.named.iter().filter(|field| !is_skipped(&field.attrs));
    let field = |field: &syn::Field| {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let (documentation, of) =
            (document(&field.attrs), sent(&field.attrs, Type::of(&field.ty)?));
        Ok(Field { name, documentation, of })
    };
    shown.map(field).collect()
}

/// The type of a field in the wire form, if it is serialized by a function of its own.
fn sent(attributes: &[Attribute], of: Type) -> Type {
    let is_sent_by = |function: &str| {
        attributes.iter().any(|attribute| {
            let tokens = attribute.meta.to_token_stream().to_string();
            tokens.contains(&format!("\"crate::wire::{function}\""))
        })
    };
    match of {
        of if is_sent_by("until") => Type::Optional(Box::new(of)),
        Type::List(pair) if is_sent_by("pairs") => match *pair {
            Type::Tuple(pair) => match <[Type; 2]>::try_from(pair) {
                Ok([key, value]) => Type::Map(Box::new(key), Box::new(value)),
                Err(other) => Type::List(Box::new(Type::Tuple(other))),
            },
            other => Type::List(Box::new(other)),
        },
        of => of,
    }
}

/// `LimitReached` is `limit_reached`.
pub fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Whether the wire form leaves a field out.
fn is_skipped(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let tokens = attribute.meta.to_token_stream().to_string();
        attribute.path().is_ident("serde") && tokens.contains("(skip)")
    })
}

/// The text of documentation comments, without references to lines of the semantics.
fn document(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => {
                    Some(text.value().strip_prefix(' ').map_or(text.value(), str::to_owned))
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    without_lines(&attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n"))
}

/// Removes references like `(S22)`, which mean nothing to a user.
fn without_lines(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("(S") {
        let (before, from) = rest.split_at(at);
        let end = from.find(')').map_or(from.len(), |end| end + 1);
        let inner = &from[1..end.saturating_sub(1).max(1)];
        let is_lines = inner.split(", ").all(|line| {
            line.strip_prefix('S')
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
        });
        kept += if is_lines { before.trim_end() } else { before };
        if !is_lines {
            kept += &from[..end];
        }
        rest = &from[end..];
        if is_lines && before.ends_with('\n') {
            // A line began there, and now begins after the punctuation.
            let next = rest.split_once(' ').filter(|(before, _)| !before.contains('\n'));
            if let Some((punctuation, after)) = next {
                kept += punctuation;
                kept.push('\n');
                rest = after;
            }
        }
    }
    kept + rest
}
