//! Whether a login domain can be had: advice for a form; creating decides (S6).

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::{Code, Result};
use crate::labels;
use crate::shared::Shared;
use crate::storage::LabelRow;
use crate::values::{LoginDomain, Timestamp};

/// What can be said of a label before anybody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainAvailability {
    /// Why the label cannot be had; `None` when it is free.
    pub refused: Option<Code>,
    /// Up to five labels like it that are free; none when the label itself is, or when nothing
    /// like it could be a label.
    pub suggestions: Vec<String>,
}

const SUGGESTIONS: usize = 5;

impl Shared {
    /// What can be said of a label, for those who may not have the `reserved` ones either.
    pub fn availability(
        &self,
        label: &str,
        reserved: &BTreeSet<LoginDomain>,
    ) -> Result<DomainAvailability> {
        let refused = match self.login_domains.shape(label) {
            Err(refusal) => Some(refusal.code()),
            Ok(label) => self.refusals(&[label], reserved)?.pop().flatten(),
        };
        let suggestions =
            if refused.is_none() { Vec::new() } else { self.free_like(label, reserved)? };
        Ok(DomainAvailability { refused, suggestions })
    }

    /// Why each label cannot be had.
    fn refusals(
        &self,
        labels: &[LoginDomain],
        reserved: &BTreeSet<LoginDomain>,
    ) -> Result<Vec<Option<Code>>> {
        let now: Timestamp = self.clock.now();
        let rows = labels::holders(&*self.storage, labels)?;
        let is_reserved =
            |label: &LoginDomain| self.login_domains.is_reserved(label) || reserved.contains(label);
        let refusal = |(label, row): (&LoginDomain, Option<LabelRow>)| match row {
            Some(row) if !row.is_free(now) => Some(row.state.refusal()),
            _ => is_reserved(label).then_some(Code::Reserved),
        };
        Ok(labels.iter().zip(rows).map(refusal).collect())
    }

    /// Free labels like what was typed. That is lowercased here, as it never is for a claim:
    /// the suggestion is shown, and somebody chooses it.
    fn free_like(&self, typed: &str, reserved: &BTreeSet<LoginDomain>) -> Result<Vec<String>> {
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
