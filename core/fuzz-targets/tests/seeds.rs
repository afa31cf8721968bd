//! Every target takes its seeds, and what small damage makes of them: the same each time.

use fastrand::Rng;
use partnerkit_fuzz_targets::TARGETS;

/// How often each seed is damaged.
const TIMES: usize = 200;

/// Changes, doubles, removes or adds a few bytes.
fn damaged(seed: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.usize(1..=4) {
        let at = rng.usize(0..=bytes.len());
        let end = rng.usize(at..=bytes.len()).min(at + 16);
        match rng.u8(0..4) {
            0 => bytes.insert(at, rng.u8(..)),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.extend_from_within(at..end),
            _ => bytes[at..end].iter_mut().for_each(|byte| *byte = rng.u8(..)),
        }
    }
    bytes
}

/// Runs the target of this name.
fn takes_damaged_seeds(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let mut rng = Rng::with_seed(1);
    (target.run)(b"");
    for seed in target.seeds {
        (target.run)(seed.as_bytes());
        (0..TIMES).for_each(|_| (target.run)(&damaged(seed.as_bytes(), &mut rng)));
    }
}

#[test]
fn forms_take_any_values() {
    takes_damaged_seeds("forms");
}

#[test]
fn an_import_takes_any_bytes() {
    takes_damaged_seeds("import");
}

#[test]
fn what_was_given_out_is_told_from_any_text() {
    takes_damaged_seeds("texts");
}

#[test]
fn values_take_any_text() {
    takes_damaged_seeds("values");
}

/// Each target has a test above, and a program for the fuzzer.
#[test]
fn no_target_is_forgotten() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, ["forms", "import", "texts", "values"]);
    for name in names {
        let program = format!("{}/../fuzz/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(program).expect("a program");
        assert!(text.contains(&format!("run(\"{name}\"")), "{name}");
    }
}
