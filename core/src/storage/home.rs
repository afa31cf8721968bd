//! What a store opens in each process. Connections, locks and threads do not cross `fork`: a child
//! that used its parent's would corrupt files or wait for ever. So a child opens the store again.

use std::process;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::{Error, Result};
use crate::process::PerProcess;

/// What each process opens for itself, at its first use.
pub(crate) struct Home<T> {
    open: Box<dyn Fn() -> Result<T> + Send + Sync>,
    /// A child does not touch its parent's, not even to close it.
    here: PerProcess<Here<T>>,
}

struct Here<T> {
    opened: OnceLock<T>,
    opening: Mutex<()>,
}

impl<T> Default for Here<T> {
    fn default() -> Self {
        Self { opened: OnceLock::new(), opening: Mutex::default() }
    }
}

impl<T> Home<T> {
    /// Opens it in this process.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn open(open: impl Fn() -> Result<T> + Send + Sync + 'static) -> Result<Self> {
        let home = Self { open: Box::new(open), here: PerProcess::default() };
        home.get()?;
        Ok(home)
    }

    /// Keeps something that exists in this process only.
    pub fn only(kept: T) -> Self {
        let refuse = || Err(Error::storage("a store in memory does not cross `fork`"));
        let home = Self { open: Box::new(refuse), here: PerProcess::default() };
        drop(home.here.get().opened.set(kept));
        home
    }

    /// What this process has opened; it is opened now if that has not been done.
    pub fn get(&self) -> Result<&T> {
        self.get_in(process::id())
    }

    /// Like [`get`](Self::get), for a caller that knows the id of this process.
    pub fn get_in(&self, process: u32) -> Result<&T> {
        let here = self.here.get_in(process);
        if let Some(opened) = here.opened.get() {
            return Ok(opened);
        }
        let _one = here.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = here.opened.get() {
            return Ok(opened);
        }
        let opened = (self.open)()?;
        Ok(here.opened.get_or_init(|| opened))
    }
}
