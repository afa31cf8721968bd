//! Walks over a keyboard (`qwertz`). The estimator counts the possible turns of a walk without a
//! bound: with five keys around each key, the number for 28 turns does not fit into 64 bits, and in
//! builds that check overflow it panics.

/// How many characters of a walk are estimated. A longer walk is not harder to guess.
const LONGEST: usize = 27;

/// A layout by rows; each key stands above and below those of the same column, and beside them.
struct Layout {
    rows: [&'static str; 5],
    /// Whether a key has a second character.
    shifts: bool,
}

/// The layouts that the estimator knows.
const LAYOUTS: [Layout; 4] = [
    Layout {
        rows: ["`1234567890-=", " qwertyuiop[]\\", " asdfghjkl;'", " zxcvbnm,./", ""],
        shifts: true,
    },
    Layout {
        rows: ["`1234567890[]", " ',.pyfgcrl/=\\", " aoeuidhtns-", " ;qjkxbmwvz", ""],
        shifts: true,
    },
    Layout { rows: [" /*-", "789+", "456", "123", " 0."], shifts: false },
    Layout { rows: [" =/*", "789-", "456+", "123", " 0."], shifts: false },
];

/// The shifted characters, and the characters on the same keys.
const SHIFTED: (&str, &str) = ("~!@#$%^&*()_+{}|:\"<>?", "`1234567890-=[]\\;',./");

impl Layout {
    /// The row and column of a character's key.
    fn place(&self, c: char) -> Option<(usize, usize)> {
        let key = if self.shifts { unshifted(c) } else { c };
        let rows = self.rows.iter().enumerate();
        let mut found = rows.filter_map(|(row, keys)| Some((row, keys.find(key)?)));
        found.next().filter(|_| key != ' ')
    }

    /// Whether the keys of two characters are neighbours.
    fn is_step(&self, from: char, to: char) -> bool {
        let places = self.place(from).zip(self.place(to));
        places.is_some_and(|((row, column), (to_row, to_column))| {
            row.abs_diff(to_row) <= 1 && column.abs_diff(to_column) <= 1
        })
    }
}

fn unshifted(c: char) -> char {
    let place = SHIFTED.0.chars().position(|shifted| shifted == c);
    place.and_then(|n| SHIFTED.1.chars().nth(n)).unwrap_or(c.to_ascii_lowercase())
}

/// The text with each walk cut to the length that is estimated. Text that is appended does not
/// change what comes before it.
pub(super) fn cut(text: &str) -> String {
    let mut kept = String::new();
    let (mut walked, mut before) = ([1; LAYOUTS.len()], None);
    for c in text.chars() {
        for (layout, walked) in LAYOUTS.iter().zip(&mut walked) {
            let goes_on = before.is_some_and(|before| layout.is_step(before, c));
            *walked = if goes_on { *walked + 1 } else { 1 };
        }
        if walked.iter().all(|walked| *walked <= LONGEST) {
            kept.push(c);
        }
        before = Some(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use zxcvbn::zxcvbn;

    use super::{LONGEST, cut};

    fn repeated(walk: &str) -> String {
        walk.chars().cycle().take(40).collect()
    }

    #[test]
    fn only_walks_are_cut() {
        for text in ["", "plain teal walrus 94 umbrella", "correct horse battery staple", "Łódź"]
        {
            assert_eq!(cut(text), text);
        }
        assert_eq!(cut(&repeated("qw")).len(), LONGEST);
        let walk = format!("secret {} word", repeated("qAz1"));
        let kept = cut(&walk);
        assert!(kept.starts_with("secret ") && kept.ends_with(" word"), "{kept}");
    }

    /// The estimator's own idea of neighbouring keys: in this build it would panic otherwise.
    #[test]
    fn no_walk_to_and_fro_overflows() {
        let keys = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./";
        for from in keys.chars() {
            for to in keys.chars() {
                let kept = cut(&repeated(&format!("{from}{to}")));
                // The estimator treats a text that is not a walk to it as a repetition, of any
                // length.
                let _ = zxcvbn(&kept, &[]);
            }
        }
        for around in ["QawSedRft", "7895123", "*+963-", "=/789+", "',.poe", "!@#$%^&*()_+}{"] {
            let _ = zxcvbn(&cut(&repeated(around)), &[]);
        }
    }
}
