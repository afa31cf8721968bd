//! Writes until it is killed: creates resellers and records usage in the store at a URL, and prints
//! everything that was committed.

#![allow(clippy::print_stdout, reason = "the output is how the test learns of it")]

use std::io::Write;

use partnerkit::{Metric, Platform, UsageEvent};
use partnerkit_tests::{invitation, letters};

fn main() -> partnerkit::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(round)) = (arguments.next(), arguments.next()) else {
        panic!("usage: writer URL ROUND");
    };
    let agency = Platform::open(&url)?.agency("northwind")?;
    for n in 0.. {
        let label = format!("{round}{}", letters(n));
        let reseller = agency.create_reseller(invitation(&label))?;
        let event = UsageEvent {
            id: format!("e-{label}"),
            reseller: reseller.id,
            metric: Metric::MESSAGES,
            quantity: 3,
            at: reseller.created_at,
        };
        agency.record_usage(&[event])?;
        println!("{label}");
        std::io::stdout().flush().expect("the test listens");
    }
    Ok(())
}
