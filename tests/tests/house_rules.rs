//! The house rules that a program can check: heads of files, directions of imports, where SQL is,
//! and that no conformance case and no operation is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use partnerkit::storage::conformance::cases;
use partnerkit_tests::repository::{files, root, sources};

/// The public handles.
const HANDLES: [&str; 2] = ["Agency", "Platform"];
/// Methods that only change the handle and do not use the store, and so have no span.
const NO_SPAN: [&str; 1] = ["acting_as"];

/// The files of a module of the core, `X.rs` and all in `X/`, without comments, which may mention
/// anything.
fn module(name: &str) -> Vec<(String, String)> {
    let (file, folder) = (format!("core/src/{name}.rs"), format!("core/src/{name}/"));
    let mut found = sources("core/src");
    found.retain(|(path, _)| *path == file || path.starts_with(&folder));
    assert!(!found.is_empty(), "{name} is a module");
    found.into_iter().map(|(path, text)| (path, without_comments(&text))).collect()
}

fn without_comments(text: &str) -> String {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    text.lines().map(code).collect()
}

/// The re-exports of the core's root, with the modules that they come from.
fn re_exports() -> BTreeMap<String, String> {
    let (_, text) = module("lib").remove(0);
    let mut found = BTreeMap::new();
    for given in text.split("pub use ").skip(1) {
        let (path, _) = given.split_once(';').expect("a statement");
        for path in paths(path) {
            let (module, name) = path.split_once("::").expect("a path");
            found.insert(name.rsplit("::").next().unwrap_or(name).to_owned(), module.to_owned());
        }
    }
    assert!(found.len() > 50, "{found:?}");
    found
}

