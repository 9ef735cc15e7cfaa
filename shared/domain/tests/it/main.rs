//! Tests of the domain: by snapshot, by properties over random walks, and by exhaustive model checking.

mod approval_rules;
mod model_check;
mod workflow_transitions;
