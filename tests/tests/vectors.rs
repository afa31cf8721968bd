//! Runs all vectors in Rust on every store, and checks that they leave nothing out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use partnerkit::Code;
use partnerkit_tests::vectors::{Case, files, perform};
use serde_json::Value;

/// The lines of the semantics that are visible from outside, as far as they are implemented.
const VISIBLE: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 37, 38, 39, 41, 43, 44, 46, 47, 48, 49, 51, 55, 56, 57, 58,
];

/// Runs all vectors, each case on a store of its own, which is kept until the case has ended. The
/// result says whether each case has held.
fn results<K>(store: impl Fn() -> (String, K)) -> BTreeMap<String, bool> {
    results_of(perform::run, store)
}

/// The same with another way of performing a case.
fn results_of<K>(run: fn(&Case, &str), store: impl Fn() -> (String, K)) -> BTreeMap<String, bool> {
    let mut results = BTreeMap::new();
    for (file, vectors) in files() {
        assert!(!vectors.about.is_empty(), "{file} says what it is about");
        for case in &vectors.cases {
            let (url, _kept) = store();
            let held = std::panic::catch_unwind(|| run(case, &url)).is_ok();
            results.insert(format!("{file}: {}", case.name), held);
        }
    }
    results
}

fn every_vector_holds(results: &BTreeMap<String, bool>) {
    let failed = results.iter().filter(|(_, held)| !**held).map(|(name, _)| name);
    assert_eq!(failed.collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(results.len() > 40, "{} cases", results.len());
}

/// Writes results for `tests/parity`.
fn tell_parity(language: &str, results: &BTreeMap<String, bool>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/parity");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = serde_json::to_string_pretty(results).expect("JSON");
    std::fs::write(folder.join(format!("{language}.json")), text).expect("written");
}

#[test]
fn every_vector_holds_in_memory() {
    let results = results(|| ("memory:".to_owned(), ()));
    tell_parity("rust", &results);
    every_vector_holds(&results);
}

#[test]
fn every_vector_holds_when_its_calls_are_awaited() {
    let results = results_of(perform::run_awaited, || ("memory:".to_owned(), ()));
    tell_parity("rust-async", &results);
    every_vector_holds(&results);
}

#[test]
fn every_vector_holds_in_a_file() {
    every_vector_holds(&results(|| {
        let folder = tempfile::tempdir().expect("a folder");
        (format!("sqlite:{}", folder.path().join("resellers.db").display()), folder)
    }));
}

#[cfg(feature = "postgres-server")]
#[test]
fn every_vector_holds_on_postgres() {
    every_vector_holds(&results(|| {
        let database = partnerkit_tests::postgres::Database::create();
        (database.url.clone(), database)
    }));
}

/// All codes in the expected result of a step.
fn codes(of: &Value, into: &mut BTreeSet<String>) {
    match of {
        Value::Array(items) => items.iter().for_each(|item| codes(item, into)),
        // A country has a code, too, but of another kind.
        Value::Object(fields) if fields.contains_key("calling_code") => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(slug) if name == "code" || name == "refused" => {
                        into.insert(slug.to_owned());
                    }
                    _ => codes(value, into),
                }
            }
        }
        _ => {}
    }
}

/// Codes are collected from expected results, not from actual ones, so every language that runs the
/// vectors produces each code.
#[test]
fn every_field_code_is_expected() {
    let mut expected = BTreeSet::new();
    let files = files();
    let steps = files.values().flat_map(|file| &file.cases).flat_map(|case| &case.steps);
    for answer in steps.flat_map(|step| [&step.gives, &step.fails]).flatten() {
        codes(answer, &mut expected);
    }
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.slug().to_owned()).collect();
    assert_eq!(all.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new(), "missing");
    assert_eq!(expected.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "unknown");
}

#[test]
fn every_line_that_can_be_seen_has_a_vector() {
    let files = files();
    let cases = files.values().flat_map(|file| &file.cases);
    let proven: BTreeSet<_> = cases.flat_map(|case| case.proves.iter().cloned()).collect();
    let missing = VISIBLE.iter().filter(|line| !proven.contains(&format!("S{line}")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&u32>::new());
}
