//! The semantics clause by clause (`tests/semantics.json`): each clause names tests that are
//! there, or says that it has none, and no test names a line that nobody has written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use partnerkit::storage::conformance::cases;
use partnerkit_tests::repository::{files, root, sources};
use partnerkit_tests::vectors;
use serde::Deserialize;

/// How many lines the semantics have.
const LINES: u32 = 64;

/// What one line promises, or a part of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clause {
    /// The line, and a letter: `S33.b`.
    clause: String,
    /// In a few words.
    says: String,
    /// The tests that fail when it is broken.
    #[serde(default)]
    by: Vec<String>,
    /// Why there are none.
    state: Option<State>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
enum State {
    #[serde(rename = "not built")]
    NotBuilt,
    #[serde(rename = "unproven")]
    Unproven,
}

fn clauses() -> Vec<Clause> {
    let text = fs::read_to_string(root().join("tests/semantics.json")).expect("the clauses");
    serde_json::from_str(&text).expect("clauses")
}

/// Of each line the tests that its clauses name.
fn named_by_line(clauses: &[Clause]) -> BTreeMap<u32, BTreeSet<&str>> {
    let mut lines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for Clause { clause, by, .. } in clauses {
        let line = clause.strip_prefix('S').and_then(|rest| rest.split_once('.'));
        let line = line.and_then(|(line, _)| line.parse().ok());
        let line = line.unwrap_or_else(|| panic!("{clause} is not like S33.b"));
        lines.entry(line).or_default().extend(by.iter().map(String::as_str));
    }
    lines
}

/// The functions of a Rust file that are tests: those that are run.
fn rust_tests(text: &str) -> Vec<String> {
    let mut attributes = Vec::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            attributes.push(line);
        } else if !line.starts_with("//") {
            let is_test = attributes.contains(&"#[test]");
            let is_run = !attributes.iter().any(|attribute| attribute.starts_with("#[ignore"));
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next());
            found.extend(name.filter(|_| is_test && is_run).map(str::to_owned));
            attributes.clear();
        }
    }
    found
}

/// The functions of a Python file that are tests.
fn python_tests(text: &str) -> Vec<String> {
    let defined = text.lines().map(str::trim_start).filter_map(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("def ")?.split('(').next()
    });
    defined.filter(|name| name.starts_with("test_")).map(str::to_owned).collect()
}

/// The sentences of a JavaScript file that name tests.
fn node_tests(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| line.trim_start().strip_prefix("test('"));
    named.filter_map(|rest| rest.split('\'').next()).map(str::to_owned).collect()
}

/// Every test of every language, with the lines that its name or its `proves` tell.
fn tests() -> BTreeMap<String, BTreeSet<u32>> {
    let mut found: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let mut names: Vec<String> = cases().iter().map(|case| case.name.to_owned()).collect();
    for folder in ["core", "examples", "tests"] {
        names.extend(sources(folder).iter().flat_map(|(_, text)| rust_tests(text)));
    }
    for (_, text) in files("bindings-python/tests", &["py"]) {
        names.extend(python_tests(&text));
    }
    for (_, text) in files("bindings-node/test", &["js"]) {
        names.extend(node_tests(&text));
    }
    for name in names {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric());
        let lines = words.filter_map(|word| word.strip_prefix(['S', 's'])?.parse().ok());
        found.insert(name.clone(), lines.collect());
    }
    for vector in vectors::files().into_values().flat_map(|file| file.cases) {
        let line = |line: &String| line.strip_prefix('S').and_then(|line| line.parse().ok());
        let lines = vector.proves.iter().map(|name| line(name).unwrap_or_else(|| panic!("{name}")));
        found.insert(vector.name.clone(), lines.collect());
    }
    found
}

const NONE: [String; 0] = [];

#[test]
fn every_line_has_clauses_in_order() {
    let clauses = clauses();
    let lines = named_by_line(&clauses);
    assert_eq!(lines.into_keys().collect::<Vec<_>>(), (1..=LINES).collect::<Vec<_>>());
    let mut expected = Vec::new();
    for line in 1..=LINES {
        let begins = format!("S{line}.");
        let of_line = clauses.iter().filter(|clause| clause.clause.starts_with(&begins));
        expected.extend(of_line.zip('a'..).map(|(_, letter)| format!("{begins}{letter}")));
    }
    let written: Vec<_> = clauses.iter().map(|clause| clause.clause.clone()).collect();
    assert_eq!(written, expected);
    let says: BTreeSet<_> =
        clauses.iter().map(|clause| (&clause.clause[..3], &clause.says)).collect();
    assert_eq!(says.len(), clauses.len(), "none is said twice");
}

#[test]
fn every_clause_names_a_test_or_says_why_there_is_none() {
    let tests = tests();
    assert!(tests.len() > 500, "{} tests", tests.len());
    let mut wrong = Vec::new();
    for Clause { clause, says, by, state } in &clauses() {
        let unknown = by.iter().filter(|name| !tests.contains_key(*name));
        wrong.extend(unknown.map(|name| format!("{clause}: there is no test {name}")));
        if says.trim().is_empty() || by.is_empty() == state.is_none() {
            wrong.push(format!("{clause}: it says something, and has either tests or a state"));
        }
    }
    assert_eq!(wrong, NONE);
}

#[test]
fn every_test_that_names_a_line_is_named_by_one_of_its_clauses() {
    let clauses = clauses();
    let lines = named_by_line(&clauses);
    let mut wrong = Vec::new();
    for (name, told) in &tests() {
        let is_named = |line: &&u32| lines.get(line).is_some_and(|names| names.contains(&**name));
        let missing = told.iter().filter(|line| !is_named(line));
        wrong.extend(missing.map(|line| format!("S{line} has no clause by {name}")));
    }
    assert_eq!(wrong, NONE);
}

#[test]
fn tests_are_found_in_every_language() {
    let rust =
        "#[test]\n    /// It is.\n    fn one() {}\n#[test]\n#[ignore]\nfn two() {}\nfn three() {}";
    assert_eq!(rust_tests(rust), ["one"]);
    let python = "async def test_one():\n    def test_two(self):\ndef helper():";
    assert_eq!(python_tests(python), ["test_one", "test_two"]);
    assert_eq!(node_tests("test('it is', async () => {\n  it('is not', 1)"), ["it is"]);
}
