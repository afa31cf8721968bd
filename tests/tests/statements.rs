//! Records the statements that a store sends, and checks that a distributed server accepts them.
//! Runs on the server that `tests/with-postgres` starts.
#![cfg(feature = "postgres-server")]

use partnerkit::{Platform, ResellerQuery};
use partnerkit_tests::invitation;
use partnerkit_tests::postgres::Database;
use partnerkit_tests::statements::complaints;
use partnerkit_tests::wire::Sent;

#[test]
fn what_is_sent_is_heard() {
    let database = Database::create();
    let platform = Platform::open(&database.url).expect("makes the tables");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(invitation("acme")).expect("creates");
    let (proxy, url) = database.on_a_wire();
    let agency = Platform::open(&url).expect("opens").agency("northwind").expect("is there");
    for _ in 0..3 {
        agency.page(&ResellerQuery::all()).expect("reads");
    }
    let heard = proxy.heard();
    let [heard] = &heard[..] else { panic!("one connection: {heard:?}") };
    let times = |is: &dyn Fn(&Sent) -> bool| heard.iter().filter(|sent| is(sent)).count();
    let is_page = |sent: &Sent| {
        sent.parameters
            && sent.sql.contains("FROM partnerkit.resellers")
            && sent.sql.contains("LIMIT")
    };
    assert_eq!(times(&is_page), 3, "unprepared once, then prepared: {heard:?}");
    assert!(times(&|sent| !sent.parameters && sent.sql.starts_with("BEGIN ")) >= 3);
    assert_eq!(complaints(heard), [].into());
    let wrong = Sent { sql: "SELECT id FROM partnerkit.events".to_owned(), parameters: true };
    assert_eq!(complaints(heard.iter().chain([&wrong])).len(), 1);
}
