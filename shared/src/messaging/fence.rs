//! The fence: what an append that was refused has met.

/// What stands where an append was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// The append itself, at this sequence: its acknowledgement was lost.
    Itself(u64),
    /// Nothing yet: it was refused for the sake of what is on its way, which may never arrive.
    Nothing,
    /// What another process appended, behind the append or instead of it.
    Another,
}

/// Judges by the newest message of the workflow, with its event, what an append to the sequence `expected` has met.
///
/// One that another has moved on from since also met another: whoever appended it looks at the log, and finds it there.
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
