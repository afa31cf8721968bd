//! S11: Google's numbering plans and the core say the same of numbers of every country, right and
//! wrong ones, as `tests/data/phones.py` has written them down.

use std::collections::BTreeSet;

use partnerkit::{Phone, phone_countries};

const CASES: &str = include_str!("../../tests/data/phones.tsv");

#[test]
fn s11_the_plan_of_the_given_country_decides_in_every_country() {
    let mut seen = BTreeSet::new();
    let mut differ = Vec::new();
    for case in CASES.lines() {
        let [raw, country, e164, national] = case.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a case has four columns: {case}");
        };
        seen.insert(country);
        let phone = Phone::parse(raw, (!country.is_empty()).then_some(country));
        let told = phone.map(|phone| (phone.to_string(), phone.national_format()));
        let (told_e164, told_national) = told.unwrap_or_default();
        if (&*told_e164, &*told_national) != (e164, national) {
            differ.push(format!("{raw} of {country:?}: {told_e164:?}, {told_national:?}"));
        }
    }
    assert_eq!(differ, [""; 0]);
    seen.remove("");
    let countries = phone_countries();
    assert!(countries.iter().all(|country| seen.remove(&*country.code)), "a country has no case");
    assert_eq!(seen, BTreeSet::new(), "the form lacks a country");
}
