//! The runtimes as data. Each `runtimes/<name>/runtime.toml` is embedded at build time, as is each
//! `tools/<name>/runtime.toml`: the worker's own programs, which neither the configuration nor a user's job can name.

pub(crate) mod roots;
pub(crate) mod source_encoding;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use runner::protocol::{
    FileFrame, JobFrame, JobLimits, OutputFileLimits, PROGRAMS_DIR, ProcessRule, SocketRule, StartFrame, Walls,
    WithoutCgroup,
};
use serde::Deserialize;

use crate::error::SandboxError;
use crate::job::{Command, IsolationLevel, Job, JobInput, MAX_OUTPUT_FILE_BYTES};
use crate::runtime::source_encoding::{SourceForm, normalize};

include!(concat!(env!("OUT_DIR"), "/runtime_sources.rs"));

/// Maximum size of a test report.
const MAX_REPORT_BYTES: u64 = 8 << 20;

/// One runtime: how to start its programs and what they may access.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runtime {
    pub(crate) name: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the code that routes jobs"))]
    #[serde(default)]
    lane: String,
    /// False if the root is built only where the runtime is named.
    #[serde(default = "yes")]
    default: bool,
    /// The language, if its programs have other runtimes as well; otherwise the runtime is the language's only one.
    language: Option<String>,
    /// Top-level modules of the root's libraries, for a runtime that is chosen by what a program imports.
    #[serde(default)]
    modules: Vec<String>,
    /// Debian packages of the root.
    packages: Vec<String>,
    /// Beginning of the names of packages whose libraries programs can import.
    library_prefix: Option<String>,
    /// Name of the interpreter in the root's list of packages; by default the first package.
    interpreter: Option<String>,
    script: Vec<String>,
    /// False if the interpreter would read arguments of the script as its own.
    #[serde(default = "yes")]
    takes_arguments: bool,
    /// False if the interpreter would execute stdin as code.
    #[serde(default = "yes")]
    takes_stdin: bool,
    /// Script whose interpreter can be started before its job, if the root supports it.
    prestart_script: Option<String>,
    /// Empty for a language without a common test runner.
    tests: Vec<String>,
    /// True if `strict` jobs may start the programs under `exec` as well.
    #[serde(default)]
    processes_in_strict: bool,
    /// True if programs that a job has written may be executed, in a folder of their own.
    #[serde(default)]
    executes_written_programs: bool,
    exec: Vec<String>,
    read: Vec<String>,
    #[expect(dead_code, reason = "read by build-root.sh")]
    #[serde(default)]
    optional: Vec<String>,
    /// Memory that the interpreter reserves as data and hardly uses, in MiB.
    #[serde(default)]
    reserved_memory_mib: u64,
    #[expect(dead_code, reason = "the only format so far; parsing rejects any other")]
    report: ReportFormat,
    /// Other names of the language, in lower case.
    #[serde(default)]
    aliases: Vec<String>,
    /// File extensions of source files, with the dot.
    source_endings: Vec<String>,
    source_form: SourceForm,
    env: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReportFormat {
    JsonLines,
}

fn yes() -> bool {
    true
}

/// The component that limits and counts memory and processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metering {
    Cgroup,
    /// Used on hosts where the worker cannot create cgroups.
    Runner,
}

static RUNTIMES: LazyLock<Vec<Runtime>> = LazyLock::new(|| parse_all(SOURCES));
static TOOLS: LazyLock<Vec<Runtime>> = LazyLock::new(|| parse_all(TOOL_SOURCES));

fn parse_all(sources: &[&str]) -> Vec<Runtime> {
    const PARSES: &str = "a test parses every embedded runtime";
    let tables: Vec<toml::Table> = sources.iter().map(|source| source.parse().expect(PARSES)).collect();
    tables.iter().map(|table| extended(table, &tables).try_into().expect(PARSES)).collect()
}

/// Returns the table of a runtime with what it takes over from the one that it names under `extends`: keys that it does
/// not have, and variables and packages in addition to its own.
fn extended(own: &toml::Table, all: &[toml::Table]) -> toml::Table {
    let Some(name) = own.get("extends") else { return own.clone() };
    let mut table = all.iter().find(|table| table.get("name") == Some(name)).cloned().unwrap_or_default();
    for (key, value) in own.iter().filter(|(key, _)| *key != "extends") {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(more)) => base.extend(more.clone()),
            (Some(toml::Value::Array(base)), toml::Value::Array(more)) if key == "packages" => {
                base.extend_from_slice(more)
            }
            _ => drop(table.insert(key.clone(), value.clone())),
        }
    }
    table
}

/// The names and file extensions of a runtime's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeLanguage {
    /// The runtime's name.
    pub name: &'static str,
    /// Other names of the language, in lower case.
    pub aliases: &'static [String],
    /// File extensions of its source files, such as `.py`; the most common first.
    pub endings: &'static [String],
    /// True if the runtime has a test runner.
    pub has_tests: bool,
    /// False if the runtime's root is built only where it is named.
    pub is_default: bool,
    /// The name of the runtime that the language has as well, for a runtime that is chosen by what a program imports.
    pub variant_of: Option<&'static str>,
    /// Top-level modules of the root's libraries that make a program choose this runtime.
    pub modules: &'static [String],
}

