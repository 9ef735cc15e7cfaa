//! Finds the recipe that serves a goal.
//!
//! Keywords decide first, in under a millisecond (`keywords`). Otherwise the goal is compared with the recipes by
//! meaning (`semantic`), once per goal. Requirements, numbers and languages are hard conditions in both stages.
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

use embedding::MODEL_NAME;
pub(crate) use keywords::KeywordRules;
use keywords::{
    Candidate, GoalTerms, best, is_other_work, is_ruled_out, lacking, meets_required_groups, names_subject, nearness,
};
use semantic::{EmbeddingIndex, ScoredRecipe};
use serde::Serialize;
use spelling::SpellChecker;

use crate::language::RequestedLanguage;
use crate::recipes::catalogue::Recipe;
use crate::recipes::parameters::{GoalTokens, ParameterValues};
use crate::recipes::requirements::Requirement;

/// Minimum score of a recipe that serves a goal.
const MIN_SCORE: f32 = 0.52;
/// Minimum score of a recipe that a refusal names.
const MIN_SUGGESTION_SCORE: f32 = 0.40;
/// Maximum distance to the best score; of the recipes within it, the first that meets all conditions serves.
const MAX_SCORE_GAP: f32 = 0.04;
/// Minimum lead of the nearest recipe over others that meet all conditions, unless the goal names it.
const MIN_MARGIN: f32 = 0.03;
/// Recipes with a lower score need a lead of [`WIDE_MARGIN`].
const CONFIDENT_SCORE: f32 = 0.62;
const WIDE_MARGIN: f32 = 0.08;
/// Minimum lead of a recipe in a language other than the preferred one.
const OTHER_LANGUAGE_MARGIN: f32 = 0.05;
/// Maximum words of a title; a longer goal is prose.
const MAX_TITLE_WORDS: usize = 9;
/// Maximum words of a goal in which a negation excludes something from the code.
const MAX_BRIEF_WORDS: usize = 30;
/// Maximum cached goals; when exceeded, the cache is cleared.
const MAX_CACHED_GOALS: usize = 2_000;
/// Maximum recipes that a refusal names.
const MAX_SUGGESTIONS: usize = 3;
/// Blockers that are common words; the comparison by meaning treats them like any other unknown word.
const COMMON_BLOCKERS: &[&str] = &[
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
    /// The embedding model; `None` if goals are matched by keywords only.
    pub model: Option<&'static str>,
    /// Number of recipes.
    pub recipes: usize,
    /// The reason for matching by keywords only, or empty.
    pub detail: String,
}

/// The folders of the embedding model and of the vector cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelFiles {
    pub(crate) model: PathBuf,
    pub(crate) cache: Option<PathBuf>,
}

/// The result of a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct MatchResult {
    /// The recipe that serves, and the parameter values that the goal sets.
    pub(crate) recipe: Option<(usize, Option<ParameterValues>)>,
    /// The nearest recipes in order, if no recipe serves.
    pub(crate) near: Vec<usize>,
    /// The recipe with the goal's subject and the requirements that it lacks, if no recipe serves.
    pub(crate) lacking: Option<(usize, Vec<Requirement>)>,
}

/// The decision on a goal by meaning, without parameter values.
#[derive(Clone, Debug, Default)]
struct SemanticDecision {
    recipe: Option<usize>,
    near: Vec<usize>,
    lacking: Option<(usize, Vec<Requirement>)>,
}

/// A goal, and its parameter values per recipe.
struct GoalQuery {
    text: String,
    terms: GoalTerms,
    values: BTreeMap<usize, (ParameterValues, GoalTerms)>,
}

/// Finds recipes for goals. Shared by all requests.
pub(crate) struct Matcher {
    recipes: Vec<Recipe>,
    spelling: SpellChecker,
    files: Result<ModelFiles, String>,
    index: OnceLock<Result<EmbeddingIndex, String>>,
    decisions: Mutex<HashMap<(String, RequestedLanguage), SemanticDecision>>,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matcher").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Matcher {
    /// Creates a matcher by keywords; [`Matcher::prepare`] adds the model of `files`, or `files` is the reason for
    /// having none.
    pub(crate) fn new(recipes: Vec<Recipe>, files: Result<ModelFiles, String>) -> Self {
        let texts = recipes.iter().flat_map(|recipe| recipe.goal_texts().chain(&recipe.keyword_texts));
        let spelling = SpellChecker::of(texts.map(String::as_str));
        Self { recipes, spelling, files, index: OnceLock::new(), decisions: Mutex::default() }
    }

