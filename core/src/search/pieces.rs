//! Pieces of text for an index: three consecutive characters of a word (trigrams).
//!
//! A text can contain a term only if it contains all of the term's pieces. At the end of a word the
//! pieces are shorter, so that every character begins one. So a text contains a term that is
//! shorter than a piece only if one of its pieces begins with the term.

/// How many characters a piece has.
const PIECE: usize = 3;

/// Every piece of a folded text, without repetitions. Pieces have no white space, because no term
/// has.
pub(crate) fn pieces_of_text(text: &str) -> Vec<&str> {
    distinct(text.split_whitespace().flat_map(|word| windows(word, true)).collect())
}

/// The pieces of a term; empty if it is shorter than a piece.
pub(crate) fn pieces_of_term(term: &str) -> Vec<&str> {
    distinct(windows(term, false).collect())
}

fn windows(word: &str, with_ends: bool) -> impl Iterator<Item = &str> {
    let starts = word.char_indices().map(|(start, _)| start);
    let ends = word.char_indices().map(|(start, _)| start).chain([word.len()]).skip(PIECE);
    let ends = ends.map(Some).chain(std::iter::repeat(None));
    let piece = move |(start, end): (usize, Option<usize>)| match end {
        Some(end) => word.get(start..end),
        None if with_ends => word.get(start..),
        None => None,
    };
    starts.zip(ends).map_while(piece)
}

fn distinct(mut pieces: Vec<&str>) -> Vec<&str> {
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PIECE, pieces_of_term, pieces_of_text};

    #[test]
    fn every_character_of_a_word_begins_a_piece() {
        assert_eq!(
            pieces_of_text("acme ab 北京市人\nx"),
            ["ab", "acm", "b", "cme", "e", "me", "x", "京市人", "人", "北京市", "市人"]
        );
        assert_eq!(pieces_of_term("acme"), ["acm", "cme"]);
        assert_eq!(pieces_of_term("ab"), [""; 0]);
    }

    proptest! {
        /// S27: an index of pieces finds everything that searching every text would find.
        #[test]
        fn s27_pieces_are_complete(text in "[abc é北]{0,12}", term in "[abcé北]{1,5}") {
            let pieces = pieces_of_text(&text);
            let found = if term.chars().count() < PIECE {
                pieces.iter().any(|piece| piece.starts_with(&term))
            } else {
                pieces_of_term(&term).iter().all(|piece| pieces.contains(piece))
            };
            prop_assert!(found || !text.contains(&term));
        }
    }
}
