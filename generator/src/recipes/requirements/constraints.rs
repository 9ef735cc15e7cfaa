//! Parses the constraints of a goal: requirements, exclusions, numbers and relations.

use std::collections::BTreeSet;

use super::relations::{Relation, relations, without_articles};
use crate::recipes::requirements::{Requirement, stated, stated_after_negation};
use crate::tokenize::{Word, words};

include!(concat!(env!("OUT_DIR"), "/words/constraints.rs"));

/// Maximum words that a negation covers ("without external libraries").
const NEGATION_REACH: usize = 3;
/// Minimum letters of a root by which words are compared.
const MIN_ROOT_LETTERS: usize = 4;

/// Minor versions of Python 3 that recipes support.
const MINOR_VERSIONS: std::ops::RangeInclusive<u64> = 10..=20;

/// The constraints of a goal beside its topic.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    required: BTreeSet<Requirement>,
    ruled_out: BTreeSet<Requirement>,
    /// Words that the goal excludes.
    excluded_words: BTreeSet<String>,
    /// The stems of excluded words that state no requirement: "weekend" in "days without weekends".
    pub(crate) exceptions: BTreeSet<String>,
    /// Modules that the goal requires.
    modules: BTreeSet<String>,
    numbers: BTreeSet<u64>,
    /// Numbers that end a range: "up to 50", "the first 10".
    bounds: BTreeSet<u64>,
    /// True if the goal replaces a part of the usual form.
    replaced: bool,
    /// Relations between noun phrases: "per line", "to words".
    pub(crate) relations: Vec<Relation>,
}

/// The constraints and the remaining words of a goal.
pub(crate) struct ParsedGoal {
    pub(crate) constraints: Constraints,
    /// The words that are not negated, in order.
    pub(crate) wanted: Vec<Word>,
    /// For each wanted word whether it states a requirement.
    pub(crate) is_stated: Vec<bool>,
}

/// Parses a goal; `kept` drops words that name its audience.
pub(crate) fn parse_goal(goal: &str, kept: impl Fn(Vec<Word>) -> Vec<Word>) -> ParsedGoal {
    let mut constraints = Constraints::default();
    let text = normalize(without_label(goal));
    let affirmed = drop_negated(&words(&text), &mut constraints);
    let (wanted, has_article) = without_articles(kept(affirmed));
    collect_numbers(&wanted, &mut constraints);
    constraints.modules = modules(&wanted);
    let mut is_stated = vec![false; wanted.len()];
    for statement in stated(&wanted) {
        constraints.required.insert(statement.requirement);
        is_stated[statement.at].fill(true);
    }
    if constraints.replaced || counts_down(&wanted) {
        constraints.required.insert(Requirement::Variation);
    }
    constraints.relations = relations(&wanted, &has_article, &is_stated);
    ParsedGoal { constraints, wanted, is_stated }
}

/// Returns the stems of the words that a text excludes and that state no requirement.
pub(crate) fn exceptions_of(text: &str) -> BTreeSet<String> {
    parse_goal(text, |words| words).constraints.exceptions
}

fn is(word: &Word, list: &[&str]) -> bool {
    list.contains(&word.text.as_str())
}

/// Drops a label such as "Stress test workflow 17:" before the goal.
pub(crate) fn without_label(goal: &str) -> &str {
    let Some((label, rest)) = goal.split_once(':') else { return goal };
    let is_label = |word: &Word| is(word, LABELS) || word.text.chars().all(|c| c.is_ascii_digit());
    let label = words(label);
    if !rest.trim().is_empty() && label.len() <= 6 && label.iter().all(is_label) { rest } else { goal }
}

/// Replaces spellings with punctuation or several words by single words.
fn normalize(goal: &str) -> String {
    let mut text = goal.to_lowercase();
    for (from, to) in [
        ("to-do", "todo"),
        ("to do list", "todo list"),
        ("server-side", "serverside"),
        ("server side", "serverside"),
        ("logged-in", "loggedin"),
        ("logged in", "loggedin"),
        ("sort of ", ""),
        ("kind of ", ""),
        ("built-in", "builtin"),
        ("built in function", "builtin function"),
        ("built in sort", "builtin sort"),
        ("builtins", "builtin"),
        ("non-blocking", "nonblocking"),
        ("non blocking", "nonblocking"),
        ("lock-free", "lockfree"),
        ("lock free", "lockfree"),
        ("wait-free", "lockfree"),
        ("o (", "o("),
        ("python-", "python "),
    ] {
        text = text.replace(from, to);
    }
    let words =
        text.split(' ').map(|word| word.strip_suffix("-free").map_or(word.to_owned(), |it| format!("without {it},")));
    replace_complexities(&words.collect::<Vec<_>>().join(" "))
}

