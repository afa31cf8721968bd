//! Every public function of the core has an example in its documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The functions without an example, and the reasons.
const EXCEPT: [(&str, &str); 5] = [
    ("$name::as_str", "a macro writes it for each value; the value's `parse` shows it"),
    ("TableStore", "a whole store takes a page; `storage/memory.rs` is the plainest one"),
    ("TableTransaction", "as `TableStore`"),
    ("Verbs", "as `TableStore`"),
    ("remove_by_key", "is for implementations of `Verbs`"),
];

/// The generated twins name the operation that they await, which has an example.
const TWINS: &str = "asynchronous/twins.rs";

/// There is no server on which examples of these could run.
const NEEDS_A_SERVER: &str = "storage/postgres.rs";

/// Something that a user can call or implement.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    /// `Type::function`, or the name of a function without a type.
    name: String,
    /// The lines of its documentation.
    documentation: Vec<String>,
}

impl Item {
    /// The opening lines of its code blocks.
    fn blocks(&self) -> impl Iterator<Item = &str> {
        let fences = self.documentation.iter().filter_map(|line| line.strip_prefix("```"));
        fences.step_by(2)
    }

    fn has_example(&self, path: &str) -> bool {
        self.blocks().any(|kind| match kind {
            "" => true,
            "no_run" => path.ends_with(NEEDS_A_SERVER),
            _ => false,
        })
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name that follows one of these words.
fn named<'l>(line: &'l str, words: &[&str]) -> Option<&'l str> {
    let rest = words.iter().find_map(|word| line.trim_start().strip_prefix(word))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && !"_$".contains(c));
    Some(&rest[..end.unwrap_or(rest.len())])
}

const FUNCTIONS: [&str; 3] = ["pub fn ", "pub const fn ", "pub async fn "];

/// The type that an `impl` is of.
fn implemented(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generic) => generic.split_once("> ")?.1,
        None => rest.strip_prefix(' ')?,
    };
    named(&format!("impl {rest}"), &["impl "]).map(str::to_owned)
}

/// The functions, traits and macros of a file that are declared public.
fn items(text: &str) -> Vec<Item> {
    let lines: Vec<_> = text.lines().collect();
    let documentation = |at: usize| {
        let above = lines[..at].iter().rev().map(|line| line.trim_start());
        let above = above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
        let mut found: Vec<_> = above.collect();
        found.reverse();
        found
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let name = if let Some(function) = named(line, &FUNCTIONS) {
            let block = |above: &&&str| indentation(above) + 4 == indentation(line);
            let blocks = lines[..at].iter().rev().filter(block);
            match blocks.filter_map(|above| implemented(above)).next() {
                _ if indentation(line) == 0 => function.to_owned(),
                Some(of) => format!("{of}::{function}"),
                None => continue, // in a module of tests
            }
        } else if let Some(name) = named(line, &["pub trait "]) {
            name.to_owned()
        } else if line.starts_with("macro_rules! ") && lines[at - 1] == "#[macro_export]" {
            format!("{}!", named(line, &["macro_rules! "]).unwrap_or_default())
        } else {
            continue;
        };
        let documentation = documentation(at);
        if !documentation.contains(&"#[doc(hidden)]") {
            let text = documentation.iter().filter_map(|line| line.strip_prefix("///"));
            let documentation = text.map(|line| line.trim_start().to_owned()).collect();
            found.push(Item { name, documentation });
        }
    }
    found
}

fn core() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("text");
                let shown = path.strip_prefix(&root).expect("below the root").display();
                found.push((shown.to_string(), text));
            }
        }
    }
    found
}

/// The files of the public modules: the root, and all that are reached by `pub mod`.
fn public_modules(files: &[(String, String)]) -> Vec<&(String, String)> {
    let of = |path: &str| files.iter().find(|(file, _)| file == path).expect("a module's file");
    let mut found = vec![of("lib.rs")];
    let mut next = 0;
    while next < found.len() {
        let (path, text) = found[next];
        let folder = path.strip_suffix(".rs").expect("a source");
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let hidden = at > 0 && lines[at - 1] == "#[doc(hidden)]";
            let elsewhere = !hidden && line.ends_with(';');
            if let Some(module) = named(line, &["pub mod "]).filter(|_| elsewhere) {
                let below = if folder == "lib" { String::new() } else { format!("{folder}/") };
                found.push(of(&format!("{below}{module}.rs")));
            }
        }
        next += 1;
    }
    found
}

