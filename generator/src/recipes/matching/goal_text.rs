//! Prepares the text of a goal for the comparison by meaning: without labels, politeness and names of the language.

use crate::recipes::requirements::constraints::without_label;

include!(concat!(env!("OUT_DIR"), "/words/politeness.rs"));

/// Maximum texts compared for one goal: the whole and its first sentences.
const MAX_TEXTS: usize = 6;
/// Minimum words of a sentence that is compared by itself.
const MIN_SENTENCE_WORDS: usize = 3;

/// Returns a text without labels and phrases of politeness.
pub(super) fn plain(text: &str) -> String {
    let words: Vec<&str> = without_label(text).split_whitespace().collect();
    let bare: Vec<String> = words.iter().map(|word| bare(word)).collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match POLITENESS.iter().find_map(|phrase| length_at(&bare[at..], phrase)) {
            Some(length) => at += length,
            None => {
                kept.push(words[at]);
                at += 1;
            }
        }
    }
    kept.join(" ").trim_matches(|c: char| c == ',' || c.is_whitespace()).to_owned()
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Returns the number of words of a phrase if `words` starts with it.
fn length_at(words: &[String], phrase: &str) -> Option<usize> {
    let mut length = 0;
    for part in phrase.split(' ') {
        if words.get(length)? != part {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// Returns the texts of a goal to compare: the whole, and its sentences if there are several.
pub(super) fn texts(goal: &str) -> Vec<String> {
    let sentences = sentences(goal).map(plain).filter(|text| text.split(' ').count() >= MIN_SENTENCE_WORDS);
    let sentences: Vec<String> = sentences.take(MAX_TEXTS - 1).collect();
    let mut texts = vec![plain(goal)];
    if sentences.len() > 1 {
        texts.extend(sentences);
    }
    texts.retain(|text| !text.is_empty());
    texts
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let ends = |(at, character): (usize, char)| {
        let is_last = text[at + character.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
        (character == '\n' || matches!(character, '.' | '!' | '?' | ';') && is_last)
            .then_some(at + character.len_utf8())
    };
    let mut bounds: Vec<usize> = text.char_indices().filter_map(ends).collect();
    bounds.push(text.len());
    let starts = std::iter::once(0).chain(bounds.clone());
    starts.zip(bounds).map(|(start, end)| text[start..end].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn politeness_labels_and_the_language_are_left_out() {
        for (goal, expected) in [
            ("Hi there, could you please write me a cache? Thanks a lot!", "write me a cache?"),
            ("Stress test workflow 17: a trie in Python", "a trie"),
            ("Python LRU cache, please", "LRU cache"),
            ("this is a pythonic high-five", "this is a pythonic high-five"),
            ("please", ""),
        ] {
            assert_eq!(plain(goal), expected, "{goal}");
        }
    }

    #[test]
    fn a_goal_of_several_sentences_is_compared_as_a_whole_and_by_sentence() {
        let found = texts("I run a shop. Keep the 500 latest prices in memory! Thanks.\nIt is for v1.2 of it");
        assert_eq!(
            found[1..],
            ["I run a shop.", "Keep the 500 latest prices in memory!", "It is for v1.2 of it"].map(str::to_owned)
        );
        assert_eq!(texts("One sentence about a stack."), ["One sentence about a stack."]);
        assert!(texts("  ").is_empty());
    }
}
