//! The vectors, run in Rust: all of them, none left out; and that they leave nothing out.

use std::cell::RefCell;
use std::collections::BTreeSet;

use partnerkit::Code;
use partnerkit_tests::vectors::{files, perform};
use serde_json::Value;

/// The lines of the semantics that can be seen from outside, by what can be done so far.
const VISIBLE: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 37, 38, 39, 41, 43, 44, 46, 47, 48, 49, 51, 55, 56, 57, 58,
];

/// The codes in an answer, wherever they stand.
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

#[test]
fn every_vector_holds_and_every_field_code_is_produced() {
    let produced = RefCell::new(BTreeSet::new());
    let mut cases = 0;
    for (file, vectors) in files() {
        assert!(!vectors.about.is_empty(), "{file} says what it is about");
        for case in &vectors.cases {
            perform::run(case, |answer| codes(answer, &mut produced.borrow_mut()));
            cases += 1;
        }
    }
    assert!(cases > 40, "{cases} cases");
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.slug().to_owned()).collect();
    let produced = produced.into_inner();
    assert_eq!(
        all.difference(&produced).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "not produced"
    );
    assert_eq!(produced.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "unknown");
}

#[test]
fn every_line_that_can_be_seen_has_a_vector() {
    let files = files();
    let cases = files.values().flat_map(|file| &file.cases);
    let proven: BTreeSet<_> = cases.flat_map(|case| case.proves.iter().cloned()).collect();
    let missing = VISIBLE.iter().filter(|line| !proven.contains(&format!("S{line}")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&u32>::new());
}
