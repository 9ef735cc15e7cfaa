//! Violations with the histories of their workflows.

use std::collections::HashSet;
use std::fmt::Write;

use domain::ids::WorkflowId;

use super::Violation;
use crate::client::history::{RecordedCall, WorkflowHistory};
use crate::evidence::Evidence;

/// Returns every violation, grouped by workflow, with the client's calls and the log entries of that workflow.
pub fn describe(violations: &[Violation], histories: &[WorkflowHistory], evidence: &Evidence) -> String {
    let (mut text, mut described) = (String::new(), HashSet::new());
    for violation in violations {
        if !described.insert(violation.workflow) {
            continue;
        }
        for other in violations.iter().filter(|other| other.workflow == violation.workflow) {
            // Writing into a string never fails.
            writeln!(text, "{}: {}", other.invariant.name(), other.what).ok();
        }
        if let Some(id) = violation.workflow {
            describe_one(&mut text, id, histories, evidence);
        }
    }
    text
}

fn describe_one(text: &mut String, id: WorkflowId, histories: &[WorkflowHistory], evidence: &Evidence) {
    let history = histories.iter().find(|history| history.id == Some(id));
    writeln!(text, "  workflow {id}, intent {:?}", history.map(|history| history.intent)).ok();
    for call in history.iter().flat_map(|history| &history.calls) {
        let RecordedCall { from_ms, to_ms, api, operation, response } = call;
        let target = api.map_or_else(|| "the bot".to_owned(), |api| format!("API {api}"));
        let line = format!("{from_ms:>7}..{to_ms:<7} ms {target} {operation:?}");
        writeln!(text, "  client {line} -> {} {}", response.code, response.words).ok();
    }
    for entry in evidence.logs.get(&id).into_iter().flatten() {
        let (happened, workflow) = (&entry.happened, &entry.workflow);
        let (kind, phase) = (happened.kind.as_str(), workflow.phase.kind().as_str());
        let line = format!("{} {kind} -> {phase}, by {}", happened.at, happened.actor);
        writeln!(text, "  log {:>7} {line}, {} steps", entry.sequence, workflow.metrics.steps_completed).ok();
    }
}
