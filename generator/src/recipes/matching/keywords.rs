//! Finds the recipe that serves a goal by its words. A wrong recipe is worse than none, so a recipe must *explain* the goal: every required
//! group of its keywords is there, nothing it excludes is, each word that carries meaning is known to it, and it provides
//! every requirement that the goal states. Deterministic, no weights to tune, no order of recipes.

use std::collections::BTreeSet;

use crate::recipes::matching::spelling::is_slip;
use crate::recipes::requirements::Requirement;
use crate::recipes::requirements::constraints::{Demands, Offer, read};
use crate::recipes::requirements::relations::{Kind, Relation};
use crate::recipes::vocabulary::{AUDIENCE_MODIFIERS, AUDIENCES, BLOCKERS, ENDERS, FILLER, STOP};
use crate::tokenize::{Word, words};

/// A single word of a recipe's subject makes it a neighbour from this length on, whatever else the goal says.
const MIN_TELLING_LETTERS: usize = 8;

/// A stem, and the prepositions and conjunctions between it and the stem before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    stem: String,
    gap: Vec<String>,
}

/// A sequence of stems that must follow each other.
type Phrase = Vec<Term>;

/// Words between the stems of a phrase that do not relate one to the other.
const UNRELATED: &[&str] = &[
    "a", "an", "the", "each", "every", "all", "any", "some", "its", "their", "his", "her", "my", "your", "our", "this",
];
/// Words that part a phrase unless it has them itself: "number to words" is no number of words.
const PARTING: &[&str] = &["to", "into", "from", "by", "per", "as", "in", "via", "than", "between"];

/// The words by which a recipe is found, and what it offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keywords {
    require: Vec<Vec<Phrase>>,
    covers: Vec<Phrase>,
    excludes: Vec<Phrase>,
    offer: Offer,
}

impl Keywords {
    pub(crate) fn new(require: &[Vec<String>], covers: &[String], excludes: &[String], offer: Offer) -> Self {
        let compile = |phrases: &[String]| -> Vec<Phrase> {
            phrases.iter().map(|phrase| phrase_of(phrase)).filter(|phrase| !phrase.is_empty()).collect()
        };
        Self {
            require: require.iter().map(|group| compile(group)).collect(),
            covers: compile(covers),
            excludes: compile(excludes),
            offer,
        }
    }

    /// Returns whether every required group can be met at all.
    pub(crate) fn is_usable(&self) -> bool {
        !self.require.is_empty() && self.require.iter().all(|group| !group.is_empty())
    }

    /// Returns whether a stem is a word of the keywords.
    pub(super) fn mentions(&self, wanted: &str) -> bool {
        self.require.iter().flatten().chain(&self.covers).flatten().any(|term| term.stem == wanted)
    }

    /// Returns what a goal demands and the recipe does not offer.
    pub(super) fn lacks(&self, topic: &Topic) -> Vec<Requirement> {
        let mut lacking = self.offer.lacks(&topic.demands, &topic.stems());
        let subject = self.require.iter().take(1).flatten().flat_map(|phrase| topic.positions(phrase)).collect();
        let unserved = topic.demands.relations.iter().filter(|relation| !self.serves(relation, topic, &subject));
        for requirement in unserved.map(|relation| relation.kind.requirement()) {
            if !lacking.contains(&requirement) {
                lacking.push(requirement);
            }
        }
        lacking
    }

    /// Returns whether the recipe names a relation, or is itself what the relation leads to ("returns primes").
    ///
    /// `subject` are the positions of the recipe's subject in the goal.
    fn serves(&self, relation: &Relation, topic: &Topic, subject: &BTreeSet<usize>) -> bool {
        let head: Vec<usize> = relation.at.iter().filter_map(|at| topic.places.get(*at).copied().flatten()).collect();
        let leads_to_subject = head.last().is_some_and(|last| subject.contains(last));
        let before = head.first().and_then(|first| first.checked_sub(1)).filter(|before| subject.contains(before));
        let is_conversion = matches!(relation.kind, Kind::Target | Kind::Source | Kind::Form);
        if let Some(before) = before.filter(|_| is_conversion && leads_to_subject) {
            // From one subject to another, as "stack to queue": only a phrase that has both names it.
            let spans = |phrase: &Phrase| topic.positions(phrase).windows(2).any(|pair| pair == [before, before + 1]);
            return self.require.iter().flatten().chain(&self.covers).any(spans);
        }
        if relation.is_common() || self.offer.relations.iter().any(|known| relation.is_served_by(known)) {
            return true;
        }
        if relation.kind == Kind::Selection {
            // "FizzBuzz, only the fizz" leaves a part of the subject out.
            return subject.iter().all(|at| head.contains(at)) && head.iter().all(|at| subject.contains(at));
        }
        // A target is named by the recipe or not meant by it: "string to palindrome".
        leads_to_subject && relation.kind != Kind::Target
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
    } else if !UNRELATED.contains(&word.text.as_str()) {
        gap.push(word.text);
    }
}

