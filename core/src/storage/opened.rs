//! A platform's store, which can be closed while there are handles on it. Its schema version is
//! checked at the first use, not when it is given to a platform, because a host may open a platform
//! before the tables exist.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::{Erasure, ReadWork, Scope, Storage, WriteWork};
use crate::error::{Error, Result};
use crate::schema;
use crate::values::AgencyId;

/// The store until it is closed, and whether its version has been checked.
pub(crate) struct Opened {
    /// Each transaction keeps the store until it ends, and the last one closes it. It is not behind
    /// a mutex, which a child of `fork` could inherit locked.
    storage: ArcSwapOption<Arc<dyn Storage>>,
    /// Two threads may check at once; both get the same answer, so neither waits.
    checked: AtomicBool,
}

impl Opened {
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage: ArcSwapOption::from_pointee(storage), checked: AtomicBool::new(false) }
    }

    /// Closes the store; transactions that are under way keep it until they end.
    ///
    /// Letting go of the handle is not enough in a child of `fork`: the parent's threads that were
    /// in a call at the fork never give theirs back there. So the store closes what this process
    /// has opened, too.
    pub fn close(&self) {
        if let Some(storage) = self.storage.swap(None) {
            storage.close();
        }
    }

    fn with<T>(&self, call: impl FnOnce(&dyn Storage) -> Result<T>) -> Result<T> {
        let open = self.storage.load();
        let Some(storage) = open.as_ref() else {
            return Err(Error::configuration("the platform is closed"));
        };
        let result = call(&***storage);
        if self.storage.load().is_none() {
            // If it was closed after this call began, the call may have opened it again.
            storage.close();
        }
        result
    }

    fn checked<T>(&self, call: impl FnOnce(&dyn Storage) -> Result<T>) -> Result<T> {
        self.with(|storage| {
            if !self.checked.load(Ordering::Relaxed) {
                schema::known(storage.schema_version()?)?;
                self.checked.store(true, Ordering::Relaxed);
            }
            call(storage)
        })
    }
}

impl Storage for Opened {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.checked(|storage| storage.read(agency, work))
    }

    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.checked(|storage| storage.read_beside(agency, work))
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.checked(|storage| storage.write(agency, scope, work))
    }

    fn scrub(&self) -> Result<Erasure> {
        self.checked(|storage| storage.scrub())
    }

    fn backup(&self, path: &Path) -> Result<()> {
        self.checked(|storage| storage.backup(path))
    }

    fn joined(&self) -> bool {
        self.with(|storage| Ok(storage.joined())).unwrap_or_default()
    }

    fn schema_version(&self) -> Result<u32> {
        self.checked(|storage| storage.schema_version())
    }
}
