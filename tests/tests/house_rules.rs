//! The house rules that a program can check: heads of files, directions of imports, and that no
//! conformance case is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use partnerkit::storage::conformance::cases;

/// Where the methods of the public handles are.
const HANDLES: [&str; 3] = ["core/src/agency", "core/src/platform", "core/src/exchange"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder of the repository, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !["target", "node_modules", ".venv"].contains(&name) {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("text");
                let shown = path.strip_prefix(root()).expect("below the root");
                found.push((shown.display().to_string(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

/// The non-test part of the sources below a folder that name something they must not know.
fn offenders(folder: &str, except: &str, forbidden: &[&str]) -> Vec<String> {
    let names = |text: &str| forbidden.iter().any(|word| text.contains(word));
    let relevant = |(path, _): &(String, String)| except.is_empty() || !path.contains(except);
    let sources = sources(folder).into_iter().filter(relevant);
    sources.filter(|(_, text)| names(text)).map(|(path, _)| path).collect()
}

#[test]
fn every_file_says_at_its_head_what_it_is_for() {
    for folder in ["core", "bindings-python/src", "bindings-node/src", "examples", "tests"] {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//! "), "{path} begins without a //! head");
        }
    }
}

#[test]
fn imports_go_one_way() {
    let none: [String; 0] = [];
    let handles = ["crate::agency", "crate::platform", "crate::shared"];
    assert_eq!(offenders("core/src/storage", "conformance", &handles), none);
    for folder in ["core/src/usage", "core/src/search", "core/src/access", "core/src/reseller"] {
        assert_eq!(offenders(folder, "", &handles), none);
    }
    let upwards = ["crate::storage", "crate::reseller", "crate::usage", "crate::access"];
    assert_eq!(offenders("core/src/values", "", &[&upwards[..], &handles].concat()), none);
    let stores = ["storage::sqlite", "storage::postgres", "storage::memory", "storage::tables"];
    for (folder, own) in [
        ("core/src/storage/sqlite", "storage::sqlite"),
        ("core/src/storage/postgres", "storage::postgres"),
        ("core/src/storage/tables", "storage::tables"),
    ] {
        let others: Vec<_> = stores.into_iter().filter(|store| *store != own).collect();
        assert_eq!(offenders(folder, "", &others), none);
    }
}

#[test]
fn only_stores_know_sql() {
    let none: [String; 0] = [];
    let sql = ["SELECT ", "INSERT INTO", "rusqlite", "tokio_postgres"];
    for folder in ["agency", "platform", "usage", "search", "access", "reseller", "values"] {
        assert_eq!(offenders(&format!("core/src/{folder}"), "", &sql), none);
    }
}

#[test]
fn no_conformance_case_is_forgotten() {
    let listed: BTreeSet<_> = cases().iter().map(|case| case.name.to_owned()).collect();
    let mut written = BTreeSet::new();
    for (path, text) in sources("core/src/storage/conformance") {
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("pub(super) fn ") else { continue };
            let (name, arguments) = rest.split_once('(').expect("a function");
            if arguments.starts_with("harness: &dyn Harness)") {
                assert!(written.insert(name.to_owned()), "{path}: {name} twice");
            }
        }
    }
    assert_eq!(written.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(written.len(), listed.len());
}

/// The public methods of the handles that can fail, by name.
fn operations() -> BTreeSet<String> {
    let folders = HANDLES.into_iter().flat_map(sources);
    let texts = folders.filter(|(path, _)| !path.ends_with("builder.rs"));
    let mut found = BTreeSet::new();
    for (_, text) in texts {
        for method in text.split("\n    pub fn ").skip(1) {
            let (signature, _) = method.split_once('{').expect("a body");
            if signature.contains("&self") && signature.contains("-> Result<") {
                found.insert(method.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

/// S53, and that nothing is missing on tokio.
#[test]
fn every_operation_is_a_span_and_has_an_asynchronous_twin() {
    let texts: String = HANDLES.into_iter().flat_map(sources).map(|(_, t)| t).collect();
    let (_, twins) = sources("core/src")
        .into_iter()
        .find(|(path, _)| path.ends_with("asynchronous.rs"))
        .expect("the asynchronous handles");
    let operations = operations();
    assert!(operations.len() > 30, "{operations:?}");
    for operation in operations {
        assert!(texts.contains(&format!("observe(\"{operation}\"")), "{operation} is no span");
        assert!(twins.contains(&format!("fn {operation}(")), "{operation} has no twin");
    }
}
