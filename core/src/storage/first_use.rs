//! A store that is asked for the version of its tables before it is used, and not when it is
//! given to a platform: a host opens one where its tables may not be there yet.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Erasure, ReadWork, Scope, Storage, WriteWork};
use crate::error::Result;
use crate::schema;
use crate::values::AgencyId;

/// The store, and whether its version is known to be right.
pub(crate) struct CheckedAtFirstUse {
    storage: Arc<dyn Storage>,
    /// Two threads that find out at once find the same: nobody waits.
    checked: AtomicBool,
}

impl CheckedAtFirstUse {
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, checked: AtomicBool::new(false) }
    }

    fn checked(&self) -> Result<&dyn Storage> {
        if !self.checked.load(Ordering::Relaxed) {
            schema::known(self.storage.schema_version()?)?;
            self.checked.store(true, Ordering::Relaxed);
        }
        Ok(&*self.storage)
    }
}

impl Storage for CheckedAtFirstUse {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.checked()?.read(agency, work)
    }

    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.checked()?.read_beside(agency, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.checked()?.write(agency, scope, work)
    }

    fn scrub(&self) -> Result<Erasure> {
        self.checked()?.scrub()
    }

    fn backup(&self, path: &Path) -> Result<()> {
        self.checked()?.backup(path)
    }

    fn joined(&self) -> bool {
        self.storage.joined()
    }

    fn schema_version(&self) -> Result<u32> {
        self.checked()?.schema_version()
    }
}
