//! The benchmark's own program, started again as another process.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// A process that has reported that it is ready, and waits for a line.
pub struct Process(Child);

impl Process {
    pub fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut ready = [0; 6];
        child
            .stdout
            .as_mut()
            .expect("piped")
            .read_exact(&mut ready)
            .expect("it says that it is ready");
        Self(child)
    }

    pub fn go(&mut self) {
        self.0.stdin.as_mut().expect("piped").write_all(b"go\n").expect("it listens");
    }

    /// The last line that it prints.
    pub fn finish(mut self) -> String {
        let mut said = String::new();
        self.0.stdout.take().expect("piped").read_to_string(&mut said).expect("reads");
        assert!(self.0.wait().expect("ends").success(), "the process failed");
        said.trim().to_owned()
    }
}

/// The other side: reports that it is ready, and waits for a line.
pub fn ready() {
    println!("ready");
    std::io::stdout().flush().expect("writes");
    let mut line = String::new();
    BufReader::new(std::io::stdin()).read_line(&mut line).expect("reads");
}

/// The arguments of this process, if it was started by [`Process::start`].
pub fn role() -> Option<Vec<String>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    (arguments.first().map(String::as_str) == Some("as")).then(|| arguments[1..].to_vec())
}
