//! A platform that is closed while there are handles on it.

use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use partnerkit::{Agency, ErrorKind, ImportOptions, Platform};

fn open(folder: &Path) -> (Platform, Agency) {
    let platform = Platform::open(&format!("sqlite:{}", folder.join("file.db").display()));
    let platform = platform.expect("opens");
    let agency = platform.ensure_agency("northwind", None).expect("creates");
    (platform, agency)
}

fn is_open(folder: &Path) -> bool {
    folder.join("file.db-wal").exists()
}

fn kind<T>(result: partnerkit::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

const CLOSED: Option<ErrorKind> = Some(ErrorKind::Configuration);

#[test]
fn a_closed_platform_lets_go_of_its_file_and_refuses_every_handle() {
    let folder = tempfile::tempdir().expect("a folder");
    let (platform, agency) = open(folder.path());
    let (clone, other) = (platform.clone(), agency.acting_as("ann").expect("an actor"));
    assert!(is_open(folder.path()));
    platform.close().expect("closes");
    assert!(!is_open(folder.path()), "nobody has the file open");
    assert_eq!(kind(platform.agencies(None, None)), CLOSED);
    assert_eq!(kind(clone.maintain(None)), CLOSED);
    assert_eq!(kind(agency.overview()), CLOSED);
    assert_eq!(kind(other.settings()), CLOSED);
    clone.close().expect("closes what is closed");

    let (again, agency) = open(folder.path());
    agency.overview().expect("another platform has the same file");
    drop((again, agency));
}

/// Rows that are returned when the test allows it.
struct Slow {
    asked: Sender<()>,
    rows: Receiver<Vec<u8>>,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.asked.send(()).expect("the test waits");
        let Ok(row) = self.rows.recv() else { return Ok(0) };
        buffer[..row.len()].copy_from_slice(&row);
        Ok(row.len())
    }
}

#[test]
fn an_import_that_is_under_way_ends_at_its_next_transaction() {
    let folder = tempfile::tempdir().expect("a folder");
    let (platform, agency) = open(folder.path());
    let ((asked, asks), (give, rows)) = (channel(), channel());
    let import = thread::spawn(move || {
        agency.import_csv(Slow { asked, rows }, &ImportOptions::default(), |_| ())
    });
    asks.recv().expect("the import has begun");
    platform.close().expect("closes");
    let header = "partner_type,name,email,phone,contact_name,contact_email,contact_phone,\
                  login_domain\n";
    give.send(header.into()).expect("it reads");
    asks.recv().expect("it reads on");
    give.send(b"own_plans,too few\n".to_vec()).expect("it reads");
    drop(give);
    assert_eq!(kind(import.join().expect("no panic")), CLOSED);
    assert!(!is_open(folder.path()));
}
