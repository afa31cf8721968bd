//! A telephone number, and the countries a form can offer for it.

mod plans;

use rlibphonenumber::{
    PhoneNumber, PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil as Plans, Region,
};
use serde::Serialize;

use super::text_value;
use crate::error::{Code, Refusal};

/// A telephone number in E.164 (`+14155552671`), valid by its country's numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

text_value!(Phone, |raw| Phone::parse(raw, None));

/// A country of the numbering plan, for a form's drop-down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhoneCountry {
    /// ISO 3166-1 alpha-2, or the plan's own code where ISO has none (`XK`).
    pub code: String,
    /// The international calling code, without `+`.
    pub calling_code: u16,
    /// A national number of the country, to show as a placeholder.
    pub example: Option<String>,
}

impl Phone {
    /// Reads an international number (`+49 30 …`), or a national one of the given country.
    /// Codes: `empty`, `too_long`, `invalid`, `unknown_country`, `country_mismatch`.
    ///
    /// ```
    /// use partnerkit::{Code, Phone};
    ///
    /// assert_eq!(Phone::parse("(415) 555-2671", Some("US")).unwrap().as_str(), "+14155552671");
    /// assert_eq!(Phone::parse("+49 30 901820", None).unwrap().as_str(), "+4930901820");
    /// let refusal = Phone::parse("+49 30 901820", Some("US")).unwrap_err();
    /// assert_eq!(refusal.code(), Code::CountryMismatch);
    /// ```
    pub fn parse(raw: &str, country: Option<&str>) -> Result<Self, Refusal> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if raw.len() > 64 {
            return Err(Refusal::too_long(64));
        }
        // The library also accepts letters and extensions, which E.164 cannot represent.
        if !raw.chars().all(|c| c.is_ascii_digit() || "+-./() \u{a0}".contains(c)) {
            return Err(not_valid());
        }
        plans::ask(|plans| {
            let number = match country {
                Some(country) => of_country(plans, raw, country)?,
                None => international(plans, raw)?,
            };
            Ok(Self(plans.format(&number, PhoneNumberFormat::E164).into_owned()))
        })
    }

    /// The number as it is written in its country.
    ///
    /// ```
    /// let phone = partnerkit::Phone::parse("+14155552671", None).unwrap();
    /// assert_eq!(phone.national_format(), "(415) 555-2671");
    /// ```
    pub fn national_format(&self) -> String {
        plans::ask(|plans| match plans.parse(&self.0, None) {
            Ok(number) => plans.format(&number, PhoneNumberFormat::National).into_owned(),
            Err(_) => self.0.clone(),
        })
    }
}

fn not_valid() -> Refusal {
    Refusal::invalid("a number like +49 30 901820, or one of a country that is given with it")
}

fn international(plans: &Plans, raw: &str) -> Result<PhoneNumber, Refusal> {
    let number = raw.starts_with('+').then(|| plans.parse(raw, None).ok()).flatten();
    number.filter(|number| plans.is_valid_number(number)).ok_or_else(not_valid)
}

/// Parses a number of a country. Countries that share a calling code (+44, +1, +358) may share
/// numbers, too. So this checks whether the given country's plan has the number: looking up "the"
/// country of the number would refuse some.
fn of_country(plans: &Plans, raw: &str, country: &str) -> Result<PhoneNumber, Refusal> {
    let (region, calling_code) = region(plans, country).ok_or(Code::UnknownCountry)?;
    let number = plans.parse(raw, Some(region)).map_err(|_| not_valid())?;
    // The library checks only the plan, and the same digits are a valid number in many countries.
    let same_code = number.country_code == calling_code;
    if same_code && plans.is_valid_number_for_region(&number, region) {
        return Ok(number);
    }
    match plans.is_valid_number(&number) {
        true => Err(Code::CountryMismatch.into()),
        false => Err(not_valid()),
    }
}

/// The region of a country that has a numbering plan, and its calling code.
fn region(plans: &Plans, country: &str) -> Option<(Region, i32)> {
    let region = Region::from_code(country).ok()?;
    // The library also accepts lowercase letters.
    let is_code = region.as_region_str().as_str() == country;
    let calling_code = plans.get_country_code_for_region(region).filter(|_| is_code)?;
    Some((region, calling_code))
}

/// Every country of the numbering plan, by code.
///
/// ```
/// let countries = partnerkit::phone_countries();
/// let us = countries.iter().find(|country| country.code == "US").unwrap();
/// assert_eq!((us.calling_code, us.example.as_deref()), (1, Some("2015550123")));
/// ```
pub fn phone_countries() -> Vec<PhoneCountry> {
    plans::ask(|plans| {
        let country = |region| {
            let calling_code = plans.get_country_code_for_region(region)?.try_into().ok()?;
            let example = example(plans, region);
            Some(PhoneCountry { code: region.to_string(), calling_code, example })
        };
        let mut regions: Vec<_> = plans.get_supported_regions().collect();
        regions.sort();
        regions.into_iter().filter_map(country).collect()
    })
}

/// An example of a national number: a mobile number if the plan has one.
fn example(plans: &Plans, region: Region) -> Option<String> {
    [PhoneNumberType::Mobile, PhoneNumberType::FixedLine]
        .into_iter()
        .find_map(|kind| plans.get_example_number_for_type_and_region(region, kind).ok())
        .map(|number| number.get_national_significant_number())
}
