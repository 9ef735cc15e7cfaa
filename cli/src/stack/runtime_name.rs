//! Names of runtimes. Each runtime has a lane of `execute` steps.

use std::fmt;
use std::str::FromStr;

include!(concat!(env!("OUT_DIR"), "/runtimes.rs"));

/// The name of a runtime, also a token of subjects and the suffix of its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeName(String);

impl RuntimeName {
    /// Returns every runtime of this version, whether or not a worker offers it.
    ///
    /// # Panics
    /// On an invalid directory name in `sandbox/runtimes`, which a test excludes.
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
        let is_unchanged = domain::workflow::Lane::runtime(name).as_str() == name;
        if is_unchanged && name.starts_with(|first: char| first.is_ascii_lowercase()) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidRuntimeName)
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a runtime's name is 1 to 32 lower-case letters, digits and hyphens, starting with a letter")]
pub struct InvalidRuntimeName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_name_is_one_safe_subject_token() {
        for name in ["python", "made-up", "f90", &"a".repeat(32)] {
            assert!(name.parse::<RuntimeName>().is_ok(), "{name}");
        }
        for name in ["", "-a", "9front", "Lua", "f_90", "a.b", "*", ">", "a\"}", "a b", &"a".repeat(33)] {
            assert_eq!(name.parse::<RuntimeName>(), Err(InvalidRuntimeName), "{name}");
        }
        assert!(RuntimeName::all().iter().any(|name| name.as_str() == "python"));
    }
}
