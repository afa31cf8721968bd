//! A small disk for one test: the test runs again in a namespace where a folder is a file system in
//! memory.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The environment variable that names the folder to the second run.
const FOLDER: &str = "PARTNERKIT_TEST_DISK";
/// The exit code of the second run if nothing may be mounted.
const NOT_PERMITTED: i32 = 77;

/// Runs the work with an empty file system of a few megabytes; `test` is the name of the test that
/// calls. If nothing may be mounted, the test prints its name and is skipped, or fails on a machine
/// that must run everything.
pub fn on_a_disk_of(megabytes: u32, test: &str, work: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return work(&PathBuf::from(folder));
    }
    let folder = tempfile::tempdir().expect("a folder");
    // As root, or as a user that may be root in a namespace.
    let runs = ["-m", "-rm"].map(|flags| again(flags, folder.path(), megabytes, test));
    let Some(done) = runs.into_iter().flatten().next() else { return leave_out(test) };
    let told = String::from_utf8_lossy(&done.stdout);
    let failed = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && told.contains("1 passed"), "{told}{failed}");
}

/// `None` if it could not be run.
fn again(flags: &str, folder: &Path, megabytes: u32, test: &str) -> Option<Output> {
    let script = format!(
        "mount -t tmpfs -o size={megabytes}m tmpfs \"$1\" || exit {NOT_PERMITTED}
         exec \"$2\" --exact \"$3\" --nocapture"
    );
    let mut command = Command::new("unshare");
    command.args([flags, "--", "sh", "-c", &script, "sh"]).arg(folder);
    command.arg(std::env::current_exe().expect("a program")).arg(test).env(FOLDER, folder);
    let done = command.output().ok()?;
    // `unshare` itself exits with 1; a failing test exits with 101.
    let ran = !matches!(done.status.code(), Some(1 | NOT_PERMITTED));
    ran.then_some(done)
}

#[allow(clippy::print_stderr, reason = "what is left out has to be seen")]
fn leave_out(test: &str) {
    let why = format!("left out: {test} (this user may mount no file system)");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    eprintln!("{why}");
}

/// Makes the file system of a folder read-only, or writable again.
pub fn remount(folder: &Path, how: &str) {
    let options = format!("remount,{how}");
    let done = Command::new("mount").args(["-o", &options]).arg(folder).status();
    assert!(done.expect("mount").success(), "{options}");
}
