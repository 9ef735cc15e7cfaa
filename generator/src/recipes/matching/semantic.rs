//! Rates recipes by the meaning of a goal: the nearest of all phrasings, by the cosine of sentence vectors.
//!
//! Nearness is evidence, not proof: "doubly linked list" is near "linked list". So there is evidence against as well: goals that
//! are known not to be served, and words of the goal without which it would be nearer.

use std::cmp::Ordering::Equal;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use ndarray::Array2;

use super::goal_text::{plain, texts};
use super::vector_cache::vectors;
use crate::embedding::{DIMENSIONS, Encoder, EncoderError, Vector};
use crate::recipes::catalogue::Recipe;
use crate::recipes::vocabulary::{FILLER, STOP};
use crate::tokenize::{stem, words};
use crate::types::FileKind;

/// Goals that people have and no recipe serves, one a line.
const OFF_TOPIC: &str = include_str!("../../../catalogue/off_topic.txt");
/// A goal as a whole must be this near, even where one of its sentences is nearer.
const MIN_GOAL_SCORE: f32 = 0.30;
/// A word is decisive where the goal without it is nearer by this much.
const MIN_WORD_EFFECT: f32 = 0.06;
/// The same where the goal names the recipe's subject literally.
const MIN_LITERAL_WORD_EFFECT: f32 = 0.02;
/// A part of a goal is about another recipe if it is this near to it, and by so much further from the one in question.
const MIN_OTHER_SCORE: f32 = 0.65;
const MIN_OTHER_MARGIN: f32 = 0.15;
/// In a longer goal, "and" seldom joins two subjects.
const MAX_LISTED_WORDS: usize = 10;
/// Maximum words of a goal that are tried for being decisive.
const MAX_TRIED_WORDS: usize = 6;

/// A text whose vector goals are compared with.
enum Anchor {
    /// A goal that the recipe serves.
    Serves(usize),
    /// A goal that is near the recipe and that it does not serve.
    NotFor(usize),
    OffTopic,
}

/// The vectors of a catalogue and the model that makes those of goals.
pub(super) struct EmbeddingIndex {
    encoder: Encoder,
    anchors: Vec<Anchor>,
    /// A row for each anchor.
    matrix: Array2<f32>,
    /// The stems that occur in each recipe's texts and code.
    vocabularies: Vec<HashSet<String>>,
}

/// The nearness of a goal to a recipe.
#[derive(Clone, Debug)]
pub(super) struct ScoredRecipe {
    pub(super) recipe: usize,
    pub(super) score: f32,
    /// True if the goal is nearer to one that the recipe does not serve.
    pub(super) is_refuted: bool,
    /// The text of the goal that is nearest: the whole, or a sentence.
    pub(super) text: String,
}

impl EmbeddingIndex {
    /// Loads the model and embeds the catalogue, or reads its vectors from `cache`. Takes half a minute without them.
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

    /// Returns whether a lower-case word is an ordinary one.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.encoder.is_word(word)
    }

    /// Returns whether a stem occurs in a recipe's texts or code.
    pub(super) fn knows(&self, recipe: usize, stem: &str) -> bool {
        self.vocabularies[recipe].contains(stem)
    }

    /// Rates every recipe, the nearest first.
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

    /// Rates every recipe, in their order, for one text.
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
    /// `unknown` are the words that do not belong, where the goal names the recipe's subject literally: then less decides.
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

    /// Returns whether a part of a short goal ("factorial and fibonacci") is about another recipe and not about this one.
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

    /// Returns how near each text is to what a recipe serves.
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

/// The stems of everything that a recipe says of itself and of its code. The documentation names limits as well, so it is left out.
fn vocabulary(recipe: &Recipe) -> HashSet<String> {
    let code = recipe.files.iter().filter(|file| file.kind == FileKind::Code).map(|file| &file.content);
    let texts = [&recipe.name].into_iter().chain(recipe.goal_texts()).chain(&recipe.keyword_texts).chain(code);
    texts.flat_map(|text| words(&split_camel_case(text))).map(|word| stem(&word.text)).collect()
}

/// Parts names such as `maxSize`.
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
