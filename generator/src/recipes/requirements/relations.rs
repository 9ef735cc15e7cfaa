//! Relations that a goal states by prepositions and the like: "per line", "word by word", "from X", "to X", "returns
//! X", "only X". They change the meaning of known words, so a recipe must name them itself.

use crate::recipes::requirements::Requirement;
use crate::recipes::vocabulary::{FILLER, STOP};
use crate::tokenize::{Word, words};

include!(concat!(env!("OUT_DIR"), "/words/relations.rs"));

/// The relation of a noun phrase to the rest of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelationKind {
    /// "per line", "word by word", "in each sentence", "by key".
    Part,
    /// "by RFC 6238", "per ISO 8601".
    Standard,
    /// "from titles".
    Source,
    /// "given a list".
    Given,
    /// "to words", "into a dictionary".
    Target,
    /// "returns the domain".
    Result,
    /// "as a list".
    Form,
    /// "only the multiples of 15".
    Selection,
}

impl RelationKind {
    /// Returns the requirement that a recipe without such a relation lacks.
    pub(crate) fn requirement(self) -> Requirement {
        match self {
            Self::Part => Requirement::Part,
            Self::Standard => Requirement::Standard,
            Self::Source | Self::Given => Requirement::Source,
            Self::Target => Requirement::Target,
            Self::Result | Self::Form => Requirement::Result,
            Self::Selection => Requirement::Selection,
        }
    }
}

/// A relation and the meaningful words of its noun phrase, as stems and as word indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) kind: RelationKind,
    pub(crate) head: Vec<String>,
    pub(crate) at: Vec<usize>,
}

impl Relation {
    /// Returns whether a recipe that names `known` serves this relation.
    pub(crate) fn is_served_by(&self, known: &Self) -> bool {
        let same = self.kind == known.kind || self.kind == RelationKind::Given && known.kind == RelationKind::Source;
        // The last noun is the result: an e-mail domain is not an e-mail.
        same && match self.kind {
            RelationKind::Result | RelationKind::Form | RelationKind::Selection => self.head.ends_with(&known.head),
            RelationKind::Part
            | RelationKind::Standard
            | RelationKind::Source
            | RelationKind::Given
            | RelationKind::Target => self.head.windows(known.head.len()).any(|window| window == known.head),
        }
    }

    /// Returns whether every recipe serves this relation.
    pub(crate) fn is_common(&self) -> bool {
        self.kind == RelationKind::Given && self.head.last().is_some_and(|last| INPUTS.contains(&last.as_str()))
    }
}

/// Finds the relations that a keyword or an example states.
pub(crate) fn relations_of(text: &str) -> Vec<Relation> {
    let (all, has_article) = without_articles(words(text));
    relations(&all, &has_article, &vec![false; all.len()])
}

/// Drops articles, and returns for each other word whether an article was before it.
pub(crate) fn without_articles(words: Vec<Word>) -> (Vec<Word>, Vec<bool>) {
    let (mut kept, mut has_article) = (Vec::new(), Vec::new());
    let (mut is_pending, mut starts_clause) = (false, false);
    for mut word in words {
        if is(&word, &["a", "an", "the"]) {
            is_pending = true;
            starts_clause |= word.starts_clause;
            continue;
        }
        word.starts_clause |= std::mem::take(&mut starts_clause);
        kept.push(word);
        has_article.push(std::mem::take(&mut is_pending));
    }
    (kept, has_article)
}

fn is(word: &Word, list: &[&str]) -> bool {
    list.contains(&word.text.as_str())
}

/// Finds the relations among words without articles, except those about a stated requirement.
pub(crate) fn relations(words: &[Word], has_article: &[bool], is_stated: &[bool]) -> Vec<Relation> {
    let mut found = Vec::new();
    for at in 0..words.len() {
        let Some((kind, start)) = marked(words, has_article, at).filter(|_| !is_stated[at]) else { continue };
        let (head, end) = noun_phrase(words, start);
        // "Documents" states documentation, except in a relation such as "per document".
        let states = |at: &usize| is_stated[*at] && !(kind == RelationKind::Part && is(&words[*at], COUNTED));
        let Some(last) = head.last().copied().filter(|_| !head.iter().any(states)) else { continue };
        let relation = |head: Vec<usize>| Relation {
            kind,
            head: head.iter().map(|at| words[*at].stem.clone()).collect(),
            at: head,
        };
        found.push(relation(head));
        let is_filled = words.get(end).is_some_and(|next| next.text == "of" && !next.starts_clause);
        if matches!(kind, RelationKind::Result | RelationKind::Form)
            && is_filled
            && COLLECTIONS.contains(&words[last].stem.as_str())
        {
            found.extend(Some(noun_phrase(words, end + 1).0).filter(|it| !it.is_empty()).map(relation));
        }
    }
    found
}