/// Replaces complexities such as "O(n log n)" by single words.
fn replace_complexities(text: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("o(") {
        let (before, from) = rest.split_at(start);
        let starts_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let Some(length) = from.find(')').filter(|_| starts_word) else {
            replaced.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        let bound: String = from[2..length].chars().filter(|c| !c.is_whitespace() && *c != '*').collect();
        replaced.push_str(before);
        replaced.push_str(match bound.as_str() {
            "1" => " bigoconstant ",
            "logn" | "log(n" | "lgn" => " bigologarithmic ",
            "n" => " bigolinear ",
            "nlogn" | "nlog(n" => " bigolinearithmic ",
            _ => " bigoother ",
        });
        rest = from[length..].trim_start_matches(')').trim_start();
        for word in ["time", "runtime", "complexity"] {
            rest = rest.strip_prefix(word).map_or(rest, str::trim_start);
        }
    }
    replaced + rest
}

/// Returns the words without negated parts, and adds these to the exclusions.
fn drop_negated(words: &[Word], constraints: &mut Constraints) -> Vec<Word> {
    let mut kept = Vec::new();
    let (mut at, mut cut) = (0, false);
    while let Some(word) = words.get(at) {
        if !is(word, NEGATIONS) || words.get(at + 1).is_some_and(|next| is(next, NOT_NEGATED)) {
            // The words around a dropped part do not form a phrase.
            kept.push(Word { starts_clause: word.starts_clause || cut, ..word.clone() });
            (at, cut) = (at + 1, false);
            continue;
        }
        let end = negation_end(words, at + 1);
        rule_out(word, &words[at + 1..end], words.get(end), constraints);
        (at, cut) = (end, true);
    }
    kept
}

/// Returns the end of the words that a negation covers.
fn negation_end(words: &[Word], start: usize) -> usize {
    let mut left = NEGATION_REACH;
    for (at, word) in words.iter().enumerate().skip(start) {
        let leads = left == NEGATION_REACH || is(&words[at - 1], INDIFFERENCE);
        let enumerates = at > start && is(word, &["or", "nor"]);
        let is_over =
            left == 0 && !enumerates || word.starts_clause && at > start || is(word, NEGATIONS) && !enumerates;
        if is_over || is(word, CLAUSE_STARTERS) && !leads {
            return at;
        }
        if enumerates {
            left = NEGATION_REACH;
        } else if ![CLAUSE_STARTERS, ARTICLES, INDIFFERENCE, GRAMMAR].iter().any(|list| is(word, list)) {
            left -= 1;
        }
    }
    words.len()
}

fn rule_out(negation: &Word, segment: &[Word], next: Option<&Word>, constraints: &mut Constraints) {
    let indifferent = |word: &Word| is(word, INDIFFERENCE);
    if segment.iter().any(indifferent) || next.is_some_and(indifferent) || is(negation, &["neednt"]) {
        return;
    }
    let words: Vec<Word> = segment.iter().filter(|word| !is(word, ARTICLES)).cloned().collect();
    let mut is_stated = vec![false; words.len()];
    let replaced = is(negation, REPLACEMENTS);
    for statement in stated_after_negation(&words) {
        match statement.requirement.opposite() {
            Some(opposite) => {
                constraints.required.insert(opposite);
                is_stated[statement.at].fill(true);
            }
            None => {
                constraints.ruled_out.insert(statement.requirement);
                constraints.excluded_words.extend(words[statement.at.clone()].iter().map(|word| word.text.clone()));
                is_stated[statement.at].fill(!replaced);
            }
        }
    }
    let rest = words.iter().zip(is_stated).filter(|(word, is_stated)| {
        !is_stated && !is(word, CLAUSE_STARTERS) && !is(word, &["of", "than", "any", "other", "be", "use"])
    });
    let rest: Vec<&Word> = rest.map(|(word, _)| word).collect();
    constraints.replaced |= replaced && (!rest.is_empty() || words.is_empty());
    constraints.exceptions.extend(rest.iter().map(|word| word.stem.clone()));
    constraints.excluded_words.extend(rest.iter().map(|word| word.text.clone()));
}

/// Collects the numbers of a goal except Python versions, which may be a requirement, and percentages.
fn collect_numbers(words: &[Word], constraints: &mut Constraints) {
    let number = |at: usize| words.get(at).and_then(|word| word.text.parse::<u64>().ok());
    let is_at = |at: Option<usize>, list: &[&str]| at.and_then(|at| words.get(at)).is_some_and(|word| is(word, list));
    let mut at = 0;
    while at < words.len() {
        if is_at(Some(at), &["python", "python3", "py"]) && number(at + 1).is_some() {
            let minor = number(at + 2).filter(|_| !words[at + 2].starts_clause);
            if number(at + 1) != Some(3) || minor.is_some_and(|minor| !MINOR_VERSIONS.contains(&minor)) {
                constraints.required.insert(Requirement::OtherPython);
            }
            at += if minor.is_some() { 3 } else { 2 };
            continue;
        }
        let is_share = is_at(Some(at + 1), &["percent", "coverage", "test", "unit"]);
        let between = is_at(at.checked_sub(1), &["and"]) && is_at(at.checked_sub(3), &["between"]);
        let bounds = between || is_at(at.checked_sub(1), BOUNDS);
        let found = number(at).filter(|_| !is_share);
        if bounds { &mut constraints.bounds } else { &mut constraints.numbers }.extend(found);
        at += 1;
    }
}

/// Returns whether a goal counts down: "from 100 to 1".
fn counts_down(words: &[Word]) -> bool {
    let number = |at: usize| words.get(at).and_then(|word| word.text.parse::<u64>().ok());
    let follows = |at: usize, list: &[&str]| words.get(at).is_some_and(|word| !word.starts_clause && is(word, list));
    (0..words.len()).any(|at| {
        let after_down = at + 1 + usize::from(follows(at + 1, &["down"]));
        let after_link = after_down + usize::from(follows(after_down, &["to", "through", "until", "till", "downto"]));
        // Tokens of "from 100-1" have no word between them.
        let is_range = after_link > at + 1 || at > 0 && is(&words[at - 1], &["from", "range", "numbers"]);
        is_range
            && words.get(after_link).is_some_and(|word| !word.starts_clause)
            && number(at) > number(after_link)
            && number(after_link).is_some()
    })
}

/// Returns the modules that a goal names explicitly: "using the math module".
fn modules(words: &[Word]) -> BTreeSet<String> {
    let named = words.windows(3).filter(|three| {
        let [marker, name, noun] = three else { return false };
        let follows = !name.starts_clause && !noun.starts_clause;
        follows
            && is(marker, &["using", "use", "uses", "with", "via", "from"])
            && is(noun, &["module", "library", "package"])
            && !is(name, &["standard", "python", "single", "small", "simple", "external", "stdlib"])
    });
    named.map(|three| three[1].text.clone()).collect()
}

/// Returns the root that forms of a verb share: "verifying", "verification" and "verify".
fn root(word: &str) -> &str {
    let stripped = VERB_ENDINGS.iter().find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 3));
    stripped.unwrap_or(word)
}

