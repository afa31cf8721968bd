//! The examples of an operation: the code blocks at the end of its documentation, one for each
//! language.

use serde::Serialize;

use crate::python::awaited;

/// The examples in each language.
#[derive(Debug, Serialize)]
pub struct Examples {
    /// The example in Rust, as a reader sees it.
    pub rust: String,
    /// The example in Python.
    pub python: String,
    /// The example in Rust, with the lines that begin with `# `, which rustdoc runs and hides.
    #[serde(skip)]
    pub run: String,
}

/// How long a line of Python may be in a docstring once its calls are awaited: `ruff` takes 100.
const WIDTH: usize = 92;

impl Examples {
    /// Errors: a line that is too long for Python's style.
    pub fn check_width(&self) -> Result<(), String> {
        match awaited(&self.python).lines().find(|line| line.chars().count() > WIDTH) {
            Some(line) => Err(format!("its example has a line too long, once awaited: {line}")),
            None => Ok(()),
        }
    }
}

/// The names of the blocks. Rustdoc does not run them there, because the methods of the nouns are
/// private.
const BLOCKS: [&str; 2] = ["```example", "```python"];

/// Splits documentation into its text and its examples.
///
/// Errors: a block that is missing, or that does not end.
pub fn split(documentation: &str) -> Result<(String, Examples), String> {
    let [(text, run), (between, python)] = {
        let (text, run, rest) = block(documentation, BLOCKS[0])?;
        let (between, python, rest) = block(rest, BLOCKS[1])?;
        if !rest.trim().is_empty() {
            return Err("its documentation goes on after the examples".to_owned());
        }
        [(text, run), (between, python)]
    };
    if !between.trim().is_empty() {
        return Err("its documentation has text between the examples".to_owned());
    }
    let shown = run.lines().filter(|line| !is_hidden(line)).collect::<Vec<_>>().join("\n");
    let examples = Examples { rust: shown, python: python.to_owned(), run: run.to_owned() };
    Ok((text.trim_end().to_owned(), examples))
}

/// The text before a block, the block, and the text after it.
fn block<'d>(text: &'d str, opening: &str) -> Result<(&'d str, &'d str, &'d str), String> {
    let missing = || format!("its documentation has no {opening} block with code at its end");
    let begins = format!("{opening}\n");
    let (before, rest) = text.split_once(&*begins).ok_or_else(missing)?;
    let (code, after) = rest.split_once("\n```").ok_or_else(missing)?;
    if code.trim().is_empty() { Err(missing()) } else { Ok((before, code, after)) }
}

fn is_hidden(line: &str) -> bool {
    line == "#" || line.starts_with("# ")
}

/// What makes the names that an example finds.
pub const SCENE: [&str; 2] = [
    "mod setup { include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/docs/examples/setup.rs\")); }",
    "let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;",
];

/// The example as a doctest, after hidden lines that set up what it needs.
pub fn doctest(examples: &Examples) -> String {
    let [setup, scene] = SCENE;
    let Examples { run, .. } = examples;
    format!("```\n# {setup}\n# {scene}\n{run}\n# Ok::<(), partnerkit::Error>(())\n```")
}

#[cfg(test)]
mod tests {
    use super::split;

    const RUST: &str = "```example\n# hidden();\nassert!(true);\n```\n";
    const PYTHON: &str = "```python\nassert True\n```";

    #[test]
    fn examples_are_taken_out_of_the_documentation() {
        let (text, examples) = split(&format!("Does it.\n\n{RUST}{PYTHON}")).expect("has both");
        assert_eq!(text, "Does it.");
        assert_eq!((&*examples.rust, &*examples.python), ("assert!(true);", "assert True"));
        assert_eq!(examples.run, "# hidden();\nassert!(true);");
    }

    #[test]
    fn a_line_that_is_too_long_once_awaited_is_refused() {
        for (length, fits) in [(92, true), (93, false)] {
            let call = format!("agency.note({})", "1".repeat(length - "await agency.note()".len()));
            let documentation = format!("{RUST}```python\n{call}\n```");
            let (_, examples) = split(&documentation).expect("has both");
            assert_eq!(examples.check_width().is_ok(), fits);
        }
    }

    #[test]
    fn what_lacks_an_example_is_refused() {
        for (documentation, missing) in [
            ("Does it.", "no ```example block"),
            (PYTHON, "no ```example block"),
            (RUST, "no ```python block"),
            ("```example\n\n```\n```python\npass\n```", "no ```example block"),
            (&format!("{RUST}{PYTHON}\nAnd more."), "after the examples"),
            (&format!("{RUST}And\n{PYTHON}"), "between the examples"),
        ] {
            let why = split(documentation).expect_err("is refused");
            assert!(why.contains(missing), "{why}");
        }
    }
}
