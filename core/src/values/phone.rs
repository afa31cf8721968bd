//! A telephone number, and the countries a form can offer for it.

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;

use super::text_value;
use crate::error::{Code, Refusal};

/// A telephone number in E.164 (`+14155552671`), valid by its country's numbering plan (S11).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

text_value!(Phone);

/// A country of the numbering plan, for a form's drop-down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneCountry {
    /// ISO 3166-1 alpha-2, or the plan's own code where ISO has none (`XK`).
    pub code: &'static str,
    /// The international calling code, without `+`.
    pub calling_code: u16,
    /// A national number of the country, to show as a placeholder.
    pub example: Option<&'static str>,
}

impl Phone {
    /// Reads an international number (`+49 30 …`), or a national one of the given country.
    /// Codes: `empty`, `too_long`, `invalid`, `unknown_country`, `country_mismatch`.
    pub fn parse(raw: &str, country: Option<&str>) -> Result<Self, Refusal> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if raw.len() > 64 {
            return Err(Refusal::too_long(64));
        }
        // The library also reads letters and extensions; E.164 can keep neither.
        if !raw.chars().all(|c| c.is_ascii_digit() || "+-./() \u{a0}".contains(c)) {
            return Err(Code::Invalid.into());
        }
        let country = country.map(country_id).transpose()?;
        if country.is_none() && !raw.starts_with('+') {
            return Err(Code::Invalid.into());
        }
        let number = phonenumber::parse(country, raw).map_err(|_| Code::Invalid)?;
        if country.is_some_and(|c| !shares_calling_code(c, number.code().value())) {
            return Err(Code::CountryMismatch.into());
        }
        if !number.is_valid() {
            return Err(Code::Invalid.into());
        }
        if country.is_some_and(|c| number.country().id().is_some_and(|n| n != c)) {
            return Err(Code::CountryMismatch.into());
        }
        Ok(Self(number.format().mode(phonenumber::Mode::E164).to_string()))
    }

    /// The number as people of its country write it.
    pub fn national_format(&self) -> String {
        match phonenumber::parse(None, &self.0) {
            Ok(number) => number.format().mode(phonenumber::Mode::National).to_string(),
            Err(_) => self.0.clone(),
        }
    }
}

fn country_id(code: &str) -> Result<Id, Refusal> {
    code.parse().map_err(|_| Code::UnknownCountry.into())
}

fn shares_calling_code(country: Id, calling_code: u16) -> bool {
    DATABASE.by_id(country.as_ref()).is_some_and(|m| m.country_code() == calling_code)
}

/// Every country of the numbering plan, by code.
pub fn phone_countries() -> Vec<PhoneCountry> {
    let database: &'static phonenumber::metadata::Database = &DATABASE;
    let mut countries: Vec<_> = database
        .iter()
        .filter(|m| m.id().parse::<Id>().is_ok())
        .map(|m| PhoneCountry { code: m.id(), calling_code: m.country_code(), example: example(m) })
        .collect();
    countries.sort_by_key(|c| c.code);
    countries
}

/// A national number of the country: a mobile's where the plan knows one.
fn example(country: &'static phonenumber::Metadata) -> Option<&'static str> {
    let kinds = country.descriptors();
    [kinds.mobile(), kinds.fixed_line(), Some(kinds.general())]
        .into_iter()
        .flatten()
        .find_map(|kind| kind.example())
}
