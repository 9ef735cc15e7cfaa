//! Tools that work on the caller's code in the sandbox. The code runs there, so a tool's answer is untrusted: it is
//! bounded here, and the code in it is analysed and run like any other.

use std::time::Duration;

use domain::analysis::{AnalysisReport, Severity};
use domain::workflow::{StepUsage, Workflow};
use generator::{CleanUp, Generation, GivenCode, TestWritingSummary, Tool};
use sandbox::{Command, IsolationLevel, Job, JobFile, JobInput, JobResult, Limits, Outcome, Owner, SandboxError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::outcome::StepOutcome;
use super::{analyze, execute};
use crate::context::WorkerContext;

/// The sandbox runtime with the tools.
const RUNTIME: &str = "python-tools";
const TASK: &str = "task.json";
const MAX_SOURCE_BYTES: usize = 256 << 10;
const MAX_RESULT_BYTES: usize = 512 << 10;
const MAX_NAMES: usize = 100;
const MAX_REASON_CHARS: usize = 1_500;
/// Tools bound their own work; this bounds a tool that the code prevents from doing so.
const TOOL_TIMEOUT: Duration = Duration::from_secs(150);

/// The reason for which a tool has no result.
pub(super) enum ToolError {
    /// The code is unsuitable, for this reason.
    Unsuitable(String),
    Outcome(StepOutcome),
}

impl From<String> for ToolError {
    fn from(reason: String) -> Self {
        Self::Unsuitable(reason)
    }
}

/// The answer of a tool.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ToolAnswer<T> {
    Done(T),
    Refused(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTests {
    tests: String,
    tested: Vec<TestedName>,
    examples: u32,
    skipped: Vec<SkippedName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestedName {
    name: String,
    noticed: u32,
    defects: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SkippedName {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedCode {
    changed: String,
    /// Tests of the caller's that passed before and after.
    tests: u32,
    /// Recorded tests of functions that pass before and after.
    #[serde(default)]
    recorded: u32,
    /// True if it prints the same, and anything at all, before and after.
    #[serde(default)]
    output: bool,
    #[serde(default)]
    added: u32,
    /// Definitions without a docstring, because their code states nothing but names.
    #[serde(default)]
    bare: u32,
}

/// Runs the tool and adds its use to `usage`.
pub(super) async fn run(
    context: &WorkerContext,
    workflow: &Workflow,
    given: GivenCode,
    usage: &mut StepUsage,
    cancel: &CancellationToken,
) -> Result<Generation, ToolError> {
    let failed = failure_of(&given.tool);
    let with_hint = |error| match error {
        ToolError::Unsuitable(reason) => ToolError::Unsuitable(hint(failed, &reason)),
        ToolError::Outcome(outcome) => ToolError::Outcome(outcome),
    };
    work(context, workflow, given, usage, cancel).await.map_err(with_hint)
}

async fn work(
    context: &WorkerContext,
    workflow: &Workflow,
    given: GivenCode,
    usage: &mut StepUsage,
    cancel: &CancellationToken,
) -> Result<Generation, ToolError> {
    if given.file.content.len() > MAX_SOURCE_BYTES {
        return Err(ToolError::Unsuitable(format!("the file is larger than {} KiB", MAX_SOURCE_BYTES >> 10)));
    }
    let mut task = json!({
        "module": given.file.path,
        "source": given.file.content,
        "tests": given.has_tests,
    });
    let mut repair = Repair::default();
    match &given.tool {
        Tool::WriteTests { names } => {
            task["names"] = json!(names);
            task["task"] = json!("write_tests");
        }
        Tool::CleanUp { steps } => {
            task["steps"] = steps.iter().map(|step| name_of(*step)).collect();
            task["task"] = json!("clean_up");
        }
        Tool::Docstrings => task["task"] = json!("docstrings"),
        Tool::FixSecurity { kind } => {
            repair = repaired(&given.file.path, &given.file.content, *kind).await?;
            task["changed"] = json!(repair.changed);
            task["task"] = json!("repair");
        }
    }
    let result = run_tool(context, workflow, &task, usage, cancel).await?;
    if let Tool::WriteTests { .. } = &given.tool {
        let written: WrittenTests = answer(&result)?;
        let tested = tested(&written)?;
        return Ok(given.with_tests(bounded(written.tests)?, &tested));
    }
    let changed: ChangedCode = answer(&result)?;
    let summary = summary(&given.tool, &changed, &repair);
    Ok(given.with_change(bounded(changed.changed)?, &summary))
}

/// Source with security fixes.
#[derive(Default)]
struct Repair {
    changed: String,
    /// Rules whose findings were fixed.
    fixed: Vec<String>,
    /// Rules of kinds that the goal does not name, whose findings remain.
    remaining: Vec<String>,
}

/// Applies the analyser's fixes to the findings of a kind, or to all; refuses if one of them remains.
async fn repaired(path: &str, source: &str, kind: Option<&str>) -> Result<Repair, ToolError> {
    let is_wanted = |rule: &str| kind.is_none_or(|kind| rule.contains(kind));
    let found = grave(&analyzed(path, source).await?);
    if found.is_empty() {
        let reason =
            "the analysis finds no security issue of medium severity or above in it, so there is nothing to fix";
        return Err(ToolError::Unsuitable(reason.to_owned()));
    }
    let places: Vec<(String, u32)> = found.into_iter().filter(|(rule, _)| is_wanted(rule)).collect();
    if places.is_empty() {
        return Err(ToolError::Unsuitable(
            "the analysis finds no issue of the kind that the goal names in it".to_owned(),
        ));
    }
    let fixed = names(&places);
    let given = source.to_owned();
    let fix = move || {
        let places: Vec<(&str, u32)> = places.iter().map(|(rule, line)| (rule.as_str(), *line)).collect();
        heimdall::apply_fixes(&given, &places)
    };
    let changed = tokio::task::spawn_blocking(fix)
        .await
        .map_err(|error| ToolError::Outcome(StepOutcome::Failed(error.to_string())))?;
    let left = grave(&analyzed(path, &changed).await?);
    let (left, remaining): (Vec<_>, Vec<_>) = left.into_iter().partition(|(rule, _)| is_wanted(rule));
    if !left.is_empty() {
        let reason =
            format!("there is no mechanical fix that removes every finding; these stay: {}", names(&left).join(", "));
        return Err(ToolError::Unsuitable(reason));
    }
    Ok(Repair { changed, fixed, remaining: names(&remaining) })
}

/// Returns the rules of findings, sorted and without duplicates.
fn names(found: &[(String, u32)]) -> Vec<String> {
    let mut names: Vec<String> = found.iter().map(|(rule, _)| rule.clone()).collect();
    names.sort();
    names.dedup();
    names
}

async fn analyzed(path: &str, source: &str) -> Result<AnalysisReport, ToolError> {
    let task = analyze::task(source.to_owned(), path, Some("python"));
    let (report, _) = crate::analyzer::analyze(task)
        .await
        .map_err(|error| ToolError::Outcome(StepOutcome::Failed(error.to_string())))?;
    Ok(report)
}

/// Returns rule and line of the security findings of medium severity or above.
fn grave(report: &AnalysisReport) -> Vec<(String, u32)> {
    let grave = report.security_findings(Severity::Medium);
    grave.map(|finding| (finding.rule.clone(), finding.line_start)).collect()
}

async fn run_tool(
    context: &WorkerContext,
    workflow: &Workflow,
    task: &Value,
    usage: &mut StepUsage,
    cancel: &CancellationToken,
) -> Result<JobResult, ToolError> {
    let Some(sandbox) = &context.sandbox else {
        return Err(ToolError::Unsuitable(
            "the worker that generates has no sandbox; let it execute as well".to_owned(),
        ));
    };
    let time_limit = execute::time_left(context, workflow).min(TOOL_TIMEOUT);
    let limits = Limits { output_files: 0, ..Limits::for_level(IsolationLevel::Strict, time_limit) };
    let job = Job {
        owner: Owner::new(workflow.owner.as_str()),
        level: IsolationLevel::Strict,
        runtime: RUNTIME.to_owned(),
        command: Command::Script { path: TASK.to_owned() },
        files: vec![JobFile { path: TASK.to_owned(), content: task.to_string().into_bytes() }],
        input: JobInput::default(),
        limits,
        live_output: None,
    };
    let metered = match execute::run_metered(context, sandbox.as_ref(), workflow, job, usage, cancel).await {
        Ok(metered) => metered,
        Err(SandboxError::Fail { code: "unknown_runtime", .. }) => {
            let reason = "the tools for Python are not installed; the operator builds them with sandbox/build-root.sh";
            return Err(ToolError::Unsuitable(reason.to_owned()));
        }
        Err(error) => return Err(ToolError::Outcome(execute::sandbox_failure(&error))),
    };
    if metered.result.outcome == Outcome::Cancelled {
        return Err(ToolError::Outcome(StepOutcome::Cancelled { cost: usage.cost }));
    }
    if metered.spent_budget {
        return Err(ToolError::Unsuitable("the rest of the budget pays for no more CPU time; raise it".to_owned()));
    }
    Ok(metered.result)
}

/// Parses a tool's answer. Anything but one complete answer means that the code prevented the tool from working.
fn answer<T: DeserializeOwned>(result: &JobResult) -> Result<T, String> {
    let reason = match result.outcome {
        Outcome::Exited => "it ended the tool that worked on it",
        Outcome::TimedOut | Outcome::OutOfCpu => "it takes too long",
        Outcome::OomKilled => "it exceeds the memory limit",
        Outcome::DiskFull => "it fills the disk",
        Outcome::PidsExhausted => "it exceeds the limit of processes",
        Outcome::OutputTruncated => "the result is too large",
        Outcome::KilledBySignal | Outcome::Cancelled => "it ended the tool that worked on it",
    };
    let failed = || format!("the code cannot be worked on in the sandbox: {reason}");
    if result.outcome != Outcome::Exited || result.exit_code != Some(0) {
        let (outcome, exit_code) = (&result.outcome, result.exit_code);
        tracing::warn!(?outcome, ?exit_code, "Tool ended without an answer: {outcome:?}, exit code {exit_code:?}");
        return Err(failed());
    }
    match serde_json::from_slice::<ToolAnswer<T>>(&result.stdout) {
        Ok(ToolAnswer::Done(done)) => Ok(done),
        Ok(ToolAnswer::Refused(reason)) => Err(plain(&reason, MAX_REASON_CHARS)),
        Err(error) => {
            // Without the error's text, which quotes the untrusted answer.
            let category = error.classify();
            tracing::warn!(?category, "Failed to parse the answer of a tool: {category:?} error");
            Err(failed())
        }
    }
}

/// Returns the beginning of a tool's text, without control characters and Markdown or HTML markup.
fn plain(text: &str, max_chars: usize) -> String {
    text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>' | '[' | ']' | '|')).take(max_chars).collect()
}

fn bounded(text: String) -> Result<String, String> {
    if text.len() > MAX_RESULT_BYTES || text.trim().is_empty() {
        return Err("the result is empty or too large".to_owned());
    }
    Ok(text)
}

fn tested(written: &WrittenTests) -> Result<TestWritingSummary, String> {
    let is_name = |name: &str| name.len() <= 200 && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let names = written.tested.iter().map(|it| &it.name).chain(written.skipped.iter().map(|it| &it.name));
    if !names.clone().all(|name| is_name(name)) || written.tested.is_empty() && written.examples == 0 {
        return Err("the code cannot be worked on in the sandbox: it ended the tool that worked on it".to_owned());
    }
    let tested = written.tested.iter().take(MAX_NAMES).map(|it| (it.name.clone(), it.noticed, it.defects)).collect();
    let skipped = written.skipped.iter().take(MAX_NAMES).map(|it| (it.name.clone(), plain(&it.reason, 200))).collect();
    Ok(TestWritingSummary { names: tested, examples: written.examples, skipped })
}

fn name_of(step: CleanUp) -> &'static str {
    match step {
        CleanUp::Format => "format",
        CleanUp::Imports => "imports",
        CleanUp::Unused => "unused",
        CleanUp::Modernize => "modernize",
    }
}

fn failure_of(tool: &Tool) -> &'static str {
    match tool {
        Tool::WriteTests { .. } => "No tests were written",
        Tool::CleanUp { .. } => "The code was not cleaned up",
        Tool::FixSecurity { .. } => "The security issues were not fixed",
        Tool::Docstrings => "No docstrings were added",
    }
}

fn hint(failed: &str, reason: &str) -> String {
    format!(
        "{failed}: {}. Change the code and submit again, run it (mode run), or have the operator configure a \
         language model",
        reason.trim_end_matches('.')
    )
}

/// Describes the change and the evidence for its correctness, in sentences.
fn summary(tool: &Tool, changed: &ChangedCode, repair: &Repair) -> String {
    let done = match tool {
        Tool::CleanUp { steps } => {
            let names: Vec<&str> = steps.iter().map(|step| described(*step)).collect();
            format!("Applied with ruff: {}.", names.join(", "))
        }
        Tool::FixSecurity { .. } => fixes(repair),
        Tool::Docstrings => docstrings(changed),
        Tool::WriteTests { .. } => String::new(),
    };
    format!("{done} {}", evidence(tool, changed))
}

fn docstrings(changed: &ChangedCode) -> String {
    let added = format!("Added {} docstrings; the code is otherwise the same.", changed.added);
    match changed.bare {
        0 => added,
        bare => format!("{added} {bare} got none: their code states nothing but names."),
    }
}

fn fixes(repair: &Repair) -> String {
    let mut text = format!("Fixed by the analyser's mechanical fixes: {}.", repair.fixed.join(", "));
    if !repair.remaining.is_empty() {
        text.push_str(&format!(" Findings of other kinds stay: {}.", repair.remaining.join(", ")));
    }
    if repair.fixed.iter().any(|rule| rule == "PY-WEAK-HASH") {
        text.push_str(" Digests change: those that were stored before no longer match.");
    }
    text
}

/// Describes the comparison of before and after.
fn evidence(tool: &Tool, changed: &ChangedCode) -> String {
    let recorded = changed.recorded;
    match (changed.tests, recorded, changed.output) {
        (0, 0, _) if matches!(tool, Tool::FixSecurity { .. }) => {
            "The changed file still starts; its results were not compared.".to_owned()
        }
        (0, 0, false) => "The changed file still starts; it has no results that could be compared.".to_owned(),
        (0, 0, true) => "It prints the same before and after.".to_owned(),
        (0, _, false) => format!("{recorded} recorded tests of its functions pass before and after."),
        (0, _, true) => {
            format!("It prints the same, and {recorded} recorded tests of its functions pass, before and after.")
        }
        (tests, _, _) => format!("Its {tests} tests pass before and after."),
    }
}

fn described(step: CleanUp) -> &'static str {
    match step {
        CleanUp::Format => "format",
        CleanUp::Imports => "sort the imports",
        CleanUp::Unused => "remove unused imports",
        CleanUp::Modernize => "modernize and simplify (safe fixes)",
    }
}

#[cfg(test)]
mod tests {
    use sandbox::Usage;

    use super::*;

    fn ended(outcome: Outcome, exit_code: Option<i32>, stdout: &str) -> JobResult {
        JobResult {
            outcome,
            exit_code,
            signal: None,
            stdout: stdout.as_bytes().to_vec(),
            stderr: Vec::new(),
            truncated: false,
            tests: None,
            usage: Usage::default(),
            output_files: Vec::new(),
            left_out: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    #[track_caller]
    fn check(result: &JobResult, expected: &str) {
        match answer::<ChangedCode>(result) {
            Err(reason) => assert!(reason.contains(expected), "{reason}"),
            Ok(changed) => assert_eq!(changed.changed, expected),
        }
    }

    #[tokio::test]
    async fn a_fix_of_one_kind_leaves_findings_of_others() {
        let source = concat!(
            "import hashlib\nimport pickle\nimport sqlite3\n\n\ndef find(db, name, data):\n",
            "    hashlib.md5(data)\n    pickle.loads(data)\n",
            "    return db.execute(f\"SELECT a FROM t WHERE name = '{name}'\")\n",
        );
        let Ok(repair) = repaired("a.py", source, Some("SQL-INJECTION")).await else { panic!("is repaired") };
        assert_eq!(
            repair.changed,
            source.replace("f\"SELECT a FROM t WHERE name = '{name}'\"", "\"SELECT a FROM t WHERE name = ?\", (name,)")
        );
        assert_eq!(repair.fixed, ["PY-SQL-INJECTION"]);
        assert_eq!(repair.remaining, ["PY-UNSAFE-DESERIALIZATION", "PY-WEAK-HASH"]);
        let Err(ToolError::Unsuitable(reason)) = repaired("a.py", source, None).await else { panic!("is refused") };
        assert!(reason.ends_with("these stay: PY-UNSAFE-DESERIALIZATION"), "{reason}");
    }

    #[test]
    fn a_summary_claims_only_what_was_compared() {
        let changed = |tests, recorded, output| ChangedCode {
            changed: "x".to_owned(),
            tests,
            recorded,
            output,
            added: 0,
            bare: 0,
        };
        let repair = Repair { fixed: vec!["PY-WEAK-HASH".to_owned()], ..Repair::default() };
        let security = Tool::FixSecurity { kind: None };
        let text = summary(&security, &changed(0, 0, true), &repair);
        assert!(text.contains("Digests change") && text.ends_with("its results were not compared."), "{text}");
        let format = Tool::CleanUp { steps: vec![CleanUp::Format] };
        for (changed, expected) in [
            (changed(0, 0, false), "no results that could be compared"),
            (changed(0, 0, true), "prints the same before and after"),
            (changed(0, 3, false), "3 recorded tests"),
            (changed(2, 0, false), "Its 2 tests pass"),
        ] {
            let text = summary(&format, &changed, &Repair::default());
            assert!(text.contains(expected) && !text.contains("runs as before"), "{text}");
        }
    }

    #[test]
    fn only_one_complete_answer_is_accepted() {
        let whole = r#"{"done": {"changed": "x = 1\n", "tests": 2}}"#;
        check(&ended(Outcome::Exited, Some(0), whole), "x = 1\n");
        check(&ended(Outcome::Exited, Some(0), r#"{"refused": "it is <b>\n"}"#), "it is b");
        check(&ended(Outcome::Exited, Some(1), whole), "ended the tool");
        check(&ended(Outcome::TimedOut, None, whole), "too long");
        check(&ended(Outcome::OutputTruncated, Some(0), whole), "too large");
        for forged in ["", "x", "{}", r#"{"done": {}}"#, r#"{"done": {"changed": "x", "tests": 1, "more": 1}}"#] {
            check(&ended(Outcome::Exited, Some(0), forged), "ended the tool");
            check(&ended(Outcome::Exited, Some(0), &format!("{forged}{whole}{whole}")), "ended the tool");
        }
    }
}
