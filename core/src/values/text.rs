//! Rules for every free text: NFC, a bounded length, and no characters that cannot be shown.

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::error::{Code, Refusal};

/// The text in NFC, so that forms of a letter that look the same are stored the same (S8).
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
    if text.chars().any(cannot_be_shown) {
        return Err(Code::ControlCharacter.into());
    }
    if text.chars().count() > max {
        return Err(Refusal::too_long(max as i64));
    }
    Ok(text)
}

/// Whether a character breaks a line of text or changes its direction.
fn cannot_be_shown(c: char) -> bool {
    c.is_control() || turns_direction(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character is invisible, so that two texts look the same with and without it: the
/// default-ignorable code points (Unicode Standard, DerivedCoreProperties), annotations, and
/// characters that cannot be shown.
pub(super) fn is_invisible(c: char) -> bool {
    cannot_be_shown(c)
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character is a bidirectional embedding, override or isolate (Unicode Standard Annex 9,
/// section 2).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
