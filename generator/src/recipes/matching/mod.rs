//! Finds the recipe that serves a goal.
//!
//! Words decide first, in under a millisecond (`keywords`); where they do not, the goal is compared with the recipes by meaning
//! (`semantic`), once per goal. Requirements, numbers and other languages are hard conditions on both ways.
//! Start reading at [`Matcher::find`].

mod glossary;
mod goal_text;
mod keywords;
mod semantic;
mod spelling;
mod vector_cache;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub(crate) use keywords::Keywords;
use keywords::{Candidate, Topic, best, is_about, is_other_work, is_ruled_out, lacking, names_subject, nearness};
use semantic::{Index, Rated};
use serde::Serialize;
use spelling::Spelling;

use crate::embedding::MODEL_NAME;
use crate::language::Asked;
use crate::recipes::catalogue::Recipe;
use crate::recipes::parameters::{Tokens, Values};
use crate::recipes::requirements::Requirement;

/// A recipe that is less near does not serve a goal.
const MIN_SCORE: f32 = 0.52;
/// A recipe that is less near is not named in a refusal.
const MIN_NEAR: f32 = 0.40;
/// Of the recipes that are this much behind the nearest, the first that meets all conditions serves.
const REACH: f32 = 0.04;
/// Of recipes that meet all conditions, the nearest must be nearer than the others by this much, or named in the goal.
const MIN_MARGIN: f32 = 0.03;
/// A recipe that is less near than this must be nearer than the others by [`WIDE_MARGIN`].
const SURE_SCORE: f32 = 0.62;
const WIDE_MARGIN: f32 = 0.08;
/// A recipe in another language than the preferred one must be nearer by this much.
const CLEARLY: f32 = 0.05;
/// A goal with more words is prose.
const MAX_TITLE_WORDS: usize = 9;
/// In a longer goal, a negation seldom says what the code must not use.
const MAX_BRIEF_WORDS: usize = 30;
/// Maximum goals whose judgement is remembered; when exceeded, all are forgotten.
const MAX_REMEMBERED: usize = 2_000;
/// Maximum recipes that a refusal names.
const MAX_NEAR: usize = 3;
/// Blockers that are everyday words: by meaning they weigh like any other word that the recipe does not know.
const EVERYDAY: &[&str] = &[
    "our",
    "current",
    "remov",
    "delet",
    "break",
    "rest",
    "model",
    "compar",
    "describ",
    "monitor",
    "extension",
    "game",
    "profil",
];

/// The state of matching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchingStatus {
    /// `embeddings`, `embeddings (loading)` or `keywords`.
    pub matching: &'static str,
    /// The embedding model; none where keywords serve alone.
    pub model: Option<&'static str>,
    /// Number of recipes.
    pub recipes: usize,
    /// The reason for which keywords serve alone.
    pub detail: String,
}

/// The folders of the embedding model and of the kept vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelFiles {
    pub(crate) model: PathBuf,
    pub(crate) cache: Option<PathBuf>,
}

/// The outcome of a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The recipe that serves, and what the goal sets of its parameters.
    pub(crate) recipe: Option<(usize, Option<Values>)>,
    /// Recipes that are near a goal that none serves, the nearest first.
    pub(crate) near: Vec<usize>,
    /// The recipe that was meant by a goal that none serves, and the requirements that it lacks.
    pub(crate) lacking: Option<(usize, Vec<Requirement>)>,
}

/// The judgement of a goal by meaning, whatever its parameters are.
#[derive(Clone, Debug, Default)]
struct Judgement {
    recipe: Option<usize>,
    near: Vec<usize>,
    lacking: Option<(usize, Vec<Requirement>)>,
}

/// A goal as the recipes read it: some read values of their parameters from it.
struct Question {
    text: String,
    topic: Topic,
    values: BTreeMap<usize, (Values, Topic)>,
}

