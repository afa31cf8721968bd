//! Which file a URL of SQLite means: for as long as a platform is open it is the same file, by
//! whatever name; or there is a clear error at once, and nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use partnerkit::storage::sqlite::Sqlite;
use partnerkit::{ErrorKind, Platform};
use partnerkit_tests::invitation;
use tempfile::TempDir;

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Changes the working directory, which all threads share, so only one test at a time may do this.
fn working_in(folder: &Path) -> MutexGuard<'static, ()> {
    static WORKING: Mutex<()> = Mutex::new(());
    let working = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
    std::env::set_current_dir(folder).expect("a folder");
    working
}

fn refused(url: &str) -> (ErrorKind, String) {
    let error = Platform::open(url).map(drop).expect_err(url);
    (error.kind(), error.to_string())
}

#[test]
fn a_relative_path_stays_that_of_when_the_platform_was_opened() {
    let (first, second) = (folder(), folder());
    let _working = working_in(first.path());
    let platform = Platform::open("sqlite:resellers.db").expect("opens");
    std::env::set_current_dir(second.path()).expect("a folder");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let acme = agency.create_reseller(invitation("acme")).expect("creates");
    let other = Platform::open("sqlite:resellers.db").expect("opens another file");
    assert_eq!(other.agency("northwind").map(drop).expect_err("none").kind(), ErrorKind::NotFound);
    // New readers are opened from now on.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(agency.reseller(acme.id).expect("reads").id, acme.id));
        }
    });
    drop((platform, agency, other));
    let again = Platform::open(&url(&first.path().join("resellers.db"))).expect("opens");
    assert_eq!(again.agency("northwind").expect("there").reseller(acme.id).expect("reads"), acme);
}

#[test]
fn what_names_no_file_is_refused_and_leaves_nothing_behind() {
    let folder = folder();
    let _working = working_in(folder.path());
    let wrong = [
        ("sqlite:", "needs the path"),
        ("sqlite::memory:", "`memory:`"),
        ("sqlite://", "`memory:`"),
        ("sqlite:///:memory:", "`memory:`"),
        ("sqlite://resellers.db", "slashes"),
        ("sqlite:///resellers.db", "slashes"),
        ("sqlite:file:resellers.db", "URI"),
        ("sqlite:resellers.db?mode=ro", "parameters"),
    ];
    for (url, says) in wrong {
        let (kind, message) = refused(url);
        assert_eq!(kind, ErrorKind::Configuration, "{url}");
        assert!(message.contains(says), "{url}: {message}");
    }
    for name in ["", ":memory:", "file:resellers.db"] {
        let error = Sqlite::open(name).map(drop).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}");
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
    let absolute = format!("sqlite:///{}", folder.path().join("resellers.db").display());
    Platform::open(&absolute).expect("four slashes are an absolute path");
    assert!(folder.path().join("resellers.db").exists());
}

