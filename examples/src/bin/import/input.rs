//! Organisations from JSON or CSV.

use std::fs;
use std::path::Path;

use serde::Deserialize;

const SAMPLE: &str = include_str!("../../../data/organisations.sample.json");

/// One organisation, as the input has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Organisation {
    pub name: String,
    pub domains: Vec<String>,
    #[serde(default)]
    pub web_pages: Vec<String>,
    #[serde(default)]
    pub country: String,
    pub alpha_two_code: String,
    #[serde(default, rename = "state-province")]
    pub state: Option<String>,
}

/// A line of CSV: lists are texts there.
#[derive(Deserialize)]
struct Line {
    name: String,
    domains: String,
    #[serde(default)]
    web_pages: String,
    #[serde(default)]
    country: String,
    alpha_two_code: String,
    #[serde(default, rename = "state-province")]
    state: String,
}

/// Reads a file, or the sample that is built in. Says in a sentence what is wrong, and where.
pub fn read(file: Option<&str>) -> Result<Vec<Organisation>, String> {
    let Some(file) = file else { return json(SAMPLE).map_err(|said| format!("sample: {said}")) };
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
    match extension {
        Some("json") => json(&text),
        Some("csv") => csv(&text),
        _ => Err("the name must end with .json or .csv".to_owned()),
    }
    .map_err(|said| format!("{file}: {said}"))
}

fn json(text: &str) -> Result<Vec<Organisation>, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn csv(text: &str) -> Result<Vec<Organisation>, String> {
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    let lines: Result<Vec<Line>, _> = lines.deserialize().collect();
    Ok(lines.map_err(|error| error.to_string())?.into_iter().map(Organisation::from).collect())
}

impl From<Line> for Organisation {
    fn from(line: Line) -> Self {
        let list = |text: &str| {
            text.split([' ', '|']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        Self {
            name: line.name,
            domains: list(&line.domains),
            web_pages: list(&line.web_pages),
            country: line.country,
            alpha_two_code: line.alpha_two_code,
            state: Some(line.state).filter(|state| !state.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{csv, json, read};

    #[test]
    fn json_and_csv_say_the_same() {
        let from_json = json(
            r#"[{"name": "Łódź, University of", "domains": ["uni.lodz.pl", "stud.uni.lodz.pl"],
                 "web_pages": ["https://uni.lodz.pl/"], "country": "Poland",
                 "alpha_two_code": "PL", "state-province": null}]"#,
        );
        let from_csv = csv("name,domains,web_pages,country,alpha_two_code,state-province\n\
             \"Łódź, University of\",uni.lodz.pl stud.uni.lodz.pl,https://uni.lodz.pl/,Poland,PL,\n");
        assert_eq!(from_json.expect("reads"), from_csv.expect("reads"));
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let said = json("[{\"name\": \"A\",\n \"domains\": 7}]").expect_err("a number");
        assert!(said.contains("line 2"), "{said}");
        let said = csv("name,domains,alpha_two_code\nA\n").expect_err("a short line");
        assert!(said.contains("line: 2"), "{said}");
        let said = read(Some("missing.json")).expect_err("no file");
        assert!(said.starts_with("missing.json: "), "{said}");
    }
}
