//! Finds out whether anybody else in this process has a file open. POSIX locks cannot tell, because
//! they belong to the process, and the first one to close the file lifts them for all.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;

/// The identity of a file, whatever its name is.
pub type Inode = (u64, u64);

pub fn inode(file: &fs::Metadata) -> Inode {
    (file.dev(), file.ino())
}

/// The descriptors that this process has of some files.
pub struct Descriptors(Vec<(RawFd, Inode)>);

impl Descriptors {
    /// `None` if the list cannot be read.
    pub fn of(files: &[Inode]) -> Option<Self> {
        let mut found = Vec::new();
        for open in fs::read_dir("/proc/self/fd").ok()? {
            let open = open.ok()?;
            let number = open.file_name().to_str().and_then(|name| name.parse().ok())?;
            // A descriptor that was closed just now is skipped.
            let inode = fs::metadata(open.path()).map(|file| inode(&file));
            found.extend(inode.ok().filter(|inode| files.contains(inode)).map(|at| (number, at)));
        }
        Some(Self(found))
    }

    /// How many descriptors of these files there are besides our own; `None` if that cannot be
    /// found out.
    pub fn beside(own: &[&File]) -> Option<usize> {
        let named = |file: &&File| Some((file.as_raw_fd(), inode(&file.metadata().ok()?)));
        let own: Vec<_> = own.iter().map(named).collect::<Option<_>>()?;
        let files: Vec<_> = own.iter().map(|(_, inode)| *inode).collect();
        let Self(found) = Self::of(&files)?;
        // Once the first thread of a process has ended, the list may be empty, so it is checked
        // against our own.
        let all_told = own.iter().all(|own| found.contains(own));
        all_told.then(|| found.len() - own.len())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
