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
    /// The example in JavaScript.
    pub javascript: String,
    /// The example in Rust, with the lines that begin with `# `, which rustdoc runs and hides.
    #[serde(skip)]
    pub run: String,
}

/// How long a line may be in documentation that is indented: formatters take 100. A line of Python
/// is measured once its calls are awaited.
const WIDTH: usize = 92;

impl Examples {
    /// Errors: a line that is too long for the style of its language.
    pub fn check_width(&self) -> Result<(), String> {
        let python = awaited(&self.python);
        let mut lines = python.lines().chain(self.javascript.lines());
        match lines.find(|line| line.chars().count() > WIDTH) {
            Some(line) => Err(format!("its example has a line that is too long: {line}")),
            None => Ok(()),
        }
    }
}

/// The names of the blocks. Rustdoc does not run them there, because the methods of the nouns are
/// private.
const BLOCKS: [&str; 3] = ["```example", "```python", "```javascript"];

/// Splits documentation into its text and its examples.
///
/// Errors: a block that is missing, or that does not end.
pub fn split(documentation: &str) -> Result<(String, Examples), String> {
    let [rust, python, javascript] = BLOCKS;
    let (text, run, rest) = block(documentation, rust)?;
    let (after_rust, python, rest) = block(rest, python)?;
    let (after_python, javascript, rest) = block(rest, javascript)?;
    if ![after_rust, after_python].iter().all(|between| between.trim().is_empty()) {
        return Err("its documentation has text between the examples".to_owned());
    }
    if !rest.trim().is_empty() {
        return Err("its documentation goes on after the examples".to_owned());
    }
    let shown = run.lines().filter(|line| !is_hidden(line)).collect::<Vec<_>>().join("\n");
    let examples = Examples {
        rust: shown,
        python: python.to_owned(),
        javascript: javascript.to_owned(),
        run: run.to_owned(),
    };
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
    const PYTHON: &str = "```python\nassert True\n```\n";
    const JAVASCRIPT: &str = "```javascript\nassert(true);\n```";

    #[test]
    fn examples_are_taken_out_of_the_documentation() {
        let (text, examples) =
            split(&format!("Does it.\n\n{RUST}{PYTHON}{JAVASCRIPT}")).expect("has all");
        assert_eq!(text, "Does it.");
        assert_eq!((&*examples.rust, &*examples.python), ("assert!(true);", "assert True"));
        assert_eq!(examples.javascript, "assert(true);");
        assert_eq!(examples.run, "# hidden();\nassert!(true);");
    }

    #[test]
    fn a_line_that_is_too_long_is_refused() {
        for (length, fits) in [(92, true), (93, false)] {
            let python =
                format!("agency.note({})", "1".repeat(length - "await agency.note()".len()));
            let javascript = format!("// {}", "1".repeat(length - 3));
            for blocks in [
                format!("```python\n{python}\n```\n{JAVASCRIPT}"),
                format!("{PYTHON}```javascript\n{javascript}\n```"),
            ] {
                let (_, examples) = split(&format!("{RUST}{blocks}")).expect("has all");
                assert_eq!(examples.check_width().is_ok(), fits, "{blocks}");
            }
        }
    }

    #[test]
    fn what_lacks_an_example_is_refused() {
        for (documentation, missing) in [
            ("Does it.", "no ```example block"),
            (&format!("{PYTHON}{JAVASCRIPT}"), "no ```example block"),
            (&format!("{RUST}{JAVASCRIPT}"), "no ```python block"),
            (&format!("{RUST}{PYTHON}"), "no ```javascript block"),
            (&format!("```example\n\n```\n{PYTHON}{JAVASCRIPT}"), "no ```example block"),
            (&format!("{RUST}{PYTHON}{JAVASCRIPT}\nAnd more."), "after the examples"),
            (&format!("{RUST}And\n{PYTHON}{JAVASCRIPT}"), "between the examples"),
            (&format!("{RUST}{PYTHON}And\n{JAVASCRIPT}"), "between the examples"),
        ] {
            let why = split(documentation).expect_err("is refused");
            assert!(why.contains(missing), "{why}");
        }
    }
}
