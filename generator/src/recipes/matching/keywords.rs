//! Finds the recipe that serves a goal by its words.
//!
//! A wrong recipe is worse than none, so a recipe must explain the whole goal: each required group has a phrase in it,
//! no excluded word is in it, every word that carries meaning is known to the recipe, and the recipe provides every
//! stated requirement. Deterministic, without weights and independent of the order of recipes.

use std::collections::BTreeSet;

use crate::recipes::matching::spelling::is_typo;
use crate::recipes::requirements::Requirement;
use crate::recipes::requirements::constraints::{Capabilities, Constraints, parse_goal};
use crate::recipes::requirements::relations::{Relation, RelationKind};
use crate::recipes::vocabulary::{AUDIENCE_MODIFIERS, AUDIENCES, BLOCKERS, ENDERS, FILLER, STOP};
use crate::tokenize::{Word, words};

/// Minimum letters of a single word of the subject that makes a recipe a suggestion by itself.
const MIN_DISTINCTIVE_LETTERS: usize = 8;

/// A stem, and the prepositions and conjunctions before it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    stem: String,
    gap: Vec<String>,
}

/// A sequence of consecutive stems.
type Phrase = Vec<Term>;

/// Words between the stems of a phrase that do not change its meaning.
const NEUTRAL_GAP_WORDS: &[&str] = &[
    "a", "an", "the", "each", "every", "all", "any", "some", "its", "their", "his", "her", "my", "your", "our", "this",
];
/// Words that separate a phrase unless it contains them: "number to words" is not "number words".
const PHRASE_SEPARATORS: &[&str] = &["to", "into", "from", "by", "per", "as", "in", "via", "than", "between"];

/// The keywords of a recipe, and its capabilities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeywordRules {
    require: Vec<Vec<Phrase>>,
    covers: Vec<Phrase>,
    excludes: Vec<Phrase>,
    capabilities: Capabilities,
}

impl KeywordRules {
    pub(crate) fn new(
        require: &[Vec<String>],
        covers: &[String],
        excludes: &[String],
        capabilities: Capabilities,
    ) -> Self {
        let compile = |phrases: &[String]| -> Vec<Phrase> {
            phrases.iter().map(|phrase| phrase_of(phrase)).filter(|phrase| !phrase.is_empty()).collect()
        };
        Self {
            require: require.iter().map(|group| compile(group)).collect(),
            covers: compile(covers),
            excludes: compile(excludes),
            capabilities,
        }
    }

    /// Returns whether every required group has a phrase.
    pub(crate) fn is_usable(&self) -> bool {
        !self.require.is_empty() && self.require.iter().all(|group| !group.is_empty())
    }

    /// Returns whether a stem occurs in the keywords.
    pub(super) fn mentions(&self, wanted: &str) -> bool {
        self.require.iter().flatten().chain(&self.covers).flatten().any(|term| term.stem == wanted)
    }

    /// Returns whether the recipe knows all that a goal excludes. If not, the exception may be the point of the goal:
    /// "days between two dates without weekends".
    pub(super) fn knows_exceptions(&self, goal: &GoalTerms) -> bool {
        let excludes = |wanted: &str| self.excludes.iter().flatten().any(|term| term.stem == wanted);
        let left_out = goal.constraints.exceptions.iter();
        let mut left_out = left_out.filter(|stem| !STOP.contains(*stem) && !FILLER.contains(*stem)).peekable();
        // One known word is enough: "refresh tokens" is known where "refresh" is.
        left_out.peek().is_none() || left_out.any(|stem| excludes(stem) || self.capabilities.exceptions.contains(stem))
    }

    /// Returns the requirements of a goal that the recipe does not meet.
    pub(super) fn lacks(&self, goal: &GoalTerms) -> Vec<Requirement> {
        let mut lacking = self.capabilities.lacks(&goal.constraints, &goal.stems());
        let subject = self.require.iter().take(1).flatten().flat_map(|phrase| goal.positions(phrase)).collect();
        let unserved = goal.constraints.relations.iter().filter(|relation| !self.serves(relation, goal, &subject));
        for requirement in unserved.map(|relation| relation.kind.requirement()) {
            if !lacking.contains(&requirement) {
                lacking.push(requirement);
            }
        }
        lacking
    }

