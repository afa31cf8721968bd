//! What is asked for on the command line.

pub const USAGE: &str = "\
usage: import [--store URL] [--agency ID] [FILE]

Reads organisations, makes each a reseller, lets it use a day of messages, and
prints the overview.

  --store URL   where to keep them: sqlite:FILE, postgres://… or memory:
                (sqlite:resellers.db)
  --agency ID   the agency they become resellers of (organisations)
  FILE          .json (a list) or .csv (with a header) with the fields name,
                domains, web_pages, country, alpha_two_code, state-province; in
                CSV several domains or pages are separated by spaces
                (a sample that is built in)";

/// The arguments, with what was not given filled in.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub help: bool,
    pub store: String,
    pub agency: String,
    pub file: Option<String>,
}

impl Arguments {
    /// Reads them, or says what is wrong with them.
    pub fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            help: false,
            store: "sqlite:resellers.db".to_owned(),
            agency: "organisations".to_owned(),
            file: None,
        };
        while let Some(argument) = given.next() {
            let mut value = || given.next().ok_or(format!("{argument} needs a value\n\n{USAGE}"));
            match argument.as_str() {
                "--help" | "-h" => arguments.help = true,
                "--store" => arguments.store = value()?,
                "--agency" => arguments.agency = value()?,
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}\n\n{USAGE}"));
                }
                _ if arguments.file.is_some() => return Err(format!("one FILE only\n\n{USAGE}")),
                _ => arguments.file = Some(argument),
            }
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    fn read(given: &[&str]) -> Result<Arguments, String> {
        Arguments::read(given.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn what_is_not_given_is_filled_in() {
        let arguments = read(&["--store", "memory:", "a.csv"]).expect("fine");
        assert_eq!((&*arguments.store, &*arguments.agency), ("memory:", "organisations"));
        assert_eq!(arguments.file.as_deref(), Some("a.csv"));
    }

    #[test]
    fn mistakes_are_named() {
        for (given, named) in [
            (&["--store"][..], "--store needs a value"),
            (&["--stor", "x"], "unknown option --stor"),
            (&["a.csv", "b.csv"], "one FILE only"),
        ] {
            assert!(read(given).expect_err("a mistake").starts_with(named));
        }
    }
}
