//! Sentence embeddings: maps text to a vector whose direction represents its meaning.
//!
//! Runs the model all-MiniLM-L6-v2 from its published files: WordPiece tokens, six BERT layers, mean pooling.
//! Independent of recipes and goals. Start reading at [`Encoder::embed`].

mod bert;
mod wordpiece;

use std::path::{Path, PathBuf};
use std::{fs, io};

use bert::Bert;
use wordpiece::WordPiece;

/// The files of a model folder.
const WEIGHTS: &str = "model.safetensors";
const VOCABULARY: &str = "vocab.txt";
/// The model's name in `/health` and in cache keys.
pub const MODEL_NAME: &str = "all-MiniLM-L6-v2";
/// The model's folder below the data directory.
pub const FOLDER: &str = "models/all-minilm-l6-v2";
/// Number of components of a vector.
pub const DIMENSIONS: usize = 384;

/// A vector of length 1.
pub type Vector = Vec<f32>;

/// Reasons for which a model cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// A file is missing or cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file is not that of the model.
    #[error("{path} is not the file of {MODEL_NAME}: {reason}")]
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
}

/// Turns texts into vectors. Uses 90 MB; a pass over 17 tokens takes about 25 ms of one core.
pub struct Encoder {
    tokens: WordPiece,
    bert: Bert,
}

impl Encoder {
    /// Returns whether a folder contains the files of the model.
    pub fn is_in(folder: &Path) -> bool {
        [WEIGHTS, VOCABULARY].iter().all(|file| folder.join(file).is_file())
    }

    /// Loads the model of a folder; takes half a second.
    ///
    /// # Errors
    /// A file is missing or is not of this model.
    pub fn load(folder: &Path) -> Result<Self, EncoderError> {
        let (vocabulary, weights) = (folder.join(VOCABULARY), folder.join(WEIGHTS));
        let unreadable = |path: &Path, source| EncoderError::Unreadable { path: path.to_owned(), source };
        let unsuitable = |path: &Path, reason| EncoderError::Unsuitable { path: path.to_owned(), reason };
        let words = fs::read_to_string(&vocabulary).map_err(|source| unreadable(&vocabulary, source))?;
        let bytes = fs::read(&weights).map_err(|source| unreadable(&weights, source))?;
        let tokens = WordPiece::new(&words).map_err(|reason| unsuitable(&vocabulary, reason))?;
        let bert = Bert::read(&bytes).map_err(|reason| unsuitable(&weights, reason))?;
        if bert.vocabulary_size() != tokens.len() {
            return Err(unsuitable(&vocabulary, "its size is not that of the weights".to_owned()));
        }
        Ok(Self { tokens, bert })
    }

    /// Returns the vector of each text; ignores tokens after the 254th.
    pub fn embed(&self, texts: &[&str]) -> Vec<Vector> {
        self.bert.embed(&texts.iter().map(|text| self.tokens.ids(text)).collect::<Vec<_>>())
    }

    /// Returns whether a lower-case word is a single token: a common word of English or of programming.
    pub fn is_word(&self, word: &str) -> bool {
        self.tokens.is_whole(word)
    }
}

/// Returns the cosine of the angle between two vectors of length 1.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