    pub(crate) fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    /// Loads the model, if any, and the vectors of the catalogue; takes one second to a minute. Idempotent.
    pub(crate) fn prepare(&self) {
        if let Ok(files) = &self.files {
            self.index.get_or_init(|| {
                EmbeddingIndex::load(&files.model, files.cache.as_deref(), &self.recipes)
                    .map_err(|error| error.to_string())
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

    fn index(&self) -> Option<&EmbeddingIndex> {
        self.index.get().and_then(|index| index.as_ref().ok())
    }

    /// Finds the recipe for a goal among those of `runtimes`. If the goal requires missing code, only keywords decide.
    pub(crate) async fn find(
        self: &Arc<Self>,
        goal: &str,
        requested: RequestedLanguage,
        runtimes: &[String],
        requires_code: bool,
    ) -> MatchResult {
        let query = GoalQuery::of(goal, &self.recipes);
        let tied = match self.by_keywords(&query, requested, runtimes).as_slice() {
            [recipe] => return query.found(*recipe),
            tied => tied.to_vec(),
        };
        if requires_code {
            return MatchResult::default();
        }
        if !tied.is_empty() {
            return self.by_meaning(query, requested, runtimes, tied).await;
        }
        let english = glossary::translated(goal, |word| self.spelling.knows(word));
        let goal = english.as_deref().unwrap_or(goal);
        let corrected = self.index().map(|index| self.spelling.correct(goal, |word| index.is_word(word)));
        let text = corrected.as_deref().unwrap_or(goal);
        if text == query.text {
            return self.by_meaning(query, requested, runtimes, tied).await;
        }
        let query = GoalQuery::of(text, &self.recipes);
        match self.by_keywords(&query, requested, runtimes).as_slice() {
            [recipe] => query.found(*recipe),
            tied => self.by_meaning(query, requested, runtimes, tied.to_vec()).await,
        }
    }

    /// Returns the recipes whose subject a goal names, nearest first.
    pub(crate) fn nearest_by_keywords(&self, goal: &str) -> Vec<usize> {
        let terms = GoalTerms::of(goal);
        let scored = self.recipes.iter().map(|recipe| nearness(&terms, &recipe.keywords)).enumerate();
        let mut near: Vec<(usize, usize)> = scored.filter(|(_, score)| *score > 0).collect();
        let is_second_choice = |index: usize| self.recipes[index].runtime != "python";
        near.sort_by_key(|(index, score)| (std::cmp::Reverse(*score), is_second_choice(*index), *index));
        near.into_iter().take(MAX_SUGGESTIONS).map(|(index, _)| index).collect()
    }

    /// Returns the recipes whose name differs from a misspelt one by a typo, the nearest first.
    pub(crate) fn misspelt(&self, name: &str) -> Vec<usize> {
        let is_near = |index: &usize| spelling::is_typo(name, &self.recipes[*index].name);
        let mut near: Vec<usize> = (0..self.recipes.len()).filter(is_near).collect();
        near.sort_by_key(|index| spelling::distance(name, &self.recipes[*index].name));
        near.truncate(MAX_SUGGESTIONS);
        near
    }

    fn candidates<'a>(&'a self, query: &'a GoalQuery, runtime: &'a str) -> impl Iterator<Item = Candidate<'a>> {
        let recipes = self.recipes.iter().enumerate().filter(move |(_, recipe)| recipe.runtime == runtime);
        recipes.flat_map(|(index, recipe)| {
            let with_values = query.values.get(&index).map(|(_, terms)| terms);
            [Some(&query.terms), with_values].into_iter().flatten().map(move |terms| (index, terms, &recipe.keywords))
        })
    }

    /// Returns the best recipes by keywords: none if keywords do not decide, several if they serve equally well.
    fn by_keywords(&self, query: &GoalQuery, requested: RequestedLanguage, runtimes: &[String]) -> Vec<usize> {
        let is_near = |(_, terms, keywords): Candidate<'_>| names_subject(terms, keywords);
        let is_second_choice = |runtime: &str| requested == RequestedLanguage::Any && runtime != "python";
        let offered = requested.runtimes().iter().filter(|runtime| runtimes.iter().any(|it| it == *runtime));
        // Without a named language, a JavaScript recipe serves only if no Python recipe has the subject.
        let chosen =
            offered.filter(|runtime| !is_second_choice(runtime) || !self.candidates(query, "python").any(is_near));
        chosen.map(|runtime| best(self.candidates(query, runtime))).find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// Decides by meaning among the recipes that tied by keywords, or among all if `tied` is empty.
    async fn by_meaning(
        self: &Arc<Self>,
        query: GoalQuery,
        requested: RequestedLanguage,
        runtimes: &[String],
        tied: Vec<usize>,
    ) -> MatchResult {
        if self.index().is_none() {
            let near = self.nearest_by_keywords(&query.text);
            let lacking = requested.runtimes().iter().find_map(|runtime| lacking(self.candidates(&query, runtime)));
            return MatchResult { recipe: None, near, lacking };
        }
        let key = (query.text.clone(), requested);
        if let Some(known) = self.decisions.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return query.result_of(known.clone());
        }
        let (matcher, runtimes) = (self.clone(), runtimes.to_vec());
        let decided = tokio::task::spawn_blocking(move || {
            let decision = match tied.as_slice() {
                [] => matcher.decide_by_meaning(&query, requested, &runtimes),
                tied => matcher.break_tie(&query, tied),
            };
            (query, decision)
        });
        // The task is never aborted, so only a panic fails it, and the panic hook reports that.
        let Ok((query, decision)) = decided.await else { return MatchResult::default() };
        let mut cache = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED_GOALS {
            cache.clear();
        }
        cache.insert(key, decision.clone());
        drop(cache);
        query.result_of(decision)
    }

    /// Decides by meaning. Blocks for one or two passes of the model.
    fn decide_by_meaning(
        &self,
        query: &GoalQuery,
        requested: RequestedLanguage,
        runtimes: &[String],
    ) -> SemanticDecision {
        let Some(index) = self.index() else { return SemanticDecision::default() };
        let ranking = index.rank(&query.text);
        let of_runtime = |runtime: &str| -> Vec<&ScoredRecipe> {
            let is_offered = runtimes.iter().any(|offered| offered == runtime);
            ranking.iter().filter(|scored| is_offered && self.recipes[scored.recipe].runtime == runtime).collect()
        };
        let mut decision = SemanticDecision::default();
        let mut nearest_of_others = 0.0;
        for runtime in requested.runtimes() {
            let ranking = of_runtime(runtime);
            let Some(nearest) = ranking.first() else { continue };
            // A recipe in a later language needs a clear lead over those before.
            if nearest.score >= nearest_of_others {
                decision = self.decide_ranking(index, query, &ranking);
            }
            if decision.recipe.is_some() || decision.lacking.is_some() {
                break;
            }
            nearest_of_others = nearest.score + OTHER_LANGUAGE_MARGIN;
        }
        decision
    }

    /// Chooses the nearest of recipes that tied by keywords.
    fn break_tie(&self, query: &GoalQuery, tied: &[usize]) -> SemanticDecision {
        let ranking = self.index().map(|index| index.rank(&query.text)).unwrap_or_default();
        let nearest = ranking.iter().find(|scored| tied.contains(&scored.recipe) && !scored.is_refuted);
        SemanticDecision { recipe: nearest.map(|scored| scored.recipe), near: tied.to_vec(), lacking: None }
    }

    fn decide_ranking(&self, index: &EmbeddingIndex, query: &GoalQuery, ranking: &[&ScoredRecipe]) -> SemanticDecision {
        let Some(nearest) = ranking.first() else { return SemanticDecision::default() };
        let is_rival =
            |scored: &&ScoredRecipe| scored.score >= MIN_SCORE.max(nearest.score - MAX_SCORE_GAP) - WIDE_MARGIN;
        let rivals =
            ranking.iter().copied().take_while(is_rival).filter(|scored| self.meets_conditions(index, query, scored));
        let rivals: Vec<&ScoredRecipe> = rivals.collect();
        let recipe = self.unambiguous(query, &rivals).filter(|scored| {
            scored.score >= MIN_SCORE.max(nearest.score - MAX_SCORE_GAP)
                && !self.has_contrary_words(index, query, scored)
        });
        let near = ranking.iter().take_while(|scored| scored.score >= MIN_SUGGESTION_SCORE).take(MAX_SUGGESTIONS);
        let lacks = self.lacks(query, nearest.recipe);
        let is_meant = nearest.score >= MIN_SCORE && !lacks.is_empty();
        SemanticDecision {
            recipe: recipe.map(|scored| scored.recipe),
            near: near.map(|scored| scored.recipe).collect(),
            lacking: is_meant.then_some((nearest.recipe, lacks)),
        }
    }

    /// Returns the requirements of a goal that a recipe does not meet.
    fn lacks(&self, query: &GoalQuery, recipe: usize) -> Vec<Requirement> {
        let mut lacks = self.recipes[recipe].keywords.lacks(query.terms_of(recipe));
        // Every word of a title counts; prose mentions things in passing.
        let length = query.text.split_whitespace().count();
        if !query.is_title() {
            lacks.retain(|requirement| !requirement.is_vague());
        }
        if length > MAX_BRIEF_WORDS {
            lacks.retain(|requirement| *requirement != Requirement::RuledOut);
        }
        lacks
    }

    /// Returns whether a recipe meets all conditions that the words of the goal state.
    fn meets_conditions(&self, index: &EmbeddingIndex, query: &GoalQuery, scored: &ScoredRecipe) -> bool {
        let keywords = &self.recipes[scored.recipe].keywords;
        let tolerates = |stem: &str| COMMON_BLOCKERS.contains(&stem) || index.knows(scored.recipe, stem);
        let values = query.values.get(&scored.recipe).filter(|_| query.is_title()).map(|(_, terms)| terms);
        let terms = GoalTerms::of(&scored.text);
        !scored.is_refuted
            && !is_ruled_out(values.unwrap_or(&terms), keywords, tolerates)
            && !goal_text::texts(&query.text).iter().any(|text| is_other_work(text, tolerates))
            && self.lacks(query, scored.recipe).is_empty()
            && (!query.is_title() || keywords.knows_exceptions(&query.terms))
    }

    /// Returns the first recipe if it leads by the margin, else the only one within the margin that the goal names.
    fn unambiguous<'a>(&self, query: &GoalQuery, rivals: &[&'a ScoredRecipe]) -> Option<&'a ScoredRecipe> {
        let first = rivals.first()?;
        let margin = if first.score >= CONFIDENT_SCORE { MIN_MARGIN } else { WIDE_MARGIN };
        let close: Vec<&&ScoredRecipe> = rivals.iter().filter(|scored| scored.score > first.score - margin).collect();
        if close.len() == 1 {
            return Some(first);
        }
        let is_named = |scored: &&&&ScoredRecipe| {
            meets_required_groups(query.terms_of(scored.recipe), &self.recipes[scored.recipe].keywords)
        };
        match close.iter().filter(is_named).collect::<Vec<_>>().as_slice() {
            [named] => Some(named),
            _ => None,
        }
    }

    /// Returns whether words of the goal contradict the recipe.
    fn has_contrary_words(&self, index: &EmbeddingIndex, query: &GoalQuery, scored: &ScoredRecipe) -> bool {
        let keywords = &self.recipes[scored.recipe].keywords;
        let terms = GoalTerms::of(&scored.text);
        // In a title that names the subject literally, every word that the keywords lack counts.
        let is_literal = query.is_title() && meets_required_groups(&terms, keywords);
        let unknown = is_literal.then(|| terms.unknown_to(keywords));
        index.has_decisive_unknown_word(scored, unknown.as_ref()) || index.has_another_subject(scored)
    }
}