/// Finds recipes. Shared by all requests.
pub(crate) struct Matcher {
    recipes: Vec<Recipe>,
    spelling: Spelling,
    files: Result<ModelFiles, String>,
    index: OnceLock<Result<Index, String>>,
    judged: Mutex<HashMap<(String, Asked), Judgement>>,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Matcher {
    /// Keywords serve until [`Matcher::prepare`] is done, or for good where `files` says why there is no model.
    pub(crate) fn new(recipes: Vec<Recipe>, files: Result<ModelFiles, String>) -> Self {
        let texts = recipes.iter().flat_map(|recipe| recipe.goal_texts().chain(&recipe.keyword_texts));
        let spelling = Spelling::of(texts.map(String::as_str));
        Self { recipes, spelling, files, index: OnceLock::new(), judged: Mutex::default() }
    }

    pub(crate) fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    /// Loads the model and the vectors of the catalogue, where there is a model; takes from one second to a minute.
    pub(crate) fn prepare(&self) {
        if let Ok(files) = &self.files {
            self.index.get_or_init(|| {
                Index::load(&files.model, files.cache.as_deref(), &self.recipes).map_err(|error| error.to_string())
            });
        }
    }

    pub(crate) fn status(&self) -> MatchingStatus {
        let (matching, model, detail) = match (&self.files, self.index.get()) {
            (Err(reason), _) | (Ok(_), Some(Err(reason))) => ("keywords", None, reason.clone()),
            (Ok(_), Some(Ok(_))) => ("embeddings", Some(MODEL_NAME), String::new()),
            (Ok(_), None) => ("embeddings (loading)", Some(MODEL_NAME), "keywords serve until it is loaded".to_owned()),
        };
        MatchingStatus { matching, model, recipes: self.recipes.len(), detail }
    }

    fn index(&self) -> Option<&Index> {
        self.index.get().and_then(|index| index.as_ref().ok())
    }

    /// Finds the recipe for a goal among those of `runtimes`. Where the goal presumes code that is not there, only words decide.
    pub(crate) async fn find(
        self: &Arc<Self>,
        goal: &str,
        asked: Asked,
        runtimes: &[String],
        is_presuming: bool,
    ) -> Found {
        let question = Question::of(goal, &self.recipes);
        let tied = match self.by_words(&question, asked, runtimes).as_slice() {
            [recipe] => return question.found(*recipe),
            tied => tied.to_vec(),
        };
        if is_presuming {
            return Found::default();
        }
        if !tied.is_empty() {
            return self.by_meaning(question, asked, runtimes, tied).await;
        }
        let english = glossary::translated(goal);
        let goal = english.as_deref().unwrap_or(goal);
        let corrected = self.index().map(|index| self.spelling.correct(goal, |word| index.is_word(word)));
        let text = corrected.as_deref().unwrap_or(goal);
        if text == question.text {
            return self.by_meaning(question, asked, runtimes, tied).await;
        }
        let question = Question::of(text, &self.recipes);
        match self.by_words(&question, asked, runtimes).as_slice() {
            [recipe] => question.found(*recipe),
            tied => self.by_meaning(question, asked, runtimes, tied.to_vec()).await,
        }
    }

    /// Returns the recipes whose subject a goal names, nearest first.
    pub(crate) fn near_by_words(&self, goal: &str) -> Vec<usize> {
        let topic = Topic::of(goal);
        let rated = self.recipes.iter().map(|recipe| nearness(&topic, &recipe.keywords)).enumerate();
        let mut near: Vec<(usize, usize)> = rated.filter(|(_, score)| *score > 0).collect();
        let is_second_choice = |index: usize| self.recipes[index].runtime != "python";
        near.sort_by_key(|(index, score)| (std::cmp::Reverse(*score), is_second_choice(*index), *index));
        near.into_iter().take(MAX_NEAR).map(|(index, _)| index).collect()
    }

    fn candidates<'a>(&'a self, question: &'a Question, runtime: &'a str) -> impl Iterator<Item = Candidate<'a>> {
        let recipes = self.recipes.iter().enumerate().filter(move |(_, recipe)| recipe.runtime == runtime);
        recipes.flat_map(|(index, recipe)| {
            let with_values = question.values.get(&index).map(|(_, topic)| topic);
            [Some(&question.topic), with_values]
                .into_iter()
                .flatten()
                .map(move |topic| (index, topic, &recipe.keywords))
        })
    }

    /// Returns the recipes that words decide for: none where they do not decide, several where these serve equally well.
    fn by_words(&self, question: &Question, asked: Asked, runtimes: &[String]) -> Vec<usize> {
        let is_near = |(_, topic, keywords): Candidate<'_>| names_subject(topic, keywords);
        let is_second_choice = |runtime: &str| asked == Asked::Any && runtime != "python";
        let offered = asked.runtimes().iter().filter(|runtime| runtimes.iter().any(|it| it == *runtime));
        // Where no language is named, a recipe of JavaScript serves only what no recipe of Python is near.
        let chosen =
            offered.filter(|runtime| !is_second_choice(runtime) || !self.candidates(question, "python").any(is_near));
        chosen
            .map(|runtime| best(self.candidates(question, runtime)))
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// Decides by meaning: among the recipes that `tied` by words, or among all where none did.
    async fn by_meaning(
        self: &Arc<Self>,
        question: Question,
        asked: Asked,
        runtimes: &[String],
        tied: Vec<usize>,
    ) -> Found {
        if self.index().is_none() {
            let near = self.near_by_words(&question.text);
            let lacking = asked.runtimes().iter().find_map(|runtime| lacking(self.candidates(&question, runtime)));
            return Found { recipe: None, near, lacking };
        }
        let key = (question.text.clone(), asked);
        if let Some(known) = self.judged.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return question.concluded(known.clone());
        }
        let (matcher, runtimes) = (self.clone(), runtimes.to_vec());
        let judged = tokio::task::spawn_blocking(move || {
            let judgement = match tied.as_slice() {
                [] => matcher.judge(&question, asked, &runtimes),
                tied => matcher.break_tie(&question, tied),
            };
            (question, judgement)
        });
        // Only a panic ends a task that nothing aborts; it is reported where the runtime reports panics.
        let Ok((question, judgement)) = judged.await else { return Found::default() };
        let mut remembered = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, judgement.clone());
        drop(remembered);
        question.concluded(judgement)
    }

    /// Decides by meaning. Blocks for a pass of the model or two.
    fn judge(&self, question: &Question, asked: Asked, runtimes: &[String]) -> Judgement {
        let Some(index) = self.index() else { return Judgement::default() };
        let ranking = index.rank(&question.text);
        let of_runtime = |runtime: &str| -> Vec<&Rated> {
            let is_offered = runtimes.iter().any(|offered| offered == runtime);
            ranking.iter().filter(|rated| is_offered && self.recipes[rated.recipe].runtime == runtime).collect()
        };
        let mut judgement = Judgement::default();
        let mut nearest_of_others = 0.0;
        for runtime in asked.runtimes() {
            let ranking = of_runtime(runtime);
            let Some(nearest) = ranking.first() else { continue };
            // A language that was not asked for serves only what is clearly nothing of the others'.
            if nearest.score >= nearest_of_others {
                judgement = self.judge_ranking(index, question, &ranking);
            }
            if judgement.recipe.is_some() || judgement.lacking.is_some() {
                break;
            }
            nearest_of_others = nearest.score + CLEARLY;
        }
        judgement
    }

    /// Chooses the nearest of recipes that serve a goal equally well by its words.
    fn break_tie(&self, question: &Question, tied: &[usize]) -> Judgement {
        let ranking = self.index().map(|index| index.rank(&question.text)).unwrap_or_default();
        let nearest = ranking.iter().find(|rated| tied.contains(&rated.recipe) && !rated.is_refuted);
        Judgement { recipe: nearest.map(|rated| rated.recipe), near: tied.to_vec(), lacking: None }
    }

    fn judge_ranking(&self, index: &Index, question: &Question, ranking: &[&Rated]) -> Judgement {
        let Some(nearest) = ranking.first() else { return Judgement::default() };
        let is_rival = |rated: &&Rated| rated.score >= MIN_SCORE.max(nearest.score - REACH) - WIDE_MARGIN;
        let rivals =
            ranking.iter().copied().take_while(is_rival).filter(|rated| self.meets_conditions(index, question, rated));
        let rivals: Vec<&Rated> = rivals.collect();
        let recipe = self.clearest(question, &rivals).filter(|rated| {
            rated.score >= MIN_SCORE.max(nearest.score - REACH) && !self.is_led_away(index, question, rated)
        });
        let near = ranking.iter().take_while(|rated| rated.score >= MIN_NEAR).take(MAX_NEAR);
        let lacks = self.lacks(question, nearest.recipe);
        let is_meant = nearest.score >= MIN_SCORE && !lacks.is_empty();
        Judgement {
            recipe: recipe.map(|rated| rated.recipe),
            near: near.map(|rated| rated.recipe).collect(),
            lacking: is_meant.then_some((nearest.recipe, lacks)),
        }
    }

    /// Returns what a goal that means a recipe demands and the recipe does not offer.
    fn lacks(&self, question: &Question, recipe: usize) -> Vec<Requirement> {
        let mut lacks = self.recipes[recipe].keywords.lacks(question.topic_of(recipe));
        // A short goal is a title, in which each word counts. Prose mentions much that it does not demand.
        let length = question.text.split_whitespace().count();
        if !question.is_title() {
            lacks.retain(|requirement| !requirement.is_vague());
        }
        if length > MAX_BRIEF_WORDS {
            lacks.retain(|requirement| *requirement != Requirement::RuledOut);
        }
        lacks
    }

    /// Returns whether nothing that the goal says in words speaks against a recipe that is near.
    fn meets_conditions(&self, index: &Index, question: &Question, rated: &Rated) -> bool {
        let keywords = &self.recipes[rated.recipe].keywords;
        let tolerates = |stem: &str| EVERYDAY.contains(&stem) || index.knows(rated.recipe, stem);
        let values = question.values.get(&rated.recipe).filter(|_| question.is_title()).map(|(_, topic)| topic);
        let topic = Topic::of(&rated.text);
        !rated.is_refuted
            && !is_ruled_out(values.unwrap_or(&topic), keywords, tolerates)
            && !goal_text::texts(&question.text).iter().any(|text| is_other_work(text, tolerates))
            && self.lacks(question, rated.recipe).is_empty()
    }

    /// Returns the first recipe if it is nearer than all others by the margin, or the one of those as near that the goal names.
    fn clearest<'a>(&self, question: &Question, rivals: &[&'a Rated]) -> Option<&'a Rated> {
        let first = rivals.first()?;
        let margin = if first.score >= SURE_SCORE { MIN_MARGIN } else { WIDE_MARGIN };
        let close: Vec<&&Rated> = rivals.iter().filter(|rated| rated.score > first.score - margin).collect();
        if close.len() == 1 {
            return Some(first);
        }
        let is_named =
            |rated: &&&&Rated| is_about(question.topic_of(rated.recipe), &self.recipes[rated.recipe].keywords);
        match close.iter().filter(is_named).collect::<Vec<_>>().as_slice() {
            [named] => Some(named),
            _ => None,
        }
    }

    /// Returns whether words of the goal lead away from the recipe.
    fn is_led_away(&self, index: &Index, question: &Question, rated: &Rated) -> bool {
        let keywords = &self.recipes[rated.recipe].keywords;
        let topic = Topic::of(&rated.text);
        // A title that names the subject in the recipe's own words: each word that the keywords do not know counts.
        let is_literal = question.is_title() && is_about(&topic, keywords);
        let unknown = is_literal.then(|| topic.unknown_to(keywords));
        index.has_decisive_stranger(rated, unknown.as_ref()) || index.has_another_subject(rated)
    }
}

