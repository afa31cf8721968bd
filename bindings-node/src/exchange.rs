//! CSV files: a path, or a stream of JavaScript's, from which bytes are read and to which they are
//! written.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use napi::Unknown;
use napi_derive::napi;
use partnerkit::{Code, FieldError, ImportOptions, ResellerQuery, RowReport};

use crate::agency::Agency;
use crate::arguments::RESELLER_QUERY;
use crate::error::Failure;
use crate::given::{Read as Given, form, optional};
use crate::home::{Begun, Environment, Length, Plain};
use crate::packed::packed;
use crate::storage::{Calls, Dispatcher};
use crate::value::{Js, Whatever};

/// How many bytes are written at once.
const CHUNK: usize = 65_536;

/// A stream may take any time: it is as fast as what the host reads from or writes to.
const NO_DEADLINE: Duration = Duration::MAX;

#[napi]
impl Environment {
    /// Imports a file. `dispatcher` has the functions `read`, which gives bytes or null at the end,
    /// and `each`, which is told each row if the caller wants that.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "the package gives all of them in one call")]
    pub fn import_csv(
        &self,
        call: u32,
        agency: &Agency,
        path: Unknown<'_>,
        dry_run: Unknown<'_>,
        delimiter: Unknown<'_>,
        is_told: bool,
        dispatcher: Dispatcher<'_>,
    ) -> Begun {
        self.home.call(call, || {
            let calls = self.of_stream(&dispatcher)?;
            let path: Option<PathBuf> = optional("source", path)?;
            let options = options(dry_run, delimiter)?;
            let agency = agency.agency.clone();
            let work = move || {
                let failed = RefCell::new(None);
                let source = Source::new(path, &calls, &failed);
                let report = agency.import_csv(source, &options, |row| {
                    if is_told && failed.borrow().is_none() {
                        *failed.borrow_mut() = tell(&calls, row).err();
                    }
                });
                failed.into_inner().map_or(report, Err).map(Plain)
            };
            Ok((Length::File, work))
        })
    }

    /// Exports resellers. `dispatcher` has the function `write`, which takes bytes.
    #[napi(catch_unwind)]
    pub fn export_csv(
        &self,
        call: u32,
        agency: &Agency,
        path: Unknown<'_>,
        query: Unknown<'_>,
        dispatcher: Dispatcher<'_>,
    ) -> Begun {
        self.home.call(call, || {
            let calls = self.of_stream(&dispatcher)?;
            let path: Option<PathBuf> = optional("destination", path)?;
            let query: ResellerQuery = form("query", query, &RESELLER_QUERY)?;
            let agency = agency.agency.clone();
            let work = move || {
                let output = Destination { path, file: None, calls, failed: false };
                agency.export_csv(&query, BufWriter::with_capacity(CHUNK, output)).map(Plain)
            };
            Ok((Length::File, work))
        })
    }

    fn of_stream(&self, dispatcher: &Dispatcher<'_>) -> napi::Result<Calls> {
        Calls::new(dispatcher, NO_DEADLINE, "the stream")
    }
}

fn options(dry_run: Unknown<'_>, delimiter: Unknown<'_>) -> Given<ImportOptions> {
    let mut options = ImportOptions::default();
    if let Some(dry_run) = optional("dryRun", dry_run)? {
        options.dry_run = dry_run;
    }
    if let Some(delimiter) = optional::<String>("delimiter", delimiter)? {
        let &[delimiter] = delimiter.as_bytes() else {
            let refused = FieldError::new("delimiter", Code::Invalid);
            let refused = refused.expecting("one ASCII character");
            return Err(Failure::validation(refused.into()).into());
        };
        options.delimiter = delimiter;
    }
    Ok(options)
}

/// Tells the host of a row.
fn tell(calls: &Calls, row: RowReport) -> partnerkit::Result<()> {
    let row = packed(&row).map_err(partnerkit::Error::storage)?;
    calls.function("each", vec![Js::Text(row)], |_: Whatever| Some(()))
}

/// The error for the core, which ends its work; the caller gets what JavaScript has thrown.
fn ended() -> io::Error {
    io::Error::other("JavaScript has thrown")
}

/// What is imported.
struct Source<'c> {
    path: Option<PathBuf>,
    file: Option<File>,
    calls: &'c Calls,
    /// Why the host's function for rows failed: nothing is read after that.
    failed: &'c RefCell<Option<partnerkit::Error>>,
    /// What the stream gave last.
    left: Cursor<Vec<u8>>,
}

impl<'c> Source<'c> {
    fn new(
        path: Option<PathBuf>,
        calls: &'c Calls,
        failed: &'c RefCell<Option<partnerkit::Error>>,
    ) -> Self {
        Self { path, file: None, calls, failed, left: Cursor::default() }
    }

    /// The next bytes of the stream; none at its end. The package gives no empty bytes before it.
    fn chunk(&self) -> partnerkit::Result<Vec<u8>> {
        self.calls.function("read", Vec::new(), |answer| match answer {
            Js::Bytes(bytes) => Some(bytes),
            Js::Null => Some(Vec::new()),
            _ => None,
        })
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed.borrow().is_some() {
            return Err(ended());
        }
        if let Some(path) = self.path.take() {
            self.file = Some(File::open(path)?);
        }
        if let Some(file) = &mut self.file {
            return file.read(buffer);
        }
        match self.left.read(buffer)? {
            0 if !buffer.is_empty() => {
                self.left = Cursor::new(self.chunk().map_err(|_| ended())?);
                self.left.read(buffer)
            }
            read => Ok(read),
        }
    }
}

/// Where an export goes.
struct Destination {
    path: Option<PathBuf>,
    file: Option<File>,
    calls: Calls,
    failed: bool,
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(ended());
        }
        // It is opened at its first use, so that a refused call does not empty the file.
        if let Some(path) = self.path.take() {
            self.file = Some(File::create(path)?);
        }
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        let written =
            self.calls.function("write", vec![Js::Bytes(bytes.to_vec())], |_: Js| Some(()));
        self.failed = written.is_err();
        written.map_err(|_| ended()).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}