/// The paths of a tree like `a::{b, c::{d, e}}`, which may be followed by other text.
fn paths(tree: &str) -> Vec<String> {
    let part = |c: char| c.is_alphanumeric() || "_:".contains(c);
    let end = tree.find(|c| !part(c)).unwrap_or(tree.len());
    let (first, rest) = tree.split_at(end);
    if !first.is_empty() && !first.ends_with("::") || !rest.starts_with('{') {
        return vec![first.to_owned()];
    }
    let (mut depth, mut begins, mut found) = (0, 1, Vec::new());
    for (at, c) in rest.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if (c == ',' && depth == 1) || depth == 0 {
            let inner = rest[begins..at].trim();
            if !inner.is_empty() {
                found.extend(paths(inner).into_iter().map(|path| format!("{first}{path}")));
            }
            begins = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The names of the core that a file uses, each with its module: `crate::Agency` is
/// `agency::Agency`.
fn named(text: &str, re_exports: &BTreeMap<String, String>) -> BTreeSet<String> {
    let of_module = |path: String| {
        let first = path.split("::").next().unwrap_or_default();
        re_exports.get(first).map_or(path.clone(), |module| format!("{module}::{path}"))
    };
    text.split("crate::").skip(1).flat_map(paths).map(of_module).collect()
}

/// The files of modules that use a forbidden name of the core.
fn know<'n>(modules: impl IntoIterator<Item = &'n str>, forbidden: &[&str]) -> Vec<String> {
    let re_exports = re_exports();
    let is = |path: &String| {
        let below = |module: &&str| path == module || path.starts_with(&format!("{module}::"));
        forbidden.iter().any(below)
    };
    let files = modules.into_iter().flat_map(module);
    let offenders = files.flat_map(|(file, text)| {
        let wrong = named(&text, &re_exports).into_iter().filter(|path| is(path));
        wrong.map(|path| format!("{file}: {path}")).collect::<Vec<_>>()
    });
    offenders.collect()
}

const NONE: [String; 0] = [];

#[test]
fn every_file_says_at_its_head_what_it_is_for() {
    let bindings = ["bindings-mobile", "bindings-node/src", "bindings-python/src"];
    for folder in bindings.into_iter().chain(["core", "examples", "tests"]) {
        for (path, text) in sources(folder) {
            // An included file cannot have documentation of its own.
            let head = if path.starts_with("core/docs/examples/") { "// " } else { "//! " };
            assert!(text.starts_with(head), "{path} begins without a {head}head");
        }
    }
}

#[test]
fn what_a_file_names_is_found_in_every_form() {
    let text =
        "use crate::{Agency, storage::{self, sqlite::Sqlite}, values};\n crate::clock::now();";
    let found = named(text, &re_exports());
    let expected =
        ["agency::Agency", "clock::now", "storage::self", "storage::sqlite::Sqlite", "values"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

/// The modules above everything else in the core.
const ABOVE: [&str; 4] = ["asynchronous", "exchange", "form", "handles"];
/// The nouns with their rules and operations, and the modules that these work with.
const NOUNS: [&str; 10] = [
    "access",
    "agency",
    "changes",
    "login_domain",
    "platform",
    "reseller",
    "search",
    "shared",
    "tenant",
    "usage",
];
const BELOW: [&str; 7] =
    ["clock", "error", "forking", "given", "partner_type", "process", "values"];
const STORES: [&str; 4] =
    ["storage::memory", "storage::postgres", "storage::sqlite", "storage::host"];

fn path(module: &str) -> String {
    module.replace("::", "/")
}

/// The modules that a file declares.
fn declared(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(file)).expect("text");
    let names = text.lines().filter_map(|line| line.trim().strip_suffix(';'));
    let declared = names.filter_map(|line| {
        line.split_once("mod ").filter(|(before, _)| ["", "pub ", "pub(crate) "].contains(before))
    });
    declared.map(|(_, name)| name.to_owned()).collect()
}

/// The stores and their shared modules, without the conformance suite, which uses everything.
fn of_storage() -> Vec<String> {
    let mut found = declared("core/src/storage.rs");
    assert!(found.remove("conformance"));
    found.into_iter().map(|name| format!("storage/{name}")).collect()
}

#[test]
fn imports_go_one_way() {
    let storage = of_storage();
    let below = NOUNS.into_iter().chain(BELOW).chain(["records", "schema"]);
    assert_eq!(know(below.chain(storage.iter().map(String::as_str)), &ABOVE), NONE);
    // `wire` serializes every record, and calls nothing.
    assert_eq!(know(["wire"], &["asynchronous", "platform", "shared", "tenant"]), NONE);
    assert_eq!(know(["values"], &[&NOUNS[..], &["records", "schema", "storage"]].concat()), NONE);
}

/// A store moves rows of tables that are described as data, and does not know what they mean. Only
/// the list of tables, which is above the stores, names the nouns. The searches of SQLite and
/// PostgreSQL know the pieces of a text.
#[test]
fn no_store_knows_a_noun() {
    let storage = of_storage();
    let mut above = [&NOUNS[..], &["records", "schema::entity"]].concat();
    above.retain(|noun| *noun != "search");
    assert_eq!(know(storage.iter().map(String::as_str), &above), NONE);
}

/// Only a noun knows its own rows; code that works on all of them is in the agency.
#[test]
fn records_are_of_any_noun() {
    let mut found = know(["records"], &NOUNS);
    found.retain(|offender| !offender.ends_with(": agency::AgencyRow"));
    assert_eq!(found, NONE);
}

/// No store knows another one, and outside the stores only the builder knows them, because it opens
/// them.
#[test]
fn stores_are_known_to_nobody() {
    for own in STORES {
        let others: Vec<_> = STORES.into_iter().filter(|store| *store != own).collect();
        assert_eq!(know([&*path(own)], &others), NONE);
    }
    let mut shared = of_storage();
    shared.retain(|module| !STORES.map(path).contains(module));
    let rest = ABOVE.into_iter().chain(NOUNS).chain(BELOW).chain(["wire"]);
    let mut found = know(rest.chain(shared.iter().map(String::as_str)), &STORES);
    found.retain(|offender| !offender.starts_with("core/src/platform/builder.rs: "));
    assert_eq!(found, NONE);
}

/// Every module of the core is under one of the rules.
#[test]
fn no_module_escapes() {
    let ruled = ABOVE.into_iter().chain(NOUNS).chain(BELOW);
    let others = ["guide", "wire", "observe", "records", "schema", "storage"];
    assert_eq!(declared("core/src/lib.rs"), ruled.chain(others).map(str::to_owned).collect());
    let stores = STORES.map(path);
    assert!(stores.iter().all(|store| of_storage().contains(store)));
}

const SQL: [&str; 6] =
    ["SELECT ", "INSERT INTO", "DELETE FROM", "rusqlite", "tokio_postgres", "sqlite3."];

fn with_sql(files: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let has = |text: &str| SQL.iter().any(|word| text.contains(word));
    files.into_iter().filter(|(_, text)| has(text)).map(|(path, _)| path).collect()
}

#[test]
fn only_stores_know_sql() {
    let knows = ["storage/sqlite", "storage/postgres", "storage/sql"];
    for store in knows {
        assert_ne!(with_sql(module(store)), NONE, "{store} has some");
    }
    let may = |path: &str| {
        knows.iter().any(|store| {
            path == format!("core/src/{store}.rs")
                || path.starts_with(&format!("core/src/{store}/"))
        })
    };
    let mut others = sources("core/src");
    others.retain(|(path, _)| !may(path));
    let others = others.into_iter().map(|(path, text)| (path, without_comments(&text)));
    assert_eq!(with_sql(others), NONE);
}

/// A binding only converts. The only stores in bindings are Django's and Kysely's.
#[test]
fn no_binding_knows_sql() {
    let django = "bindings-python/python/partnerkit/django/";
    let mut files = files("bindings-python/python", &["py", "pyi"]);
    // Those are pages, and name what they warn of.
    files.retain(|(path, _)| !path.contains("/guides/"));
    let (stores, others): (Vec<_>, Vec<_>) =
        files.drain(..).partition(|(path, _)| path.starts_with(django));
    assert_ne!(with_sql(stores), NONE, "it has some");
    assert_eq!(with_sql(others), NONE);
    for (folder, endings) in [
        ("bindings-mobile", &["rs", "kt"] as &[_]),
        ("bindings-python/src", &["rs"]),
        ("bindings-node/src", &["rs"]),
        ("bindings-node/lib", &["ts"]),
        ("bindings-node/test", &["js"]),
        ("examples", &["rs"]),
    ] {
        let mut files = partnerkit_tests::repository::files(folder, endings);
        files.retain(|(path, _)| !path.contains("/kysely"));
        assert_eq!(with_sql(files), NONE);
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

/// The contents of the `impl` blocks of the public handles, in all files.
fn handles() -> Vec<String> {
    let files = sources("core/src").into_iter();
    let files = files.filter(|(path, _)| !path.contains("asynchronous"));
    let mut found = Vec::new();
    for (_, text) in files {
        let text = without_comments(&text);
        for handle in HANDLES {
            let begin = format!("\nimpl {handle} {{");
            let blocks = text.split(&begin).skip(1);
            found.extend(blocks.map(|block| block.split("\n}\n").next().unwrap_or("").to_owned()));
        }
    }
    found
}

/// The public methods of the handles that can fail, by name.
fn operations() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in handles() {
        for method in text.split("\n    pub fn ").skip(1) {
            let (signature, _) = method.split_once('{').expect("a body");
            if signature.contains("&self") && signature.contains("-> Result<") {
                found.insert(method.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

/// S53; also, nothing is missing in the asynchronous handles, neither generated nor written by
/// hand.
#[test]
fn every_operation_is_a_span_and_has_an_asynchronous_twin() {
    let texts = handles().concat();
    let twins = sources("core/src").into_iter().filter(|(path, _)| path.contains("asynchronous"));
    let twins: String = twins.map(|(_, text)| text).collect();
    let operations = operations();
    assert!(operations.len() > 30, "{operations:?}");
    for operation in operations {
        let is_span = texts.contains(&format!("observe(\"{operation}\""));
        assert_ne!(is_span, NO_SPAN.contains(&&*operation), "{operation} is no span");
        assert!(twins.contains(&format!("fn {operation}(")), "{operation} has no twin");
    }
}

/// What is not in the list of operations would escape all that is generated from it: the other
/// languages, the vectors, and the proof that nothing reaches into another agency.
#[test]
fn every_operation_is_in_the_surface() {
    let text = fs::read_to_string(root().join("tests/surface.json")).expect("the surface");
    let surface: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let listed = ["platform", "agency"].into_iter().flat_map(|handle| {
        surface[handle].as_array().expect("operations").iter().map(|o| o["name"].clone())
    });
    let mut listed: BTreeSet<_> = listed.map(|n| n.as_str().expect("a name").to_owned()).collect();
    listed.extend(NO_SPAN.map(str::to_owned));
    assert_eq!(operations(), listed);
}
