//! Corrects typos in goals to words of the catalogue.

use std::collections::HashMap;

use crate::recipes::vocabulary::{FILLER, STOP};
use crate::tokenize::stem;

/// Minimum letters of a word that is corrected; shorter words have too many neighbours.
const MIN_LETTERS: usize = 5;

/// The words of a catalogue with their number of uses, by first letter.
#[derive(Debug, Default)]
pub(super) struct SpellChecker {
    words: HashMap<char, HashMap<String, usize>>,
}

impl SpellChecker {
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut spelling = Self::default();
        for word in texts.flat_map(plain_words) {
            if let Some(first) = word.chars().next() {
                *spelling.words.entry(first).or_default().entry(word).or_default() += 1;
            }
        }
        spelling
    }

    /// Returns `goal` with typos corrected. Keeps words of the catalogue, filler words and words for which `is_word` is
    /// true.
    pub(super) fn correct(&self, goal: &str, is_word: impl Fn(&str) -> bool) -> String {
        let corrected = |word: &str| {
            let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase();
            let is_plain = word.trim_matches(|c: char| c.is_ascii_punctuation()).chars().all(char::is_alphabetic);
            let kept = !is_plain || letters.chars().count() < MIN_LETTERS || is_word(&letters);
            match if kept { None } else { self.correction(&letters) } {
                Some(correction) => word.to_lowercase().replacen(&letters, correction, 1),
                None => word.to_owned(),
            }
        };
        goal.split(' ').map(corrected).collect::<Vec<_>>().join(" ")
    }

    /// Returns whether a lower-case word occurs in the catalogue.
    pub(super) fn knows(&self, word: &str) -> bool {
        word.chars().next().and_then(|first| self.words.get(&first)).is_some_and(|known| known.contains_key(word))
    }

    fn correction(&self, word: &str) -> Option<&str> {
        let stemmed = stem(word);
        let known = self.words.get(&word.chars().next()?)?;
        if known.contains_key(word) || FILLER.contains(&stemmed) || STOP.contains(&stemmed) {
            return None;
        }
        let near = known.iter().filter(|(other, _)| other.chars().count() >= MIN_LETTERS && is_typo(word, other));
        let (correction, _) =
            near.min_by_key(|(other, uses)| (distance(word, other), std::cmp::Reverse(**uses), *other))?;
        Some(correction)
    }
}

fn plain_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Returns whether two stems differ by a typo: one edit from five letters, two from eight.
pub(super) fn is_typo(a: &str, b: &str) -> bool {
    let allowed = match a.chars().count().max(b.chars().count()) {
        0..5 => 0,
        5..8 => 1,
        _ => 2,
    };
    a == b || allowed > 0 && a.chars().next() == b.chars().next() && distance(a, b) <= allowed
}

/// Returns the Damerau-Levenshtein distance (optimal string alignment) of two words.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = substituted.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_become_words_of_the_catalogue_and_other_words_stay() {
        let spelling = SpellChecker::of(["Reverse a linked list", "password hashing", "Fibonacci numbers"].into_iter());
        let is_word = |word: &str| ["parse", "fish"].contains(&word);
        for (goal, expected) in [
            ("revrese a linkd list", "reverse a linked list"),
            ("passwrods, hashing", "password, hashing"),
            ("Fibonaci nubmers!", "fibonacci numbers!"),
            ("parse the fish", "parse the fish"),
            ("implement lsit", "implement lsit"),
            ("zanzibar user_nmae", "zanzibar user_nmae"),
        ] {
            assert_eq!(spelling.correct(goal, is_word), expected, "{goal}");
        }
    }
}