/// The capabilities of a recipe beside its topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) claims: Vec<Claim>,
    /// The imports, calls, keywords and operators of the code, in lower case.
    pub(crate) code_elements: BTreeSet<String>,
    /// The relations that its keywords and examples name.
    pub(crate) relations: Vec<Relation>,
    /// The exceptions that its examples and phrasings state.
    pub(crate) exceptions: BTreeSet<String>,
    /// The only numbers that a goal may state; `None` allows all.
    pub(crate) numbers: Option<Vec<u64>>,
    /// The largest number that a goal may state.
    pub(crate) largest_number: Option<u64>,
}

/// A requirement that a recipe meets: always, or only for goals with one of the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) requirement: Requirement,
    pub(crate) only_for: Vec<String>,
}

impl Capabilities {
    fn provides(&self, requirement: Requirement, stems: &[String]) -> bool {
        let is_meant = |claim: &Claim| claim.only_for.is_empty() || claim.only_for.iter().any(|it| stems.contains(it));
        let claimed = |claim: &Claim| claim.requirement == requirement && is_meant(claim);
        requirement.is_universal()
            || requirement == Requirement::Imports && self.code_elements.contains("import")
            || self.claims.iter().any(claimed)
    }

    /// Returns whether the code contains the element that a word names, or a function named by a form of it.
    fn uses(&self, word: &str) -> bool {
        let root_of_word = root(word);
        let acts =
            |name: &String| name.split('_').find(|part| !part.is_empty()).is_some_and(|it| root(it) == root_of_word);
        self.code_elements.contains(word)
            || root_of_word.len() >= MIN_ROOT_LETTERS && self.code_elements.iter().any(acts)
    }

