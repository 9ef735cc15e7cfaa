//! Positions in lists of workflows, and their text form as opaque cursors.

use std::fmt;
use std::str::FromStr;

use super::VersionedWorkflow;
use domain::Timestamp;
use domain::ids::WorkflowId;

/// A position in a list sorted by creation, newest first. Displays as an opaque cursor and parses from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListPosition {
    pub created_at: Timestamp,
    pub id: WorkflowId,
}

/// A text that is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct InvalidCursor;

impl ListPosition {
    /// Returns the position of a workflow.
    pub fn of(stored: &VersionedWorkflow) -> Self {
        Self { created_at: stored.workflow.created_at, id: stored.workflow.id }
    }
}

impl fmt::Display for ListPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.created_at.as_millis(), self.id)
    }
}

impl FromStr for ListPosition {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (millis, id) = text.split_once('.').ok_or(InvalidCursor)?;
        let millis = i64::from_str_radix(millis, 16).ok().filter(|millis| *millis >= 0).ok_or(InvalidCursor)?;
        let id = id.parse().map_err(|_| InvalidCursor)?;
        Ok(Self { created_at: Timestamp::from_millis(millis), id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::samples::START;

    #[test]
    fn a_cursor_parses_to_its_position() {
        let position = ListPosition { created_at: START, id: WorkflowId::fresh() };
        assert_eq!(position.to_string().parse(), Ok(position));
        for bad in
            ["", ".", "1", "1.x", "-1.018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3", "zz.018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3"]
        {
            assert_eq!(bad.parse::<ListPosition>(), Err(InvalidCursor), "{bad}");
        }
    }
}
