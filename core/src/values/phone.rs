//! A telephone number, and the countries a form can offer for it.

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use phonenumber::{Metadata, Mode, PhoneNumber, Type};
use serde::Serialize;

use super::text_value;
use crate::error::{Code, Refusal};

/// A telephone number in E.164 (`+14155552671`), valid by its country's numbering plan (S11).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

text_value!(Phone, |raw| Phone::parse(raw, None));

/// A country of the numbering plan, for a form's drop-down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
        let number = match country {
            Some(country) => of_country(raw, country_id(country)?)?,
            None => international(raw)?,
        };
        Ok(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// The number as people of its country write it.
    pub fn national_format(&self) -> String {
        match phonenumber::parse(None, &self.0) {
            Ok(number) => number.format().mode(Mode::National).to_string(),
            Err(_) => self.0.clone(),
        }
    }
}

fn international(raw: &str) -> Result<PhoneNumber, Refusal> {
    let number = raw.starts_with('+').then(|| phonenumber::parse(None, raw).ok()).flatten();
    number.filter(PhoneNumber::is_valid).ok_or(Code::Invalid.into())
}

fn of_country(raw: &str, country: Id) -> Result<PhoneNumber, Refusal> {
    let plan = DATABASE.by_id(country.as_ref()).ok_or(Code::UnknownCountry)?;
    let number = phonenumber::parse(Some(country), raw).map_err(|_| Code::Invalid)?;
    let fits = |number: &PhoneNumber| {
        let same_code = number.code().value() == plan.country_code();
        same_code && has_number(plan, &number.national().to_string())
    };
    if fits(&number) {
        return Ok(number);
    }
    // Of a national number that begins like the country's calling code, the library takes that
    // for one (Kazakhstan: +7 and 7xx …): read it a second time with the code in front.
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    let with_code = format!("+{}{digits}", plan.country_code());
    let again = (!raw.starts_with('+')).then(|| phonenumber::parse(None, with_code).ok()).flatten();
    if let Some(number) = again.filter(fits) {
        return Ok(number);
    }
    Err(if number.is_valid() { Code::CountryMismatch } else { Code::Invalid }.into())
}

fn country_id(code: &str) -> Result<Id, Refusal> {
    code.parse().map_err(|_| Code::UnknownCountry.into())
}

/// Whether a country's numbering plan has a number: countries that share a calling code (+44,
/// +1, +358) share numbers, too, so asking for "the" country of a number would refuse some.
fn has_number(plan: &Metadata, national: &str) -> bool {
    let has = |kind| plan.descriptors().get(kind).is_some_and(|plan| plan.is_match(national));
    plan.descriptors().general().is_match(national) && KINDS.into_iter().any(has)
}

const KINDS: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

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
fn example(country: &'static Metadata) -> Option<&'static str> {
    let kinds = country.descriptors();
    [kinds.mobile(), kinds.fixed_line(), Some(kinds.general())]
        .into_iter()
        .flatten()
        .find_map(|kind| kind.example())
}