    /// Returns the requirements that the recipe does not meet.
    pub(crate) fn lacks(&self, constraints: &Constraints, stems: &[String]) -> Vec<Requirement> {
        let missing = constraints.required.iter().copied().filter(|requirement| !self.provides(*requirement, stems));
        let mut lacking: Vec<Requirement> = missing.collect();
        let listed = |number: &u64| self.numbers.as_ref().is_none_or(|numbers| numbers.contains(number));
        let in_range = |number: &u64| self.largest_number.is_none_or(|largest| *number <= largest);
        let mut all = constraints.numbers.iter().chain(&constraints.bounds);
        if !constraints.numbers.iter().all(listed) || !all.all(in_range) {
            lacking.push(Requirement::Numbers);
        }
        if !constraints.modules.iter().all(|module| self.code_elements.contains(module)) {
            lacking.push(Requirement::Modules);
        }
        let uses_ruled_out = constraints.ruled_out.iter().any(|requirement| self.provides(*requirement, stems));
        if uses_ruled_out || constraints.excluded_words.iter().any(|word| self.uses(word)) {
            lacking.push(Requirement::RuledOut);
        }
        lacking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Requirement as R;

    fn constraints(goal: &str) -> Constraints {
        parse_goal(goal, |words| words).constraints
    }

    #[track_caller]
    fn check(goal: &str, required: &[R], ruled_out: &[R]) {
        let found = constraints(goal);
        let list = |set: &BTreeSet<R>| set.iter().copied().collect::<Vec<_>>();
        assert_eq!((list(&found.required), list(&found.ruled_out)), (required.to_vec(), ruled_out.to_vec()), "{goal}");
    }

    #[test]
    fn a_negation_rules_out_or_leaves_open() {
        check("stack without a class", &[], &[R::Class]);
        check("stack, no classes please", &[], &[R::Class]);
        check("stack that is not thread-safe", &[], &[R::ThreadSafe]);
        check("not thread-safe needed", &[], &[]);
        check("no need for thread safety", &[], &[]);
        check("it does not need to be thread-safe or async", &[], &[]);
        check("no type hints required", &[], &[]);
        check("factorial without using recursion", &[R::Iterative], &[]);
        check("non-recursive factorial", &[R::Iterative], &[]);
        check("hello world without tests", &[], &[R::Tests]);
        check("not only a stack but also a class", &[R::Class], &[]);
        check("sort without built-in functions", &[R::FromScratch], &[]);
        assert!(constraints("queue without heapq").excluded_words.contains("heapq"));
    }

    #[test]
    fn a_replaced_part_is_a_variation() {
        check("fizz buzz that uses 4 and 7 instead of 3 and 5", &[R::Variation], &[]);
        check("fibonacci with a loop instead of recursion", &[R::Iterative], &[]);
        check("return None rather than raising", &[R::Variation], &[R::Exceptions]);
        check("all operations except division", &[R::Variation], &[]);
    }

    #[test]
    fn complexities_are_requirements() {
        check("cache with O(1) get and put", &[R::ConstantTime], &[]);
        check("sort in O(n log n) time", &[R::LinearithmicTime], &[]);
        check("sort in O(n) with O(1) space", &[R::LinearTime, R::ConstantSpace], &[]);
        check("foo(1) bar", &[], &[]);
    }

    #[test]
    fn numbers_are_collected_without_versions_and_labels() {
        let found =
            constraints("Stress test workflow 17: fizzbuzz with 4 and 7 up to 50 with 100% coverage in Python 3.12");
        assert_eq!((found.numbers, found.bounds), (BTreeSet::from([4, 7]), BTreeSet::from([50])));
        assert!(constraints("hello world in Python 2.7").required.contains(&R::OtherPython));
        assert!(constraints("hello world in Python 3.8").required.contains(&R::OtherPython));
        assert!(constraints("hello world in Python 3").required.is_empty());
    }

    #[test]
    fn a_label_demands_nothing() {
        check("Concurrent test task 3: write a stack", &[], &[]);
        check("Concurrent test task 3", &[R::ThreadSafe, R::Tests], &[]);
    }
}
