//! Creating a reseller for each organisation, and keeping account of what was refused and why.

use std::collections::BTreeSet;

use partnerkit::{Agency, Code, Error, ErrorKind, PhoneCountry, Result, phone_countries};

use crate::draft::{draft, labels, main_domain};
use crate::input::Organisation;
use crate::report::Progress;

/// What became of the input.
#[derive(Debug, Default)]
pub struct Loaded {
    pub created: usize,
    /// From an earlier run.
    pub there_already: usize,
    pub refused: Vec<Refused>,
}

/// A row that did not become a reseller.
#[derive(Debug)]
pub struct Refused {
    /// Counted from 1.
    pub row: usize,
    pub name: String,
    pub reasons: Vec<String>,
}

enum Outcome {
    Created,
    ThereAlready,
    Refused(Vec<String>),
}

/// Goes on after a row that is refused; an error is one of the store.
pub fn load(agency: &Agency, organisations: &[Organisation]) -> Result<Loaded> {
    let countries = phone_countries();
    let mut progress = Progress::of("rows", organisations.len());
    let mut loaded = Loaded::default();
    let mut seen = BTreeSet::new();
    for (row, organisation) in (1..).zip(organisations) {
        let again = main_domain(organisation).is_some_and(|domain| !seen.insert(domain));
        let outcome = if again {
            Outcome::Refused(vec!["domains: an earlier row has the same".to_owned()])
        } else {
            create(agency, organisation, &countries)?
        };
        match outcome {
            Outcome::Created => loaded.created += 1,
            Outcome::ThereAlready => loaded.there_already += 1,
            Outcome::Refused(reasons) => {
                let name = organisation.name.clone();
                loaded.refused.push(Refused { row, name, reasons });
            }
        }
        progress.advance(1);
    }
    Ok(loaded)
}

fn create(
    agency: &Agency,
    organisation: &Organisation,
    countries: &[PhoneCountry],
) -> Result<Outcome> {
    let Some(mut draft) = draft(organisation, countries) else {
        return Ok(Outcome::Refused(vec!["domains: there is none".to_owned()]));
    };
    let domain = draft.external_id.clone().unwrap_or_default();
    // A domain that is no external id is refused with the form, in the words of the library.
    if let Ok(Some(_)) = agency.reseller_by_external_id(&domain) {
        return Ok(Outcome::ThereAlready);
    }
    let mut reasons = vec!["login_domain: the domain has no letters".to_owned()];
    for label in labels(&domain, &organisation.alpha_two_code) {
        draft.login_domain = label;
        match agency.create_reseller(draft.clone()) {
            Ok(_) => return Ok(Outcome::Created),
            Err(error) if error.kind() != ErrorKind::Validation => return Err(error),
            Err(error) => {
                reasons = said(&error);
                if !only_the_label(&error) {
                    break;
                }
            }
        }
    }
    Ok(Outcome::Refused(reasons))
}

/// Whether another label may help.
fn only_the_label(error: &Error) -> bool {
    let another = [Code::Taken, Code::Reserved, Code::Quarantined];
    error.fields().iter().all(|e| e.field == "login_domain" && another.contains(&e.code))
}

fn said(error: &Error) -> Vec<String> {
    let reason = |field: &partnerkit::FieldError| format!("{field} [{}]", field.code.slug());
    error.fields().iter().map(reason).collect()
}