    /// Returns whether the recipe names a relation or is its object ("returns primes").
    ///
    /// `subject` are the positions of the recipe's subject in the goal.
    fn serves(&self, relation: &Relation, goal: &GoalTerms, subject: &BTreeSet<usize>) -> bool {
        let head: Vec<usize> =
            relation.at.iter().filter_map(|at| goal.term_indices.get(*at).copied().flatten()).collect();
        let leads_to_subject = head.last().is_some_and(|last| subject.contains(last));
        let before = head.first().and_then(|first| first.checked_sub(1)).filter(|before| subject.contains(before));
        let is_conversion = matches!(relation.kind, RelationKind::Target | RelationKind::Source | RelationKind::Form);
        if let Some(before) = before.filter(|_| is_conversion && leads_to_subject) {
            // A conversion between two subjects, as in "stack to queue", needs a phrase with both.
            let spans = |phrase: &Phrase| goal.positions(phrase).windows(2).any(|pair| pair == [before, before + 1]);
            return self.require.iter().flatten().chain(&self.covers).any(spans);
        }
        if relation.is_common() || self.capabilities.relations.iter().any(|known| relation.is_served_by(known)) {
            return true;
        }
        if relation.kind == RelationKind::Selection {
            // "FizzBuzz, only the fizz" selects a part of the subject.
            return subject.iter().all(|at| head.contains(at)) && head.iter().all(|at| subject.contains(at));
        }
        // The recipe must name a target: it does not serve "string to palindrome".
        leads_to_subject && relation.kind != RelationKind::Target
    }
}

fn phrase_of(text: &str) -> Phrase {
    let mut phrase = Phrase::new();
    let mut gap = Vec::new();
    for word in words(text) {
        push_term(&mut phrase, &mut gap, word);
    }
    phrase
}

/// Appends a word to a phrase, or to the gap before its next word.
fn push_term(phrase: &mut Phrase, gap: &mut Vec<String>, word: Word) {
    if !STOP.contains(&word.stem) {
        phrase.push(Term { stem: word.stem, gap: std::mem::take(gap) });
    } else if !NEUTRAL_GAP_WORDS.contains(&word.text.as_str()) {
        gap.push(word.text);
    }
}

/// A goal, prepared for the comparison with keywords.
#[derive(Default)]
pub(crate) struct GoalTerms {
    /// Stems in order, without grammar, numbers and negated words.
    terms: Phrase,
    /// For each word its index in `terms`.
    term_indices: Vec<Option<usize>>,
    /// For each term whether it states a requirement.
    is_stated: Vec<bool>,
    /// The distinct stems that carry meaning and do not state a requirement.
    meaningful: BTreeSet<String>,
    blockers: BTreeSet<String>,
    constraints: Constraints,
}

