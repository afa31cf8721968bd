//! Whether a password is guessable: common, or made of words that an attacker tries first (S15).

use std::panic::catch_unwind;

use zxcvbn::{Score, zxcvbn};

use super::walks::cut;
use crate::forking::undisturbed;
use crate::values::fold;
use crate::values::text::nfc;

/// Bounds the length of a text, and so the work; the longest name and address are shorter.
const LONGEST: usize = 512;
/// Longer words of the context are not searched in disguised forms (`p4ssw0rd`): the estimator
/// counts the ways to write a word, and the number must fit into 64 bits.
const DISGUISED: usize = 24;
/// Shorter words are in any text by chance.
const SHORTEST: usize = 3;

/// How hard to guess a password must be, on the estimator's own scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// "Safely unguessable: moderate protection from offline attack".
    Alone,
    /// "Protection from unthrottled online attacks", while here they are throttled. Eight
    /// characters without any pattern do not reach more.
    BesideAnother,
}

/// Whether a password is common, or made of words of its context: the rest without those words must
/// be hard to guess, too.
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
    let words: Vec<_> = words.iter().copied().filter(|w| w.chars().count() <= DISGUISED).collect();
    score(&cut(password), &words) < least
}

/// The estimator's answer. If it panics after all, the password counts as weak.
fn score(password: &str, words: &[&str]) -> Score {
    // The estimator makes its tables at the first use, which a fork must not interrupt.
    let estimated = undisturbed(|| catch_unwind(|| zxcvbn(password, words).score()));
    estimated.unwrap_or(Score::Zero)
}

/// The words of the context in the forms in which they can be typed: each text as it is, as one
/// word and in parts, with and without accents; the longest first.
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

#[cfg(test)]
mod tests {
    use zxcvbn::zxcvbn;

    use super::{DISGUISED, Strength, is_guessable};

    /// Words of the context with as many ways to write them as possible.
    #[test]
    fn no_disguise_overflows() {
        for letters in ["a", "c", "i", "aeiost", "cccccaaaaaiiiiisssss"] {
            let word: String = letters.chars().cycle().take(DISGUISED).collect();
            let disguises = |c: char| match c {
                'a' => "aA4@",
                'c' => "cC({[<",
                'e' => "eE3",
                'i' => "iI1!|",
                'o' => "oO0",
                's' => "sS$5",
                _ => "tT+7",
            };
            let disguise = |(n, c): (usize, char)| {
                let of = disguises(c);
                of.chars().nth(n / 2 % of.len()).unwrap_or(c)
            };
            let typed: String = word.chars().enumerate().map(disguise).collect();
            let _ = zxcvbn(&typed, &[&word]);
            let _ = zxcvbn(&typed.repeat(4), &[&word]);
        }
    }

    #[test]
    fn s15_padding_makes_nothing_common_strong() {
        let common = ["password", "qwertyuiop", "Password1", "123456", "abc", "letmein", "a", "qw"];
        for strength in [Strength::Alone, Strength::BesideAnother] {
            for common in common {
                for length in [15, 33, 100, 256] {
                    let repeated = common.repeat(length / common.len() + 1);
                    assert!(is_guessable(&repeated, &[], strength), "{repeated}");
                    let padding = length.saturating_sub(common.len());
                    let padded = format!("{common}{}", "a".repeat(padding));
                    assert!(is_guessable(&padded, &[], strength), "{padded}");
                }
            }
        }
        let name = "Northwind Traders International Holdings of Ruritania";
        let context = [name, "owner@northwind.example"];
        for typed in [name.to_owned(), name.to_lowercase(), name.repeat(3), format!("{name}1")] {
            assert!(is_guessable(&typed, &context, Strength::Alone), "{typed}");
        }
    }

    /// S15: a strong password stays strong, whatever is appended to it.
    #[test]
    fn s15_no_password_becomes_weaker_by_what_follows() {
        for strong in ["plain teal walrus 94 umbrella", "kV8#qz!Lw2@xTf9m", "c4X-b7Rw.Tq2zL"] {
            for filling in ["a", "password", "qaw", "123", "kV8#"] {
                for length in [0, 1, 14, 28, 60, 200] {
                    let filling: String = filling.chars().cycle().take(length).collect();
                    let longer = format!("{strong}{filling}");
                    assert!(!is_guessable(&longer, &[], Strength::Alone), "{longer}");
                }
            }
        }
    }
}
