//! The parsed source of the core: its exports, operations and items.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, ImplItem, ImplItemConst, ImplItemFn, Item, ItemEnum, ItemStruct, LitStr, UseTree,
    Visibility,
};

/// The result of parsing the source.
#[derive(Default)]
pub struct Source {
    /// The names that `lib.rs` exports.
    pub exported: BTreeSet<String>,
    /// Public structs by name.
    pub structs: BTreeMap<String, ItemStruct>,
    /// The structs that bindings get for types, by the type's name.
    pub wired: BTreeMap<String, ItemStruct>,
    /// Public associated constants, by the type's name, with their documentation.
    pub constants: BTreeMap<String, Vec<ImplItemConst>>,
    /// Public enumerations by name.
    pub enums: BTreeMap<String, ItemEnum>,
    /// The codes of refused fields, each with its slug and its English text.
    pub codes: Vec<[String; 2]>,
    /// The methods of the two types whose public methods are operations, by the type's name, in
    /// the order of files and of lines.
    pub methods: BTreeMap<String, Vec<ImplItemFn>>,
}

/// The types whose public methods are operations.
pub const OPERATIONS_OF: [&str; 2] = ["Operator", "Tenant"];

/// The folders in the order in which operations are listed, with those that a newcomer needs first
/// at the beginning.
const NOUNS: [&str; 9] = [
    "agency",
    "reseller",
    "login_domain",
    "access",
    "usage",
    "changes",
    "exchange",
    "platform",
    "values",
];

/// Reads a folder of sources.
pub fn read(folder: &Path) -> Result<Source> {
    let mut source = Source::default();
    source.folder(folder)?;
    Ok(source)
}

impl Source {
    /// Of a text.
    #[cfg(test)]
    pub fn of(text: &str) -> Self {
        let mut source = Self::default();
        let items = syn::parse_file(text).expect("a source").items;
        items.into_iter().for_each(|item| source.item(item));
        source
    }

    fn folder(&mut self, folder: &Path) -> Result<()> {
        let mut paths: Vec<_> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        let place = |path: &Path| NOUNS.iter().position(|noun| path.ends_with(noun));
        paths.sort_by_key(|path| (place(path).unwrap_or(NOUNS.len()), path.clone()));
        for path in paths {
            if path.is_dir() {
                self.folder(&path)?;
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let text = fs::read_to_string(path)?;
        let wrong = |error: syn::Error| Error::other(format!("{}: {error}", path.display()));
        let is_root = path.ends_with("src/lib.rs");
        for item in syn::parse_file(&text).map_err(wrong)?.items {
            match item {
                Item::Use(item) if is_root && is_public(&item.vis) => self.export(&item.tree),
                item => self.item(item),
            }
        }
        Ok(())
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Struct(item) if renamed(&item.attrs).is_some() => {
                self.wired.extend(renamed(&item.attrs).map(|name| (name, item)));
            }
            Item::Struct(item) if is_public(&item.vis) => {
                self.structs.insert(item.ident.to_string(), item);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                self.enums.insert(item.ident.to_string(), item);
            }
            Item::Macro(item) if item.mac.path.is_ident("stored") => {
                if let Ok(item) = syn::parse2::<ItemStruct>(without_renames(item.mac.tokens)) {
                    self.item(Item::Struct(item));
                }
            }
            Item::Macro(item) if item.mac.path.is_ident("codes") => {
                let literals = item.mac.tokens.into_iter().filter_map(|token| match token {
                    TokenTree::Literal(literal) => {
                        syn::parse_str::<LitStr>(&literal.to_string()).ok()
                    }
                    _ => None,
                });
                let texts: Vec<_> = literals.map(|literal| literal.value()).collect();
                let pairs = texts.chunks_exact(2);
                self.codes = pairs.map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let of = item.self_ty.to_token_stream().to_string();
                item.items.into_iter().for_each(|item| self.associated(&of, item));
            }
            _ => {}
        }
    }

    /// Adds an associated item of a type.
    fn associated(&mut self, of: &str, item: ImplItem) {
        match item {
            ImplItem::Fn(method) if OPERATIONS_OF.contains(&of) && is_public(&method.vis) => {
                self.methods.entry(of.to_owned()).or_default().push(method);
            }
            ImplItem::Const(constant) if is_public(&constant.vis) => {
                let is_one_of_it = constant.ty.to_token_stream().to_string() == "Self";
                if is_one_of_it {
                    self.constants.entry(of.to_owned()).or_default().push(constant);
                }
            }
            _ => {}
        }
    }

    fn export(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.export(&path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.export(tree)),
            UseTree::Name(name) => drop(self.exported.insert(name.ident.to_string())),
            UseTree::Rename(name) => drop(self.exported.insert(name.rename.to_string())),
            UseTree::Glob(_) => {}
        }
    }
}

/// The name under which a struct is serialized, if it differs from its own.
fn renamed(attributes: &[Attribute]) -> Option<String> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<LitStr>()?.value());
            }
            Ok(())
        });
        // Other parts of the attribute may have another syntax, so errors are ignored.
        drop(parsed);
    }
    name
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Removes the names of columns that the macro `stored!` allows after a field's type (`name: Name
/// as title`).
pub fn without_renames(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "as" => drop(tokens.next()),
            TokenTree::Group(group) => {
                let inner = without_renames(group.stream());
                kept.push(TokenTree::Group(Group::new(group.delimiter(), inner)));
            }
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}
