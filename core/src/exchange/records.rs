//! The records of a file. Their length is bounded, so that a quotation mark that is never closed
//! spoils only its own row, not the rest of the file.

use std::collections::VecDeque;
use std::io::{self, Read};

use csv::{ByteRecord, StringRecord};

use super::lines::{Line, Lines};
use crate::error::{Code, Refusal};

/// How long a record may be, in bytes. A form with all the metadata it may have is shorter.
pub(super) const LONGEST: usize = 1 << 18;

/// A record, or why it could not be read.
pub(super) struct Record {
    /// The line it begins at, from 1.
    pub line: u64,
    /// The length of the record in the file, in bytes.
    pub bytes: usize,
    /// Its cells; codes: `too_long`, `invalid`.
    pub cells: Result<StringRecord, Refusal>,
}

/// Reads records. A record that is too long, or that continues over several lines because of a
/// misplaced quotation mark, ends with its first line, and the next line begins another record.
pub(super) struct Records<R> {
    lines: Lines<R>,
    parser: csv_core::Reader,
    /// Lines read after the one that comes next.
    ahead: VecDeque<Line>,
    open: Open,
}

/// The sums over those first lines ahead which all leave a quotation mark open that was open before
/// them. With these, no line has to be checked again, however many records are refused.
#[derive(Default)]
struct Open {
    lines: usize,
    bytes: usize,
    stray: usize,
}

impl Open {
    fn add(&mut self, line: &Line) {
        self.lines += 1;
        self.bytes += line.bytes;
        self.stray += usize::from(line.behind.stray);
    }

    /// Subtracts the first line, which is no longer ahead.
    fn remove(&mut self, line: &Line) {
        if self.lines > 0 {
            self.lines -= 1;
            self.bytes -= line.bytes;
            self.stray -= usize::from(line.behind.stray);
        }
    }
}

impl<R: Read> Records<R> {
    pub fn new(input: R, delimiter: u8) -> Self {
        let lines = Lines::new(input, delimiter, LONGEST);
        let parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { lines, parser, ahead: VecDeque::new(), open: Open::default() }
    }

