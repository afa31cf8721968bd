//! The messages between a PostgreSQL client and its server, as far as the tests need them.

use std::collections::BTreeMap;

/// Cuts a stream of bytes into complete messages.
pub struct Messages {
    pending: Vec<u8>,
    /// A client's first message has no type in front of its length.
    first: bool,
}

impl Messages {
    /// Messages of a client.
    pub fn of_client() -> Self {
        Self { pending: Vec::new(), first: true }
    }

    /// Messages of a server, to a client that does not ask for TLS.
    pub fn of_server() -> Self {
        Self { pending: Vec::new(), first: false }
    }

    /// The messages that are complete once these bytes have arrived.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.pending.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some(length) = self.next_length() {
            let rest = self.pending.split_off(length);
            whole.push(std::mem::replace(&mut self.pending, rest));
            self.first = false;
        }
        whole
    }

    fn next_length(&self) -> Option<usize> {
        let at = usize::from(!self.first);
        let length = self.pending.get(at..at + 4)?;
        let length = u32::from_be_bytes(length.try_into().ok()?) as usize + at;
        (self.pending.len() >= length).then_some(length)
    }
}

/// A message of a type, with its body.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short");
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// A simple query.
pub fn query(sql: &str) -> Vec<u8> {
    message(b'Q', format!("{sql}\0").as_bytes())
}

/// The message that a command has completed.
pub fn done(tag: &str) -> Vec<u8> {
    message(b'C', format!("{tag}\0").as_bytes())
}

/// An error with a code, after which the server continues.
pub fn refusal(code: &str) -> Vec<u8> {
    let fields = [('S', "ERROR"), ('V', "ERROR"), ('C', code), ('M', "made up by a test")];
    let fields: String = fields.iter().map(|(field, text)| format!("{field}{text}\0")).collect();
    message(b'E', format!("{fields}\0").as_bytes())
}

/// A statement that was executed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Its text.
    pub sql: String,
    /// Whether it was sent with parameters. Otherwise the text may have several statements, with
    /// semicolons.
    pub parameters: bool,
}

/// Records the statements that a client executes on one connection.
#[derive(Default)]
pub struct Ear {
    prepared: BTreeMap<Vec<u8>, String>,
    /// The statements in the order in which they were sent.
    pub heard: Vec<Sent>,
}

impl Ear {
    /// Reads a message of the client.
    pub fn hear(&mut self, message: &[u8]) {
        match message {
            [b'Q', _, _, _, _, body @ ..] => {
                let sql = text(split(body).0);
                self.heard.push(Sent { sql, parameters: false });
            }
            [b'P', _, _, _, _, body @ ..] => {
                let (name, rest) = split(body);
                self.prepared.insert(name.to_vec(), text(split(rest).0));
            }
            [b'B', _, _, _, _, body @ ..] => {
                let (_portal, rest) = split(body);
                let sql = self.prepared.get(split(rest).0).expect("it is prepared").clone();
                self.heard.push(Sent { sql, parameters: true });
            }
            _ => {}
        }
    }
}

/// A text that ends with a zero byte, and the rest.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).expect("a zero");
    (&bytes[..end], &bytes[end + 1..])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[cfg(test)]
mod tests {
    use super::{Ear, Messages, Sent, message, query};

    #[test]
    fn messages_are_whole_however_they_arrive() {
        let startup = [&8_u32.to_be_bytes()[..], &[0, 3, 0, 0]].concat();
        let sent = [startup.clone(), query("BEGIN"), message(b'S', b"")];
        for size in 1..20 {
            let mut messages = Messages::of_client();
            let all = sent.concat();
            let got: Vec<_> = all.chunks(size).flat_map(|bytes| messages.push(bytes)).collect();
            assert_eq!(got, sent, "{size}");
        }
        let mut messages = Messages::of_server();
        assert_eq!(messages.push(&query("BEGIN")), [query("BEGIN")]);
    }

    #[test]
    fn what_is_prepared_is_heard_each_time_it_is_executed() {
        let mut ear = Ear::default();
        ear.hear(&query("BEGIN"));
        ear.hear(&message(b'P', b"s1\0SELECT $1\0\0\0"));
        ear.hear(&message(b'P', b"\0SELECT $1, $2\0\0\0"));
        for name in ["s1", "", "s1"] {
            ear.hear(&message(b'B', format!("\0{name}\0rest").as_bytes()));
            ear.hear(&message(b'S', b""));
        }
        let heard: Vec<_> =
            ear.heard.iter().map(|Sent { sql, parameters }| (&**sql, *parameters)).collect();
        let one = ("SELECT $1", true);
        assert_eq!(heard, [("BEGIN", false), one, ("SELECT $1, $2", true), one]);
    }
}
