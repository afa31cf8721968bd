//! The fuzzer's program for the target of this name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| partnerkit_fuzz_targets::run("forms", bytes));