/// The names that a user can reach: the public modules' declarations and re-exports.
fn reachable(modules: &[&(String, String)]) -> BTreeSet<String> {
    let declaring = ["pub struct ", "pub enum ", "pub trait ", "pub fn "];
    let mut found = BTreeSet::new();
    for (_, text) in modules {
        let declared = text.lines().filter(|line| indentation(line) == 0);
        found.extend(declared.filter_map(|line| named(line, &declaring)).map(str::to_owned));
        for given in text.split("\npub use ").skip(1) {
            let (names, _) = given.split_once(';').expect("a statement");
            let words = names.split(|c: char| !c.is_alphanumeric() && c != '_');
            found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    found
}

/// Whether a file has a private type with the same name as a reachable one.
fn is_private(name: &str, text: &str) -> bool {
    let declaring = ["struct ", "pub(crate) struct ", "pub(super) struct "];
    text.lines().any(|line| indentation(line) == 0 && named(line, &declaring) == Some(name))
}

#[test]
fn whatever_can_be_called_has_an_example() {
    let files = core();
    let reachable = reachable(&public_modules(&files));
    let mut lacking = Vec::new();
    let (mut seen, mut excepted) = (0, BTreeSet::new());
    for (path, text) in files.iter().filter(|(path, _)| path != TWINS) {
        for item in items(text) {
            let first = item.name.split("::").next().unwrap_or_default();
            // `$name` is in a macro that implements functions for types that can be reached.
            let can_be_named = reachable.contains(first) && !is_private(first, text);
            if !can_be_named && first != "$name" && !first.ends_with('!') {
                continue;
            }
            seen += 1;
            if let Some((name, _)) = EXCEPT.iter().find(|(name, _)| *name == item.name) {
                excepted.insert(*name);
            } else if !item.has_example(path) {
                lacking.push(format!("{path}: {}", item.name));
            }
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
    assert!(seen > 180, "only {seen} functions were found");
    let needless = EXCEPT.iter().filter(|(name, _)| !excepted.contains(name));
    assert_eq!(needless.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

/// Cargo lets a program have one `libsqlite3-sys`: whose `rusqlite` is another must know which.
#[test]
fn a_guide_names_the_sqlite_that_is_linked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path| fs::read_to_string(root.join(path)).expect("text");
    let (lock, guide) = (read("Cargo.lock"), read("core/docs/guides/deploy.md"));
    for package in ["rusqlite", "libsqlite3-sys"] {
        let (_, rest) =
            lock.split_once(&format!("name = \"{package}\"\nversion = \"")).expect("is locked");
        let version = rest.split('"').next().expect("a version");
        let (version, _) = version.rsplit_once('.').expect("three numbers");
        assert!(guide.contains(&format!("`{package}` {version}")), "{package} {version}");
    }
}

#[test]
fn an_example_that_is_not_run_is_none() {
    let text = "
impl<'a> Shown<'a> {
    /// Has one.
    ///
    /// ```
    /// assert!(true);
    /// ```
    #[must_use]
    pub const fn with(self) -> Self {}

    /// ```text
    /// nothing
    /// ```
    pub fn without(self) -> Self {}

    /// ```no_run
    /// assert!(true);
    /// ```
    pub async fn unrun(self) -> Self {}
}

/// Stands alone.
pub fn alone() {}

#[doc(hidden)]
pub fn hidden() {}

pub trait Implemented {}
";
    let found: Vec<_> =
        items(text).iter().map(|item| (item.name.clone(), item.has_example("lib.rs"))).collect();
    let expected = [
        ("Shown::with", true),
        ("Shown::without", false),
        ("Shown::unrun", false),
        ("alone", false),
        ("Implemented", false),
    ];
    assert_eq!(found, expected.map(|(name, has)| (name.to_owned(), has)));
}