#[test]
fn what_can_be_no_database_is_refused_and_leaves_nothing_behind() {
    let folder = folder();
    let at = |name: &str| url(&folder.path().join(name));
    fs::create_dir(folder.path().join("folder")).expect("a folder");
    let text = "not a database, and longer than a header. ".repeat(100);
    fs::write(folder.path().join("text"), &text).expect("writes");
    let before = files(folder.path());
    let wrong = [
        ("folder", "names a folder"),
        ("folder/", "names a folder"),
        ("new/", "names a folder"),
        ("folder/..", "names a folder"),
        ("nowhere/resellers.db", "folder does not exist"),
        ("text/resellers.db", "not a directory"),
        ("text", "not a database"),
    ];
    for (name, says) in wrong {
        let (kind, message) = refused(&at(name));
        assert_eq!(kind, ErrorKind::Storage, "{name}");
        assert!(message.contains(says), "{name}: {message}");
    }
    assert_eq!(files(folder.path()), before);
    assert_eq!(files(&folder.path().join("folder")), Vec::<String>::new());
    assert_eq!(fs::read_to_string(folder.path().join("text")).expect("reads"), text);
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The names of a database: its own, one through a linked folder, and a link to it.
    fn names(folder: &Path) -> [PathBuf; 3] {
        fs::create_dir(folder.join("real")).expect("a folder");
        symlink("real", folder.join("linked")).expect("a link");
        symlink("linked/resellers.db", folder.join("link.db")).expect("a link");
        ["real/resellers.db", "linked/resellers.db", "link.db"].map(|name| folder.join(name))
    }

    /// Any of the names may come first, while there is no file yet.
    #[test]
    fn whatever_a_file_is_called_its_log_and_locks_are_the_same() {
        for first in 0..3 {
            let folder = folder();
            let names = names(folder.path());
            let platform = Platform::open(&url(&names[first])).expect("opens");
            let agency = platform.create_agency("northwind", None).expect("creates");
            for (label, name) in ["one", "two", "three"].into_iter().zip(&names) {
                let other = Platform::open(&url(name)).expect("opens");
                let other = other.agency("northwind").expect("the same file");
                other.create_reseller(invitation(label)).expect("creates");
            }
            assert_eq!(agency.overview().expect("reads").active_resellers, 3);
            assert_eq!(files(folder.path()), ["link.db", "linked", "real"]);
            let beside = ["", "-next", "-shm", "-turn", "-wal"];
            let expected = beside.map(|suffix| format!("resellers.db{suffix}"));
            assert_eq!(files(&folder.path().join("real")), expected);
        }
    }

    #[test]
    fn a_link_to_itself_is_refused() {
        let folder = folder();
        symlink("self.db", folder.path().join("self.db")).expect("a link");
        assert_eq!(refused(&url(&folder.path().join("self.db"))).0, ErrorKind::Storage);
    }
}

#[cfg(target_os = "linux")]
mod rights {
    use std::os::unix::fs::PermissionsExt;

    use nix::unistd::{Uid, setfsuid};

    use super::*;

    /// Makes this thread access files as the user `nobody`, instead of root, until it is dropped.
    struct Nobody(Uid);

    impl Nobody {
        fn new() -> Self {
            let own = Uid::effective();
            if own.is_root() {
                setfsuid(Uid::from_raw(65_534));
            }
            Self(own)
        }
    }

    impl Drop for Nobody {
        fn drop(&mut self) {
            setfsuid(self.0);
        }
    }

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    }

    #[test]
    fn what_cannot_be_written_to_is_refused_and_leaves_nothing_behind() {
        let folder = folder();
        let path = folder.path().join("resellers.db");
        let platform = Platform::open(&url(&path)).expect("opens");
        platform.create_agency("northwind", None).expect("creates");
        drop(platform);
        for left in ["-next", "-turn"] {
            fs::remove_file(path.with_extension(format!("db{left}"))).expect("there");
        }
        let wrong = [
            ("resellers.db", 0o444, 0o777, "the database cannot be"),
            ("resellers.db", 0o666, 0o555, "folder cannot be"),
            ("new.db", 0o666, 0o555, "folder cannot be"),
        ];
        for (name, of_file, of_folder, says) in wrong {
            allow(&path, of_file);
            allow(folder.path(), of_folder);
            let nobody = Nobody::new();
            let (kind, message) = refused(&url(&folder.path().join(name)));
            drop(nobody);
            assert_eq!(kind, ErrorKind::Storage);
            assert!(message.contains(says), "{message}");
            assert_eq!(files(folder.path()), ["resellers.db"]);
        }
        allow(folder.path(), 0o755);
        Platform::open(&url(&path)).expect("opens").agency("northwind").expect("is there still");
    }
}

/// It has password hashes and the platform's secret in it.
#[cfg(unix)]
#[test]
fn a_new_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file.db");
    let mode = |path: &Path| {
        let permissions = fs::metadata(path).expect("is there").permissions();
        permissions.mode() & 0o777
    };
    let platform = Platform::open(&format!("sqlite:{}", file.display())).expect("opens");
    platform.create_agency("northwind", None).expect("creates");
    for path in [&file, &folder.path().join("file.db-wal"), &folder.path().join("file.db-shm")] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    platform.close().expect("closes");

    // Whoever shares it with a group has said so, and the file keeps that.
    fs::set_permissions(&file, PermissionsExt::from_mode(0o660)).expect("is ours");
    let platform = Platform::open(&format!("sqlite:{}", file.display())).expect("opens");
    platform.create_agency("contoso", None).expect("creates");
    assert_eq!((mode(&file), mode(&folder.path().join("file.db-wal"))), (0o660, 0o660));
}
