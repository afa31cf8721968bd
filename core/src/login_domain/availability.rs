//! The availability of a login domain. It is advice for a form; creating decides (S6).

use serde::Serialize;

use super::{holders, refusal};
use crate::agency::AgencySettings;
use crate::error::{Code, Result};
use crate::shared::Shared;
use crate::tenant::Tenant;
use crate::values::LoginDomain;

/// Whether a label is available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainAvailability {
    /// Why the label is not available; `None` if it is free.
    pub refused: Option<Code>,
    /// Up to five similar labels that are free. The list is empty if the label itself is free, or
    /// if no similar text can be a label.
    pub suggestions: Vec<String>,
}

const SUGGESTIONS: usize = 5;

impl Tenant {
    /// Whether a reseller of this agency could take a label now, and if not, why, with suggestions.
    /// The answer may be outdated when it arrives: only creating and renaming decide. Errors:
    /// `NotFound` once the agency is deleted.
    ///
    /// ```example
    /// use partnerkit::Code;
    ///
    /// let label = agency.domain_availability("acme")?;
    /// assert_eq!(label.refused, Some(Code::Taken));
    /// assert_eq!(label.suggestions[0], "acmeapp");
    /// assert_eq!(agency.domain_availability("globex")?.refused, None);
    /// ```
    /// ```python
    /// label = agency.domain_availability("acme")
    /// assert (label.available, label.refused) == (False, "taken")
    /// assert label.suggestions[0] == "acmeapp"
    /// ```
    /// ```javascript
    /// const label = await agency.domainAvailability('acme');
    /// assert.equal(label.refused, 'taken'); // null for one that is free
    /// assert.equal(label.suggestions[0], 'acmeapp');
    /// ```
    pub fn domain_availability(&self, label: &str) -> Result<DomainAvailability> {
        let agency = self.read(|reads| reads.held_agency())?;
        self.shared.availability(label, self.shared.reserves(&agency.settings))
    }
}

impl Shared {
    /// The test for labels that no new reseller of an agency may take.
    pub fn reserves<'s>(
        &'s self,
        agency: &'s AgencySettings,
    ) -> impl Fn(&LoginDomain) -> bool + 's {
        |label| self.login_domains.is_reserved(label) || agency.reserved_labels.contains(label)
    }

    /// The availability of a label, with suggestions, where the `reserved` ones may not be taken.
    pub fn availability(
        &self,
        label: &str,
        reserved: impl Fn(&LoginDomain) -> bool,
    ) -> Result<DomainAvailability> {
        let refused = match self.login_domains.shape(label) {
            Err(refusal) => Some(refusal.code()),
            Ok(label) => self.refusals(&[label], &reserved)?.pop().flatten(),
        };
        let suggestions =
            if refused.is_none() { Vec::new() } else { self.free_like(label, &reserved)? };
        Ok(DomainAvailability { refused, suggestions })
    }

    /// For each label, why it is not available.
    fn refusals(
        &self,
        labels: &[LoginDomain],
        reserved: &impl Fn(&LoginDomain) -> bool,
    ) -> Result<Vec<Option<Code>>> {
        let now = self.clock.now();
        let holders = holders(&self.storage, labels)?;
        let why = |(label, holder): (_, Option<_>)| refusal(label, holder.as_ref(), reserved, now);
        Ok(labels.iter().zip(holders).map(why).collect())
    }

    /// Free labels similar to a typed text. Only for suggestions, which a person chooses from, is
    /// the text lowercased.
    fn free_like(
        &self,
        typed: &str,
        reserved: &impl Fn(&LoginDomain) -> bool,
    ) -> Result<Vec<String>> {
        let policy = &self.login_domains;
        let stem: String = policy.letters_of(typed).chars().take(57).collect();
        if stem.is_empty() {
            return Ok(Vec::new());
        }
        let endings = ["", "app", "hq", "online", "team", "group", "site"].map(str::to_owned);
        let letters = ('a'..='z').map(String::from);
        let candidates = endings.into_iter().chain(letters).map(|ending| format!("{stem}{ending}"));
        let labels: Vec<_> = candidates.filter_map(|label| policy.shape(&label).ok()).collect();
        let refusals = self.refusals(&labels, reserved)?;
        let free = labels.into_iter().zip(refusals).filter(|(_, refused)| refused.is_none());
        Ok(free.map(|(label, _)| label.to_string()).take(SUGGESTIONS).collect())
    }
}
