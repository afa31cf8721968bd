//! From an organisation to the form of a reseller: what is there is used, the rest follows.

use std::collections::BTreeMap;

use partnerkit::{ContactDraft, PhoneCountry, PhoneDraft, ResellerDraft};

use crate::input::Organisation;

/// Labels that say what a host does, not whose it is.
const GENERIC: &[&str] =
    &["alumni", "edu", "mail", "my", "stud", "student", "students", "uni", "www"];

/// The form, but for the login domain; `None` for an organisation without a domain.
pub fn draft(organisation: &Organisation, countries: &[PhoneCountry]) -> Option<ResellerDraft> {
    let domain = main_domain(organisation)?;
    let email = format!("office@{domain}");
    let phone = example_phone(&organisation.alpha_two_code, countries);
    let kinds = ["own_plans", "commission"];
    let kind = kinds[usize::try_from(spread(domain) % 2).unwrap_or(0)];
    // A name may be 200 characters long; what stands in front of it needs 10.
    let short: String = organisation.name.chars().take(190).collect();
    Some(ResellerDraft {
        partner_type: kind.to_owned(),
        name: organisation.name.clone(),
        email: email.clone(),
        phone: phone.clone(),
        // A bulk import hashes no passwords: each gets an invitation.
        invite: true,
        contact: ContactDraft { name: format!("Office of {short}"), email, phone },
        website: organisation.web_pages.first().cloned(),
        external_id: Some(domain.to_owned()),
        metadata: metadata(organisation),
        ..ResellerDraft::default()
    })
}

/// The shortest domain: the others are mostly parts of it (`student.wab.edu.pl`, `wab.edu.pl`).
/// It is the organisation's id, by which a second run finds it.
pub fn main_domain(organisation: &Organisation) -> Option<&str> {
    organisation.domains.iter().map(String::as_str).min_by_key(|domain| (domain.len(), *domain))
}

/// Login domains to try, best first: letters only, from the domain's own labels.
pub fn labels(domain: &str, country: &str) -> Vec<String> {
    let letters = |text: &str| -> String {
        text.to_ascii_lowercase().chars().filter(char::is_ascii_lowercase).collect()
    };
    let parts: Vec<String> = domain.split('.').map(letters).collect();
    let own = parts.iter().filter(|part| part.len() > 1 && !GENERIC.contains(&part.as_str()));
    let Some(first) = own.clone().next().or(parts.iter().find(|part| !part.is_empty())) else {
        return Vec::new();
    };
    let country = letters(country);
    let mut labels = vec![first.clone(), format!("{first}{country}"), parts.concat()];
    labels.extend(('a'..='z').map(|letter| format!("{first}{country}{letter}")));
    labels.retain(|label| label.len() <= 63);
    labels
}

/// A number that spreads what depends on an organisation, the same in every run (FNV-1a).
pub fn spread(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn example_phone(country: &str, countries: &[PhoneCountry]) -> PhoneDraft {
    let number = countries.iter().find(|c| c.code == country).and_then(|c| c.example.as_deref());
    PhoneDraft::national(country, number.unwrap_or_default())
}

fn metadata(organisation: &Organisation) -> BTreeMap<String, String> {
    let state = organisation.state.clone().map(|state| ("state".to_owned(), state));
    let country = ("country".to_owned(), organisation.country.clone());
    std::iter::once(country).chain(state).filter(|(_, text)| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use partnerkit::phone_countries;

    use super::{draft, labels, main_domain};
    use crate::input::Organisation;

    #[test]
    fn the_shortest_domain_is_the_organisation() {
        let domains = vec!["student.wab.edu.pl".to_owned(), "wab.edu.pl".to_owned()];
        let organisation = Organisation { domains, ..Organisation::default() };
        assert_eq!(main_domain(&organisation), Some("wab.edu.pl"));
        assert!(draft(&Organisation::default(), &[]).is_none());
    }

    #[test]
    fn labels_are_letters_of_the_domain() {
        assert_eq!(labels("wab.edu.pl", "PL")[..3], ["wab", "wabpl", "wabedupl"]);
        assert_eq!(labels("www.2ie-edu.org", "BF")[0], "ieedu");
        assert_eq!(labels("123.456", "DE"), [""; 0]);
    }

    #[test]
    fn the_phone_is_of_the_country() {
        let organisation = Organisation {
            name: "A".into(),
            domains: vec!["a.example".into()],
            alpha_two_code: "GB".into(),
            ..Organisation::default()
        };
        let draft = draft(&organisation, &phone_countries()).expect("has a domain");
        assert_eq!(draft.phone.country.as_deref(), Some("GB"));
        assert!(!draft.phone.number.is_empty());
    }
}