/// Returns the kind of relation that a word opens, and the start of its noun phrase.
fn marked(words: &[Word], has_article: &[bool], at: usize) -> Option<(RelationKind, usize)> {
    let word = &words[at];
    let text = |index: usize| words.get(index).map_or("", |word| word.text.as_str());
    let before = at.checked_sub(1).filter(|_| !word.starts_clause).map_or("", text);
    let next = text(at + 1);
    let kind = match word.text.as_str() {
        "by" | "per" if names_standard(next) => RelationKind::Standard,
        "per" => RelationKind::Part,
        "each" | "every" if next != "other" && BEFORE_PARTS.contains(&before) => RelationKind::Part,
        "by" if before == next && next != "step" => RelationKind::Part,
        "by" if !next.ends_with("ing") && (!before.ends_with("ed") || ARRANGED.contains(&before)) => RelationKind::Part,
        "from" => RelationKind::Source,
        "given" if !has_article[at] && !STOP.contains(before) => RelationKind::Given,
        "into" => RelationKind::Target,
        "to" if is_target(words, has_article, at) => RelationKind::Target,
        "as" if is_form(words, at) => RelationKind::Form,
        text if RESULT_VERBS.contains(&text) => RelationKind::Result,
        text if SELECTORS.contains(&text) && before != "not" => {
            let passes = usize::from(matches!(next, "for" | "on" | "at" | "from"));
            return Some((RelationKind::Selection, at + 1 + passes));
        }
        _ => return None,
    };
    Some((kind, at + 1))
}

/// Returns whether a word is a numbered name of a standard: "rfc6238".
fn names_standard(word: &str) -> bool {
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    name.len() < word.len() && STANDARDS.contains(&name)
}

fn is_number(word: &Word) -> bool {
    word.text.chars().count() == 1 || word.text.chars().all(|c| c.is_ascii_digit()) || is(word, &["zero", "one"])
}

fn is_target(words: &[Word], has_article: &[bool], at: usize) -> bool {
    let Some(next) = words.get(at + 1) else { return false };
    let before = at.checked_sub(1).map(|before| &words[before]);
    if is_number(next) || before.is_some_and(is_number) {
        return false;
    }
    let is_noun = has_article.get(at + 1).copied().unwrap_or_default();
    is_noun && before.is_none_or(|it| it.text != "up")
        || !is(next, VERBS) && !before.is_some_and(|before| is(before, NO_TARGET_AFTER))
}

fn is_form(words: &[Word], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| &words[before]);
    let compares = at.checked_sub(2).is_some_and(|before| words[before].text == "as");
    !compares && before.is_none_or(|before| !is(before, NO_FORM_AFTER))
}

/// Returns the indices of the meaningful words of a noun phrase, and its end.
fn noun_phrase(words: &[Word], start: usize) -> (Vec<usize>, usize) {
    let mut head = Vec::new();
    for (at, word) in words.iter().enumerate().skip(start) {
        let is_determiner = is(word, DETERMINERS);
        let opens = head.is_empty() && is(word, &["first"]);
        let ends =
            STOP.contains(&word.stem) && !is_determiner || is(word, PHRASE_ENDS) && !opens || is(word, CONJUNCTIONS);
        if word.starts_clause || ends {
            return (head, at);
        }
        let is_case = words.get(at + 1).is_some_and(|next| is(next, &["case", "cases"]));
        let is_filler = FILLER.contains(&word.stem) && (is_case || !is(word, COUNTED));
        if !is_determiner && !is_number(word) && !is_filler {
            head.push(at);
        }
    }
    (head, words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(RelationKind, &str)]) {
        let found: Vec<_> = relations_of(text).into_iter().map(|it| (it.kind, it.head.join(" "))).collect();
        let expected: Vec<_> = expected.iter().map(|(kind, head)| (*kind, (*head).to_owned())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn relations_are_found_by_their_markers() {
        check("word frequency per line", &[(RelationKind::Part, "line")]);
        check("reverse a string word by word", &[(RelationKind::Part, "word")]);
        check("count words in each sentence", &[(RelationKind::Part, "sentenc")]);
        check("tree from preorder and inorder", &[(RelationKind::Source, "preorder")]);
        check("number to words", &[(RelationKind::Target, "word")]);
        check("validator that returns the domain of an address", &[(RelationKind::Result, "domain")]);
        check("as a list of numbers divisible by 3", &[(RelationKind::Form, "list"), (RelationKind::Form, "number")]);
        check("printing only the numbers divisible by 15", &[(RelationKind::Selection, "number")]);
    }

    #[test]
    fn infinitives_ranges_and_comparisons_are_not_relations() {
        for text in [
            "a function to reverse strings",
            "numbers from 1 to 100",
            "primes up to n",
            "insertion as well as deletion",
            "in memory only, please",
            "values guarded by nothing",
            "a function that returns the result",
        ] {
            check(text, &[]);
        }
    }
}