/// A library that programs of a runtime can import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its name in the distribution, without the prefix of the language.
    pub name: String,
    pub version: String,
}

/// Returns the languages of all embedded runtimes, offered or not.
pub fn languages() -> impl Iterator<Item = RuntimeLanguage> {
    RUNTIMES.iter().map(|runtime| RuntimeLanguage {
        name: &runtime.name,
        aliases: &runtime.aliases,
        endings: &runtime.source_endings,
        has_tests: !runtime.tests.is_empty(),
        is_default: runtime.default,
        variant_of: runtime.language.as_deref(),
        modules: &runtime.modules,
    })
}

/// Returns the usual runtime of a runtime's language: itself, unless it is a variant of another one.
pub fn language_of(runtime: &str) -> &str {
    find(runtime).and_then(|found| found.language.as_deref()).unwrap_or(runtime)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RUNTIMES.iter().map(|runtime| runtime.name.as_str())
}

pub(crate) fn find(name: &str) -> Option<&'static Runtime> {
    RUNTIMES.iter().find(|runtime| runtime.name == name)
}

/// Returns whether sandboxes of a runtime have a folder whose files may be executed.
pub(crate) fn executes_written_programs(name: &str) -> bool {
    find(name).is_some_and(|runtime| runtime.executes_written_programs)
}

/// Returns the names of the worker's own tools.
pub(crate) fn tool_names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name.as_str())
}

/// Finds the runtime of a job: a language or one of the worker's own tools.
pub(crate) fn find_for_job(name: &str) -> Option<&'static Runtime> {
    find(name).or_else(|| TOOLS.iter().find(|tool| tool.name == name))
}

impl Runtime {
    /// Returns the package of the interpreter.
    pub(crate) fn interpreter_package(&self) -> &str {
        self.interpreter.as_ref().or(self.packages.first()).map_or("", String::as_str)
    }

    /// Builds the job frame; takes the files out of the job instead of copying them.
    pub(crate) fn frame(&self, job: &mut Job, metering: Metering, minimum_landlock_abi: u32) -> JobFrame {
        let files = std::mem::take(&mut job.files).into_iter().map(|file| self.file(file.path, file.content));
        let input = std::mem::take(&mut job.input);
        JobFrame {
            start: self.start(&job.command, input, job.level, minimum_landlock_abi),
            files: files.collect(),
            limits: self.limits(job, metering),
            reusable: false,
            live_output: job.live_output.is_some(),
        }
    }

    /// Returns the frame that starts an interpreter before its job; `None` if the runtime does not support it.
    pub(crate) fn prestart_frame(&self, level: IsolationLevel, minimum_landlock_abi: u32) -> Option<StartFrame> {
        let path = self.prestart_script.clone()?;
        Some(self.start(&Command::Script { path }, JobInput::default(), level, minimum_landlock_abi))
    }

    fn start(
        &self,
        command: &Command,
        input: JobInput,
        level: IsolationLevel,
        minimum_landlock_abi: u32,
    ) -> StartFrame {
        let mut argv = self.argv(command);
        argv.extend(input.args);
        let mut env = self.env.clone();
        env.extend(input.env);
        StartFrame {
            argv,
            env: env.into_iter().collect(),
            stdin: input.stdin,
            walls: self.walls(level, minimum_landlock_abi),
        }
    }

    /// Rejects commands and input that the runtime does not support.
    pub(crate) fn check(&self, command: &Command, input: &JobInput) -> Result<(), SandboxError> {
        if *command == Command::Tests && self.tests.is_empty() {
            let detail = format!("the {} runtime has no test runner; run a script instead", self.name);
            return Err(SandboxError::fail("tests_unsupported", detail));
        }
        if *command == Command::Tests && !input.args.is_empty() {
            let detail = "a test runner takes no arguments; run a program, or leave them out".to_owned();
            return Err(SandboxError::fail("args_unsupported", detail));
        }
        if !self.takes_arguments && !input.args.is_empty() {
            let detail = format!("the {} runtime takes no arguments", self.name);
            return Err(SandboxError::fail("args_unsupported", detail));
        }
        if !self.takes_stdin && !input.stdin.is_empty() {
            let detail = format!("the {} runtime takes no stdin; put the statements into the file", self.name);
            return Err(SandboxError::fail("stdin_unsupported", detail));
        }
        Ok(())
    }

    fn file(&self, path: String, content: Vec<u8>) -> FileFrame {
        let is_source = self.source_endings.iter().any(|ending| path.ends_with(ending.as_str()));
        FileFrame { content: if is_source { normalize(content, self.source_form) } else { content }, path }
    }

