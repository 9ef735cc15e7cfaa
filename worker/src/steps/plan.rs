//! Planning. The plan is part of the submission's first state, so the step only records that it was taken.

use domain::workflow::{Event, StepUsage};

use super::outcome::StepOutcome;

pub(super) fn run(usage: StepUsage) -> StepOutcome {
    StepOutcome::Event(Event::Planned { usage })
}
