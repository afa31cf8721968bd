//! The name of a domain, in its one canonical form.

use url::Host;

/// A domain's name in lowercase A-labels, without a trailing dot; `None` for what is none, numeric
/// addresses included: they look like names (`1.2.3.4`) and nobody can have names below them.
pub(crate) fn domain_name(raw: &str) -> Option<String> {
    let name = idna::domain_to_ascii_strict(raw).ok()?;
    let is_name = matches!(Host::parse(&name), Ok(Host::Domain(_)));
    (is_name && !name.ends_with('.')).then_some(name)
}
