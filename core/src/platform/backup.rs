//! A backup of the whole store.

use std::path::Path;

use super::Operator;
use crate::error::Result;
use crate::storage::Storage;

impl Operator {
    /// Writes a copy of the whole store into a new file, while others read and write: it holds
    /// everything that was acknowledged before the call, and opens as a store of its own.
    /// The file appears once it is whole, on the disk, and readable by its owner only: it holds
    /// what the store holds, its secrets included. What a killed process leaves is beside it, as
    /// `.backup-….partial`.
    ///
    /// For SQLite; nobody needs a second connection for it, which in one process is not safe: see
    /// [`open`](Self::open). Until it has ended, what is deleted meanwhile stays in the
    /// write-ahead log (`Erasure::Pending`), which does not begin anew.
    ///
    /// Errors: `Io` if there is a file already, or none can be made there; `Configuration` for
    /// other stores: a server is backed up with its own tools, such as `pg_dump`. The nodes of a
    /// Citus cluster have no snapshot in common, so there a dump is torn unless nobody writes:
    /// `citus_create_restore_point` marks one moment in the logs of all of them.
    ///
    /// ```example
    /// # #[cfg(feature = "sqlite")]
    /// # {
    /// # use partnerkit::Platform;
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let folder = folder.path();
    /// let platform = Platform::open(&format!("sqlite:{}/resellers.db", folder.display()))?;
    /// platform.create_agency("northwind", None)?;
    /// platform.backup(folder.join("copy.db"))?;
    ///
    /// let copy = Platform::open(&format!("sqlite:{}/copy.db", folder.display()))?;
    /// assert_eq!(copy.agency("northwind")?.id().as_str(), "northwind");
    /// # }
    /// ```
    /// ```python
    /// platform = partnerkit.Platform.open("sqlite:resellers.db")
    /// platform.create_agency("northwind")
    /// platform.backup("copy.db")
    ///
    /// copy = partnerkit.Platform.open("sqlite:copy.db")
    /// assert copy.agencies() == ["northwind"]
    /// ```
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.shared.storage.backup(path.as_ref())
    }
}
