//! What the approver believes: the submission as the API wrote it, and gates that the approver itself parked.
//!
//! The broker lets only the API publish on the submission's subject, and only the approver on the lane of parked gates. A state
//! that claims otherwise was made by someone who may not, and fails its workflow.

use shared::messaging::{Entry, ReadError, WorkflowLog};
use shared::workflow::{Failure, Lane};

/// Checks an entry of the approve phase against what its author could not forge.
///
/// `Ok(Some(_))` is the failure to append for a forged one.
pub(crate) async fn distrust(log: &WorkflowLog, entry: &Entry) -> Result<Option<Failure>, ReadError> {
    let claims_park = entry.workflow.park().is_some();
    if claims_park {
        // Published on the parked lane by permission of the broker, hence by an approver, who checked the rest then.
        let lane = entry.subject.split('.').nth(2);
        return Ok((lane != Some(Lane::parked().as_str())).then(forged));
    }
    let submitted = log.submission(entry.workflow.id).await?;
    let is_same = submitted.is_some_and(|submitted| {
        submitted.workflow.owner == entry.workflow.owner && submitted.workflow.submission == entry.workflow.submission
    });
    Ok((!is_same).then(forged))
}

fn forged() -> Failure {
    Failure::new(
        "tampered",
        "The workflow's state does not agree with its submission.",
        "Tell the operator: a worker may be compromised.",
    )
}
