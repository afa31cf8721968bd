//! Racing processes, which are started together, each with its own handle on one store.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The login domain of the account for which the processes race.
pub const LABEL: &str = "acme";
/// The account's email.
pub const EMAIL: &str = "owner@acme.example";
/// The account's password.
pub const PASSWORD: &str = "plain teal walrus 94 umbrella";

/// A process of the program `racer`.
pub struct Racer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Racer {
    /// Starts the program and waits until it is ready.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut racer = Self { child, input, output };
        assert_eq!(racer.hear(), "ready");
        racer
    }

    /// Lets the process continue.
    pub fn go(&mut self) {
        self.input.write_all(b"go\n").expect("it listens");
    }

    /// The next line that it prints.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it tells");
        line.trim_end().to_owned()
    }

    /// The last line that it prints, once it has ended successfully.
    pub fn finish(mut self) -> String {
        let line = self.hear();
        assert!(self.child.wait().expect("ends").success(), "{line}");
        line
    }
}

/// Starts one process for each list of arguments, lets all continue at once, and returns the last
/// line of each.
pub fn race(program: &str, arguments: &[Vec<&str>]) -> Vec<String> {
    let mut racers: Vec<_> = arguments.iter().map(|a| Racer::start(program, a)).collect();
    racers.iter_mut().for_each(Racer::go);
    racers.into_iter().map(Racer::finish).collect()
}
