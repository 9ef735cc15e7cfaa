//! `stack.json` of a stack on this machine: its address and processes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// The part of `stack.json` that a load test uses.
#[derive(Debug, Clone, Deserialize)]
pub struct StackFile {
    pub api_url: String,
    #[serde(default)]
    pub pids: BTreeMap<String, i32>,
}

impl StackFile {
    /// Reads the manifest in a data directory; `None` if it has none.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join("stack.json")).ok()?).ok()
    }
}
