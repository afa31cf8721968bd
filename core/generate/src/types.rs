//! Types of arguments, fields and answers.

use quote::ToTokens;
use serde::Serialize;
use syn::{GenericArgument, PathArguments, Type as Syntax, TypeParamBound};

/// A type, independent of the language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Nothing.
    Nothing,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// A whole number, by its name in Rust.
    Integer(String),
    /// A UUID.
    Uuid,
    /// A value or nothing.
    Optional(Box<Type>),
    /// A list.
    List(Box<Type>),
    /// A sorted set.
    Set(Box<Type>),
    /// Several values of different types.
    Tuple(Vec<Type>),
    /// A map.
    Map(Box<Type>, Box<Type>),
    /// A list of results, each of which is a value or an error.
    Either(Box<Type>, Box<Type>),
    /// A record, an enumeration or a value with a name of its own.
    Named(String),
    /// A field of a patch, which is kept, cleared or set.
    Patch(Box<Type>),
    /// A place in the file system.
    Path,
    /// A reader, a writer or a callback, of which each language has its own form.
    Stream(String),
}

impl Type {
    /// Reads a type; a reference is read as the type that it refers to.
    pub fn of(syntax: &Syntax) -> Result<Self, String> {
        let unknown = || format!("an operation cannot have the type {}", syntax.to_token_stream());
        match syntax {
            Syntax::Reference(reference) => Self::of(&reference.elem),
            Syntax::Slice(slice) => Ok(Self::List(Box::new(Self::of(&slice.elem)?))),
            Syntax::Tuple(tuple) if tuple.elems.is_empty() => Ok(Self::Nothing),
            Syntax::Tuple(tuple) => {
                tuple.elems.iter().map(Self::of).collect::<Result<_, _>>().map(Self::Tuple)
            }
            Syntax::ImplTrait(bounds) => {
                let bound = bounds.bounds.first().ok_or_else(unknown)?;
                let TypeParamBound::Trait(bound) = bound else { return Err(unknown()) };
                let last = bound.path.segments.last().ok_or_else(unknown)?;
                Ok(match &*last.ident.to_string() {
                    "AsRef" => Self::Path,
                    // A host in Rust may also give typed events; a binding takes drafts.
                    "Reported" => Self::Named("EventDraft".to_owned()),
                    other => Self::Stream(other.to_owned()),
                })
            }
            Syntax::Path(path) => {
                let last = path.path.segments.last().ok_or_else(unknown)?;
                let arguments = match &last.arguments {
                    PathArguments::AngleBracketed(arguments) => {
                        let types = arguments.args.iter().filter_map(|argument| match argument {
                            GenericArgument::Type(of) => Some(Self::of(of)),
                            _ => None,
                        });
                        types.collect::<Result<Vec<_>, _>>()?
                    }
                    _ => Vec::new(),
                };
                Self::named(&last.ident.to_string(), arguments).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }

    fn named(name: &str, arguments: Vec<Self>) -> Option<Self> {
        let mut arguments = arguments.into_iter().map(Box::new);
        Some(match name {
            "bool" => Self::Bool,
            "str" | "String" => Self::Text,
            "Uuid" => Self::Uuid,
            "i64" | "u64" | "u32" | "u16" | "u8" => Self::Integer(name.to_owned()),
            "Option" => Self::Optional(arguments.next()?),
            "Vec" => Self::List(arguments.next()?),
            "BTreeSet" => Self::Set(arguments.next()?),
            "Params" => Self::Map(Self::Text.into(), Self::Integer("i64".to_owned()).into()),
            "BTreeMap" => Self::Map(arguments.next()?, arguments.next()?),
            "Patch" => Self::Patch(arguments.next()?),
            "Result" => {
                let (right, wrong) = (arguments.next()?, arguments.next());
                wrong.map_or_else(|| (*right).clone(), |wrong| Self::Either(right.clone(), wrong))
            }
            _ if arguments.next().is_none() => Self::Named(name.to_owned()),
            _ => return None,
        })
    }

    /// The named types in it.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Named(name) => vec![name],
            Self::Optional(of) | Self::List(of) | Self::Set(of) | Self::Patch(of) => of.names(),
            Self::Map(one, other) | Self::Either(one, other) => {
                one.names().into_iter().chain(other.names()).collect()
            }
            Self::Tuple(types) => types.iter().flat_map(Self::names).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether each language has its own form of it.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }
}
