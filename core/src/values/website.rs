//! A website's address. It is checked and kept, never fetched.

use url::{Host, Url};

use super::text_value;
use crate::error::{Code, Refusal};

const MAX_BYTES: usize = 2_048;

/// A reseller's website: an `https` or `http` address of at most 2,048 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Website(String);

text_value!(Website);

impl Website {
    /// Checks and canonicalises; a bare host gets `https://`.
    /// Codes: `empty`, `too_long`, `unsupported_scheme`, `user_info`, `invalid`.
    ///
    /// ```
    /// use partnerkit::{Code, Website};
    ///
    /// assert_eq!(Website::parse("Acme.example").unwrap().as_str(), "https://acme.example/");
    /// assert_eq!(Website::parse("ftp://acme.example").unwrap_err().code(), Code::UnsupportedScheme);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if raw.len() > MAX_BYTES {
            return Err(Refusal::too_long(MAX_BYTES as i64));
        }
        let url = with_scheme(raw)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Code::UnsupportedScheme.into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Code::UserInfo.into());
        }
        if let Some(Host::Domain(domain)) = url.host()
            && !domain.trim_end_matches('.').contains('.')
        {
            return Err(not_valid());
        }
        if url.as_str().len() > MAX_BYTES {
            return Err(Refusal::too_long(MAX_BYTES as i64));
        }
        Ok(Self(url.into()))
    }
}

fn not_valid() -> Refusal {
    Refusal::invalid("an address like https://example.com")
}

fn with_scheme(raw: &str) -> Result<Url, Refusal> {
    // After a path or a query, `://` belongs to that: `acme.example/?next=https://…`.
    let has_scheme = raw.find("://").is_some_and(|at| !raw[..at].contains(['/', '\\', '?', '#']));
    let parsed = if has_scheme { Url::parse(raw) } else { Url::parse(&format!("https://{raw}")) };
    parsed.map_err(|_| not_valid())
}
