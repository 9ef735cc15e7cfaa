//! Checks the client's responses against the log.

use domain::approval::Decision;
use domain::workflow::Status;
use messaging::Entry;

use super::log::is_end;
use crate::client::history::{ClientOperation, RecordedCall, WorkflowHistory};

/// Checks that an accepted workflow is in the log under one id, and that the client saw the log's end and no other.
pub(super) fn was_kept(history: &WorkflowHistory, log: &[Entry]) -> Option<String> {
    let id = history.id?;
    if log.is_empty() {
        return Some("it was accepted and is not in the log".to_owned());
    }
    let is_status = |call: &&RecordedCall| call.operation.is_status();
    if history.calls.iter().filter(is_status).any(|call| call.response.code == 404) {
        return Some("it was accepted, and its status was 404".to_owned());
    }
    if let Some(other) = history.other_ids.iter().find(|other| **other != id) {
        return Some(format!("the same key was accepted a second time, as {other}"));
    }
    let end = log.iter().find(|entry| is_end(entry))?.workflow.status();
    let shown = || history.calls.iter().filter(is_status).filter(|call| call.response.code == 200);
    if let Some(other) = shown().filter_map(shown_end).find(|shown| *shown != end) {
        return Some(format!("the client saw {}, the log has {}", other.as_str(), end.as_str()));
    }
    let after = shown().skip_while(|call| shown_end(call).is_none()).find(|call| shown_end(call).is_none())?;
    Some(format!("the client saw its end, and later {}", after.response.words))
}

/// Checks that every API shows the log's end after the round.
pub(super) fn was_shown(history: &WorkflowHistory, log: &[Entry], apis: usize) -> Option<String> {
    history.id?;
    let end = log.iter().find(|entry| is_end(entry))?.workflow.status();
    (0..apis).find_map(|api| {
        let last = history
            .calls
            .iter()
            .rev()
            .find(|call| call.operation == ClientOperation::FinalStatus && call.api == Some(api));
        match last {
            None => Some(format!("API {api} has no final status")),
            Some(call) if call.response.code != 200 || shown_end(call) != Some(end) => {
                let response = &call.response;
                Some(format!(
                    "final status of API {api}: {} {}, the log has {}",
                    response.code,
                    response.words,
                    end.as_str()
                ))
            }
            Some(_) => None,
        }
    })
}

fn shown_end(call: &RecordedCall) -> Option<Status> {
    let ends = [Status::Completed, Status::Failed, Status::Cancelled];
    ends.into_iter().find(|end| call.response.words.split(' ').next() == Some(end.as_str()))
}

/// Checks that confirmed cancels and decisions are in the log, and that nothing was released that the client did not
/// approve.
pub(super) fn was_applied(history: &WorkflowHistory, log: &[Entry]) -> Option<String> {
    let end = log.iter().find(|entry| is_end(entry))?;
    let status = end.workflow.status();
    let succeeded = |wanted: &dyn Fn(&ClientOperation) -> bool| {
        history.calls.iter().any(|call| call.response.code == 200 && wanted(&call.operation))
    };
    if succeeded(&|operation| *operation == ClientOperation::Cancel) && status != Status::Cancelled {
        return Some(format!("its cancel was confirmed, and it {}", status.as_str()));
    }
    if succeeded(&|operation| matches!(operation, ClientOperation::Decide { decision: "rejected", .. }))
        && status != Status::Failed
    {
        return Some(format!("its rejection was confirmed, and it {}", status.as_str()));
    }
    for call in history.calls.iter().filter(|call| call.response.code == 200) {
        if let ClientOperation::Decide { approval_id, decision, channel } = &call.operation {
            let gate = end.workflow.closed_gates.iter().find(|gate| gate.approval_id == *approval_id);
            let is_it = |said: &Decision| said.verdict.as_str() == *decision && said.channel == *channel;
            let counts = gate.is_some_and(|gate| gate.decisions.iter().any(is_it));
            if !counts {
                return Some(format!("its decision {decision} was confirmed and is not in the log"));
            }
        }
    }
    let last = end.workflow.closed_gates.last().map(|gate| gate.approval_id);
    let is_approved = history.calls.iter().any(|call| {
        matches!(call.operation, ClientOperation::Decide { approval_id, decision: "approved", .. } if Some(approval_id) == last)
    });
    let needed = end.workflow.submission.options.require_approval;
    (status == Status::Completed && needed && !is_approved)
        .then(|| "released without approval by the client".to_owned())
}

/// Checks that the shown output is the output of the workflow's own code, and is shown once the workflow is completed.
pub(super) fn has_content(history: &WorkflowHistory, log: &[Entry]) -> Option<String> {
    let end = log.iter().find(|entry| is_end(entry))?;
    let expected = history.expected?;
    if let Some(other) = history.outputs.iter().find(|output| **output != expected) {
        return Some(format!("an output was shown that is not its code's, with digest {other}"));
    }
    let is_missing = end.workflow.status() == Status::Completed && history.outputs.is_empty();
    is_missing.then(|| "it was completed, and its output was not shown".to_owned())
}

/// Checks that each response is one that the contract lists for the operation, or is retryable.
pub(super) fn was_answered(history: &WorkflowHistory) -> Option<String> {
    let odd = history.calls.iter().find(|call| {
        let code = call.response.code;
        let expected: &[u16] = match call.operation {
            ClientOperation::Submit => &[202],
            // A missing workflow is reported by `was_kept`.
            ClientOperation::Status | ClientOperation::FinalStatus => &[200, 404],
            ClientOperation::Cancel | ClientOperation::Decide { .. } => &[200, 409],
            ClientOperation::List | ClientOperation::Inbox | ClientOperation::Analyze | ClientOperation::SignIn => {
                &[200]
            }
            // A token whose first revocation lost its response cannot be revoked again.
            ClientOperation::Revoke => &[200, 401],
        };
        !expected.contains(&code) && !matches!(code, 0 | 429 | 502..=504)
    })?;
    Some(format!("unexpected response to {:?}: {} {}", odd.operation, odd.response.code, odd.response.words))
}
