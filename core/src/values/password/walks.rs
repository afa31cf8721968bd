//! Walks over a keyboard. The estimator counts the ways to turn on one without a bound: with five
//! keys around each, 28 turns are more than 64 bits hold, and where overflow is checked it panics.

/// How many characters of a walk are estimated. What is longer is a longer walk, and no harder.
const LONGEST: usize = 27;

/// A layout by rows; each key stands above and below those of the same column, and beside them.
struct Layout {
    rows: [&'static str; 5],
    /// Whether a key has a second character.
    shifts: bool,
}

/// Those that the estimator knows.
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

/// Which character is on the key of another one.
const SHIFTED: (&str, &str) = ("~!@#$%^&*()_+{}|:\"<>?", "`1234567890-=[]\\;',./");

impl Layout {
    /// The row and column of a character's key.
    fn place(&self, c: char) -> Option<(usize, usize)> {
        let key = if self.shifts { unshifted(c) } else { c };
        let rows = self.rows.iter().enumerate();
        let mut found = rows.filter_map(|(row, keys)| Some((row, keys.find(key)?)));
        found.next().filter(|_| key != ' ')
    }

    /// Whether the second one's key is beside the first one's.
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

/// The text with each walk as long as it is estimated. So what is appended to a text changes
/// nothing in front of it.
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

    /// The estimator's own idea of which keys are neighbours: in this build it would panic.
    #[test]
    fn no_walk_to_and_fro_overflows() {
        let keys = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./";
        for from in keys.chars() {
            for to in keys.chars() {
                let kept = cut(&repeated(&format!("{from}{to}")));
                // What is no walk to the estimator it takes as a repetition, at any length.
                let _ = zxcvbn(&kept, &[]);
            }
        }
        for around in ["QawSedRft", "7895123", "*+963-", "=/789+", "',.poe", "!@#$%^&*()_+}{"] {
            let _ = zxcvbn(&cut(&repeated(around)), &[]);
        }
    }
}
