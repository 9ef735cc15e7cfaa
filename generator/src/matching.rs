//! Which recipe serves a goal. A wrong recipe is worse than none, so a recipe must *explain* the goal: every required
//! group of its keywords is there, nothing it excludes is, and of the words that carry meaning less than a quarter is
//! unknown to it. Deterministic, no weights to tune, no order of recipes.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use crate::words::{Word, stem, words};

/// A recipe must know more than this share of a goal's meaningful words.
const MIN_COVERAGE: f64 = 0.75;
/// How many words a negation takes with it ("without external libraries").
const NEGATION_REACH: usize = 3;

/// Words as they are written.
type Words = LazyLock<HashSet<&'static str>>;
/// Words in all their forms.
type Stems = LazyLock<HashSet<String>>;

fn split(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

fn stems_of(list: &'static str) -> HashSet<String> {
    list.split_whitespace().map(stem).collect()
}

/// Grammar, and words that say nothing about what is wanted.
static STOP: Stems = LazyLock::new(|| {
    stems_of(
        "a an the of in on at to for from by with and or as is are be it its this that these those which who i we you me us my your \
    some any all each every into onto over under up via per then so if when where while also just please can could should would will shall must \
    may might do does did has have had there their them they o s t e g eg ie etc using use uses two one such like based new kind sort way \
    only now let lets help both between out off than more most very really own",
    )
});

/// Words that most goals of this kind contain, whatever they ask for.
static GENERIC: Stems = LazyLock::new(|| {
    stems_of(
        "create write build make implement develop generate design produce provide give need want code coding function class module \
    library script program package python py python3 pytest unittest unit test tests testing tested testable suite coverage case cases edge \
    secure securely simple basic robust clean good best well great nice proper properly correct correctly complete full fully production ready \
    quality high efficient efficiently fast quick quickly small short little tiny minimal modern advanced comprehensive thorough document \
    documented documentation docstring docstrings docs comment comments commented type types typed hint hints typing annotation annotations \
    example examples usage standard stdlib dependency dependencies external third party pure native idiomatic readable maintainable extensive \
    handle handling error errors exception exceptions support include including implementation solution feature util utility helper tool \
    project take takes accept return returns input output result given method object oriented oop algorithm logic pep8 demo sample task goal \
    workflow iteration stress step reusable generic safe safely thread threads concurrent custom work works working reliable \
    snippet component follow practice practices system used operation operations complexity performance performant perform performs allow allows compatible run runs version",
    )
});

static NEGATIONS: Words = LazyLock::new(|| {
    split("not no never without avoid avoiding instead rather except excluding dont doesnt isnt neither nor unlike")
});
static CLAUSE_STARTERS: Words = LazyLock::new(|| split("that which and but with using for in to so because while"));

/// Requests about something that exists, or for another kind of work or product. No recipe serves these unless it
/// names the word itself.
static BLOCKERS: Stems = LazyLock::new(|| {
    stems_of(
        "explain why describe compare versus review audit refactor rewrite optimise optimize debug fix repair migrate port upgrade \
    translate integrate deploy attack crack bypass exploit break hack steal brute remove delete existing our legacy current tutorial article essay \
    blog slides presentation diagram website webpage frontend backend react vue angular svelte django flask fastapi kubernetes docker terraform aws \
    azure gcp android ios mobile game gui desktop microservice microservices grpc graphql kafka redis mongodb postgres postgresql mysql rest \
    endpoint fpga arduino firmware kernel driver benchmark profile monitor dashboard visualise visualize animation bot crawler scraper train model \
    neural gpt llm excel powershell makefile dockerfile helm ansible chrome extension plugin wordpress \
    malware keylogger ransomware virus phishing spyware",
    )
});

/// Who a thing is for says nothing about what it is: "for a web API", "for our new service".
static AUDIENCES: Words = LazyLock::new(|| {
    split(
        "api apis app apps application applications service services server servers site website websites backend project projects \
    product products company team teams platform startup beginner beginners student students user users",
    )
});
/// Words that may stand between "for" and the audience. Any other, such as a framework's name, makes it part of what is asked for.
static AUDIENCE_MODIFIERS: Words = LazyLock::new(|| {
    split("a an the my our your any some this web rest restful http public internal small simple new python backend")
});

/// What may follow an audience; another noun would make a compound of it ("for API gateways").
const ENDERS: &[&str] = &["with", "using", "in", "and", "that", "which", "by", "including", "based", "without"];

/// A sequence of stems that must stand next to each other.
type Phrase = Vec<String>;

/// The words by which a recipe is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keywords {
    require: Vec<Vec<Phrase>>,
    covers: Vec<Phrase>,
    excludes: Vec<Phrase>,
}

impl Keywords {
    pub(crate) fn new(require: &[Vec<String>], covers: &[String], excludes: &[String]) -> Self {
        let compile = |phrases: &[String]| -> Vec<Phrase> {
            phrases.iter().map(|phrase| phrase_of(phrase)).filter(|phrase| !phrase.is_empty()).collect()
        };
        Self {
            require: require.iter().map(|group| compile(group)).collect(),
            covers: compile(covers),
            excludes: compile(excludes),
        }
    }

