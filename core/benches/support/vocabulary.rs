//! Search terms as users type them, in classes by the share of rows that have them.

use std::ops::RangeInclusive;

use fastrand::Rng;

use super::terms::{Class, TERMS, matches};

/// The classes for an agency whose rows have these texts. The names are those of organisations, some
/// of which are the names of rows.
pub fn vocabulary(texts: &[String], names: &[String]) -> Vec<Class> {
    let mut vocabulary = Vocabulary { texts, names, random: Rng::with_seed(5) };
    vec![
        vocabulary.shares("in 16-73 % of rows", 0.16..=0.73),
        vocabulary.shares("in 0.5-11 % of rows", 0.005..=0.11),
        vocabulary.whole_names(),
        vocabulary.pairs("word pairs", 0.0..=1.0),
        vocabulary.pairs("pairs of common words", 0.01..=1.0),
        vocabulary.none(),
        vocabulary.two_characters(),
    ]
}

struct Vocabulary<'t> {
    texts: &'t [String],
    names: &'t [String],
    random: Rng,
}

impl Vocabulary<'_> {
    fn word(&mut self) -> String {
        let text = &self.texts[self.random.usize(..self.texts.len())];
        let words: Vec<_> = text.split_whitespace().collect();
        words[self.random.usize(..words.len())].to_owned()
    }

    /// A part of a word of some length.
    fn part(&mut self, length: usize) -> Option<String> {
        let word: Vec<char> = self.word().chars().collect();
        let start = self.random.usize(..word.len().checked_sub(length)? + 1);
        Some(word[start..start + length].iter().collect())
    }

    fn share(&self, terms: &str) -> f64 {
        let probe: Vec<_> = self.texts.iter().step_by(self.texts.len().div_ceil(5_000)).collect();
        let has = |text: &&&String| terms.split_whitespace().all(|term| text.contains(term));
        probe.iter().filter(has).count() as f64 / probe.len() as f64
    }

    fn chosen(
        &mut self,
        name: &'static str,
        mut next: impl FnMut(&mut Self) -> Option<String>,
    ) -> Class {
        let mut terms = Vec::new();
        for _ in 0..20_000 {
            if terms.len() == TERMS {
                break;
            }
            terms.extend(next(self).filter(|term| !terms.contains(term)));
        }
        Class { name, terms }
    }

    fn shares(&mut self, name: &'static str, share: RangeInclusive<f64>) -> Class {
        self.chosen(name, |this| {
            let length = this.random.usize(3..=8);
            this.part(length).filter(|term| share.contains(&this.share(term)))
        })
    }

    /// Names of several words, which few rows have.
    fn whole_names(&mut self) -> Class {
        self.chosen("whole names", |this| {
            let name = this.names[this.random.usize(..this.names.len())].to_lowercase();
            (name.split(' ').count() > 1 && this.share(&name) < 0.001).then_some(name)
        })
    }

    /// Two words of one name.
    fn pairs(&mut self, name: &'static str, share: RangeInclusive<f64>) -> Class {
        self.chosen(name, |this| {
            let name = this.names[this.random.usize(..this.names.len())].to_lowercase();
            let words: Vec<_> = name.split(' ').filter(|word| word.chars().count() > 2).collect();
            let first = this.random.usize(..words.len().checked_sub(1).filter(|n| *n > 0)?);
            let pair = words[first..first + 2].join(" ");
            words[first..first + 2]
                .iter()
                .all(|word| share.contains(&this.share(word)))
                .then_some(pair)
        })
    }

    /// Words spelt from the end, whose pieces are common.
    fn none(&mut self) -> Class {
        self.chosen("in no row", |this| {
            let length = this.random.usize(5..=9);
            let reversed = this.part(length)?.chars().rev().collect::<String>();
            (matches(this.texts, &reversed) == 0).then_some(reversed)
        })
    }

    fn two_characters(&mut self) -> Class {
        self.chosen("two characters", |this| {
            this.part(2).filter(|term| term.chars().all(char::is_alphanumeric))
        })
    }
}