/// A goal, ready to be compared with keywords.
#[derive(Default)]
pub(crate) struct Topic {
    /// Stems in order, without grammar, numbers and what was negated.
    terms: Phrase,
    /// The index in `terms` of each word.
    places: Vec<Option<usize>>,
    /// True if each of the stems states a requirement.
    is_stated: Vec<bool>,
    /// The distinct stems that carry meaning and state no requirement.
    meaningful: BTreeSet<String>,
    blockers: BTreeSet<String>,
    demands: Demands,
}

impl Topic {
    pub(crate) fn of(goal: &str) -> Self {
        let reading = read(goal, without_audience);
        let is_number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit());
        let mut gap = Vec::new();
        let mut topic = Self { demands: reading.demands, ..Self::default() };
        for (at, (word, is_stated)) in reading.wanted.into_iter().zip(reading.is_stated).enumerate() {
            if BLOCKERS.contains(&word.stem) && !is_stated {
                topic.blockers.insert(word.stem.clone());
            }
            // "Add a login" asks for a login.
            let is_filler = FILLER.contains(&word.stem) || at == 0 && word.text == "add";
            let carries = !STOP.contains(&word.stem) && !is_number(&word);
            topic.places.push(carries.then_some(topic.terms.len()));
            if carries {
                if !is_stated && !is_filler {
                    topic.meaningful.insert(word.stem.clone());
                }
                topic.is_stated.push(is_stated);
            }
            if !is_number(&word) {
                push_term(&mut topic.terms, &mut gap, word);
            }
        }
        topic
    }

    /// The stems that carry meaning and are no words of the keywords.
    pub(super) fn unknown_to(&self, keywords: &Keywords) -> BTreeSet<String> {
        self.meaningful.iter().filter(|stem| !keywords.mentions(stem)).cloned().collect()
    }

    fn stems(&self) -> Vec<String> {
        self.terms.iter().map(|term| term.stem.clone()).collect()
    }

    /// The positions of a phrase in the goal.
    fn positions(&self, phrase: &[Term]) -> Vec<usize> {
        self.hits(phrase, |(at, (found, wanted))| {
            let parts = || found.gap.iter().any(|word| PARTING.contains(&word.as_str()));
            let joins = at == 0 || found.gap == wanted.gap || wanted.gap.is_empty() && !parts();
            found.stem == wanted.stem && joins
        })
    }

    /// The positions of a phrase in the goal, whatever is between its words.
    fn loosely(&self, phrase: &[Term]) -> Vec<usize> {
        self.hits(phrase, |(_, (found, wanted))| found.stem == wanted.stem)
    }

    fn hits(&self, phrase: &[Term], fits: impl Fn((usize, (&Term, &Term))) -> bool) -> Vec<usize> {
        let windows = self.terms.windows(phrase.len().max(1)).enumerate();
        let hits = windows.filter(|(_, window)| window.iter().zip(phrase).enumerate().all(&fits));
        hits.flat_map(|(at, _)| at..at + phrase.len()).collect()
    }

    /// The positions of a phrase in the goal, slips of the pen forgiven.
    fn near(&self, phrase: &[Term]) -> Vec<usize> {
        self.hits(phrase, |(_, (found, wanted))| is_slip(&found.stem, &wanted.stem))
    }
}

/// Drops "for a web API", "to my API" and the like, where nothing else comes between.
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

/// Number of words of a topic that the required keywords explain: of two recipes, the more specific one has more.
type Fit = usize;

/// Returns the positions of the words that meet the required groups; none where a group is not met.
fn required(topic: &Topic, keywords: &Keywords) -> Option<BTreeSet<usize>> {
    let mut required = BTreeSet::new();
    for group in &keywords.require {
        let hits: Vec<usize> = group.iter().flat_map(|phrase| topic.positions(phrase)).collect();
        if hits.is_empty() {
            return None;
        }
        required.extend(hits);
    }
    Some(required)
}

/// Returns whether a goal has a word that means something else than the recipe, or asks for other work or another product.
pub(super) fn is_ruled_out(topic: &Topic, keywords: &Keywords, tolerates: impl Fn(&str) -> bool) -> bool {
    // A word that states a requirement excludes nothing: "type hints" are no type.
    let excluded = |phrase: &Phrase| topic.loosely(phrase).iter().any(|at| !topic.is_stated[*at]);
    keywords.excludes.iter().any(excluded) || topic.blockers.iter().any(|blocker| !tolerates(blocker))
}

