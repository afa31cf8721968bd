//! What a store opens in each process. Connections, locks and threads do not cross `fork`: a child
//! that used its parent's would corrupt files or wait for ever. So a child opens the store again.

use std::ops::Deref;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwapOption, Guard};

use crate::error::{Error, Result};
use crate::process::PerProcess;

/// What each process opens for itself, at its first use.
pub(crate) struct Home<T> {
    open: Box<dyn Fn() -> Result<Arc<T>> + Send + Sync>,
    /// A child does not touch its parent's, not even to close it.
    here: PerProcess<Here<T>>,
}

struct Here<T> {
    /// A call keeps it until the call ends, even if it is closed meanwhile.
    opened: ArcSwapOption<T>,
    opening: Mutex<()>,
}

/// What this process has opened, while a call uses it.
pub(crate) struct InUse<T>(Guard<Option<Arc<T>>>);

impl<T> Deref for InUse<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("made of what is open")
    }
}

impl<T> Default for Here<T> {
    fn default() -> Self {
        Self { opened: ArcSwapOption::empty(), opening: Mutex::default() }
    }
}

impl<T> Here<T> {
    fn opened(&self) -> Option<InUse<T>> {
        let opened = self.opened.load();
        opened.is_some().then_some(InUse(opened))
    }
}

impl<T> Home<T> {
    /// Opens it in this process.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn open(open: impl Fn() -> Result<Arc<T>> + Send + Sync + 'static) -> Result<Self> {
        let home = Self { open: Box::new(open), here: PerProcess::default() };
        home.get()?;
        Ok(home)
    }

    /// Keeps something that exists in this process only.
    pub fn only(kept: T) -> Self {
        let refuse =
            || Err(Error::storage("a store in memory cannot be used in a forked child process"));
        let home = Self { open: Box::new(refuse), here: PerProcess::default() };
        home.here.get().opened.store(Some(Arc::new(kept)));
        home
    }

    /// What this process has opened; it is opened now if that has not been done.
    pub fn get(&self) -> Result<InUse<T>> {
        self.get_in(process::id())
    }

    /// Like [`get`](Self::get), for a caller that knows the id of this process.
    pub fn get_in(&self, process: u32) -> Result<InUse<T>> {
        let here = self.here.get_in(process);
        if let Some(opened) = here.opened() {
            return Ok(opened);
        }
        let _one = here.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = here.opened() {
            return Ok(opened);
        }
        let opened = (self.open)()?;
        here.opened.store(Some(Arc::clone(&opened)));
        Ok(InUse(Guard::from_inner(Some(opened))))
    }

    /// Lets go of what this process has opened; running calls keep it until they end. The next call
    /// opens it again.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub fn close(&self) {
        self.here.get().opened.store(None);
    }
}