impl GoalTerms {
    pub(crate) fn of(goal: &str) -> Self {
        let goal_parts = parse_goal(goal, without_audience);
        let is_number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit());
        let mut gap = Vec::new();
        let mut terms = Self { constraints: goal_parts.constraints, ..Self::default() };
        for (at, (word, is_stated)) in goal_parts.wanted.into_iter().zip(goal_parts.is_stated).enumerate() {
            if BLOCKERS.contains(&word.stem) && !is_stated {
                terms.blockers.insert(word.stem.clone());
            }
            // "Add a login" asks for a login, not for addition.
            let is_filler = FILLER.contains(&word.stem) || at == 0 && word.text == "add";
            let carries = !STOP.contains(&word.stem) && !is_number(&word);
            terms.term_indices.push(carries.then_some(terms.terms.len()));
            if carries {
                if !is_stated && !is_filler {
                    terms.meaningful.insert(word.stem.clone());
                }
                terms.is_stated.push(is_stated);
            }
            if !is_number(&word) {
                push_term(&mut terms.terms, &mut gap, word);
            }
        }
        terms
    }

    /// Returns the stems that carry meaning and do not occur in the keywords.
    pub(super) fn unknown_to(&self, keywords: &KeywordRules) -> BTreeSet<String> {
        self.meaningful.iter().filter(|stem| !keywords.mentions(stem)).cloned().collect()
    }

    fn stems(&self) -> Vec<String> {
        self.terms.iter().map(|term| term.stem.clone()).collect()
    }

    /// Returns the positions of a phrase in the goal.
    fn positions(&self, phrase: &[Term]) -> Vec<usize> {
        self.hits(phrase, |(at, (found, wanted))| {
            let parts = || found.gap.iter().any(|word| PHRASE_SEPARATORS.contains(&word.as_str()));
            let joins = at == 0 || found.gap == wanted.gap || wanted.gap.is_empty() && !parts();
            found.stem == wanted.stem && joins
        })
    }

    /// Returns the positions of a phrase in the goal, with any grammar between its words.
    fn positions_ignoring_gaps(&self, phrase: &[Term]) -> Vec<usize> {
        self.hits(phrase, |(_, (found, wanted))| found.stem == wanted.stem)
    }

    fn hits(&self, phrase: &[Term], fits: impl Fn((usize, (&Term, &Term))) -> bool) -> Vec<usize> {
        let windows = self.terms.windows(phrase.len().max(1)).enumerate();
        let hits = windows.filter(|(_, window)| window.iter().zip(phrase).enumerate().all(&fits));
        hits.flat_map(|(at, _)| at..at + phrase.len()).collect()
    }

    /// Returns the positions of a phrase in the goal, allowing typos.
    fn near(&self, phrase: &[Term]) -> Vec<usize> {
        self.hits(phrase, |(_, (found, wanted))| is_typo(&found.stem, &wanted.stem))
    }
}

/// Drops audiences such as "for a web API" and "to my API".
fn without_audience(words: Vec<Word>) -> Vec<Word> {
    let mut kept = Vec::new();
    let mut rest = words.as_slice();
    while let Some((word, following)) = rest.split_first() {
        let reach = following.iter().take_while(|next| AUDIENCE_MODIFIERS.contains(next.text.as_str())).count();
        let is_audience = |at: usize| following.get(at).is_some_and(|next| AUDIENCES.contains(next.text.as_str()));
        let ends =
            following.get(reach + 1).is_none_or(|next| next.starts_clause || ENDERS.contains(&next.text.as_str()));
        let is_mine = following.first().is_some_and(|next| next.text == "my");
        let leads = word.text == "for" || word.text == "to" && is_mine;
        if leads && is_audience(reach) && ends {
            rest = &following[reach + 1..];
        } else {
            kept.push(word.clone());
            rest = following;
        }
    }
    kept
}

/// Number of words of a goal that the required keywords explain; a more specific recipe explains more.
type Fit = usize;

/// Returns the positions of the words that meet the required groups; `None` if a group is not met.
fn required(goal: &GoalTerms, keywords: &KeywordRules) -> Option<BTreeSet<usize>> {
    let mut required = BTreeSet::new();
    for group in &keywords.require {
        let hits: Vec<usize> = group.iter().flat_map(|phrase| goal.positions(phrase)).collect();
        if hits.is_empty() {
            return None;
        }
        required.extend(hits);
    }
    Some(required)
}

/// Returns whether a goal has a word that the recipe excludes, or asks for other work or another product.
pub(super) fn is_ruled_out(goal: &GoalTerms, keywords: &KeywordRules, tolerates: impl Fn(&str) -> bool) -> bool {
    // A word that states a requirement does not exclude: "type hints" do not mean a type.
    let excluded = |phrase: &Phrase| goal.positions_ignoring_gaps(phrase).iter().any(|at| !goal.is_stated[*at]);
    keywords.excludes.iter().any(excluded) || goal.blockers.iter().any(|blocker| !tolerates(blocker))
}

/// Returns whether a sentence commands other work than writing code ("Fix ...").
pub(super) fn is_other_work(sentence: &str, tolerates: impl Fn(&str) -> bool) -> bool {
    words(sentence).first().is_some_and(|word| BLOCKERS.contains(&word.stem) && !tolerates(&word.stem))
}

/// Returns whether a goal has a phrase of the first required group, which names the subject.
pub(super) fn names_subject(goal: &GoalTerms, keywords: &KeywordRules) -> bool {
    keywords.require.first().is_some_and(|group| group.iter().any(|phrase| !goal.positions(phrase).is_empty()))
}

