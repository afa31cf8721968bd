//! Folding: the form of a text that a search compares (S27).
//!
//! Case is folded by Unicode's full case folding, accents are removed, and compatibility forms
//! (full-width letters, ligatures) become plain characters. Marks that make another letter stay:
//! the voicing marks of kana (か is not が), vowel signs and viramas of Indic scripts. An accent
//! without a letter stays, too.
//!
//! Words stay words: a character that is not white space never becomes white space, and never
//! disappears. So it does not matter whether a text is folded or split first, and a term finds the
//! word that it was taken from.

use icu_casemap::CaseMapper;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The form of a text that is compared. Folding it again changes nothing.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase(); // the tables would do no more
    }
    let mut folded = fold_once(text);
    // A compatibility form may contain a capital letter (`™` is `TM`), which has to be folded
    // again.
    loop {
        let again = fold_once(&folded);
        if again == folded {
            return folded;
        }
        folded = again;
    }
}

fn fold_once(text: &str) -> String {
    let cased = CaseMapper::new().fold_string(text);
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let mut on_letter = false;
    let stays = |c: &char| {
        let accent = is_accent(classes.get_u8(*c));
        on_letter = if accent { on_letter } else { !c.is_whitespace() };
        !(accent && on_letter)
    };
    let bare: String = taken_apart(&cased).chars().filter(stays).map(plain_letter).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&bare).into_owned()
}

/// Decomposes a text into letters, their marks, and plain characters for compatibility forms.
fn taken_apart(text: &str) -> String {
    let text = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let nfkd = DecomposingNormalizerBorrowed::new_nfkd();
    let mut apart = String::with_capacity(text.len());
    for piece in text.split_inclusive(holds_a_space) {
        let kept =
            piece.chars().next_back().filter(|c| holds_a_space(*c)).map_or(0, char::len_utf8);
        let (piece, kept) = piece.split_at(piece.len() - kept);
        apart += &nfkd.normalize(piece);
        apart += kept;
    }
    apart
}

/// Whether Unicode decomposes a character into a space and a mark (`´`, `¨`), or into several words
/// (`ﷺ`). Such a character stays as it is.
fn holds_a_space(c: char) -> bool {
    matches!(c,
        '\u{A8}' | '\u{AF}' | '\u{B4}' | '\u{B8}' | '\u{2D8}'..='\u{2DD}' | '\u{37A}' | '\u{384}'
        | '\u{1FBD}' | '\u{1FBF}'..='\u{1FC0}' | '\u{1FFE}' | '\u{2017}' | '\u{203E}'
        | '\u{309B}'..='\u{309C}' | '\u{FC5E}'..='\u{FC63}' | '\u{FDFA}'..='\u{FDFB}'
        | '\u{FE49}'..='\u{FE4C}' | '\u{FE70}' | '\u{FE72}' | '\u{FE74}' | '\u{FE76}'
        | '\u{FE78}' | '\u{FE7A}' | '\u{FE7C}' | '\u{FE7E}' | '\u{FFE3}')
}

/// Whether marks of a combining class are put on a letter without making another letter: overlays,
/// the points of Hebrew and Arabic, and everything above, below or across (Unicode Standard, table
/// 4-3).
fn is_accent(class: u8) -> bool {
    matches!(class, 1 | 10..=36 | 200..=240)
}

/// The plain form of a Latin letter with a stroke or hook, which Unicode does not decompose.
fn plain_letter(c: char) -> char {
    match c {
        'ł' => 'l',
        'ø' => 'o',
        'đ' | 'ð' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        'ı' => 'i',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DecomposingNormalizerBorrowed, fold, holds_a_space};
    use crate::values::Name;

    #[test]
    fn s27_case_and_accents_are_folded() {
        for (text, folded) in [
            ("Véronique", "veronique"),
            ("ŁÓDŹ", "lodz"),
            ("Straße", "strasse"),
            ("İstanbul ıı", "istanbul ii"),
            ("ＡＢＣ ﬁ ™", "abc fi tm"),
            ("Đà Nẵng", "da nang"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("ガ", "ガ"),
            ("O´Neil ¨ ΅", "o´neil ¨ ¨"),
            ("e\u{301} \u{301}\u{302}x", "e \u{301}\u{302}x"),
            ("한국", "한국"),
            ("हिन्दी", "हिन्दी"),
            ("مُحَمَّد", "محمد"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    /// For all code points: a character that is not white space does not become white space, and
    /// does not disappear.
    #[test]
    fn s27_words_stay_words() {
        let nfd = DecomposingNormalizerBorrowed::new_nfd();
        let nfkd = DecomposingNormalizerBorrowed::new_nfkd();
        for c in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let text: &str = c.encode_utf8(&mut buffer);
            let folded = fold(text);
            assert!(!folded.is_empty(), "{c:?} goes away");
            if c.is_whitespace() {
                assert!(folded.chars().all(char::is_whitespace), "{c:?} becomes {folded:?}");
                continue;
            }
            assert!(!folded.contains(char::is_whitespace), "{c:?} becomes {folded:?}");
            if nfd.normalize(text) == text {
                let spaced = nfkd.normalize(text).contains(char::is_whitespace);
                assert_eq!(holds_a_space(c), spaced, "{c:?}");
            }
        }
    }

    /// Marks without letters, spaced marks, kinds of white space, and anything else.
    fn typed() -> impl Strategy<Value = String> {
        let tricky = "[ \u{a0}\u{3000}\u{300}-\u{345}¨´¸΅῁゛ﷺeÉﬁ½ŁßαᾳΆ가か\u{3099}a-c]{1,12}";
        prop_oneof![tricky, any::<String>()]
    }

    proptest! {
        /// A name is found by its typed form, whatever it contains.
        #[test]
        fn s27_every_word_of_a_name_finds_it(typed in typed()) {
            let folded = fold(&typed);
            let words: Vec<String> = typed.split_whitespace().map(fold).collect();
            prop_assert_eq!(folded.split_whitespace().collect::<Vec<_>>(), words.clone());
            if let Ok(name) = Name::parse(&typed) {
                let text = fold(name.as_str());
                prop_assert!(words.iter().all(|word| text.contains(word)), "{:?} in {:?}", words, text);
            }
        }

        #[test]
        fn the_short_way_for_ascii_gives_the_same(text in "[\\x00-\\x7f]{0,20}") {
            prop_assert_eq!(fold(&text), super::fold_once(&text));
        }

        #[test]
        fn s10_folding_is_idempotent(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }
    }
}