impl GoalQuery {
    fn of(text: &str, recipes: &[Recipe]) -> Self {
        let (mut values, tokens) = (BTreeMap::new(), GoalTokens::of(text));
        for (index, recipe) in recipes.iter().enumerate().filter(|(_, recipe)| !recipe.parameters.is_empty()) {
            if let Some(found) = tokens.read(&recipe.parameters) {
                let terms = GoalTerms::of(&found.rest);
                values.insert(index, (found, terms));
            }
        }
        Self { text: text.to_owned(), terms: GoalTerms::of(text), values }
    }

    fn is_title(&self) -> bool {
        self.text.split_whitespace().count() <= MAX_TITLE_WORDS
    }

    fn terms_of(&self, recipe: usize) -> &GoalTerms {
        self.values.get(&recipe).map_or(&self.terms, |(_, terms)| terms)
    }

    fn found(&self, recipe: usize) -> MatchResult {
        let values = self.values.get(&recipe).map(|(values, _)| values.clone());
        MatchResult { recipe: Some((recipe, values)), ..MatchResult::default() }
    }

    fn result_of(&self, decision: SemanticDecision) -> MatchResult {
        match decision.recipe {
            Some(recipe) => self.found(recipe),
            None => MatchResult { recipe: None, near: decision.near, lacking: decision.lacking },
        }
    }
}

#[cfg(test)]
mod evaluation;
