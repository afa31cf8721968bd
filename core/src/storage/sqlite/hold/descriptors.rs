//! Who else in this process has a file open. Locks cannot tell: POSIX locks are the process's, and
//! the first to close a file has lifted those of all the others.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;

/// Which file it is, whatever its name.
pub type Inode = (u64, u64);

pub fn inode(file: &fs::Metadata) -> Inode {
    (file.dev(), file.ino())
}

/// The process's descriptors of some files.
pub struct Descriptors(Vec<(RawFd, Inode)>);

impl Descriptors {
    /// None if they cannot be told.
    pub fn of(files: &[Inode]) -> Option<Self> {
        let mut found = Vec::new();
        for open in fs::read_dir("/proc/self/fd").ok()? {
            let open = open.ok()?;
            let number = open.file_name().to_str().and_then(|name| name.parse().ok())?;
            // What has just been closed is in nobody's way.
            let inode = fs::metadata(open.path()).map(|file| inode(&file));
            found.extend(inode.ok().filter(|inode| files.contains(inode)).map(|at| (number, at)));
        }
        Some(Self(found))
    }

    /// How many there are beside one's own of these files; none if they cannot be told.
    pub fn beside(own: &[&File]) -> Option<usize> {
        let named = |file: &&File| Some((file.as_raw_fd(), inode(&file.metadata().ok()?)));
        let own: Vec<_> = own.iter().map(named).collect::<Option<_>>()?;
        let files: Vec<_> = own.iter().map(|(_, inode)| *inode).collect();
        let Self(found) = Self::of(&files)?;
        // Once the first thread of a process has ended, its list may be empty.
        let all_told = own.iter().all(|own| found.contains(own));
        all_told.then(|| found.len() - own.len())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
