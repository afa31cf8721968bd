//! The lines of an item: one for the item, one for each public part of it.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Fields, ImplItem, Item, ItemImpl, ItemMacro, Signature, TraitItem, Visibility,
};

pub fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item is public where it stands.
pub fn is_public_item(item: &Item) -> bool {
    match item {
        Item::Struct(item) => is_public(&item.vis),
        Item::Enum(item) => is_public(&item.vis),
        Item::Trait(item) => is_public(&item.vis),
        Item::Type(item) => is_public(&item.vis),
        Item::Const(item) => is_public(&item.vis),
        Item::Static(item) => is_public(&item.vis),
        Item::Fn(item) => is_public(&item.vis),
        Item::Union(item) => is_public(&item.vis),
        _ => false,
    }
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        _ => &[],
    }
}

pub fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name)) && !is_hidden(attributes)
}

/// Whether the documentation does not tell of it.
pub fn is_hidden(attributes: &[Attribute]) -> bool {
    let hidden = |attribute: &Attribute| text(&attribute.meta) == "doc(hidden)";
    attributes.iter().any(hidden)
}

/// On what it depends that there is such an item, as it stands before it.
pub fn condition(attributes: &[Attribute]) -> String {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.map(|attribute| format!("#[{}] ", text(&attribute.meta))).collect()
}

/// The words of a text of tokens, outside of what is in brackets in it.
pub fn words(tokens: &TokenStream) -> impl Iterator<Item = String> {
    tokens.clone().into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    })
}

/// The words, inside of brackets, too.
pub fn all_words(tokens: &TokenStream) -> BTreeSet<String> {
    let word = |token| match token {
        TokenTree::Ident(word) => BTreeSet::from([word.to_string()]),
        TokenTree::Group(group) => all_words(&group.stream()),
        _ => BTreeSet::new(),
    };
    tokens.clone().into_iter().flat_map(word).collect()
}

/// The public functions and constants in the definition of a macro.
pub fn of_definition(definition: &ItemMacro) -> Vec<String> {
    let name = definition.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let is_definition = definition.mac.path.is_ident("macro_rules");
    let shown = if is_definition { text(&definition.mac.tokens) } else { String::new() };
    let parts = ["pub fn ", "pub const "].into_iter().flat_map(|begin| {
        let ends = |c| ['{', '=', ';'].contains(&c);
        let parts: Vec<_> =
            shown.split(begin).skip(1).map(|rest| rest.split(ends).next()).collect();
        parts
            .into_iter()
            .flatten()
            .map(|part| format!("{begin}{}", part.trim()))
            .collect::<Vec<_>>()
    });
    parts.map(|part| format!("by {name}!: {part}")).collect()
}

/// Tokens as one writes them.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string().replace('\n', " ");
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
        (" :", ":"),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        ("? ", "?"),
        (",)", ")"),
        ("->", " ->"),
        ("  ", " "),
        ("=(", "= ("),
    ] {
        text = text.replace(from, to);
    }
    text.trim().to_owned()
}

fn derives(attributes: &[Attribute], path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        // What is no list of paths is no derive that compiles.
        let _ = attribute.parse_nested_meta(|meta| {
            found.push(format!("derive {} for {path}", text(&meta.path)));
            Ok(())
        });
    }
    let others = attributes.iter().filter(|attribute| attribute.path().is_ident("non_exhaustive"));
    found.extend(others.map(|_| format!("non_exhaustive {path}")));
    found
}

fn fields(fields: &Fields, path: &str, all: bool) -> Vec<String> {
    let shown = fields.iter().enumerate().filter(|(_, field)| all || is_public(&field.vis));
    let field = |(at, field): (usize, &syn::Field)| {
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
        format!("pub field {path}::{name}: {}", text(&field.ty))
    };
    let mut lines: Vec<_> = shown.map(field).collect();
    // Whether others can make one of it, and match all of it.
    if !all && fields.iter().any(|field| !is_public(&field.vis)) {
        lines.push(format!("private fields in {path}"));
    }
    lines
}

fn function(signature: &Signature, path: &str) -> String {
    let mut signature = signature.clone();
    let name = std::mem::replace(
        &mut signature.ident,
        syn::Ident::new("it", proc_macro2::Span::call_site()),
    );
    let shown = text(&signature);
    let (before, after) = shown.split_once("fn it").unwrap_or_default();
    format!("pub {before}fn {path}::{name}{after}")
}

/// The lines of an item under the path that users know it by.
pub fn of(item: &Item, path: &str) -> Vec<String> {
    let (holder, _) = path.rsplit_once("::").unwrap_or_default();
    let mut lines = Vec::new();
    match item {
        Item::Struct(item) => {
            lines.push(format!("pub struct {path}{}", text(&item.generics)));
            lines.extend(fields(&item.fields, path, false));
            lines.extend(derives(&item.attrs, path));
        }
        Item::Enum(item) => {
            lines.push(format!("pub enum {path}{}", text(&item.generics)));
            for variant in &item.variants {
                let path = format!("{path}::{}", variant.ident);
                lines.push(format!("pub variant {path}"));
                lines.extend(fields(&variant.fields, &path, true));
            }
            lines.extend(derives(&item.attrs, path));
        }
        Item::Trait(item) => {
            let above = text(&item.supertraits);
            let above = if above.is_empty() { above } else { format!(": {above}") };
            lines.push(format!("pub trait {path}{}{above}", text(&item.generics)));
            for part in &item.items {
                lines.push(match part {
                    TraitItem::Fn(method) => {
                        let line = function(&method.sig, path);
                        let given = method.default.is_some();
                        line + if given { " // given" } else { " // to be implemented" }
                    }
                    other => format!("in {path}: {}", text(other)),
                });
            }
        }
        Item::Fn(item) => lines.push(function(&item.sig, holder)),
        Item::Type(item) => {
            lines.push(format!("pub type {path}{} = {}", text(&item.generics), text(&item.ty)));
        }
        Item::Const(item) => lines.push(format!("pub const {path}: {}", text(&item.ty))),
        Item::Static(item) => lines.push(format!("pub static {path}: {}", text(&item.ty))),
        _ => {}
    }
    lines
}

/// The path of the type that an `impl` is of, as it stands there.
pub fn implementor(block: &ItemImpl) -> Vec<String> {
    let syn::Type::Path(of) = &*block.self_ty else { return Vec::new() };
    of.path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The lines of an `impl`.
pub fn of_impl(block: &ItemImpl, path: &str) -> Vec<String> {
    let condition = condition(&block.attrs);
    if let Some((_, of, _)) = &block.trait_ {
        return vec![format!("{condition}impl{} {} for {path}", text(&block.generics), text(of))];
    }
    let part = |part: &ImplItem| match part {
        ImplItem::Fn(method) if is_public(&method.vis) && !is_hidden(&method.attrs) => {
            Some(self::condition(&method.attrs) + &function(&method.sig, path))
        }
        ImplItem::Const(constant) if is_public(&constant.vis) => {
            Some(format!("pub const {path}::{}: {}", constant.ident, text(&constant.ty)))
        }
        _ => None,
    };
    block.items.iter().filter_map(part).map(|line| condition.clone() + &line).collect()
}

/// The line of a macro that is called with the type's name.
pub fn of_macro(call: &ItemMacro, path: &str) -> Option<String> {
    let called = text(&call.mac.path);
    (called != "macro_rules").then(|| format!("by {called}! for {path}"))
}
