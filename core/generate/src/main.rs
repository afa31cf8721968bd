//! Generates code and data from the library's operations and records.
//!
//! An operation is a public method of `Tenant` (one agency) or `Operator` (the whole platform) in
//! `core/src`, with its documentation. A record is a public struct that an operation takes or
//! returns. From these it generates Rust's handles, their asynchronous twins, the dispatch by name
//! that replays the vectors, the surface as data (`tests/surface.json`), Python's half and Node's, and
//! what Kotlin and Swift call of some operations. Beside these stands what the core offers to Rust
//! (`core/public-api.txt`), for reviews. From the guides (`core/docs/guides`) follow the modules that
//! show them.
//!
//! `cargo run -p partnerkit-generate` writes the files; with `--check` it compares them instead,
//! and fails if one differs.

mod api;
mod examples;
mod guides;
mod isolation;
mod mobile;
mod node;
mod python;
mod rust;
mod shared;
mod source;
mod surface;
mod types;

use std::fs;
use std::io::{Error, Result};
use std::path::Path;
use std::process::ExitCode;

use surface::Surface;

/// A generated file: its place in the repository, and its text.
type Generated = (String, String);

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    match run(check) {
        Ok(stale) if stale.is_empty() => ExitCode::SUCCESS,
        Ok(stale) => fail(&format!("run `cargo run -p partnerkit-generate`: {}", stale.join(", "))),
        Err(error) => fail(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program tells why it fails")]
fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Writes the files, or names those that differ.
fn run(check: bool) -> Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let surface = Surface::of(&source::read(&root.join("core/src"))?).map_err(Error::other)?;
    let mut stale = Vec::new();
    for (place, text) in generated(&surface, &root)? {
        let path = root.join(&place);
        if fs::read_to_string(&path).ok().as_deref() == Some(&*text) {
            continue;
        }
        if check {
            stale.push(place);
        } else {
            fs::write(path, text)?;
        }
    }
    Ok(stale)
}

fn generated(surface: &Surface, root: &Path) -> Result<Vec<Generated>> {
    let mut files = rust::files(surface, root)?;
    files.extend(python::files(surface, root)?);
    files.extend(node::files(surface, root)?);
    files.extend(mobile::files(surface, root)?);
    let data = serde_json::to_string_pretty(surface)?;
    files.push(("tests/surface.json".into(), data + "\n"));
    let api = api::snapshot(&root.join("core/src")).map_err(Error::other)?;
    files.push(("core/public-api.txt".into(), api));
    files.extend(guides::files(root)?);
    Ok(files)
}
