//! Functions that need no store: countries, national numbers, and the codes of refused fields.

use napi::Unknown;
use napi_derive::napi;
use partnerkit::{Code, ErrorKind, Phone};
use serde::Serialize;

use crate::error::Failure;
use crate::given::argument;
use crate::home::Environment;
use crate::packed::packed;
use crate::platform::Synchronous;
use crate::value::Js;

#[napi]
impl Environment {
    #[napi(catch_unwind)]
    pub fn phone_countries(&self) -> napi::Result<String> {
        text(&partnerkit::phone_countries())
    }

    #[napi(catch_unwind)]
    pub fn field_codes(&self) -> napi::Result<String> {
        let codes =
            Code::ALL.iter().map(|code| CodeRecord { slug: code.slug(), text: code.text() });
        text(&codes.collect::<Vec<_>>())
    }
}

fn text<T: Serialize>(answer: &T) -> napi::Result<String> {
    packed(answer).map_err(|error| napi::Error::from_reason(error.to_string()))
}

#[derive(Serialize)]
struct CodeRecord {
    slug: &'static str,
    text: &'static str,
}

#[napi(catch_unwind)]
pub fn national_format(phone: Unknown<'_>) -> napi::Result<Synchronous<String>> {
    Synchronous::of(|| {
        let phone: String = argument("phone", phone)?;
        let phone = Phone::parse(&phone, None);
        let phone = phone.map_err(|refusal| Failure::refusal("phone", refusal))?;
        Ok(phone.national_format())
    })
}

/// The HTTP status of each kind of error.
#[napi(catch_unwind)]
pub fn http_statuses() -> Js {
    let status = |kind: &ErrorKind| (kind.slug(), Js::Number(kind.http_status().into()));
    Js::Object(ErrorKind::ALL.iter().map(status).collect())
}

/// The tables that every storage keeps, as data.
#[napi(catch_unwind)]
pub fn schema() -> Js {
    Js::List(partnerkit::schema::TABLES.iter().map(|table| Js::table(table)).collect())
}

/// The version of these tables.
#[napi(catch_unwind)]
pub fn schema_version() -> u32 {
    partnerkit::schema::VERSION
}

/// The version of the package.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
