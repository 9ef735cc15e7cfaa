//! Scores recipes by the cosine similarity of a goal to their phrasings.
//!
//! Similarity alone is not enough: "doubly linked list" is near "linked list". Goals that are known not to be served,
//! and words of the goal without which it would be nearer, count against a recipe.

use std::cmp::Ordering::Equal;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use embedding::{DIMENSIONS, Encoder, EncoderError, Vector};
use ndarray::Array2;

use super::goal_text::{plain, texts};
use super::vector_cache::vectors;
use crate::recipes::catalogue::Recipe;
use crate::recipes::vocabulary::{FILLER, STOP};
use crate::tokenize::{stem, words};
use crate::types::FilePurpose;

/// Common goals that no recipe serves, one per line.
const OFF_TOPIC: &str = include_str!("../../../catalogue/off_topic.txt");
/// Minimum score of a whole goal for its sentences to count.
const MIN_GOAL_SCORE: f32 = 0.30;
/// Minimum gain in score without a word for the word to be decisive.
const MIN_WORD_EFFECT: f32 = 0.06;
/// The same if the goal names the recipe's subject literally.
const MIN_LITERAL_WORD_EFFECT: f32 = 0.02;
/// A part of a goal has another subject if it scores at least this for another recipe, and by the margin less for this
/// one.
const MIN_OTHER_SCORE: f32 = 0.65;
const MIN_OTHER_MARGIN: f32 = 0.15;
/// Maximum words of a goal in which "and" joins two subjects.
const MAX_LISTED_WORDS: usize = 10;
/// Maximum words of a goal that are tested for being decisive.
const MAX_TRIED_WORDS: usize = 6;

/// A reference text for the comparison with goals.
enum Anchor {
    /// A goal that the recipe serves.
    Serves(usize),
    /// A goal that resembles the recipe and that it does not serve.
    NotFor(usize),
    OffTopic,
}

/// The encoder and the vectors of a catalogue.
pub(super) struct EmbeddingIndex {
    encoder: Encoder,
    anchors: Vec<Anchor>,
    /// One row per anchor.
    matrix: Array2<f32>,
    /// The stems that occur in each recipe's texts and code.
    vocabularies: Vec<HashSet<String>>,
}

/// The similarity of a goal to a recipe.
#[derive(Clone, Debug)]
pub(super) struct ScoredRecipe {
    pub(super) recipe: usize,
    pub(super) score: f32,
    /// True if the goal is nearer to one that the recipe does not serve.
    pub(super) is_refuted: bool,
    /// The part of the goal with this score: the whole goal or a sentence.
    pub(super) text: String,
}

