//! The storage contract on SQLite.

partnerkit::conformance_tests!(partnerkit_tests::InFiles::default());
