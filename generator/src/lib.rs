//! Turns a goal into code and tests.
//!
//! Three sources, in this order: the caller's own code as given; a vetted recipe of the catalogue (deterministic, free,
//! offline); a language model, where one is configured. What none of them can serve is refused with a hint: a wrong
//! answer is worse than none. This crate never runs code and knows nothing of queues, stores or web servers.
//!
//! Start reading at [`Generator::generate`].

mod assertions;
mod callers_tests;
mod catalogue;
mod dedent;
mod demands;
mod diff;
mod documenter;
mod embedding;
mod exchange;
mod generator;
mod given_code;
mod intent;
mod javascript_tests;
mod language;
mod matching;
#[cfg(feature = "model")]
mod model;
mod parameters;
mod paths;
mod python;
mod requirements;
mod skipped;
mod target;
mod vocabulary;
mod words;

pub use assertions::vacuous_tests;
pub use callers_tests::defines_tests;
pub use catalogue::{CatalogueError, Recipe};
pub use dedent::dedent;
pub use exchange::{
    Action, CleanUp, Feedback, GenerateError, Generation, Kind, Mode, Origin, Request, Run, Sent, SourceFile, Tool,
};
pub use generator::{Embeddings, Generator, GeneratorConfig, ModelConfig, Proposal};
pub use given_code::{GivenCode, Tested};
pub use matching::MatchingStatus;
pub use parameters::{Parameter, ParameterKind};
pub use skipped::skipped_tests;
pub use target::Runtime;
