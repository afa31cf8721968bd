//! The name of a domain, in its one canonical form.

use url::Host;

/// A domain's name in lowercase A-labels, without a trailing dot; `None` if it is not a domain
/// name. Numeric addresses (`1.2.3.4`) are refused, too: they look like names, but have no
/// subdomains.
pub(crate) fn domain_name(raw: &str) -> Option<String> {
    let name = idna::domain_to_ascii_strict(raw).ok()?;
    let is_name = matches!(Host::parse(&name), Ok(Host::Domain(_)));
    (is_name && !name.ends_with('.')).then_some(name)
}