/// Returns whether a sentence commands other work than writing code ("Fix ...").
pub(super) fn is_other_work(sentence: &str, tolerates: impl Fn(&str) -> bool) -> bool {
    words(sentence).first().is_some_and(|word| BLOCKERS.contains(&word.stem) && !tolerates(&word.stem))
}

/// Returns whether a goal has a phrase of the first group, which names the subject.
pub(super) fn names_subject(topic: &Topic, keywords: &Keywords) -> bool {
    keywords.require.first().is_some_and(|group| group.iter().any(|phrase| !topic.positions(phrase).is_empty()))
}

/// Returns whether a goal names the subject in the words of the keywords.
pub(super) fn is_about(topic: &Topic, keywords: &Keywords) -> bool {
    required(topic, keywords).is_some()
}

/// Says how well `keywords` explain what a topic is about, or that they do not. Requirements are left aside.
fn fit(topic: &Topic, keywords: &Keywords) -> Option<Fit> {
    if is_ruled_out(topic, keywords, |stem| keywords.mentions(stem)) {
        return None;
    }
    let required = required(topic, keywords)?;
    let covered = keywords.covers.iter().flat_map(|phrase| topic.positions(phrase));
    let known: BTreeSet<&String> = covered.chain(required.iter().copied()).map(|at| &topic.terms[at].stem).collect();
    topic.meaningful.iter().all(|stem| known.contains(stem)).then_some(required.len())
}

/// Returns the nearness of `keywords` to `topic`, for suggestions: 0 is not near at all. No promise that they fit.
pub(super) fn nearness(topic: &Topic, keywords: &Keywords) -> usize {
    let hits = |group: &Vec<Phrase>| group.iter().flat_map(|phrase| topic.near(phrase)).collect::<BTreeSet<usize>>();
    let groups: Vec<BTreeSet<usize>> = keywords.require.iter().map(hits).collect();
    // The first group names the subject. A word of another group, or a part of a phrase, makes no neighbour.
    if groups.first().is_none_or(BTreeSet::is_empty) {
        return 0;
    }
    let found: BTreeSet<usize> = groups.iter().flatten().copied().collect();
    let letters: usize = found.iter().map(|at| topic.terms[*at].stem.chars().count()).sum();
    let is_whole = groups.iter().all(|group| !group.is_empty()) && (found.len() > 1 || letters >= MIN_TELLING_LETTERS);
    let hinted = topic.meaningful.iter().filter(|stem| keywords.mentions(stem)).count();
    if !is_whole && 2 * hinted < topic.meaningful.len() {
        return 0;
    }
    let named = |stem: &&String| keywords.require.iter().flatten().flatten().any(|known| known.stem == **stem);
    4 * groups.iter().filter(|group| !group.is_empty()).count() + topic.meaningful.iter().filter(named).count()
}

/// A recipe's index and keywords, and the goal as that recipe reads it.
pub(super) type Candidate<'a> = (usize, &'a Topic, &'a Keywords);

/// Returns the indices of the recipes that serve a goal best: several when they serve it equally well.
pub(super) fn best<'a>(candidates: impl Iterator<Item = Candidate<'a>>) -> Vec<usize> {
    let mut fits: Vec<(usize, Fit)> = candidates
        .filter_map(|(index, topic, keywords)| Some((index, topic, keywords, fit(topic, keywords)?)))
        .filter(|(_, topic, keywords, _)| keywords.lacks(topic).is_empty())
        .map(|(index, _, _, fit)| (index, fit))
        .collect();
    fits.sort_by_key(|(index, fit)| (std::cmp::Reverse(*fit), *index));
    // A recipe that reads values from the goal has tried it with and without them.
    fits.dedup_by_key(|(index, _)| *index);
    let greatest = fits.first().map(|(_, fit)| *fit);
    fits.into_iter().take_while(|(_, fit)| Some(*fit) == greatest).map(|(index, _)| index).collect()
}

/// Returns the index of the recipe that is about the goal's subject, and the requirements that it does not meet.
pub(super) fn lacking<'a>(candidates: impl Iterator<Item = Candidate<'a>>) -> Option<(usize, Vec<Requirement>)> {
    let about = candidates.filter_map(|(index, topic, keywords)| {
        let is_whole = fit(topic, keywords).is_some();
        Some(((is_whole, required(topic, keywords)?.len()), index, topic, keywords))
    });
    let (_, index, topic, keywords) = about.max_by_key(|(rank, index, ..)| (*rank, std::cmp::Reverse(*index)))?;
    let lacks = keywords.lacks(topic);
    (!lacks.is_empty()).then_some((index, lacks))
}
