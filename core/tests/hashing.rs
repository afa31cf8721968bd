//! Hashing is bounded, and who is turned away has cost nothing (S17, S18).

use partnerkit::{ErrorKind, Platform};

#[test]
fn s18_every_attempt_is_hashed_once_or_told_to_come_again() {
    let platform = Platform::builder().hashing(1, 1).open("memory:").expect("opens");
    let attempt = || {
        let error = platform.sign_in("acme", "owner@acme.example", "wrong").expect_err("refused");
        error.kind()
    };
    let kinds: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(attempt)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let denied = kinds.iter().filter(|kind| **kind == ErrorKind::AccessDenied).count();
    let busy = kinds.iter().filter(|kind| **kind == ErrorKind::Busy).count();
    assert_eq!(denied + busy, 12);
    assert!(denied >= 1);
    assert_eq!(platform.hash_computations(), denied as u64);
    assert_eq!(attempt(), ErrorKind::AccessDenied, "free again");
}