    /// Whether every required group can be met at all.
    pub(crate) fn is_usable(&self) -> bool {
        !self.require.is_empty() && self.require.iter().all(|group| !group.is_empty())
    }

    fn mentions(&self, wanted: &str) -> bool {
        self.require.iter().flatten().chain(&self.covers).flatten().any(|stem| stem == wanted)
    }
}

fn phrase_of(text: &str) -> Phrase {
    words(text).into_iter().map(|word| word.stem).filter(|stem| !STOP.contains(stem)).collect()
}

/// A goal, ready to be compared with keywords.
pub(crate) struct Topic {
    /// Stems in order, without grammar, numbers and what was negated.
    stems: Vec<String>,
    /// The distinct stems that carry meaning.
    meaningful: BTreeSet<String>,
    blockers: BTreeSet<String>,
}

impl Topic {
    pub(crate) fn of(goal: &str) -> Self {
        let wanted = without_audience(affirmed(&words(&spelled(goal))));
        let stems: Vec<String> = wanted
            .iter()
            .filter(|word| !STOP.contains(&word.stem) && !word.text.chars().all(|c| c.is_ascii_digit()))
            .map(|word| word.stem.clone())
            .collect();
        let meaningful = stems.iter().filter(|stem| !GENERIC.contains(*stem)).cloned().collect();
        let blockers = wanted.into_iter().map(|word| word.stem).filter(|stem| BLOCKERS.contains(stem)).collect();
        Self { stems, meaningful, blockers }
    }

    fn positions(&self, phrase: &[String]) -> Vec<usize> {
        let hits = self.stems.windows(phrase.len().max(1)).enumerate();
        hits.filter(|(_, window)| *window == phrase).flat_map(|(at, _)| at..at + phrase.len()).collect()
    }
}

/// Brings names that are made of grammar into one word, since grammar is dropped.
fn spelled(goal: &str) -> String {
    goal.to_lowercase().replace("to-do", "todo").replace("to do list", "todo list")
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

/// Drops what the goal does not want: the words after a negation, to the end of its clause.
fn affirmed(words: &[Word]) -> Vec<Word> {
    let mut kept = Vec::new();
    let mut reach = 0;
    for word in words {
        if NEGATIONS.contains(word.text.as_str()) {
            reach = NEGATION_REACH;
        } else if reach > 0 && !word.starts_clause && !CLAUSE_STARTERS.contains(word.text.as_str()) {
            reach -= usize::from(!STOP.contains(&word.stem));
        } else {
            reach = 0;
            kept.push(word.clone());
        }
    }
    kept
}

/// How well keywords explain a topic; ordered, the better the greater.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Fit {
    coverage: f64,
    required_stems: usize,
}

/// Says how well `keywords` explain `topic`, or that they do not.
pub(crate) fn fit(topic: &Topic, keywords: &Keywords) -> Option<Fit> {
    if keywords.excludes.iter().any(|phrase| !topic.positions(phrase).is_empty()) {
        return None;
    }
    if topic.blockers.iter().any(|blocker| !keywords.mentions(blocker)) {
        return None;
    }
    let mut required = BTreeSet::new();
    for group in &keywords.require {
        let hits: Vec<usize> = group.iter().flat_map(|phrase| topic.positions(phrase)).collect();
        if hits.is_empty() {
            return None;
        }
        required.extend(hits);
    }
    let covered = keywords.covers.iter().flat_map(|phrase| topic.positions(phrase));
    let known: BTreeSet<&String> = covered.chain(required.iter().copied()).map(|at| &topic.stems[at]).collect();
    let unknown = topic.meaningful.iter().filter(|stem| !known.contains(stem)).count();
    let explained = known.len() as f64;
    let coverage = explained / (explained + unknown as f64);
    (coverage > MIN_COVERAGE).then_some(Fit { coverage, required_stems: required.len() })
}

/// How near `keywords` are to `topic`, for suggestions: 0 is not at all. No promise that they fit.
pub(crate) fn nearness(topic: &Topic, keywords: &Keywords) -> usize {
    let groups = keywords.require.iter().filter(|group| group.iter().any(|phrase| !topic.positions(phrase).is_empty()));
    let hinted = |stem: &&String| keywords.require.iter().flatten().flatten().any(|known| known == *stem);
    4 * groups.count() + topic.meaningful.iter().filter(hinted).count()
}

/// Returns the index of the one recipe that serves a goal best; none when two serve it equally well.
pub(crate) fn best<'a>(topic: &Topic, candidates: impl Iterator<Item = &'a Keywords>) -> Option<usize> {
    let mut fits: Vec<(usize, Fit)> =
        candidates.enumerate().filter_map(|(index, keywords)| Some((index, fit(topic, keywords)?))).collect();
    fits.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
    match fits.as_slice() {
        [] => None,
        [(index, _)] => Some(*index),
        [(index, first), (_, second), ..] => (first > second).then_some(*index),
    }
}
