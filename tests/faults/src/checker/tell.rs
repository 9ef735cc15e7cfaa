//! Violations with the histories of their workflows.

use std::collections::HashSet;
use std::fmt::Write;

use shared::ids::WorkflowId;

use super::Violation;
use crate::evidence::Evidence;
use crate::history::{Call, Story};

/// Every violation, each workflow's together, with everything that the client and the log know of it.
pub fn tell(violations: &[Violation], stories: &[Story], evidence: &Evidence) -> String {
    let (mut text, mut told) = (String::new(), HashSet::new());
    for violation in violations {
        if !told.insert(violation.workflow) {
            continue;
        }
        for other in violations.iter().filter(|other| other.workflow == violation.workflow) {
            // Writing into a text never fails.
            writeln!(text, "{}: {}", other.invariant.name(), other.what).ok();
        }
        if let Some(id) = violation.workflow {
            tell_one(&mut text, id, stories, evidence);
        }
    }
    text
}

fn tell_one(text: &mut String, id: WorkflowId, stories: &[Story], evidence: &Evidence) {
    let story = stories.iter().find(|story| story.id == Some(id));
    writeln!(text, "  workflow {id}, wish {:?}", story.map(|story| story.wish)).ok();
    for call in story.iter().flat_map(|story| &story.calls) {
        let Call { from_ms, to_ms, api, asked, answered } = call;
        let asked_whom = api.map_or_else(|| "the bot".to_owned(), |api| format!("API {api}"));
        let line = format!("{from_ms:>7}..{to_ms:<7} ms {asked_whom} {asked:?}");
        writeln!(text, "  client {line} -> {} {}", answered.code, answered.words).ok();
    }
    for entry in evidence.logs.get(&id).into_iter().flatten() {
        let (happened, workflow) = (&entry.happened, &entry.workflow);
        let (kind, phase) = (happened.kind.as_str(), workflow.phase.kind().as_str());
        let line = format!("{} {kind} -> {phase}, by {}", happened.at, happened.actor);
        writeln!(text, "  log {:>7} {line}, {} steps", entry.sequence, workflow.metrics.steps_completed).ok();
    }
}
