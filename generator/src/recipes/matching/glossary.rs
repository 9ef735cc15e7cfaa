//! Translates goals in other languages by words and phrases, which is enough for the comparison by meaning.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::spelling::{distance, is_typo};

/// Words of one language, without accents, and their meanings.
type Words = HashMap<&'static str, String>;
static LANGUAGES: LazyLock<BTreeMap<&'static str, Words>> = LazyLock::new(|| {
    let mut languages: BTreeMap<&'static str, Words> = BTreeMap::new();
    let mut current = "";
    for line in include_str!("glossary.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            current = name;
        }
        let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        languages.entry(current).or_default().extend(pairs.map(|(word, meaning)| (word, meaning.replace('_', " "))));
    }
    languages
});

/// Minimum share of a goal's words that are in a language's list.
const MIN_SHARE: f64 = 0.5;
/// Maximum words of a known phrase.
const MAX_PHRASE_WORDS: usize = 5;
const CHINESE: &str = "zh";

/// Returns the English of a goal in another language; `None` for English and unknown languages.
///
/// `is_english` words are not taken for misspelt foreign ones.
pub(super) fn translated(goal: &str, is_english: impl Fn(&str) -> bool) -> Option<String> {
    if goal.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) {
        return LANGUAGES.get(CHINESE).map(|words| of_unspaced(goal, words));
    }
    let words: Vec<(String, &str)> =
        goal.split_whitespace().flat_map(|word| word.split(['\'', '\u{2019}'])).map(bare).collect();
    let readings = LANGUAGES.iter().filter(|(name, _)| **name != CHINESE).map(|(_, known)| Reading::of(&words, known));
    let best = readings.max_by_key(|reading| reading.hits)?;
    // Names such as CSV, and numbers, are the same in every language.
    let is_neutral = |(word, written): &&(String, &str)| {
        word.chars().all(|c| c.is_ascii_digit()) || word.len() > 1 && !written.contains(char::is_lowercase)
    };
    let counted = words.len() - words.iter().filter(is_neutral).count();
    #[expect(clippy::cast_precision_loss, reason = "a goal has at most 10,000 characters")]
    let share = best.hits as f64 / counted.max(1) as f64;
    (share >= MIN_SHARE && words.len() > 1).then(|| best.english(&words, is_english))
}

/// A goal, read in one language.
struct Reading<'a> {
    known: &'a Words,
    /// Words whose meaning is known and another word.
    hits: usize,
    /// The number of words of each part, and its meaning if it is known.
    parts: Vec<(usize, Option<String>)>,
}

impl<'a> Reading<'a> {
    /// Reads the longest known phrases from left to right.
    fn of(words: &[(String, &str)], known: &'a Words) -> Self {
        let (mut reading, mut at) = (Self { known, hits: 0, parts: Vec::new() }, 0);
        while at < words.len() {
            let phrase = (1..=MAX_PHRASE_WORDS.min(words.len() - at)).rev().find_map(|length| {
                let texts: Vec<&str> = words[at..at + length].iter().map(|(word, _)| word.as_str()).collect();
                known.get(texts.join("_").as_str()).map(|meaning| (length, meaning.clone(), texts.join(" ")))
            });
            let compound = || of_compound(&words[at].0, known).map(|meaning| (1, meaning, words[at].0.clone()));
            match phrase.or_else(compound) {
                Some((length, meaning, text)) => {
                    reading.hits += if meaning == text { 0 } else { length };
                    reading.parts.push((length, Some(meaning)));
                    at += length;
                }
                None => {
                    reading.parts.push((1, None));
                    at += 1;
                }
            }
        }
        reading
    }

    fn english(&self, words: &[(String, &str)], is_english: impl Fn(&str) -> bool) -> String {
        let (mut english, mut at) = (Vec::new(), 0);
        for (length, meaning) in &self.parts {
            let (word, written) = &words[at];
            let unknown = || match is_english(word) {
                true => (*written).to_owned(),
                false => self.misspelt(word).unwrap_or(written).to_owned(),
            };
            english.push(meaning.clone().unwrap_or_else(unknown));
            at += length;
        }
        english.retain(|meaning| !meaning.is_empty());
        english.join(" ")
    }

    /// Returns the meaning of the known word from which a word differs by a typo or an ending.
    fn misspelt(&self, word: &str) -> Option<&str> {
        let near = self.known.iter().filter(|(known, _)| is_typo(word, known));
        let nearest = near.min_by_key(|(known, _)| (distance(word, known), **known))?;
        Some(nearest.1)
    }
}

/// Returns the meaning of a hyphenated word of which at least one part is known.
fn of_compound(word: &str, known: &Words) -> Option<String> {
    let parts: Vec<&str> = word.split('-').filter(|part| !part.is_empty()).collect();
    let is_known = parts.len() > 1 && parts.iter().any(|part| known.contains_key(part));
    let meaning = |part: &&str| known.get(part).cloned().unwrap_or_else(|| (*part).to_owned());
    is_known.then(|| parts.iter().map(meaning).collect::<Vec<_>>().join(" "))
}

/// Returns a word in lower case without accents and punctuation around it, and as written without that punctuation.
fn bare(word: &str) -> (String, &str) {
    let trimmed = word.trim_matches(|c: char| !c.is_alphanumeric());
    let plain = trimmed.to_lowercase().nfd().filter(|c| !is_combining_mark(*c)).collect::<String>();
    (plain.replace('\u{df}', "ss"), trimmed)
}

/// Replaces the longest known words from left to right; keeps other characters.
fn of_unspaced(goal: &str, words: &Words) -> String {
    let longest = words.keys().map(|word| word.chars().count()).max().unwrap_or(0);
    let characters: Vec<char> = goal.chars().collect();
    let mut found = String::new();
    let mut at = 0;
    while at < characters.len() {
        let candidates = (1..=longest.min(characters.len() - at)).rev();
        let known = candidates.filter_map(|length| {
            let word: String = characters[at..at + length].iter().collect();
            words.get(word.as_str()).map(|meaning| (length, meaning))
        });
        match known.into_iter().next() {
            Some((length, meaning)) => {
                found.push_str(&format!(" {meaning} "));
                at += length;
            }
            None => {
                found.push(characters[at]);
                at += 1;
            }
        }
    }
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_of_known_languages_become_english_and_english_stays() {
        for (goal, expected) in [
            ("Alle Primzahlen bis 100 ausgeben", Some("all prime numbers up to 100 print")),
            ("búsqueda binaria en una lista ordenada", Some("search binary in a list sorted")),
            ("写一个二分查找函数,并附带单元测试", Some("write a binary search function , with unit tests")),
            (
                "Écris une fonction qui vérifie si un mot est un palindrome",
                Some("write a function that checks if a word is a palindrome"),
            ),
            ("hacher les mots de passe", Some("hash the passwords")),
            ("Wandle eine CSV-Datei in JSON um", Some("convert a csv file in JSON")),
            ("Primzalen bis 100 ausgeben", Some("prime numbers up to 100 print")),
            ("Write a function to sort a list of numbers", None),
            ("how do I write a list as CSV on a Mac", None),
            ("calculator in Python with tests", None),
            ("LRU cache", None),
            ("fizzbuzz", None),
        ] {
            assert_eq!(translated(goal, |_| false).as_deref(), expected, "{goal}");
        }
    }
}
