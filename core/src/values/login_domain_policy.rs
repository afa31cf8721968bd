//! Which login domains new resellers may have, and what happens to released ones.

use std::collections::BTreeSet;

use super::login_domain::Shape;
use super::{LoginDomain, Timestamp};
use crate::error::{Code, Refusal};

const RESERVED: &str = include_str!("../../data/reserved_labels.txt");

/// The rules of a platform's login domains. They apply only to new login domains, so changing them
/// evicts nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginDomainPolicy {
    shape: Shape,
    reserved: BTreeSet<String>,
    quarantine: Quarantine,
}

/// How long nobody may take a login domain that was released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quarantine {
    /// It may not be taken for this number of days.
    Days(u32),
    /// It is free at once.
    Immediately,
    /// It is never free again.
    Never,
}

impl Default for LoginDomainPolicy {
    fn default() -> Self {
        Self::letters()
    }
}

impl LoginDomainPolicy {
    /// Lowercase letters only. The usual labels are reserved, and a label that was given up is
    /// quarantined for 30 days.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomainPolicy};
    ///
    /// let policy = LoginDomainPolicy::letters();
    /// assert_eq!(policy.parse("acme").unwrap().as_str(), "acme");
    /// assert_eq!(policy.parse("acme24").unwrap_err().code(), Code::Digit);
    /// ```
    pub fn letters() -> Self {
        Self::of_shape(Shape::Letters)
    }

    /// As [`letters`](Self::letters), and also digits and inner single hyphens.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomainPolicy};
    ///
    /// let policy = LoginDomainPolicy::dns();
    /// assert_eq!(policy.parse("acme-24").unwrap().as_str(), "acme-24");
    /// assert_eq!(policy.parse("-acme").unwrap_err().code(), Code::Hyphen);
    /// ```
    pub fn dns() -> Self {
        Self::of_shape(Shape::Dns)
    }

    /// The policy for labels that are held already, under whichever policy they were taken: it
    /// allows any shape and reserves nothing.
    pub(crate) fn of_holders() -> Self {
        let quarantine = Quarantine::Days(30);
        Self { shape: Shape::Dns, reserved: BTreeSet::new(), quarantine }
    }

    fn of_shape(shape: Shape) -> Self {
        let lines = RESERVED.lines().filter(|line| !line.starts_with('#'));
        let reserved = lines.map(str::to_owned).collect();
        Self { shape, reserved, quarantine: Quarantine::Days(30) }
    }

    /// Reserves these labels, too. With a text that could never be a label the platform refuses to
    /// open, because that would reserve nothing.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomainPolicy};
    ///
    /// let policy = LoginDomainPolicy::letters().reserve(["billing"]);
    /// assert_eq!(policy.parse("billing").unwrap_err().code(), Code::Reserved);
    /// assert_eq!(policy.parse("www").unwrap_err().code(), Code::Reserved); // still
    /// ```
    pub fn reserve<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.reserved.extend(labels.into_iter().map(Into::into));
        self
    }

    /// Reserves these labels, and none of the usual ones.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomainPolicy};
    ///
    /// let policy = LoginDomainPolicy::letters().reserve_only(["billing"]);
    /// assert_eq!(policy.parse("billing").unwrap_err().code(), Code::Reserved);
    /// assert!(policy.parse("www").is_ok());
    /// ```
    pub fn reserve_only<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.reserved = labels.into_iter().map(Into::into).collect();
        self
    }

    /// For how long nobody may have a label that was given up.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { form, .. } = setup::scene()?;
    /// use partnerkit::{LoginDomainPolicy, Platform, Quarantine};
    ///
    /// let policy = LoginDomainPolicy::letters().quarantine(Quarantine::Immediately);
    /// let platform = Platform::builder().login_domain_policy(policy).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// let globex = agency.create_reseller(form)?;
    /// agency.delete_reseller(globex.id)?;
    /// assert_eq!(agency.domain_availability("globex")?.refused, None);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn quarantine(mut self, quarantine: Quarantine) -> Self {
        self.quarantine = quarantine;
        self
    }

    /// Checks a label for a new reseller, except whether it is taken. Codes: those of
    /// [`LoginDomain::parse`], `digit`, `reserved`.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomainPolicy};
    ///
    /// let policy = LoginDomainPolicy::default();
    /// assert_eq!(policy.parse("acme").unwrap().as_str(), "acme");
    /// assert_eq!(policy.parse("www").unwrap_err().code(), Code::Reserved);
    /// ```
    pub fn parse(&self, raw: &str) -> Result<LoginDomain, Refusal> {
        let label = self.shape(raw)?;
        if self.is_reserved(&label) { Err(Code::Reserved.into()) } else { Ok(label) }
    }

    /// Checks only the shape of a label, which may be reserved.
    pub(crate) fn shape(&self, raw: &str) -> Result<LoginDomain, Refusal> {
        LoginDomain::of_shape(raw, self.shape)
    }

    /// Whether the label is reserved, so that new resellers may not take it. Its holder keeps it.
    ///
    /// ```
    /// use partnerkit::{LoginDomain, LoginDomainPolicy};
    ///
    /// let admin = LoginDomain::parse("admin").unwrap();
    /// assert!(LoginDomainPolicy::default().is_reserved(&admin));
    /// ```
    pub fn is_reserved(&self, label: &LoginDomain) -> bool {
        self.reserved.contains(label.as_str())
    }

    /// Whether every reserved text is a valid label.
    pub(crate) fn reserves_labels(&self) -> bool {
        self.reserved.iter().all(|label| LoginDomain::parse(label).is_ok())
    }

    /// The lowercased text without the characters that a label may not have.
    pub(crate) fn letters_of(&self, typed: &str) -> String {
        let allowed = |c: &char| self.shape.allows(*c);
        typed.to_ascii_lowercase().chars().filter(allowed).collect()
    }

    /// When a label that is released now is free again.
    pub(crate) fn free_at(&self, now: Timestamp) -> Timestamp {
        match self.quarantine {
            Quarantine::Days(days) => now.plus_millis(i64::from(days) * Timestamp::DAY),
            Quarantine::Immediately => now,
            Quarantine::Never => Timestamp::from_millis(i64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LoginDomainPolicy, RESERVED};
    use crate::values::LoginDomain;

    #[test]
    fn s4_the_list_of_reserved_labels_is_in_order() {
        let labels: Vec<_> = RESERVED.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(labels.windows(2).all(|pair| pair[0] < pair[1]), "in order, and none twice");
        for label in &labels {
            LoginDomain::parse(label).expect("a label");
        }
        let policy = LoginDomainPolicy::dns();
        for label in ["www", "api", "admin", "mail", "login", "app", "autodiscover", "wpad"] {
            assert!(policy.is_reserved(&LoginDomain::parse(label).expect("a label")), "{label}");
        }
    }
}
