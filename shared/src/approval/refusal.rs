//! Refusals: why a decision changes nothing, as code and as text.

/// The reason for which a decision changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("There is no such workflow, or it is not for you to see.")]
    UnknownWorkflow,
    #[error("This workflow has no such approval.")]
    UnknownApproval,
    /// The gate is in the log and not judged yet: keep the decision and try again.
    #[error("The approval is being prepared.")]
    NotYetParked,
    /// Says how it was decided.
    #[error("This approval was decided already: {0}.")]
    AlreadyDecided(&'static str),
    #[error("You have voted already; {approvals} of {required} approvals so far.")]
    AlreadyVoted { approvals: u32, required: u32 },
    #[error("This approval expired.")]
    Expired,
    #[error("The workflow was cancelled.")]
    Cancelled,
    /// The code with which the workflow ended.
    #[error("The workflow ended before this approval was decided ({0}).")]
    WorkflowEnded(String),
    /// The caller was answered meanwhile that nothing was decided.
    #[error("No approver took the decision in time, so it was dropped; send it again.")]
    TooLate,
    #[error("The digest is not that of what is parked now.")]
    DigestMismatch,
    #[error("The digest is missing: name what you decide on.")]
    DigestMissing,
    #[error("You may not decide this approval.")]
    NotEntitled,
    #[error("You may not decide on your own work: you submitted this workflow or supplied its code.")]
    OwnWork,
    /// The names that would do, so that the sender can choose.
    #[error("There is no such recipe; name one of {0}.")]
    UnknownRecipe(String),
    #[error("A recipe or code goes with the approval of needs_input only.")]
    InputNotAsked,
    #[error("This message id was used before for another decision; choose a new one.")]
    MessageReused,
    /// The bot met so many refusals that it is not listened to for a while.
    #[error("Too many of your decisions were refused; send this one again in a minute.")]
    TooManyRefused,
    #[error("The decision cannot be read: {0}")]
    Malformed(String),
}

impl Refusal {
    /// Returns whether a sender that means well would not have met it. Who only comes second, or late, meets the others.
    pub const fn is_senders_fault(&self) -> bool {
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

    /// The stable code of the refusal, as audited and answered.
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
