//! The availability of a login domain before its agency is known, and its URL (S5, S6).

use super::{Operator, Platform};
use crate::error::Result;
use crate::login_domain::DomainAvailability;
use crate::values::LoginDomain;

impl Operator {
    /// Whether a label could be taken now, and if not, why, with suggestions. The answer may be
    /// outdated when it arrives: only creating and renaming decide. If the agency is known, use
    /// [`Agency::domain_availability`](crate::Agency::domain_availability), which also knows the
    /// labels that the agency has reserved.
    ///
    /// ```example
    /// use partnerkit::Code;
    ///
    /// assert_eq!(platform.domain_availability("globex")?.refused, None);
    /// assert_eq!(platform.domain_availability("www")?.refused, Some(Code::Reserved));
    /// let typed = platform.domain_availability("Globex")?;
    /// assert_eq!(typed.refused, Some(Code::Uppercase));
    /// assert_eq!(typed.suggestions[0], "globex");
    /// ```
    /// ```python
    /// typed = platform.domain_availability("Globex")
    /// assert (typed.available, typed.refused) == (False, "uppercase")
    /// assert typed.suggestions[0] == "globex"
    /// ```
    /// ```javascript
    /// const typed = await platform.domainAvailability('Globex');
    /// assert.equal(typed.refused, 'uppercase'); // null for one that is free
    /// assert.equal(typed.suggestions[0], 'globex');
    /// ```
    pub fn domain_availability(&self, label: &str) -> Result<DomainAvailability> {
        let reserved = |label: &LoginDomain| self.shared.login_domains.is_reserved(label);
        self.shared.availability(label, reserved)
    }
}

impl Platform {
    /// The URL at which the customers of a login domain's holder sign in:
    /// `https://acme.LOGIN_BASE`.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// assert_eq!(platform.login_url(&acme.login_domain), "https://acme.partner.example.com");
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn login_url(&self, login_domain: &LoginDomain) -> String {
        format!("https://{login_domain}.{}", self.operator.shared.login_base)
    }
}
