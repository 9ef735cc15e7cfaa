//! The steps of a workflow that a worker performs. [`StepRunner`] runs them all.

mod analyze;
mod execute;
mod failure_hint;
mod generate;
mod given_code;
mod live_output;
mod model_round;
mod outcome;
mod plan;
mod runner;
mod test_report;

pub(crate) use runner::{StepRunner, handle_step};