impl EmbeddingIndex {
    /// Loads the model and the vectors of the catalogue, from `cache` if possible; embedding them takes half a minute.
    pub(super) fn load(model: &Path, cache: Option<&Path>, recipes: &[Recipe]) -> Result<Self, EncoderError> {
        let encoder = Encoder::load(model)?;
        let (mut anchors, mut goals) = (Vec::new(), Vec::new());
        for (index, recipe) in recipes.iter().enumerate() {
            for text in recipe.goal_texts() {
                anchors.push(Anchor::Serves(index));
                goals.push(plain(text));
            }
            for text in &recipe.not_for {
                anchors.push(Anchor::NotFor(index));
                goals.push(plain(text));
            }
        }
        for text in OFF_TOPIC.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            anchors.push(Anchor::OffTopic);
            goals.push(plain(text));
        }
        let matrix = matrix(&vectors(&encoder, &goals, cache));
        let vocabularies = recipes.iter().map(vocabulary).collect();
        Ok(Self { encoder, anchors, matrix, vocabularies })
    }

    /// Returns whether a lower-case word is in the model's vocabulary.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.encoder.is_word(word)
    }

    /// Returns whether a stem occurs in a recipe's texts or code.
    pub(super) fn knows(&self, recipe: usize, stem: &str) -> bool {
        self.vocabularies[recipe].contains(stem)
    }

    /// Scores every recipe, the nearest first.
    pub(super) fn rank(&self, goal: &str) -> Vec<ScoredRecipe> {
        let texts = texts(goal);
        if texts.is_empty() {
            return Vec::new();
        }
        let goals = matrix(&self.encoder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
        let cosines = self.matrix.dot(&goals.t());
        let columns = cosines.columns().into_iter().enumerate();
        let by_text: Vec<Vec<ScoredRecipe>> =
            columns.map(|(at, column)| self.score(&texts[at], column.iter().copied())).collect();
        let best = |(recipe, whole): (usize, &ScoredRecipe)| {
            let parts = by_text[1..].iter().map(|scored| &scored[recipe]).filter(|_| whole.score >= MIN_GOAL_SCORE);
            let all = parts.chain([whole]);
            all.max_by(|a, b| (!a.is_refuted, a.score).partial_cmp(&(!b.is_refuted, b.score)).unwrap_or(Equal)).cloned()
        };
        let mut ranking: Vec<ScoredRecipe> = by_text[0].iter().enumerate().filter_map(best).collect();
        ranking.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranking
    }

    /// Scores every recipe for one text, in catalogue order.
    fn score(&self, text: &str, cosines: impl Iterator<Item = f32>) -> Vec<ScoredRecipe> {
        let mut nearest = vec![(f32::MIN, f32::MIN); self.vocabularies.len()];
        let mut off_topic = f32::MIN;
        for (anchor, cosine) in self.anchors.iter().zip(cosines) {
            match anchor {
                Anchor::Serves(recipe) => nearest[*recipe].0 = nearest[*recipe].0.max(cosine),
                Anchor::NotFor(recipe) => nearest[*recipe].1 = nearest[*recipe].1.max(cosine),
                Anchor::OffTopic => off_topic = off_topic.max(cosine),
            }
        }
        let scored = |(recipe, (score, against)): (usize, (f32, f32))| ScoredRecipe {
            recipe,
            score,
            is_refuted: score < against.max(off_topic),
            text: text.to_owned(),
        };
        nearest.into_iter().enumerate().map(scored).collect()
    }

    /// Returns whether the goal has a word that the recipe does not know and without which it would be nearer.
    ///
    /// `unknown` are the unknown words of a goal that names the recipe's subject literally; a smaller gain then
    /// suffices.
    pub(super) fn has_decisive_unknown_word(&self, scored: &ScoredRecipe, unknown: Option<&BTreeSet<String>>) -> bool {
        let parts: Vec<&str> = scored.text.split_whitespace().collect();
        let is_unknown = |at: &usize| match unknown {
            Some(unknown) => words(parts[*at]).iter().any(|word| unknown.contains(&word.stem)),
            None => self.has_unknown_word(scored.recipe, parts[*at]),
        };
        let unknown_words = (0..parts.len()).filter(is_unknown).take(MAX_TRIED_WORDS);
        let without = |at: usize| [&parts[..at], &parts[at + 1..]].concat().join(" ");
        let variants: Vec<String> = unknown_words.map(without).filter(|text| !text.is_empty()).collect();
        let decisive = if unknown.is_some() { MIN_LITERAL_WORD_EFFECT } else { MIN_WORD_EFFECT };
        self.scores(scored.recipe, &variants).iter().any(|score| score - scored.score >= decisive)
    }

    /// Returns whether a part of a short goal ("factorial and fibonacci") is about another recipe.
    pub(super) fn has_another_subject(&self, scored: &ScoredRecipe) -> bool {
        let parts: Vec<String> = scored.text.split(" and ").map(str::to_owned).collect();
        if parts.len() == 1 || scored.text.split_whitespace().count() > MAX_LISTED_WORDS {
            return false;
        }
        let own = self.scores(scored.recipe, &parts);
        let is_other = |(part, own): (&String, f32)| {
            let nearest = self.rank(part).into_iter().next();
            nearest.is_some_and(|it| {
                it.recipe != scored.recipe && it.score >= MIN_OTHER_SCORE && it.score - own >= MIN_OTHER_MARGIN
            })
        };
        parts.iter().zip(own).any(is_other)
    }

    /// Returns the score of each text for a recipe.
    fn scores(&self, recipe: usize, texts: &[String]) -> Vec<f32> {
        if texts.is_empty() {
            return Vec::new();
        }
        let goals = matrix(&self.encoder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
        let is_own = |anchor: &Anchor| matches!(anchor, Anchor::Serves(served) if *served == recipe);
        let rows = self.anchors.iter().zip(self.matrix.rows()).filter(|(anchor, _)| is_own(anchor));
        rows.fold(vec![f32::MIN; texts.len()], |best, (_, row)| {
            goals.dot(&row).iter().zip(best).map(|(cosine, best)| best.max(*cosine)).collect()
        })
    }

    fn has_unknown_word(&self, recipe: usize, part: &str) -> bool {
        let is_known = |stem: &String| {
            let is_number = stem.chars().all(|c| c.is_ascii_digit());
            is_number || STOP.contains(stem) || FILLER.contains(stem) || self.knows(recipe, stem)
        };
        words(part).iter().any(|word| !is_known(&word.stem))
    }
}

fn matrix(vectors: &[Vector]) -> Array2<f32> {
    Array2::from_shape_fn((vectors.len(), DIMENSIONS), |(row, column)| vectors[row][column])
}

/// Returns the stems of a recipe's description and code. Excludes the documentation, which also names its limits.
fn vocabulary(recipe: &Recipe) -> HashSet<String> {
    let code = recipe.files.iter().filter(|file| file.kind == FilePurpose::Code).map(|file| &file.content);
    let texts = [&recipe.name].into_iter().chain(recipe.goal_texts()).chain(&recipe.keyword_texts).chain(code);
    texts.flat_map(|text| words(&split_camel_case(text))).map(|word| stem(&word.text)).collect()
}

/// Inserts blanks into names such as `maxSize`.
fn split_camel_case(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_uppercase() && spaced.ends_with(char::is_lowercase) {
            spaced.push(' ');
        }
        spaced.push(character);
    }
    spaced
}
