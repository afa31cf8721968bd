//! A store of generic rows tells which schema it has.

use std::sync::Arc;

use partnerkit::schema::VERSION;
use partnerkit::storage::host::{Mode, TableStore, TableTransaction, Tables};
use partnerkit::{AgencyId, Error, ErrorKind, Platform, Result};

/// A store with nothing but a version.
struct Only(Result<u32, &'static str>);

impl TableStore for Only {
    fn schema_version(&self) -> Result<u32> {
        self.0.map_err(Error::storage)
    }

    fn begin(&self, _: &AgencyId, _: Mode) -> Result<Box<dyn TableTransaction + '_>> {
        Err(Error::storage("nothing is here"))
    }
}

fn opened(version: Result<u32, &'static str>) -> Platform {
    let platform =
        Platform::builder().secret(1, [7; 32]).open_storage(Arc::new(Tables(Only(version))));
    platform.expect("no store is asked before it is used")
}

#[test]
fn s52_a_store_of_a_newer_release_is_refused() {
    let newer = opened(Ok(VERSION + 98));
    for refused in [newer.prepare(), newer.create_agency("northwind", None).map(drop)] {
        let error = refused.expect_err("too new");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(&(VERSION + 98).to_string()), "{error}");
    }
    assert_eq!(opened(Err("gone")).prepare().expect_err("fails").kind(), ErrorKind::Storage);
    for known in 0..=VERSION {
        opened(Ok(known)).prepare().expect("a migration may be about to run");
    }
}
