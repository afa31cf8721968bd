//! A wire between a store and its server that can be cut at a chosen moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Where the wire is cut, once.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// Nowhere.
    Never,
    /// At the next thing that is sent, which does not arrive.
    Next,
    /// At the next COMMIT, which arrives; its answer does not.
    CommitAnswer,
}

/// Forwards connections until the test's process ends.
pub struct Proxy {
    /// Where a store connects to, on loopback.
    pub port: u16,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    /// Begins to forward to a server.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let cut = Arc::new(AtomicU8::new(Cut::Never as u8));
        let shared = cut.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).expect("the server listens");
                forward(client, server, shared.clone());
            }
        });
        Self { port, cut }
    }

    /// Chooses where the wire is cut next.
    pub fn cut(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

fn forward(client: TcpStream, server: TcpStream, cut: Arc<AtomicU8>) {
    let back = (server.try_clone().expect("clones"), client.try_clone().expect("clones"));
    // Held while something is on its way to the server, so that no answer slips past a cut.
    let gate = Arc::new(Mutex::new(()));
    let gate_back = gate.clone();
    thread::spawn(move || {
        copy(client, server, |bytes, from, to| {
            let _held = gate.lock().unwrap_or_else(PoisonError::into_inner);
            if take(&cut, Cut::Next) {
                hang_up(from, to);
            } else if bytes.windows(6).any(|word| word == b"COMMIT")
                && take(&cut, Cut::CommitAnswer)
            {
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.write_all(bytes);
            } else {
                let _ = to.write_all(bytes);
            }
        })
    });
    thread::spawn(move || {
        copy(back.0, back.1, |bytes, _, to| {
            let _held = gate_back.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = to.write_all(bytes);
        })
    });
}

fn take(cut: &AtomicU8, wanted: Cut) -> bool {
    let never = Cut::Never as u8;
    cut.compare_exchange(wanted as u8, never, Ordering::SeqCst, Ordering::SeqCst).is_ok()
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
    // What was sent still arrives; only then does the other side see the end.
    let _ = to.shutdown(Shutdown::Write);
}
