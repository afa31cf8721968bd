//! The surface as data: what every language offers.

use std::collections::BTreeSet;

use quote::ToTokens;
use serde::Serialize;
use syn::{Attribute, Expr, Fields, FnArg, ImplItemFn, Lit, Meta, Pat, ReturnType};

use crate::examples::{self, Examples};
use crate::source::Source;
use crate::types::Type;

/// Operations, and what they take and answer.
#[derive(Debug, Serialize)]
pub struct Surface {
    /// What the platform does.
    pub platform: Vec<Operation>,
    /// What an agency does.
    pub agency: Vec<Operation>,
    /// Structs with named fields.
    pub records: Vec<Record>,
    /// Types of which a value is one of several.
    pub enumerations: Vec<Enumeration>,
    /// Why a field is refused.
    pub codes: Vec<Code>,
    /// Types of a single value.
    pub values: Vec<Value>,
    /// What Rust exports.
    #[serde(skip)]
    pub exported: BTreeSet<String>,
}

/// An operation.
#[derive(Debug, Serialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Its documentation, as Markdown.
    pub documentation: String,
    /// How it is called, in each language.
    pub examples: Examples,
    /// What it takes.
    pub arguments: Vec<Argument>,
    /// What it answers.
    pub answer: Type,
    /// The answer as Rust writes it.
    #[serde(skip)]
    pub written: String,
    /// What the noun's answer becomes on its way out.
    #[serde(skip)]
    pub becomes: Option<&'static str>,
}

impl Operation {
    /// Whether each language has its own form of it.
    pub fn has_stream(&self) -> bool {
        self.arguments.iter().any(|argument| argument.of.is_stream())
    }

    /// Whether it answers with the handle on an agency.
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
    /// The type as Rust writes it.
    #[serde(skip)]
    pub written: String,
}

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

/// A type of which a value is one of several.
#[derive(Debug, Serialize)]
pub struct Enumeration {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub documentation: String,
    /// What a value may be.
    pub variants: Vec<Variant>,
}

/// One of several.
#[derive(Debug, Serialize)]
pub struct Variant {
    /// Its name in Rust.
    pub name: String,
    /// Its documentation.
    pub documentation: String,
    /// What it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
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
}

/// What is no record: the handle that an operation answers with, and the list of codes.
const APART: [&str; 2] = ["Agency", "Code"];

/// What a noun answers with, and what that becomes in the handle.
const BECOMES: [(&str, &str); 2] = [("Tenant", "Agency"), ("DeletedAgency", "Erasure")];

impl Surface {
    /// What follows from a source.
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
            exported: source.exported.clone(),
        };
        let operations = surface.platform.iter().chain(&surface.agency);
        let types = operations.flat_map(|operation| {
            let arguments = operation.arguments.iter().map(|argument| &argument.of);
            arguments.chain([&operation.answer]).flat_map(Type::names).map(str::to_owned)
        });
        let mut seen = BTreeSet::new();
        let mut open: BTreeSet<String> = types.collect();
        while let Some(name) = open.pop_first() {
            if APART.contains(&&*name) || !seen.insert(name.clone()) {
                continue;
            }
            open.extend(surface.add(source, name)?);
        }
        Ok(surface)
    }

    /// The form that an argument is: a record whose fields other languages take by name.
    pub fn form_of(&self, argument: &Argument) -> Option<&Record> {
        let Type::Named(name) = &argument.of else { return None };
        self.records.iter().find(|record| record.name == *name)
    }

    /// Adds a type, and says which others it names.
    fn add(&mut self, source: &Source, name: String) -> Result<Vec<String>, String> {
        let names = |fields: &[Field]| -> Vec<String> {
            fields.iter().flat_map(|field| field.of.names()).map(str::to_owned).collect()
        };
        if let Some(item) = source.enums.get(&name) {
            let variant = |variant: &syn::Variant| {
                let (name, documentation) = (variant.ident.to_string(), document(&variant.attrs));
                fields(&variant.fields).map(|fields| Variant { name, documentation, fields })
            };
            let variants = item.variants.iter().map(variant).collect::<Result<Vec<_>, _>>()?;
            let named = variants.iter().flat_map(|variant| names(&variant.fields)).collect();
            let documentation = document(&item.attrs);
            self.enumerations.push(Enumeration { name, documentation, variants });
            return Ok(named);
        }
        let item = source.structs.get(&name).ok_or_else(|| format!("there is no type {name}"))?;
        let documentation = document(&item.attrs);
        let fields = fields(&item.fields)?;
        if fields.is_empty() {
            self.values.push(Value { name, documentation });
            return Ok(Vec::new());
        }
        let named = names(&fields);
        self.records.push(Record { name, documentation, fields });
        Ok(named)
    }
}

fn operation(method: &ImplItemFn) -> Result<Operation, String> {
    let name = method.sig.ident.to_string();
    let wrong = |why: String| format!("{name}: {why}");
    let argument = |argument: &FnArg| match argument {
        FnArg::Receiver(_) => None,
        FnArg::Typed(typed) => Some(match &*typed.pat {
            Pat::Ident(pattern) => Type::of(&typed.ty).map(|of| Argument {
                name: pattern.ident.to_string(),
                of,
                written: typed.ty.to_token_stream().to_string(),
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

/// The public fields that have names.
fn fields(fields: &Fields) -> Result<Vec<Field>, String> {
    let Fields::Named(named) = fields else { return Ok(Vec::new()) };
    let shown = named.named.iter().filter(|field| !is_skipped(&field.attrs));
    let field = |field: &syn::Field| {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let (documentation, of) = (document(&field.attrs), Type::of(&field.ty)?);
        Ok(Field { name, documentation, of })
    };
    shown.map(field).collect()
}

/// Whether the wire form leaves a field out both ways.
fn is_skipped(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let tokens = attribute.meta.to_token_stream().to_string();
        attribute.path().is_ident("serde") && tokens.contains("(skip)")
    })
}

/// The text of documentation comments, without what names lines of the semantics.
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

/// `(S22)` says nothing to a user.
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
    }
    kept + rest
}
