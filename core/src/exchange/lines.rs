//! Reads the lines of a file one at a time, each up to a bounded length, and finds out what
//! quotation marks do in them.

use std::io::{BufRead, BufReader, ErrorKind, Read, Result};

/// A line with its line end, and the quotation marks that it leaves open.
pub(super) struct Line {
    /// The number of the line in the file, from 1.
    pub number: u64,
    /// The length of the line in bytes.
    pub bytes: usize,
    /// The text; `None` if the line is longer than a record may be.
    pub text: Option<Vec<u8>>,
    /// The result of reading it as the first line of a record.
    pub first: Passed,
    /// The result of reading it after a line that leaves a quotation mark open.
    pub behind: Passed,
}

/// The result of reading a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Passed {
    /// Whether a quotation mark is open at its end, so that the record continues.
    pub open: bool,
    /// Whether a cell continues after its closing quotation mark, which no program writes.
    pub stray: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Begin,
    Plain,
    Quoted,
    Quote,
}

impl Passed {
    fn over(text: &[u8], delimiter: u8, mut at: At) -> Self {
        let mut stray = false;
        for byte in text {
            at = match (at, byte) {
                (At::Begin | At::Quote, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::Quote,
                (At::Quoted, _) => At::Quoted,
                (_, b'\r' | b'\n') => At::Begin,
                (_, byte) if *byte == delimiter => At::Begin,
                (from, _) => {
                    stray |= from == At::Quote;
                    At::Plain
                }
            };
        }
        Self { open: at == At::Quoted, stray }
    }
}

/// Reads lines. They end with CR, LF or both; of CR LF, the LF is read as an empty line of its own.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    delimiter: u8,
    longest: usize,
    number: u64,
    after_return: bool,
    /// Whether the input has ended. It is not read again then, because a pipe or a terminal would
    /// wait.
    ended: bool,
}

impl<R: Read> Lines<R> {
    pub fn new(input: R, delimiter: u8, longest: usize) -> Self {
        let input = BufReader::with_capacity(1 << 16, input);
        Self { input, delimiter, longest, number: 1, after_return: false, ended: false }
    }

    /// The next line; `None` after the last one.
    pub fn read(&mut self) -> Result<Option<Line>> {
        let Some((mut text, bytes)) = self.text()? else { return Ok(None) };
        if self.number == 1 && text.starts_with(MARK) {
            text.drain(..MARK.len());
        }
        Ok(Some(self.line(text, bytes)))
    }

    fn line(&mut self, text: Vec<u8>, bytes: usize) -> Line {
        // The LF of a CR LF, which belongs to the same line.
        let half = self.after_return && text == b"\n";
        let number = if half { self.number - 1 } else { self.number };
        self.number = number + 1;
        self.after_return = text.ends_with(b"\r");
        let pass = |at| Passed::over(&text, self.delimiter, at);
        let (first, behind) = (pass(At::Begin), pass(At::Quoted));
        let text = (bytes <= self.longest).then_some(text);
        Line { number, bytes, text, first, behind }
    }

    /// The bytes up to the end of a line, without them if they are too many to keep, and their
    /// number.
    fn text(&mut self) -> Result<Option<(Vec<u8>, usize)>> {
        let (mut text, mut bytes) = (Vec::new(), 0);
        if self.ended {
            return Ok(None);
        }
        loop {
            let given = match self.input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                given => given?,
            };
            if given.is_empty() {
                self.ended = true;
                return Ok((bytes > 0).then_some((text, bytes)));
            }
            let end = given.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let taken = end.map_or(given.len(), |end| end + 1);
            bytes += taken;
            if bytes <= self.longest {
                text.extend_from_slice(&given[..taken]);
            } else {
                text.clear();
            }
            self.input.consume(taken);
            if end.is_some() {
                return Ok(Some((text, bytes)));
            }
        }
    }
}

/// The byte order mark that spreadsheets put in front of a file.
const MARK: &[u8] = "\u{feff}".as_bytes();
