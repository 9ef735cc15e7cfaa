//! Turns a goal into code and tests.
//!
//! Three sources, in this order: the caller's own code, unchanged; a vetted recipe of the catalogue (deterministic,
//! free,
//! offline); a language model, if configured. Other goals are refused with a hint, because a wrong result is worse than
//! none. This crate never runs code and does not depend on queues, stores or web servers.
//!
//! Start reading at [`Generator::generate`].

mod caller_code;
mod generator;
mod language;
#[cfg(feature = "model")]
mod model;
mod paths;
mod recipes;
mod tokenize;
mod types;

pub use caller_code::detection::dialect::{Dialect, javascript_dialect};
pub use caller_code::given_code::{GivenCode, TestWritingSummary};
pub use caller_code::skipped_tests::skipped_tests;
pub use caller_code::target::OfferedRuntime;
pub use caller_code::test_detection::defines_tests;
pub use caller_code::vacuous_tests::vacuous_tests;
pub use generator::{Embeddings, Generator, GeneratorConfig, ModelConfig, Proposal};
pub use recipes::catalogue::{CatalogueError, Recipe};
pub use recipes::matching::MatchingStatus;
pub use recipes::parameters::{Parameter, ParameterKind};
pub use types::{
    CleanUp, EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, GenerationMode,
    Origin, PromptTokens, RoundFeedback, SourceFile, Tool,
};
