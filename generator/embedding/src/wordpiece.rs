//! The WordPiece tokenizer of BERT's uncased vocabulary.
//!
//! Text is lower-cased, stripped of accents and split at white space, punctuation and CJK characters; each word is cut
//! into the longest known pieces.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Maximum tokens of a text, the special ones included: the length that the model was trained on.
const MAX_TOKENS: usize = 256;
/// Maximum length of a word; a longer one is unknown, as in the reference.
const MAX_WORD_CHARS: usize = 100;
/// Prefix of a piece that continues a word.
const CONTINUATION: &str = "##";

/// A vocabulary and the ids of its special tokens.
pub(super) struct WordPiece {
    ids: HashMap<String, usize>,
    first: usize,
    last: usize,
    unknown: usize,
}

impl WordPiece {
    /// Parses a vocabulary of one token per line; a token's id is its line number from 0.
    pub(super) fn new(vocabulary: &str) -> Result<Self, String> {
        let ids: HashMap<String, usize> =
            vocabulary.lines().enumerate().map(|(id, token)| (token.to_owned(), id)).collect();
        let special = |token: &str| ids.get(token).copied().ok_or_else(|| format!("the token {token} is missing"));
        Ok(Self { first: special("[CLS]")?, last: special("[SEP]")?, unknown: special("[UNK]")?, ids })
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn is_whole(&self, word: &str) -> bool {
        self.ids.contains_key(word)
    }

    /// Returns the ids of a text's tokens, enclosed by the start and end tokens.
    pub(super) fn ids(&self, text: &str) -> Vec<usize> {
        let mut ids = vec![self.first];
        for word in split(text) {
            self.push_pieces(&word, &mut ids);
            if ids.len() >= MAX_TOKENS {
                ids.truncate(MAX_TOKENS - 1);
                break;
            }
        }
        ids.push(self.last);
        ids
    }

    fn push_pieces(&self, word: &str, ids: &mut Vec<usize>) {
        let start_of_word = ids.len();
        let mut rest = word;
        while !rest.is_empty() && word.chars().count() <= MAX_WORD_CHARS {
            let is_continued = rest.len() < word.len();
            let ends = rest.char_indices().map(|(at, character)| at + character.len_utf8()).rev();
            let piece = ends.filter_map(|end| Some((end, self.piece(&rest[..end], is_continued)?))).next();
            let Some((end, id)) = piece else { break };
            ids.push(id);
            rest = &rest[end..];
            if rest.is_empty() {
                return;
            }
        }
        ids.truncate(start_of_word);
        ids.push(self.unknown);
    }

    fn piece(&self, text: &str, is_continued: bool) -> Option<usize> {
        if is_continued { self.ids.get(&format!("{CONTINUATION}{text}")) } else { self.ids.get(text) }.copied()
    }
}

/// Splits a text into words and single punctuation or CJK characters.
fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let plain = text.chars().flat_map(char::to_lowercase).nfd().filter(|c| !is_combining_mark(*c));
    for character in plain {
        if character.is_whitespace() {
            words.push(String::new());
        } else if is_punctuation(character) || is_cjk(character) {
            words.extend([character.to_string(), String::new()]);
        } else if !character.is_control()
            && character != '\u{fffd}'
            && let Some(word) = words.last_mut()
        {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_punctuation(character: char) -> bool {
    let beyond_ascii = matches!(character,
        '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff3d}');
    character.is_ascii_punctuation() || beyond_ascii
}

fn is_cjk(character: char) -> bool {
    matches!(character,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nnaive\n,\n\u{7f13}\n##s";

    #[track_caller]
    fn check(text: &str, expected: &[usize]) {
        let tokens = WordPiece::new(VOCABULARY).expect("a vocabulary");
        assert_eq!(tokens.ids(text), expected, "{text}");
    }

    #[test]
    fn words_are_cut_into_the_longest_known_pieces() {
        check("Unaffable", &[2, 4, 5, 6, 3]);
        check("  na\u{ef}ve,\u{7f13}\u{7f13}\n", &[2, 7, 8, 9, 9, 3]);
        check("unaffablex un", &[2, 1, 4, 3]);
        check("", &[2, 3]);
    }

    #[test]
    fn long_texts_are_cut_and_long_words_are_unknown() {
        let tokens = WordPiece::new(VOCABULARY).expect("a vocabulary");
        let ids = tokens.ids(&"un ".repeat(1_000));
        assert_eq!((ids.len(), ids.last()), (MAX_TOKENS, Some(&3)));
        check(&"un".repeat(51), &[2, 1, 3]);
    }

    #[test]
    fn a_vocabulary_without_special_tokens_is_refused() {
        assert!(WordPiece::new("a\nb").is_err());
    }
}