/// Returns whether a goal has a phrase of every required group.
pub(super) fn meets_required_groups(goal: &GoalTerms, keywords: &KeywordRules) -> bool {
    required(goal, keywords).is_some()
}

/// Returns how many words of a goal the keywords explain; `None` if they do not fit. Ignores requirements.
fn fit(goal: &GoalTerms, keywords: &KeywordRules) -> Option<Fit> {
    if is_ruled_out(goal, keywords, |stem| keywords.mentions(stem)) {
        return None;
    }
    let required = required(goal, keywords)?;
    let covered = keywords.covers.iter().flat_map(|phrase| goal.positions(phrase));
    let known: BTreeSet<&String> = covered.chain(required.iter().copied()).map(|at| &goal.terms[at].stem).collect();
    goal.meaningful.iter().all(|stem| known.contains(stem)).then_some(required.len())
}

/// Returns the nearness of `keywords` to `goal` for suggestions, from 0. A near recipe may not fit.
pub(super) fn nearness(goal: &GoalTerms, keywords: &KeywordRules) -> usize {
    let hits = |group: &Vec<Phrase>| group.iter().flat_map(|phrase| goal.near(phrase)).collect::<BTreeSet<usize>>();
    let groups: Vec<BTreeSet<usize>> = keywords.require.iter().map(hits).collect();
    // A suggestion must have the subject, which the first group names.
    if groups.first().is_none_or(BTreeSet::is_empty) {
        return 0;
    }
    let found: BTreeSet<usize> = groups.iter().flatten().copied().collect();
    let letters: usize = found.iter().map(|at| goal.terms[*at].stem.chars().count()).sum();
    let is_whole =
        groups.iter().all(|group| !group.is_empty()) && (found.len() > 1 || letters >= MIN_DISTINCTIVE_LETTERS);
    let hinted = goal.meaningful.iter().filter(|stem| keywords.mentions(stem)).count();
    if !is_whole && 2 * hinted < goal.meaningful.len() {
        return 0;
    }
    let named = |stem: &&String| keywords.require.iter().flatten().flatten().any(|known| known.stem == **stem);
    4 * groups.iter().filter(|group| !group.is_empty()).count() + goal.meaningful.iter().filter(named).count()
}

/// A recipe's index, the goal as that recipe reads it, and the recipe's keywords.
pub(super) type Candidate<'a> = (usize, &'a GoalTerms, &'a KeywordRules);

/// Returns the indices of the recipes that fit best; several if they fit equally well.
pub(super) fn best<'a>(candidates: impl Iterator<Item = Candidate<'a>>) -> Vec<usize> {
    let mut fits: Vec<(usize, Fit)> = candidates
        .filter_map(|(index, goal, keywords)| Some((index, goal, keywords, fit(goal, keywords)?)))
        .filter(|(_, goal, keywords, _)| keywords.knows_exceptions(goal) && keywords.lacks(goal).is_empty())
        .map(|(index, _, _, fit)| (index, fit))
        .collect();
    fits.sort_by_key(|(index, fit)| (std::cmp::Reverse(*fit), *index));
    // A recipe with parameters occurs twice: with and without their values.
    fits.dedup_by_key(|(index, _)| *index);
    let greatest = fits.first().map(|(_, fit)| *fit);
    fits.into_iter().take_while(|(_, fit)| Some(*fit) == greatest).map(|(index, _)| index).collect()
}

/// Returns the index of the recipe with the goal's subject, and the requirements that it does not meet.
pub(super) fn lacking<'a>(candidates: impl Iterator<Item = Candidate<'a>>) -> Option<(usize, Vec<Requirement>)> {
    let about = candidates.filter_map(|(index, goal, keywords)| {
        let is_whole = fit(goal, keywords).is_some();
        Some(((is_whole, required(goal, keywords)?.len()), index, goal, keywords))
    });
    let (_, index, goal, keywords) = about.max_by_key(|(rank, index, ..)| (*rank, std::cmp::Reverse(*index)))?;
    let lacks = keywords.lacks(goal);
    (!lacks.is_empty()).then_some((index, lacks))
}
