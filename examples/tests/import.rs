//! The import as a user runs it: on the built-in sample, twice.

use std::process::{Command, Output};

fn import(store: &str) -> String {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_import"))
        .args(["--store", store])
        .output()
        .expect("starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// The lines from the overview on.
fn overview(said: &str) -> &str {
    &said[said.find("Overview").expect("an overview")..]
}

#[test]
fn a_second_run_creates_and_counts_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = format!("sqlite:{}", folder.path().join("resellers.db").display());
    let (first, second) = (import(&store), import(&store));
    assert!(first.contains("220 created, 0 there already, 6 refused"), "{first}");
    assert!(second.contains("0 created, 220 there already, 6 refused"), "{second}");
    assert!(first.contains("domains: an earlier row has the same"), "{first}");
    assert!(first.contains("name contains a character that cannot be shown"), "{first}");
    assert!(first.contains(" events counted, 0 counted before, 0 refused"), "{first}");
    // Past midnight (UTC) the second run has another yesterday to count.
    if second.contains("\n0 events counted") {
        assert_eq!(overview(&first), overview(&second));
    }
    assert!(overview(&first).contains("\n  00 01 02 03"), "{first}");
    assert!(overview(&first).contains("██ ██"), "{first}");
    assert!(overview(&first).contains("active resellers                 220"), "{first}");
}

#[test]
fn a_mistake_is_said_in_a_sentence() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_import")).args(arguments).output();
        let Output { status, stderr, .. } = output.expect("starts");
        assert!(!status.success());
        String::from_utf8(stderr).expect("text")
    };
    assert!(run(&["missing.json"]).starts_with("import: missing.json: No such file"));
    assert!(run(&["--store", "mysql://x"]).starts_with("import: configuration: the store's URL"));
    assert!(run(&["--stor"]).starts_with("unknown option --stor"));
    assert!(run(&["--store", "memory:", "--agency", "No Slug"]).contains("is not valid"));
}
