//! The main job on real input: organisations become resellers, use a day of messages, and show
//! up in the overview and in a chart of the day. Can be run again: nothing is created or counted twice.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program on the command line")]

mod arguments;
mod chart;
mod draft;
mod input;
mod load;
mod messages;
mod report;

use std::process::ExitCode;

use partnerkit::Platform;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(said) => {
            eprintln!("{said}");
            return ExitCode::from(2);
        }
    };
    if arguments.help {
        println!("{}", arguments::USAGE);
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(said) => {
            eprintln!("import: {said}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let organisations = input::read(arguments.file.as_deref())?;
    let platform = Platform::open(&arguments.store).map_err(said)?;
    let agency = platform.ensure_agency(&arguments.agency, None).map_err(said)?;
    println!("{} organisations into {}", organisations.len(), arguments.store);

    let loaded = load::load(&agency, &organisations).map_err(said)?;
    report::loaded(&loaded);
    let sent = messages::send(&agency).map_err(said)?;
    report::sent(&sent);
    report::overview(&agency).map_err(said)?;
    report::day(&agency, sent.day).map_err(said)?;
    report::searches(&agency).map_err(said)
}

fn said(error: partnerkit::Error) -> String {
    error.to_string()
}