impl Question {
    fn of(text: &str, recipes: &[Recipe]) -> Self {
        let (mut values, tokens) = (BTreeMap::new(), Tokens::of(text));
        for (index, recipe) in recipes.iter().enumerate().filter(|(_, recipe)| !recipe.parameters.is_empty()) {
            if let Some(found) = tokens.read(&recipe.parameters) {
                let topic = Topic::of(&found.rest);
                values.insert(index, (found, topic));
            }
        }
        Self { text: text.to_owned(), topic: Topic::of(text), values }
    }

    fn is_title(&self) -> bool {
        self.text.split_whitespace().count() <= MAX_TITLE_WORDS
    }

    fn topic_of(&self, recipe: usize) -> &Topic {
        self.values.get(&recipe).map_or(&self.topic, |(_, topic)| topic)
    }

    fn found(&self, recipe: usize) -> Found {
        let values = self.values.get(&recipe).map(|(values, _)| values.clone());
        Found { recipe: Some((recipe, values)), ..Found::default() }
    }

    fn concluded(&self, judgement: Judgement) -> Found {
        match judgement.recipe {
            Some(recipe) => self.found(recipe),
            None => Found { recipe: None, near: judgement.near, lacking: judgement.lacking },
        }
    }
}

#[cfg(test)]
mod evaluation;
