//! One attack, read from its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sandbox::{IsolationLevel, Outcome};
use serde::Deserialize;

/// A folder of `cases/<family>/`.
pub(crate) struct Case {
    pub(crate) family: String,
    pub(crate) name: String,
    /// Every file of the folder except the expectation, by name.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) expect: Expect,
}

/// The expected result of an attack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// The goal of the attack, in a sentence.
    pub(crate) tries: String,
    /// The layers that stop it, outermost first; each of them suffices.
    pub(crate) stopped_by: Vec<Wall>,
    /// Runtime of `attack.*`.
    #[serde(default = "python")]
    pub(crate) runtime: String,
    #[serde(default = "every_level")]
    pub(crate) levels: Vec<IsolationLevel>,
    /// Runs the runtime's test runner over the files instead of the script.
    #[serde(default)]
    pub(crate) as_tests: bool,
    #[serde(default)]
    pub(crate) limits: LimitOverrides,
    /// Cancels the job once the host sees it run.
    #[serde(default)]
    pub(crate) cancelled: bool,
    /// A second job looks for traces of the first one, or observes it.
    pub(crate) look: Option<SecondJob>,
    /// Files with hostile names.
    #[serde(default)]
    pub(crate) more_files: Vec<MoreFile>,
    #[serde(default)]
    pub(crate) stdin: String,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// The job is rejected with this code.
    pub(crate) refused: Option<String>,
    /// Every attempt by name, and the answers that count as blocked; other attempts are errors.
    #[serde(default)]
    pub(crate) blocked: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) end: ExpectedEnd,
}

/// The layers, as named in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wall {
    /// Paths and files are checked before a sandbox is started.
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
    /// The runner's supervision: time, output limits, the private result pipe, the kill at the end.
    Runner,
    /// A sandbox serves one job, or is verified to be empty before the same owner's next.
    SingleUse,
    /// The host bounds and checks the runner's result.
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

/// The expected end of the job.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExpectedEnd {
    pub(crate) outcome: Vec<Outcome>,
    /// Default: 0 for a job that exits.
    pub(crate) exit_code: Vec<i32>,
    pub(crate) signal: Vec<i32>,
    pub(crate) truncated: bool,
    /// The whole stdout in hexadecimal; the attack then makes no attempts.
    pub(crate) stdout_hex: Option<String>,
    /// Number of kept bytes of stdout.
    pub(crate) stdout_bytes: Option<usize>,
    /// Maximum wall time on an idle machine; default: the time limit plus 500 ms.
    pub(crate) within_ms: Option<u64>,
    /// Names of the output files.
    pub(crate) output_files: Vec<String>,
    /// Number of the output files, for an attack that leaves many.
    pub(crate) output_files_count: Option<usize>,
    /// Accepts any output files, for an attack whose timing decides; they still must not hold a secret.
    pub(crate) any_output_files: bool,
    /// Outcomes of tests by name, for a test run.
    pub(crate) tests: BTreeMap<String, String>,
    /// Maximum charged memory.
    pub(crate) memory_at_most_mib: Option<u64>,
    /// Maximum CPU time of all processes together.
    pub(crate) cpu_at_most_ms: Option<u64>,
}

impl Default for ExpectedEnd {
    fn default() -> Self {
        Self {
            outcome: vec![Outcome::Exited],
            exit_code: Vec::new(),
            signal: Vec::new(),
            truncated: false,
            output_files: Vec::new(),
            output_files_count: None,
            any_output_files: false,
            stdout_hex: None,
            stdout_bytes: None,
            within_ms: None,
            tests: BTreeMap::new(),
            memory_at_most_mib: None,
            cpu_at_most_ms: None,
        }
    }
}

/// Answers with and without `/proc`; a shell prints the last one.
const WITHOUT_PROC: [(&str, &str); 4] = [
    ("EACCES", "ENOENT"),
    ("EXDEV", "ENOENT"),
    ("ENOENT", "EROFS"),
    ("Permission_denied", "No_such_file_or_directory"),
];

fn every_level() -> Vec<IsolationLevel> {
    vec![IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive]
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
            "{}: the expectation does not show that anything was tried",
            folder.display()
        );
        Self { family: name_of(folder.parent().expect("lies in its family")), name: name_of(folder), files, expect }
    }

    /// Returns the name of the script.
    pub(crate) fn script(&self) -> &str {
        self.files.keys().find(|name| name.starts_with("attack.")).map_or("attack.py", String::as_str)
    }

    /// Accepts the answers of a sandbox without `/proc` and cgroup: its paths do not exist on a read-only root.
    pub(crate) fn expect_no_proc(&mut self) {
        for answers in self.expect.blocked.values_mut() {
            for (usual, without) in WITHOUT_PROC {
                if answers.iter().any(|answer| answer == usual) {
                    answers.push(without.into());
                }
            }
        }
        // Without a cgroup refusals are not counted, and the threads of an ended process free their places.
        if self.expect.end.outcome == [Outcome::PidsExhausted] {
            self.expect.end.outcome.push(Outcome::Exited);
        }
    }

    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.family, self.name)
    }
}

/// Returns the folder of the attacks.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/cases")
}

/// Reads every attack, in the order of their names.
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
