//! The vectors: operations and their results in the wire form, which are the same for every
//! language.
//!
//! A file in `tests/vectors` has cases, and a case has steps. A step calls an operation `on` an
//! agency or the platform `with` arguments, and says what it `gives` or how it `fails`. `keep`
//! gives the result a name for later steps (`$acme.id`; `$$` is a dollar sign). Of an object, only
//! the expected fields are compared; a list must have the expected length; `*` matches anything.

mod awaited;
mod awaiting;
mod dispatch;
pub mod perform;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use partnerkit::{Clock, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What the file is about.
    pub about: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// A story on a platform of its own, with an agency `northwind` and a clock that stands still.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, as a sentence.
    pub name: String,
    /// The lines of the semantics that it proves.
    pub proves: Vec<String>,
    /// Settings of the platform.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The operation.
    #[serde(default)]
    pub call: String,
    /// The agency; the platform if there is none.
    pub on: Option<String>,
    /// The actor.
    #[serde(rename = "as")]
    pub actor: Option<String>,
    /// The arguments, by name.
    #[serde(default)]
    pub with: Map<String, Value>,
    /// The result that it must give.
    pub gives: Option<Value>,
    /// The error it must fail with.
    pub fails: Option<Value>,
    /// The name under which the result is kept.
    pub keep: Option<String>,
    /// Instead of a call, the milliseconds that pass.
    pub forward: Option<i64>,
}

/// Every file of vectors, by name.
pub fn files() -> BTreeMap<String, File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let entries = std::fs::read_dir(folder).expect("the vectors");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let file = |path: std::path::PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?.to_owned();
        let text = std::fs::read_to_string(&path).expect("text");
        let file = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        Some((name, file))
    };
    paths.filter_map(file).collect()
}

/// A clock that moves only when it is told to.
pub struct StillClock(AtomicI64);

impl StillClock {
    /// Noon of a day in the middle of a month.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_773_576_000_000)))
    }

    /// Lets time pass.
    pub fn forward(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The value with every `$name.path` replaced by what was kept.
pub fn resolved(value: &Value, kept: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) if text.starts_with("$$") => json!(text[1..]),
        Value::String(text) if text.starts_with('$') => {
            let mut path = text[1..].split('.');
            let first = path.next().and_then(|name| kept.get(name));
            let found = path.fold(first, |value, key| match key.parse::<usize>() {
                Ok(place) => value?.get(place),
                Err(_) => value?.get(key),
            });
            found.unwrap_or_else(|| panic!("nothing is kept as {text}")).clone()
        }
        Value::Array(items) => items.iter().map(|item| resolved(item, kept)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), resolved(value, kept)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// The first difference between an answer and the expected one, if there is one.
pub fn difference(expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::String(any), actual) if any == "*" && !actual.is_null() => None,
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().find_map(|(name, e)| {
                let found = difference(e, actual.get(name).unwrap_or(&Value::Null));
                found.map(|found| format!("{name}: {found}"))
            })
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let pairs = expected.iter().zip(actual).enumerate();
            pairs.into_iter().find_map(|(i, (e, a))| Some(format!("{i}: {}", difference(e, a)?)))
        }
        (expected, actual) if expected == actual => None,
        (expected, actual) => Some(format!("{expected} was expected, not {actual}")),
    }
}

/// The form of an invited reseller with a label, with changes. It is the same in every language.
pub fn form(label: &str, changes: &Map<String, Value>) -> Value {
    let mut form = json!({
        "partner_type": "own_plans",
        "name": format!("The {label} company"),
        "email": format!("owner@{label}.example"),
        "phone": {"country": "US", "number": "(415) 555-2671"},
        "invite": true,
        "contact": {
            "name": "Ann Lee",
            "email": "ann@contact.example",
            "phone": {"number": "+49 30 901820"},
        },
        "login_domain": label,
    });
    let fields = form.as_object_mut().expect("an object");
    fields.extend(changes.iter().map(|(name, value)| (name.clone(), value.clone())));
    form
}