    /// The next record that is not an empty line; `None` after the last one.
    pub fn read(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(first) = self.first()? else { return Ok(None) };
            let (line, bytes) = (first.number, first.bytes);
            let record = |cells| Ok(Some(Record { line, bytes, cells }));
            return match first.text {
                None => record(Err(Refusal::too_long(LONGEST as i64))),
                Some(text) if matches!(&*text, b"\r" | b"\n") => continue,
                Some(text) if !first.first.open => record(self.cells(&text)),
                Some(text) => match self.rest(&text, first.first.stray)? {
                    Ok(whole) => {
                        let cells = self.cells(&whole);
                        Ok(Some(Record { line, bytes: whole.len(), cells }))
                    }
                    Err(refusal) => record(Err(refusal)),
                },
            };
        }
    }

    /// The line that a record begins with.
    fn first(&mut self) -> io::Result<Option<Line>> {
        let Some(line) = self.ahead.pop_front() else { return self.lines.read() };
        self.open.remove(&line);
        Ok(Some(line))
    }

    /// Completes a record whose first line leaves a quotation mark open, with the lines up to the
    /// one that closes it.
    fn rest(&mut self, first: &[u8], stray: bool) -> io::Result<Result<Vec<u8>, Refusal>> {
        loop {
            if self.open.lines == self.ahead.len() {
                match self.lines.read()? {
                    Some(line) => self.ahead.push_back(line),
                    None => return Ok(Err(Code::Invalid.into())),
                }
            }
            let line = &self.ahead[self.open.lines];
            if first.len() + self.open.bytes + line.bytes > LONGEST {
                return Ok(Err(Refusal::too_long(LONGEST as i64)));
            }
            if line.behind.open {
                self.open.add(line);
            } else if stray || self.open.stray > 0 || line.behind.stray {
                return Ok(Err(Code::Invalid.into()));
            } else {
                let rest = self.ahead.drain(..=self.open.lines).filter_map(|line| line.text);
                let whole = rest.fold(first.to_vec(), |mut whole, text| {
                    whole.extend(text);
                    whole
                });
                self.open = Open::default();
                return Ok(Ok(whole));
            }
        }
    }

    /// The cells of a whole record.
    fn cells(&mut self, record: &[u8]) -> Result<StringRecord, Refusal> {
        self.parser.reset();
        // No cell is longer than the record, and none but the last is without a delimiter.
        let (mut bytes, mut ends) = (vec![0; record.len()], vec![0; record.len() + 1]);
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (left, into) = (&record[read..], &mut bytes[written..]);
            let (result, taken, wrote, found) =
                self.parser.read_record(left, into, &mut ends[ended..]);
            (read, written, ended) = (read + taken, written + wrote, ended + found);
            match result {
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record => break,
                _ => return Err(Code::Invalid.into()),
            }
        }
        let mut begin = 0;
        let cells =
            ends[..ended].iter().map(|end| &bytes[std::mem::replace(&mut begin, *end)..*end]);
        let cells: ByteRecord = cells.collect();
        StringRecord::from_byte_record(cells).map_err(|_| Code::Invalid.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST, Records};
    use crate::error::Code;

    /// The first lines of records, and their cells or why they have none.
    fn read(file: &[u8]) -> Vec<(u64, Result<Vec<String>, Code>)> {
        let mut records = Records::new(file, b',');
        let mut found = Vec::new();
        while let Some(record) = records.read().expect("reads") {
            let cells = record.cells.map(|cells| cells.iter().map(str::to_owned).collect());
            found.push((record.line, cells.map_err(|refusal| refusal.code)));
        }
        found
    }

    fn cells(line: u64, cells: &[&str]) -> (u64, Result<Vec<String>, Code>) {
        (line, Ok(cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn s48_lines_end_in_any_way() {
        let expected = [cells(1, &["a", "b"]), cells(2, &["c\nd", ""]), cells(5, &["e"])];
        for end in ["\n", "\r\n"] {
            assert_eq!(read(format!("a,b{end}\"c\nd\",{end}{end}e").as_bytes()), expected);
        }
        assert_eq!(read(b"\r\ra,b\r\n\rc\r"), [cells(3, &["a", "b"]), cells(5, &["c"])]);
        assert_eq!(read("\u{feff}\"a\nb\"\n".as_bytes()), [cells(1, &["a\nb"])]);
        assert_eq!(read(b"\0,\xc3\xa9\n\xff\xfe,x\ny"), {
            [cells(1, &["\0", "é"]), (2, Err(Code::Invalid)), cells(3, &["y"])]
        });
        assert_eq!(read(b""), []);
    }

    #[test]
    fn s48_a_stray_quotation_mark_ends_with_its_line() {
        let invalid = |line| (line, Err(Code::Invalid));
        // The stray mark would be closed where a quoted cell begins, or nowhere.
        let found = read(b"\"a,b\nc,\"d\"\n\"e\nf\",g\n\"h,i\nj,k\n");
        let expected = [
            invalid(1),
            cells(2, &["c", "d"]),
            cells(3, &["e\nf", "g"]),
            invalid(5),
            cells(6, &["j", "k"]),
        ];
        assert_eq!(found, expected);
        // Each line opens a quotation mark, which the next line would close and open again.
        let opens = "a\",\"\n".repeat(1_000);
        let found = read(opens.as_bytes());
        assert_eq!(found, (1..=1_000).map(invalid).collect::<Vec<_>>());
    }

    #[test]
    fn s48_a_record_has_a_length_that_it_may_have() {
        let quoted = |length: usize| format!("a,\"{}\n\"\nb\n", "x".repeat(length - 6));
        let whole = read(quoted(LONGEST).as_bytes());
        assert!(whole[0].1.is_ok() && whole[1] == cells(3, &["b"]));
        let longer = read(quoted(LONGEST + 1).as_bytes());
        assert_eq!(longer[0], (1, Err(Code::TooLong)));
        assert_eq!(longer.last(), Some(&cells(3, &["b"])));
        let line = |length: usize| format!("a\n{}\nb\n", "x".repeat(length - 1));
        assert!(read(line(LONGEST).as_bytes())[1].1.is_ok());
        let longer = read(line(3 * LONGEST).as_bytes());
        assert_eq!(longer, [cells(1, &["a"]), (2, Err(Code::TooLong)), cells(3, &["b"])]);
    }

    /// Returns a file in parts, and must not be read after its end.
    struct Once<'f>(&'f [u8], bool);

    impl std::io::Read for Once<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(!self.1, "asked behind the end");
            let length = buffer.len().min(self.0.len()).min(3);
            let (part, rest) = self.0.split_at(length);
            buffer[..length].copy_from_slice(part);
            (self.0, self.1) = (rest, length == 0);
            Ok(length)
        }
    }

    #[test]
    fn s48_nobody_is_asked_behind_the_end() {
        for (file, count) in [("a,b\nc", 2), ("a\n", 1), ("\"a\nb\n", 2), ("", 0)] {
            let mut records = Records::new(Once(file.as_bytes(), false), b',');
            for _ in 0..count {
                assert!(records.read().expect("reads").is_some());
            }
            for _ in 0..2 {
                assert!(records.read().expect("reads").is_none());
            }
        }
    }

    proptest! {
        /// Files are read as the library reads them that wrote them.
        #[test]
        fn s48_what_was_written_is_read(
            rows in prop::collection::vec(prop::collection::vec("[a\",;\r\n =é]{0,6}", 2..4), 0..6)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).expect("writes");
            }
            let found = read(&writer.into_inner().expect("writes"));
            let found: Vec<_> = found.into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(found, rows.into_iter().map(Ok).collect::<Vec<_>>());
        }

        /// Files of other programs, with quotation marks within cells.
        #[test]
        fn s48_what_is_not_refused_is_read_as_by_others(
            file in "([a,]|\"\"|\"|\r|\n|\r\n|\",|,\"){0,30}"
        ) {
            let found: Result<Vec<_>, Code> =
                read(file.as_bytes()).into_iter().map(|(_, cells)| cells).collect();
            let Ok(found) = found else { return Ok(()) };
            let mut builder = csv::ReaderBuilder::new();
            let mut reader =
                builder.flexible(true).has_headers(false).from_reader(file.as_bytes());
            let others = reader.records().map(|record| {
                record.expect("text").iter().map(str::to_owned).collect::<Vec<_>>()
            });
            prop_assert_eq!(found, others.collect::<Vec<_>>());
        }
    }
}
