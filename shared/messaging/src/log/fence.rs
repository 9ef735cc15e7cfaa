//! The fence: the outcome of a rejected append.

/// The state of the log at the place of a rejected append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// The append itself, at this sequence: its acknowledgement was lost.
    Itself(u64),
    /// No newer message: the append was rejected because of an in-flight append that may never commit.
    Nothing,
    /// Another process's append, behind this one or in its place.
    Another,
}

/// Classifies a rejected append to the sequence `expected` by the workflow's newest message and its event.
///
/// If another append already follows this one the result is [`Met::Another`]: the caller finds its append in the log.
#[must_use]
pub fn met<E: PartialEq>(newest: Option<(u64, &E)>, expected: u64, event: &E) -> Met {
    match newest {
        Some((sequence, its)) if its == event => Met::Itself(sequence),
        Some((sequence, _)) if sequence > expected => Met::Another,
        Some(_) | None => Met::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_tells_itself_from_others_and_from_what_was_there_before() {
        assert_eq!(met(None, 0, &"own"), Met::Nothing);
        assert_eq!(met(Some((7, &"before")), 7, &"own"), Met::Nothing);
        assert_eq!(met(Some((8, &"own")), 7, &"own"), Met::Itself(8));
        assert_eq!(met(Some((8, &"other")), 7, &"own"), Met::Another);
    }
}
