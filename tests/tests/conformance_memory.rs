//! The storage contract on the store in memory.

use std::sync::Arc;

use partnerkit::storage::Storage;
use partnerkit::storage::conformance::Harness;
use partnerkit::storage::memory::Memory;

struct InMemory;

impl Harness for InMemory {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(Memory::new())
    }
}

partnerkit::conformance_tests!(InMemory);
