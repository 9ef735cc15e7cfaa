//! The steps of a workflow that a worker does; all pass through [`runner`].

mod analyze;
mod execute;
mod generate;
mod given_code;
mod model_round;
mod runner;
mod test_report;

pub(crate) use runner::handle_step;
