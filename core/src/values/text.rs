//! What every free text must obey: NFC, a bounded length, nothing that cannot be shown.

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::error::{Code, Refusal};

/// The text in NFC. Every form of a letter that looks the same is stored the same (S8).
pub(crate) fn nfc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Trimmed text in NFC with 1 to `max` characters, without control characters and without
/// the marks that turn the direction of the text around them (S8).
pub(crate) fn plain_text(raw: &str, max: usize) -> Result<String, Refusal> {
    // Bounds the work that follows, however long the input is.
    if raw.len() > 64 * max {
        return Err(Refusal::too_long(max as i64));
    }
    let text = nfc(raw.trim());
    if text.is_empty() {
        return Err(Code::Empty.into());
    }
    if text.chars().any(|c| c.is_control() || turns_direction(c)) {
        return Err(Code::ControlCharacter.into());
    }
    if text.chars().count() > max {
        return Err(Refusal::too_long(max as i64));
    }
    Ok(text)
}

/// The bidirectional embeddings, overrides and isolates: Unicode Standard Annex 9, section 2.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
