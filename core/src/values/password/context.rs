//! What a guesser tries first, and whether a password is more than that (S15).

use zxcvbn::{Score, zxcvbn};

use crate::forking::undisturbed;
use crate::values::fold;
use crate::values::text::nfc;

/// Bounds the work, however long a text is: the longest name and address are shorter.
const LONGEST: usize = 512;
/// Shorter words stand in any text by chance.
const SHORTEST: usize = 3;

/// How hard to guess a password has to be, on the estimator's own scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// "Safely unguessable: moderate protection from offline attack".
    Alone,
    /// "Protection from unthrottled online attacks", and here they are throttled: eight characters
    /// without any pattern are not more.
    BesideAnother,
}

/// Whether a password is common, or made of its context: what is left of it without words of
/// the context has to be hard to guess, too.
pub(super) fn is_guessable(password: &str, context: &[&str], strength: Strength) -> bool {
    let words = words(context);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if is_weak(password, &words, strength) {
        return true;
    }
    let folded = fold(password);
    let rest = words.iter().fold(folded.clone(), |rest, word| rest.replace(word, ""));
    rest.len() < folded.len() && is_weak(&rest, &words, strength)
}

fn is_weak(password: &str, words: &[&str], strength: Strength) -> bool {
    let least = match strength {
        Strength::Alone => Score::Three,
        Strength::BesideAnother => Score::Two,
    };
    // Its tables are made at the first use.
    undisturbed(|| zxcvbn(password, words).score()) < least
}

/// The context as it can be typed: each text as it is, in one word and in its parts, with and
/// without accents; the longest first.
fn words(context: &[&str]) -> Vec<String> {
    let bounded = |text: &&str| nfc(&text.chars().take(LONGEST).collect::<String>());
    let mut words = Vec::new();
    for text in context.iter().map(bounded) {
        let local = text.rsplit_once('@').map(|(local, _)| local);
        for text in [Some(text.as_str()), local].into_iter().flatten() {
            let folded = fold(text);
            let apart = |c: char| !c.is_alphanumeric();
            words.extend(folded.split(apart).map(str::to_owned));
            words.push(folded.replace(apart, ""));
            words.push(folded.split_whitespace().collect());
            words.push(folded);
            words.push(text.to_lowercase());
        }
    }
    words.retain(|word| word.chars().count() >= SHORTEST);
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}
