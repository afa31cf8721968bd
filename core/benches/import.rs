//! Measures how much memory an import needs: `cargo bench --bench import`. `ROWS` is a million by
//! default.
//!
//! The file is generated while it is read, so that only the import itself is measured.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::io::{Cursor, Read};

use partnerkit::{ImportOptions, Platform};
use support::{Rows, size, time};

const HEADER: &str =
    "partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain\n";

fn main() {
    let rows = size("ROWS", 1_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("ours.db").display());
    let platform = Platform::open(&url).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let before = most_memory();
    let mut told = 0_u64;
    let took = time(|| {
        let report = agency.import_csv(Lines::new(rows), &ImportOptions::default(), |_| told += 1);
        let report = report.expect("imports");
        assert_eq!((report.created, told), (rows as u64, rows as u64), "{report:?}");
    });
    println!(
        "imported {rows} rows in {:.1} s, {:.0} a second",
        took.as_secs_f64(),
        rows as f64 / took.as_secs_f64()
    );
    println!("most memory: {} MB, before the import {before} MB   target <= 300", most_memory());
    let again = time(|| {
        let report = agency.import_csv(Lines::new(rows), &ImportOptions::default(), |_| {});
        assert_eq!(report.expect("imports").existing, rows as u64);
    });
    println!(
        "again, when all are there: {:.1} s; most memory: {} MB",
        again.as_secs_f64(),
        most_memory()
    );
}

/// A CSV file of resellers, line by line.
struct Lines {
    rows: Rows,
    left: usize,
    line: Cursor<Vec<u8>>,
}

impl Lines {
    fn new(rows: usize) -> Self {
        Self { rows: Rows::new(""), left: rows, line: Cursor::new(HEADER.into()) }
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.line.read(buffer)?;
        if read > 0 || self.left == 0 {
            return Ok(read);
        }
        self.left -= 1;
        let form = self.rows.next_form();
        let (name, phone) = (form.name.replace('"', "\"\""), &form.phone.number);
        let line = format!(
            "{},\"{name}\",{},{phone},{},{},{phone},{}\n",
            form.partner_type, form.email, form.contact.name, form.contact.email, form.login_domain
        );
        self.line = Cursor::new(line.into_bytes());
        self.line.read(buffer)
    }
}

/// The peak memory of this process so far, in MB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes =
        line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1_024
}
