//! Translates goals in other languages word by word, which is enough for the comparison by meaning.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

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
const CHINESE: &str = "zh";

/// Returns the English of a goal in another language; `None` for English and unknown languages.
pub(super) fn translated(goal: &str) -> Option<String> {
    if goal.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) {
        return LANGUAGES.get(CHINESE).map(|words| of_unspaced(goal, words));
    }
    let words: Vec<(String, &str)> = goal.split_whitespace().flat_map(|word| word.split('\'')).map(bare).collect();
    let hits =
        |known: &Words| words.iter().filter(|(word, _)| known.get(word.as_str()).is_some_and(|it| it != word)).count();
    let (_, known) = LANGUAGES.iter().filter(|(name, _)| **name != CHINESE).max_by_key(|(_, known)| hits(known))?;
    #[expect(clippy::cast_precision_loss, reason = "a goal has at most 10,000 characters")]
    let share = hits(known) as f64 / words.len().max(1) as f64;
    let meaning = |(word, written): &(String, &str)| known.get(word.as_str()).cloned().unwrap_or((*written).to_owned());
    (share >= MIN_SHARE && words.len() > 1).then(|| words.iter().map(meaning).collect::<Vec<_>>().join(" "))
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
            ("Write a function to sort a list of numbers", None),
            ("calculator in Python with tests", None),
            ("LRU cache", None),
            ("fizzbuzz", None),
        ] {
            assert_eq!(translated(goal).as_deref(), expected, "{goal}");
        }
    }
}
