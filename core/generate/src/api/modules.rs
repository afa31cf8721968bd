//! The modules of a crate with their items, and what a path in one of them leads to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Attribute, Item, ItemMacro, ItemStruct, UseTree};

use super::lines;
use crate::source::without_renames;

/// A module: a file, or a block in one.
#[derive(Default)]
pub struct Module {
    pub items: Vec<Item>,
    /// The modules below it by name, each with its attributes, and whether it is public.
    pub children: BTreeMap<String, (Module, Vec<Attribute>, bool)>,
}

impl Module {
    /// Reads a file and those of the modules below it, tests left out.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let file = syn::parse_file(&text).map_err(|error| wrong(error.to_string()))?;
        let folder = match path.ends_with("lib.rs") {
            true => path.with_file_name(""),
            false => path.with_extension(""),
        };
        Self::of(file.items, &folder)
    }

    fn of(items: Vec<Item>, folder: &Path) -> Result<Self, String> {
        let mut module = Self::default();
        for item in items {
            match item {
                Item::Mod(item) if lines::condition(&item.attrs).contains("cfg(test)") => {}
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let child = match item.content {
                        Some((_, items)) => Self::of(items, &folder.join(&name))?,
                        None => Self::read(&folder.join(format!("{name}.rs")))?,
                    };
                    let is_public = lines::is_public(&item.vis);
                    module.children.insert(name, (child, item.attrs, is_public));
                }
                Item::Macro(item) if item.mac.path.is_ident("stored") => {
                    let tokens = without_renames(item.mac.tokens.clone());
                    let stored = syn::parse2::<ItemStruct>(tokens);
                    module.items.push(stored.map_or(Item::Macro(item), Item::Struct));
                }
                item => module.items.push(item),
            }
        }
        Ok(module)
    }

    /// Every item of every module, each with the place of its module.
    pub fn visit(&self, place: &[String], visitor: &mut impl FnMut(&[String], &Item)) {
        self.items.iter().for_each(|item| visitor(place, item));
        for (name, (child, ..)) in &self.children {
            let place: Vec<_> = place.iter().chain([name]).cloned().collect();
            child.visit(&place, visitor);
        }
    }

    /// Whether a path in the module at `place` leads to what has this name in this module.
    pub fn leads_to(&self, place: &[String], path: &[String], module: &Module, name: &str) -> bool {
        let found = self.resolve(place, path);
        found.is_some_and(|(at, found)| std::ptr::eq(at, module) && found == name)
    }

    /// The items of this name that stand here.
    pub fn named(&self, wanted: &str) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| name(item).as_deref() == Some(wanted))
    }

    /// What a macro of this module is called with that has this name in its definition: what the
    /// macro makes of the type. Nothing where there is no such macro.
    pub fn made_by_macro(&self, wanted: &str) -> Option<Vec<String>> {
        let is_definition = |item: &ItemMacro| item.mac.path.is_ident("macro_rules");
        let macros = || {
            self.items.iter().filter_map(|item| match item {
                Item::Macro(item) => Some(item),
                _ => None,
            })
        };
        let definitions = macros().filter(|item| is_definition(item));
        let makes = definitions.filter(|item| lines::all_words(&item.mac.tokens).contains(wanted));
        let names: Vec<_> = makes.filter_map(|item| item.ident.as_ref()).collect();
        let calls = macros().filter(|item| names.iter().any(|name| item.mac.path.is_ident(*name)));
        let parts = calls.flat_map(|call| lines::words(&call.mac.tokens)).collect();
        (!names.is_empty()).then_some(parts)
    }

    /// The module in which the item stands that a path in the module at `place` leads to, through
    /// re-exports, and its name there.
    pub fn resolve(&self, place: &[String], path: &[String]) -> Option<(&Module, String)> {
        let (name, modules) = path.split_last()?;
        let mut at: Vec<String> = place.to_vec();
        for step in modules {
            match &**step {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                step => at.push(step.to_owned()),
            }
        }
        let module = self.at(&at)?;
        let uses = module.items.iter().filter_map(|item| match item {
            Item::Use(item) => Some(public_uses(&item.tree)),
            _ => None,
        });
        match uses.flatten().find(|(_, offered)| offered == name) {
            Some((from, _)) if module.named(name).next().is_none() => self.resolve(&at, &from),
            _ => Some((module, name.clone())),
        }
    }

    fn at(&self, place: &[String]) -> Option<&Module> {
        let Some((first, rest)) = place.split_first() else { return Some(self) };
        self.children.get(first)?.0.at(rest)
    }
}

/// The name of what can be exported.
pub fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Struct(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Const(item) => item.ident.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Union(item) => item.ident.to_token_stream().to_string(),
        _ => return None,
    })
}

/// The paths of a `use`, each with the name that it has here.
pub fn public_uses(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let mut found = public_uses(&path.tree);
            found.iter_mut().for_each(|(from, _)| from.insert(0, path.ident.to_string()));
            found
        }
        UseTree::Group(group) => group.items.iter().flat_map(public_uses).collect(),
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        // The house has none: each name would have to be looked for in every module.
        UseTree::Glob(_) => vec![(vec!["*".to_owned()], "*".to_owned())],
    }
}
