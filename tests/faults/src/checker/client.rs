//! What the client was told, against the log.

use shared::approval::Decision;
use shared::messaging::Entry;
use shared::workflow::Status;

use super::log::is_end;
use crate::history::{Asked, Call, Story};

/// What was accepted is in the log under one id, and the client saw the log's end and no other.
pub(super) fn was_kept(story: &Story, log: &[Entry]) -> Option<String> {
    let id = story.id?;
    if log.is_empty() {
        return Some("it was accepted and is not in the log".to_owned());
    }
    let is_look = |call: &&Call| call.asked.is_look();
    if story.calls.iter().filter(is_look).any(|call| call.answered.code == 404) {
        return Some("it was accepted, and a look at it found nothing".to_owned());
    }
    if let Some(other) = story.other_ids.iter().find(|other| **other != id) {
        return Some(format!("the same key was accepted a second time, as {other}"));
    }
    let end = log.iter().find(|entry| is_end(entry))?.workflow.status();
    let shown = || story.calls.iter().filter(is_look).filter(|call| call.answered.code == 200);
    if let Some(other) = shown().filter_map(shown_end).find(|shown| *shown != end) {
        return Some(format!("the client saw that it {}, the log says {}", other.as_str(), end.as_str()));
    }
    let after = shown().skip_while(|call| shown_end(call).is_none()).find(|call| shown_end(call).is_none())?;
    Some(format!("the client saw its end, and later that it was {}", after.answered.words))
}

/// In the end every API shows the log's end.
pub(super) fn was_shown(story: &Story, log: &[Entry], apis: usize) -> Option<String> {
    story.id?;
    let end = log.iter().find(|entry| is_end(entry))?.workflow.status();
    (0..apis).find_map(|api| {
        let last = story.calls.iter().rev().find(|call| call.asked == Asked::LastLook && call.api == Some(api));
        match last {
            None => Some(format!("API {api} was not asked in the end")),
            Some(call) if call.answered.code != 200 || shown_end(call) != Some(end) => {
                let answered = &call.answered;
                Some(format!(
                    "in the end API {api} answers {} {}, the log says {}",
                    answered.code,
                    answered.words,
                    end.as_str()
                ))
            }
            Some(_) => None,
        }
    })
}

fn shown_end(call: &Call) -> Option<Status> {
    let ends = [Status::Completed, Status::Failed, Status::Cancelled];
    ends.into_iter().find(|end| call.answered.words.split(' ').next() == Some(end.as_str()))
}

/// What the client was told of its cancels and decisions is so, and nothing was released that it did not approve.
pub(super) fn was_obeyed(story: &Story, log: &[Entry]) -> Option<String> {
    let end = log.iter().find(|entry| is_end(entry))?;
    let status = end.workflow.status();
    let told = |wanted: &dyn Fn(&Asked) -> bool| {
        story.calls.iter().any(|call| call.answered.code == 200 && wanted(&call.asked))
    };
    if told(&|asked| *asked == Asked::Cancel) && status != Status::Cancelled {
        return Some(format!("its cancel was answered, and it {}", status.as_str()));
    }
    if told(&|asked| matches!(asked, Asked::Decide { decision: "rejected", .. })) && status != Status::Failed {
        return Some(format!("its rejection was answered, and it {}", status.as_str()));
    }
    for call in story.calls.iter().filter(|call| call.answered.code == 200) {
        if let Asked::Decide { approval_id, decision, channel } = &call.asked {
            let gate = end.workflow.closed_gates.iter().find(|gate| gate.approval_id == *approval_id);
            let is_it = |said: &Decision| said.verdict.as_str() == *decision && said.channel == *channel;
            let counts = gate.is_some_and(|gate| gate.decisions.iter().any(is_it));
            if !counts {
                return Some(format!("its decision {decision} was answered and is not in the log"));
            }
        }
    }
    let last = end.workflow.closed_gates.last().map(|gate| gate.approval_id);
    let asked = story.calls.iter().any(|call| {
        matches!(call.asked, Asked::Decide { approval_id, decision: "approved", .. } if Some(approval_id) == last)
    });
    let needed = end.workflow.submission.options.require_approval;
    (status == Status::Completed && needed && !asked).then(|| "released, and the client never approved".to_owned())
}

/// What is shown as printed is what its own code prints, and it is shown once the workflow is completed.
pub(super) fn has_content(story: &Story, log: &[Entry]) -> Option<String> {
    let end = log.iter().find(|entry| is_end(entry))?;
    let expected = story.expected?;
    if let Some(other) = story.outputs.iter().find(|output| **output != expected) {
        return Some(format!("an output was shown that its code does not print, with digest {other}"));
    }
    let is_missing = end.workflow.status() == Status::Completed && story.outputs.is_empty();
    is_missing.then(|| "it was completed, and its output never shown".to_owned())
}

/// Each answer is one that the interface has for the question, or says that it has to be asked again.
pub(super) fn was_answered(story: &Story) -> Option<String> {
    let odd = story.calls.iter().find(|call| {
        let code = call.answered.code;
        let expected: &[u16] = match call.asked {
            Asked::Submit => &[202],
            // That a look found nothing is judged elsewhere.
            Asked::Status | Asked::LastLook => &[200, 404],
            Asked::Cancel | Asked::Decide { .. } => &[200, 409],
            Asked::List | Asked::Inbox | Asked::Analyze | Asked::SignIn => &[200],
            // A token that was revoked before its answer was lost cannot be revoked again.
            Asked::Revoke => &[200, 401],
        };
        !expected.contains(&code) && !matches!(code, 0 | 429 | 502..=504)
    })?;
    Some(format!("{:?} was answered {} {}", odd.asked, odd.answered.code, odd.answered.words))
}
