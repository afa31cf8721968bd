//! The asynchronous handles, from a runtime of one thread and from one of many.

use std::future::Future;

use partnerkit::{AsyncPlatform, ErrorKind, Metric, ResellerQuery};
use partnerkit_tests::{invitation, letters};
use tokio::runtime::{Builder, Runtime};

fn runtimes() -> [Runtime; 2] {
    let one = Builder::new_current_thread().build().expect("a runtime");
    let many = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    [one, many]
}

/// The life of a reseller, with awaited calls.
async fn live(url: String) {
    let platform = AsyncPlatform::open(url).await.expect("opens");
    let agency = platform.create_agency("northwind".into(), None).await.expect("creates");
    let create = |n| {
        let agency = agency.clone();
        tokio::spawn(async move { agency.create_reseller(invitation(&letters(n))).await })
    };
    let creating: Vec<_> = (0..8).map(create).collect();
    let mut created = Vec::new();
    for task in creating {
        created.push(task.await.expect("no panic").expect("creates"));
    }
    let page = agency.page(ResellerQuery::all()).await.expect("reads");
    assert_eq!(page.resellers.len(), 8);
    let query = ResellerQuery { limit: Some(3), ..ResellerQuery::all() };
    let one_by_one: Result<Vec<_>, _> = agency.blocking().search(query.clone()).collect();
    assert_eq!(one_by_one.expect("reads"), page.resellers);
    let mut awaited = agency.search(query);
    for expected in &page.resellers {
        assert_eq!(&awaited.next().await.expect("one more").expect("reads"), expected);
    }
    assert!(awaited.next().await.is_none() && awaited.next().await.is_none());
    let id = created[0].id;
    agency.consume(id, Metric::MESSAGES, 2, "c-1".into()).await.expect("granted");
    agency.deactivate(id, Some("nonpayment".into())).await.expect("deactivates");
    let overview = agency.overview().await.expect("reads");
    assert_eq!((overview.active_resellers, overview.messages), (7, 2));
    let host = format!("{}.partner.localhost", created[1].login_domain);
    assert_eq!(platform.resolve_host(host).await.expect("resolves").reseller, created[1].id);
    let missing = platform.agency("nortwind".into()).await.map(drop).expect_err("a typo");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(platform.maintain(Some(100)).await.expect("maintains").finished);
    let nowhere = platform.backup("nowhere/backup.db").await.expect_err("no such folder");
    assert!([ErrorKind::Configuration, ErrorKind::Io].contains(&nowhere.kind()));
}

#[test]
fn a_life_in_memory_is_awaited() {
    runtimes().iter().for_each(|runtime| runtime.block_on(live("memory:".into())));
}

#[test]
fn a_life_in_a_file_is_awaited() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |n: usize| format!("sqlite:{}/{n}.db", folder.path().display());
    runtimes().iter().enumerate().for_each(|(n, runtime)| runtime.block_on(live(file(n))));
}

#[cfg(feature = "postgres-server")]
#[test]
fn a_life_on_postgres_is_awaited() {
    for runtime in runtimes() {
        let database = partnerkit_tests::postgres::Database::create();
        runtime.block_on(live(database.url.clone()));
    }
}

/// The store has its own thread, so that the runtime's only thread does not wait for itself.
#[test]
fn without_a_runtime_a_call_is_refused() {
    let platform: AsyncPlatform = partnerkit::Platform::open("memory:").expect("opens").into();
    let mut call = std::pin::pin!(platform.agency("northwind".into()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(refused) = call.as_mut().poll(&mut context) else {
        panic!("nothing to wait for")
    };
    assert_eq!(refused.map(drop).expect_err("refused").kind(), ErrorKind::Configuration);
}
