//! The lanes of `execute` steps: one for each runtime, by its name.

use std::fmt;
use std::str::FromStr;

include!(concat!(env!("OUT_DIR"), "/runtimes.rs"));

/// The name of a runtime, which is a token of subjects and the end of its queue's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeName(String);

impl RuntimeName {
    /// The lanes of every runtime of this version, whether or not a worker offers it.
    ///
    /// # Panics
    /// Where a folder of `sandbox/runtimes` has a name that cannot be a lane, which a test notices.
    pub fn all() -> Vec<Self> {
        RUNTIMES.iter().map(|name| name.parse().expect("a test parses every runtime's name")).collect()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuntimeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RuntimeName {
    type Err = InvalidRuntimeName;

    fn from_str(name: &str) -> Result<Self, InvalidRuntimeName> {
        let travels = shared::workflow::Lane::runtime(name).as_str() == name;
        if travels && name.starts_with(|first: char| first.is_ascii_lowercase()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidRuntimeName)
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a runtime's name is 1 to 32 lower-case letters, digits and hyphens, a letter first")]
pub struct InvalidRuntimeName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_one_safe_subject_token() {
        for name in ["python", "made-up", "f90", &"a".repeat(32)] {
            assert!(name.parse::<RuntimeName>().is_ok(), "{name}");
        }
        for name in ["", "-a", "9front", "Lua", "f_90", "a.b", "*", ">", "a\"}", "a b", &"a".repeat(33)] {
            assert_eq!(name.parse::<RuntimeName>(), Err(InvalidRuntimeName), "{name}");
        }
        assert!(RuntimeName::all().iter().any(|lane| lane.as_str() == "python"));
    }
}
