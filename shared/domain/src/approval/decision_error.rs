//! Refusals: the reasons why a decision changes nothing, as code and as text.

/// The reason for which a decision changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    #[error("Workflow not found, or you do not have access to it.")]
    UnknownWorkflow,
    #[error("This workflow has no approval with this id.")]
    UnknownApproval,
    /// The gate is in the log and not judged yet: keep the decision and retry.
    #[error("The approval is not open yet; send the decision again.")]
    NotYetParked,
    /// Holds the outcome of the approval.
    #[error("This approval was already decided: {0}.")]
    AlreadyDecided(&'static str),
    #[error("You have already voted; {approvals} of {required} approvals so far.")]
    AlreadyVoted { approvals: u32, required: u32 },
    #[error("This approval expired.")]
    Expired,
    #[error("The workflow was cancelled.")]
    Cancelled,
    /// Holds the code with which the workflow ended.
    #[error("The workflow ended before this approval was decided ({0}).")]
    WorkflowEnded(String),
    /// The caller has received the reply that nothing was decided.
    #[error("No approver took the decision in time, so it was dropped; send it again.")]
    TooLate,
    #[error("The digest does not match the parked content; read the approval again.")]
    DigestMismatch,
    #[error("The digest is missing; send the digest of the approval.")]
    DigestMissing,
    #[error("You may not decide this approval.")]
    NotEntitled,
    #[error("You may not decide on your own work: you submitted this workflow or supplied its code.")]
    OwnWork,
    /// Holds the nearest valid names, or all if none is near.
    #[error("Recipe not found; try one of {0}.")]
    UnknownRecipe(String),
    #[error("A recipe or code is accepted only with the approval of a needs_input question.")]
    InputNotAsked,
    #[error("This message id was used for another decision; choose a new one.")]
    MessageReused,
    /// The bot exceeded the limit of refused decisions; its decisions are ignored for a while.
    #[error("Too many of your decisions were refused; send this one again in a minute.")]
    TooManyRefused,
    #[error("The decision is malformed: {0}")]
    Malformed(String),
}

impl DecisionError {
    /// Returns whether only a faulty sender can cause it. A correct sender that is late, or second, can cause the
    /// others.
    pub const fn is_client_error(&self) -> bool {
        match self {
            Self::UnknownWorkflow
            | Self::UnknownApproval
            | Self::DigestMissing
            | Self::NotEntitled
            | Self::OwnWork
            | Self::UnknownRecipe(_)
            | Self::InputNotAsked
            | Self::MessageReused
            | Self::TooManyRefused
            | Self::Malformed(_) => true,
            Self::NotYetParked
            | Self::AlreadyDecided(_)
            | Self::AlreadyVoted { .. }
            | Self::Expired
            | Self::Cancelled
            | Self::WorkflowEnded(_)
            | Self::TooLate
            | Self::DigestMismatch => false,
        }
    }

    /// Returns the stable code of the refusal, as in audit records and responses.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownWorkflow => "unknown_workflow",
            Self::UnknownApproval => "unknown_approval",
            Self::NotYetParked => "not_yet_parked",
            Self::AlreadyDecided(_) => "already_decided",
            Self::AlreadyVoted { .. } => "already_voted",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::WorkflowEnded(_) => "workflow_ended",
            Self::TooLate => "too_late",
            Self::DigestMismatch => "digest_mismatch",
            Self::DigestMissing => "digest_missing",
            Self::NotEntitled | Self::OwnWork => "not_entitled",
            Self::UnknownRecipe(_) => "unknown_recipe",
            Self::InputNotAsked => "input_not_asked",
            Self::MessageReused => "message_reused",
            Self::TooManyRefused => "too_many_refused",
            Self::Malformed(_) => "malformed",
        }
    }
}
