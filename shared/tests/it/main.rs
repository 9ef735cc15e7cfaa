//! The domain's promises: by snapshot, by properties over random walks, and by a model of a small world in every order.

mod approval_rules;
mod model_check;
mod workflow_transitions;
