//! The two ways of being a partner.

use crate::error::{Code, Refusal};

/// What a reseller sells, and therefore what it may manage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartnerType {
    /// Owns its plans and manages them.
    OwnPlans,
    /// Sells the agency's plans for a commission.
    Commission,
}

impl PartnerType {
    /// All types.
    pub const ALL: [Self; 2] = [Self::OwnPlans, Self::Commission];

    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::PartnerType::OwnPlans.slug(), "own_plans");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::OwnPlans => "own_plans",
            Self::Commission => "commission",
        }
    }

    /// The type with this slug.
    ///
    /// ```
    /// use partnerkit::PartnerType;
    ///
    /// assert_eq!(PartnerType::from_slug("commission"), Some(PartnerType::Commission));
    /// assert_eq!(PartnerType::from_slug("franchise"), None);
    /// ```
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.slug() == slug)
    }
    /// The type with this slug, as typed. Code: `invalid`.
    pub(crate) fn parse(slug: &str) -> Result<Self, Refusal> {
        let unknown = || Refusal::unknown_slug(Code::Invalid, Self::ALL.map(Self::slug));
        Self::from_slug(slug).ok_or_else(unknown)
    }
}
