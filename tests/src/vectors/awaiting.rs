//! Performing the steps of a vector with the asynchronous handles.

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use partnerkit::{AsyncAgency, AsyncPlatform, Platform, Result};
use serde_json::{Map, Value, json};

use super::perform::{With, import_options, of_no_store};
use super::{Step, awaited};

/// Performs one step.
///
/// # Errors
/// The error of the operation.
pub(super) async fn step_of(
    platform: &Platform,
    step: &Step,
    kept: &Map<String, Value>,
) -> Result<Value> {
    let with = With::of(step, kept);
    if let Some(answer) = of_no_store(platform, &step.call, &with) {
        return answer;
    }
    let platform = AsyncPlatform::from(platform.clone());
    let Some(agency) = &step.on else {
        let answer = awaited::on_platform(&platform, &step.call, &with).await;
        return answer.unwrap_or_else(|| panic!("the platform has no operation {}", step.call));
    };
    let agency = platform.agency(agency.clone()).await?;
    let agency = match &step.actor {
        Some(actor) => agency.acting_as(actor)?,
        None => agency,
    };
    on_agency(&agency, &step.call, &with).await
}

/// Calls with a stream, which are not generated, and all others.
async fn on_agency(agency: &AsyncAgency, call: &str, with: &With) -> Result<Value> {
    match call {
        "import_csv" => {
            let rows = Shared::default();
            let (told, file) = (rows.clone(), Cursor::new(with.text("file")));
            let each = move |row| told.add([json!(row)]);
            let report = agency.import_csv(file, import_options(with), each).await?;
            Ok(json!({ "report": json!(report), "rows": rows.taken() }))
        }
        "export_csv" => {
            let file = Shared::default();
            agency.export_csv(with.form(&[]), file.clone()).await?;
            Ok(json!(String::from_utf8(file.taken()).expect("text")))
        }
        _ => awaited::on_agency(agency, call, with)
            .await
            .unwrap_or_else(|| panic!("an agency has no operation {call}")),
    }
}

/// What a call has told on its thread.
struct Shared<T>(Arc<Mutex<Vec<T>>>);

impl<T> Shared<T> {
    fn add(&self, more: impl IntoIterator<Item = T>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
    }

    fn taken(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Write for Shared<u8> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes.iter().copied());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