    fn argv(&self, command: &Command) -> Vec<String> {
        match command {
            Command::Tests => self.tests.clone(),
            // `./` prevents a file named `-c` from being parsed as an option.
            Command::Script { path } => {
                self.script.iter().map(|word| word.replace("{path}", &format!("./{path}"))).collect()
            }
        }
    }

    fn walls(&self, level: IsolationLevel, minimum_landlock_abi: u32) -> Walls {
        let (processes, sockets) = match level {
            IsolationLevel::Strict if self.processes_in_strict => (ProcessRule::Allowed, SocketRule::UnixOnly),
            IsolationLevel::Strict => (ProcessRule::ThreadsOnly, SocketRule::UnixOnly),
            IsolationLevel::Standard | IsolationLevel::Permissive => (ProcessRule::Allowed, SocketRule::Loopback),
        };
        let mut exec = self.exec.clone();
        if self.executes_written_programs {
            exec.push(PROGRAMS_DIR.into());
        }
        if level == IsolationLevel::Permissive {
            exec.extend(["/usr/bin".into(), "/usr/lib".into()]);
        }
        Walls { minimum_landlock_abi, read: self.read.clone(), exec, processes, sockets }
    }

    fn limits(&self, job: &Job, metering: Metering) -> JobLimits {
        let limits = &job.limits;
        let without_cgroup = || WithoutCgroup {
            memory_bytes: limits.memory_bytes,
            // A backup: the monitor ends a job that grows slower than this between two samples.
            data_bytes: (limits.memory_bytes.saturating_mul(3) / 2).saturating_add(self.reserved_memory_mib << 20),
            processes: u64::from(limits.pids),
        };
        JobLimits {
            wall_ms: u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX),
            cpu_ms: u64::try_from(limits.cpu.as_millis()).unwrap_or(u64::MAX),
            cpu_seconds: u64::try_from(limits.cpu.as_millis().div_ceil(1000)).unwrap_or(u64::MAX),
            without_cgroup: (metering == Metering::Runner).then(without_cgroup),
            file_bytes: limits.disk_bytes,
            output_bytes: limits.output_bytes,
            report_bytes: if job.command == Command::Tests { MAX_REPORT_BYTES } else { 0 },
            output_files: OutputFileLimits {
                files: limits.output_files,
                file_bytes: MAX_OUTPUT_FILE_BYTES,
                // The runner holds a file while it sends it, beside the job's files.
                total_bytes: limits.output_files_bytes.min(limits.memory_bytes / 16),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_runtime_parses_and_is_complete() {
        assert!(find("python").is_some());
        for runtime in RUNTIMES.iter() {
            assert!(runtime.script.iter().any(|word| word.contains("{path}")), "{} runs no script", runtime.name);
            assert!(!runtime.source_endings.is_empty() && !runtime.exec.is_empty(), "{} is incomplete", runtime.name);
            let lower = |name: &String| !name.is_empty() && *name == name.to_lowercase();
            assert!(runtime.aliases.iter().all(lower), "{}: its names are compared in lower case", runtime.name);
            assert!(runtime.source_endings.iter().all(|ending| ending.starts_with('.')), "{}", runtime.name);
            assert_eq!(runtime.lane, runtime.name, "steps are routed by the runtime's name");
            let is_variant = runtime.language.is_some();
            assert_eq!(is_variant, !runtime.modules.is_empty(), "{}: modules choose a variant", runtime.name);
            assert!(runtime.language.as_deref().is_none_or(|name| find(name).is_some()), "{}", runtime.name);
        }
    }

    #[test]
    fn a_runtime_takes_over_what_it_does_not_have() {
        let parse = |text: &str| text.parse::<toml::Table>().expect("is TOML");
        let base =
            parse("name = 'a'\nlane = 'a'\ndefault = true\npackages = ['p']\nexec = ['/e']\n[env]\nX = '1'\nY = '1'\n");
        let own = parse("extends = 'a'\nname = 'b'\nlane = 'b'\npackages = ['q']\nexec = ['/f']\n[env]\nY = '2'\n");
        let expected = parse(
            "name = 'b'\nlane = 'b'\ndefault = true\npackages = ['p', 'q']\nexec = ['/f']\n[env]\nX = '1'\nY = '2'\n",
        );
        assert_eq!(extended(&own, &[base.clone(), own.clone()]), expected);
        assert_eq!(extended(&base, &[base.clone(), own]), base);
    }

    #[test]
    fn a_tool_is_not_a_language() {
        assert!(tool_names().any(|name| name == "python-tools"));
        for name in tool_names() {
            assert!(find_for_job(name).is_some() && find(name).is_none(), "{name}");
            assert!(languages().all(|language| language.name != name), "{name}");
        }
    }

    #[test]
    fn a_script_cannot_become_an_option() {
        let python = find("python").expect("is embedded");
        let argv = python.argv(&Command::Script { path: "-c".into() });
        assert_eq!(argv.last().map(String::as_str), Some("./-c"));
    }
}
