//! A proxy between a store and its server, which makes a connection fail at a chosen moment, and
//! records what is sent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::wire::{Ear, Messages, Sent, done, query, refusal};

/// When a connection is cut, or an answer is replaced, once.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// Never.
    Never,
    /// At the next message to the server, which does not arrive.
    Next,
    /// At the next COMMIT, which arrives; its answer does not.
    CommitAnswer,
    /// At the next COMMIT, which arrives; its answer is the error [`UNKNOWN`], like that of a
    /// distributed server that has lost a node.
    CommitDenied,
    /// At the next COMMIT, which is replaced by a ROLLBACK; the answer is the error [`UNKNOWN`],
    /// too.
    CommitUndone,
}

/// The code of an error that does not say whether anything was committed.
pub const UNKNOWN: &str = "XX000";

/// Forwards connections until the test's process ends.
pub struct Proxy {
    /// The port on loopback to which a store connects.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    cut: AtomicU8,
    /// The listeners of all connections so far.
    ears: Mutex<Vec<Arc<Mutex<Ear>>>>,
}

impl Proxy {
    /// Starts forwarding to a server.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let cut = AtomicU8::new(Cut::Never as u8);
        let shared = Arc::new(Shared { cut, ears: Mutex::default() });
        let proxy = Self { port, shared: shared.clone() };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).expect("the server listens");
                forward(client, server, shared.clone());
            }
        });
        proxy
    }

    /// Chooses what fails next.
    pub fn cut(&self, cut: Cut) {
        self.shared.cut.store(cut as u8, Ordering::SeqCst);
    }

    /// The statements that were executed so far, by connection.
    pub fn heard(&self) -> Vec<Vec<Sent>> {
        lock(&self.shared.ears).iter().map(|ear| lock(ear).heard.clone()).collect()
    }
}

/// The state that both directions of a connection share.
#[derive(Default)]
struct State {
    /// The tag of the answer to COMMIT that is to be replaced.
    denied: Option<&'static str>,
}

fn forward(client: TcpStream, server: TcpStream, shared: Arc<Shared>) {
    let back = (server.try_clone().expect("clones"), client.try_clone().expect("clones"));
    let ear = Arc::new(Mutex::new(Ear::default()));
    lock(&shared.ears).push(ear.clone());
    // Locked while a message is forwarded to the server, so that no answer gets past a cut.
    let gate = Arc::new(Mutex::new(State::default()));
    let gate_back = gate.clone();
    thread::spawn(move || {
        let mut messages = Messages::of_client();
        copy(client, server, |bytes, from, to| {
            let mut state = lock(&gate);
            let whole = messages.push(bytes);
            if shared.take(Cut::Next) {
                return hang_up(from, to);
            }
            let sent: Vec<_> = whole
                .into_iter()
                .map(|message| {
                    lock(&ear).hear(&message);
                    if message == query("COMMIT") {
                        return shared.commit(message, from, &mut state);
                    }
                    message
                })
                .collect();
            let _ = to.write_all(&sent.concat());
        })
    });
    thread::spawn(move || {
        let mut messages = Messages::of_server();
        copy(back.0, back.1, |bytes, _, to| {
            let mut state = lock(&gate_back);
            let answers = messages.push(bytes).into_iter().map(|message| {
                let of_commit = state.denied.take_if(|tag| message == done(tag));
                if of_commit.is_some() { refusal(UNKNOWN) } else { message }
            });
            let answers: Vec<_> = answers.collect();
            let _ = to.write_all(&answers.concat());
        })
    });
}

impl Shared {
    /// The message that the server gets instead of a COMMIT.
    fn commit(&self, commit: Vec<u8>, from: &TcpStream, state: &mut State) -> Vec<u8> {
        if self.take(Cut::CommitAnswer) {
            let _ = from.shutdown(Shutdown::Both);
        } else if self.take(Cut::CommitDenied) {
            state.denied = Some("COMMIT");
        } else if self.take(Cut::CommitUndone) {
            state.denied = Some("ROLLBACK");
            return query("ROLLBACK");
        }
        commit
    }

    fn take(&self, wanted: Cut) -> bool {
        let never = Cut::Never as u8;
        self.cut.compare_exchange(wanted as u8, never, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hang_up(from: &TcpStream, to: &TcpStream) {
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    mut pass: impl FnMut(&[u8], &TcpStream, &mut TcpStream),
) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        pass(&bytes[..n], &from, &mut to);
    }
    // Everything that was sent still arrives before the other side sees the end.
    let _ = to.shutdown(Shutdown::Write);
}
