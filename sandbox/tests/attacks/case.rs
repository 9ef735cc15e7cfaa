//! One attack as its folder describes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{Outcome, SecurityLevel};
use serde::Deserialize;

/// A folder of `cases/<family>/`.
pub(crate) struct Case {
    pub(crate) family: String,
    pub(crate) name: String,
    /// Every file of the folder but the expectation, by name.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) expect: Expect,
}

/// What must come of an attack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// What the attacker tries, in a sentence.
    pub(crate) tries: String,
    /// The walls that stop it, outermost first; any one of them would do.
    pub(crate) stopped_by: Vec<Wall>,
    /// Whose `attack.*` it is.
    #[serde(default = "python")]
    pub(crate) runtime: String,
    #[serde(default = "every_level")]
    pub(crate) levels: Vec<SecurityLevel>,
    /// Runs the runtime's test runner over the files, in place of the script.
    #[serde(default)]
    pub(crate) as_tests: bool,
    #[serde(default)]
    pub(crate) limits: LimitOverrides,
    /// Cancels as soon as the host sees the attack run.
    #[serde(default)]
    pub(crate) cancelled: bool,
    /// A second job looks for what the first one left, or for what it does at this moment.
    pub(crate) look: Option<SecondJob>,
    /// Files with hostile names.
    #[serde(default)]
    pub(crate) more_files: Vec<MoreFile>,
    /// The job is not run at all, with this code.
    pub(crate) refused: Option<String>,
    /// Every attempt by name, and the answers that count as blocked; no other attempt may be made.
    #[serde(default)]
    pub(crate) blocked: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) end: ExpectedEnd,
}

/// The walls as the README names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wall {
    /// Paths and files are judged before a sandbox is touched.
    JobCheck,
    Root,
    Namespaces,
    User,
    Capabilities,
    NoNewPrivileges,
    OuterSeccomp,
    InnerSeccomp,
    Landlock,
    WorkTmpfs,
    Cgroup,
    Rlimits,
    /// The runner's own supervision: time, output caps, the private result pipe, the kill at the end.
    Runner,
    /// A sandbox serves one job, or is verified to be empty before the same owner's next.
    SingleUse,
    /// The host bounds and judges what a runner reports.
    Report,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitOverrides {
    pub(crate) wall_ms: Option<u64>,
    pub(crate) cpu_ms: Option<u64>,
    pub(crate) memory_mib: Option<u64>,
    pub(crate) output_bytes: Option<u64>,
    pub(crate) disk_mib: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecondJob {
    Afterwards,
    /// The first job is still running while the second one looks.
    Meanwhile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoreFile {
    pub(crate) path: String,
    #[serde(default = "once")]
    pub(crate) path_repeated: usize,
    #[serde(default)]
    pub(crate) content: String,
}

/// How the job must end.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExpectedEnd {
    pub(crate) outcome: Vec<Outcome>,
    /// Absent: 0, of one that exits.
    pub(crate) exit_code: Vec<i32>,
    pub(crate) signal: Vec<i32>,
    pub(crate) truncated: bool,
    /// The whole of stdout as hexadecimal digits; the attack then makes no attempts.
    pub(crate) stdout_hex: Option<String>,
    /// Exactly so many bytes of stdout are kept.
    pub(crate) stdout_bytes: Option<usize>,
    /// The run takes at most this long on a machine that does nothing else; absent: half a second more than its time limit.
    pub(crate) within_ms: Option<u64>,
    /// Outcomes of tests by name, for a run of tests.
    pub(crate) tests: BTreeMap<String, String>,
    /// At most this much memory was charged.
    pub(crate) memory_at_most_mib: Option<u64>,
    /// All its processes together used at most so much of the processor.
    pub(crate) cpu_at_most_ms: Option<u64>,
}

impl Default for ExpectedEnd {
    fn default() -> Self {
        Self {
            outcome: vec![Outcome::Exited],
            exit_code: Vec::new(),
            signal: Vec::new(),
            truncated: false,
            stdout_hex: None,
            stdout_bytes: None,
            within_ms: None,
            tests: BTreeMap::new(),
            memory_at_most_mib: None,
            cpu_at_most_ms: None,
        }
    }
}

fn every_level() -> Vec<SecurityLevel> {
    vec![SecurityLevel::Strict, SecurityLevel::Standard, SecurityLevel::Permissive]
}

fn python() -> String {
    "python".into()
}

fn once() -> usize {
    1
}

impl Case {
    /// Reads `cases/<family>/<name>`.
    pub(crate) fn read(folder: &Path) -> Self {
        let name_of = |path: &Path| path.file_name().expect("has a name").to_string_lossy().into_owned();
        let mut files: BTreeMap<_, _> = entries(folder)
            .into_iter()
            .map(|file| (name_of(&file), fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))))
            .collect();
        let expect = files.remove("expect.toml").unwrap_or_else(|| panic!("{} has no expect.toml", folder.display()));
        let expect: Expect = toml::from_slice(&expect).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let end = &expect.end;
        let is_judged_by_its_end = expect.refused.is_some() || expect.as_tests;
        let says = end.stdout_hex.is_some() || end.stdout_bytes.is_some();
        assert!(
            !expect.blocked.is_empty() || is_judged_by_its_end || says,
            "{}: nothing tells that it tried anything",
            folder.display()
        );
        Self { family: name_of(folder.parent().expect("lies in its family")), name: name_of(folder), files, expect }
    }

    /// The script to run, in whatever language.
    pub(crate) fn script(&self) -> &str {
        self.files.keys().find(|name| name.starts_with("attack.")).map_or("attack.py", String::as_str)
    }

    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.family, self.name)
    }
}

/// Where the attacks are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/cases")
}

/// Every attack, in the order of their names.
pub(crate) fn all() -> Vec<Case> {
    let families = entries(&folder()).into_iter().filter(|path| path.is_dir());
    families.flat_map(|family| entries(&family)).map(|folder| Case::read(&folder)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let list = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = list.map(|entry| entry.expect("can be listed").path()).collect();
    paths.sort();
    paths
}
