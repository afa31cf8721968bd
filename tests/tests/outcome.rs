//! A server that answers COMMIT with a code that does not say whether anything was committed, like
//! a distributed server that has lost a node. Runs on the server that `tests/with-postgres` starts.
#![cfg(feature = "postgres-server")]

use partnerkit::{Agency, ErrorKind, Metric, Platform, Reseller, UsageEvent};
use partnerkit_tests::invitation;
use partnerkit_tests::postgres::Database;
use partnerkit_tests::proxy::{Cut, Proxy};

/// An agency and a reseller behind a proxy that replaces answers.
struct Bench {
    platform: Platform,
    agency: Agency,
    acme: Reseller,
    proxy: Proxy,
    database: Database,
}

impl Bench {
    fn new() -> Self {
        let database = Database::create();
        let (proxy, url) = database.on_a_wire();
        let platform = Platform::open(&url).expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        let acme = agency.create_reseller(invitation("acme")).expect("creates");
        Self { platform, agency, acme, proxy, database }
    }

    fn count(&self, table: &str) -> String {
        self.database.run(&format!("SELECT count(*) FROM partnerkit.{table}")).remove(0)
    }
}

/// The outcome is unknown, so the caller gets that error, and nothing is retried automatically. If
/// the caller sends the event again, it is counted once, whether or not the first try was
/// committed.
#[test]
fn an_event_of_unknown_outcome_is_there_or_not_and_counts_once() {
    for (cut, stored) in [(Cut::CommitDenied, "1"), (Cut::CommitUndone, "0")] {
        let bench = Bench::new();
        let at = bench.acme.created_at;
        let (reseller, metric) = (bench.acme.id, Metric::MESSAGES);
        let event = UsageEvent { id: "e-1".to_owned(), reseller, metric, quantity: 3, at };
        bench.proxy.cut(cut);
        let recorded = bench.agency.record_usage(std::slice::from_ref(&event));
        assert_eq!(recorded.expect_err("unknown").kind(), ErrorKind::OutcomeUnknown);
        assert_eq!(bench.count("events"), stored);
        // The connection can still be used.
        bench.agency.record_usage(&[event]).expect("records");
        assert_eq!(bench.count("events"), "1");
        let meters = bench.database.run("SELECT value FROM partnerkit.meters");
        assert_eq!(meters, ["3"]);
    }
}

#[test]
fn a_reseller_of_unknown_outcome_is_there_or_not() {
    for (cut, there) in [(Cut::CommitDenied, true), (Cut::CommitUndone, false)] {
        let bench = Bench::new();
        bench.proxy.cut(cut);
        let error = bench.agency.create_reseller(invitation("globex")).expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        let found = bench.platform.resolve_host("globex.partner.localhost");
        assert_eq!(found.is_ok(), there, "{found:?}");
        // Either everything or nothing was committed.
        let rows = if there { "2" } else { "1" };
        for table in ["resellers", "labels", "credentials"] {
            assert_eq!(bench.count(table), rows, "{table}");
        }
    }
}
