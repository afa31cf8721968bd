//! What may be given any bytes: nothing panics, and what is promised of every answer holds.
//!
//! A fuzzer runs one target for hours (`core/fuzz`); the tests run each for a moment, on its seeds
//! and on what small damage makes of them.

mod forms;
mod import;
mod texts;
mod values;

/// Something that takes any bytes.
pub struct Target {
    /// Its name, which is that of the fuzzer's program, too.
    pub name: &'static str,
    /// Gives it some bytes, and panics where an answer is wrong.
    pub run: fn(&[u8]),
    /// Bytes that get far into it.
    pub seeds: &'static [&'static str],
}

/// Every target.
pub const TARGETS: [Target; 4] = [
    Target { name: "forms", run: forms::run, seeds: forms::SEEDS },
    Target { name: "import", run: import::run, seeds: import::SEEDS },
    Target { name: "texts", run: texts::run, seeds: texts::SEEDS },
    Target { name: "values", run: values::run, seeds: values::SEEDS },
];

/// Gives bytes to the target of this name.
///
/// # Panics
/// Where an answer is wrong, or no target has this name.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("the name of a target").run)(bytes);
}
