//! A backup of the whole store.

use std::path::Path;

use super::Operator;
use crate::error::Result;
use crate::storage::Storage;

impl Operator {
    /// Writes a copy of the whole store into a new file, while others read and write. The copy has
    /// everything that was committed before the call, and can be opened as a store of its own. The
    /// file appears when it is complete and on the disk. Only its owner can read it, because it has
    /// everything that the store has, including secrets. A process that is killed leaves a file
    /// `.backup-….partial` in the same folder.
    ///
    /// This works on SQLite, and spares you a second connection, which is not safe in one process:
    /// see [`open`](Self::open). Until the backup has ended, the write-ahead log grows and keeps
    /// data that is deleted meanwhile (`Erasure::Pending`).
    ///
    /// Errors: `Io` if the file exists or cannot be created; `Configuration` for other stores: back
    /// up a server with its own tools, such as `pg_dump`. The nodes of a Citus cluster have no
    /// common snapshot, so a dump of one is inconsistent if somebody writes meanwhile;
    /// `citus_create_restore_point` marks one moment in the logs of all nodes.
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
    /// ```javascript
    /// import { Platform } from 'partnerkit';
    ///
    /// const original = await Platform.open('sqlite:resellers.db');
    /// await original.createAgency('northwind');
    /// await original.backup('copy.db');
    ///
    /// const copy = await Platform.open('sqlite:copy.db');
    /// assert.deepEqual(await copy.agencies(), ['northwind']);
    /// ```
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        self.shared.storage.backup(path.as_ref())
    }
}
