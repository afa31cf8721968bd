//! Files of any length and content are imported with little memory (S48).

use std::cell::Cell;
use std::io::Read;

use partnerkit::{Code, ImportOptions, Platform, RowOutcome};

const HEADER: &str =
    "partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain\n";

/// The length of a line, which is much shorter than a row may be.
const LINE: usize = 50_000;
const LINES: usize = 1_280;

/// A file with a header, a line that leaves a quotation mark open, and lines without quotation
/// marks.
struct Generated<'a> {
    line: Vec<u8>,
    given: &'a Cell<usize>,
}

impl Read for Generated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let given = self.given.get();
        let rest = match given.checked_sub(HEADER.len()) {
            None => &HEADER.as_bytes()[given..],
            Some(0) => &b"\""[..],
            Some(of) if of >= LINE * LINES => &[],
            Some(of) => &self.line[of % LINE..],
        };
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.given.set(given + length);
        Ok(length)
    }
}

/// S48: 64 MB after a stray quotation mark are read in small parts.
#[test]
fn s48_a_stray_quotation_mark_does_not_keep_the_rest_of_the_file() {
    let agency = Platform::open("memory:").expect("opens").create_agency("northwind", None);
    let agency = agency.expect("creates");
    let mut line = vec![b'x'; LINE];
    line[LINE - 1] = b'\n';
    let given = Cell::new(0);
    let input = Generated { line, given: &given };
    let (mut most, mut line) = (0, 1);
    let report = agency.import_csv(input, &ImportOptions::default(), |row| {
        line += 1;
        assert_eq!(row.line, line);
        let RowOutcome::Rejected(errors) = row.outcome else { panic!("{:?}", row.outcome) };
        let error = &errors.as_slice()[0];
        let long = error.code == Code::TooLong && error.params == [("max", 1 << 18)];
        assert!(long || error.code == Code::Invalid && row.line > 2, "{error:?}");
        let told = HEADER.len() + LINE * (line as usize - 1);
        most = most.max(given.get().saturating_sub(told));
    });
    assert_eq!(report.expect("imports").rejected, LINES as u64);
    // One step, which is 1 MiB, and what was read ahead: a record and a line.
    assert!(most < 2 << 20, "{most} bytes were kept");
}
