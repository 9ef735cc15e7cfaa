//! The fence: the outcome of a rejected append.

/// The state of the log at the place of a rejected append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictOutcome {
    /// The append itself, at this sequence: its acknowledgement was lost.
    Own(u64),
    /// No newer message: the append was rejected because of an in-flight append that may never commit.
    NotApplied,
    /// Another process's append, behind this one or in its place.
    Superseded,
}

/// Classifies a rejected append to the sequence `expected` by the workflow's newest message and its event.
///
/// If another append already follows this one the result is [`ConflictOutcome::Superseded`]: the caller finds its append in the log.
#[must_use]
pub fn classify_conflict<E: PartialEq>(newest: Option<(u64, &E)>, expected: u64, event: &E) -> ConflictOutcome {
    match newest {
        Some((sequence, its)) if its == event => ConflictOutcome::Own(sequence),
        Some((sequence, _)) if sequence > expected => ConflictOutcome::Superseded,
        Some(_) | None => ConflictOutcome::NotApplied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_tells_itself_from_others_and_from_what_was_there_before() {
        assert_eq!(classify_conflict(None, 0, &"own"), ConflictOutcome::NotApplied);
        assert_eq!(classify_conflict(Some((7, &"before")), 7, &"own"), ConflictOutcome::NotApplied);
        assert_eq!(classify_conflict(Some((8, &"own")), 7, &"own"), ConflictOutcome::Own(8));
        assert_eq!(classify_conflict(Some((8, &"other")), 7, &"own"), ConflictOutcome::Superseded);
    }
}
