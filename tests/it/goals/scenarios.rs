//! Goals as newcomers phrase them, each with its expected outcome: `tests/scenarios`, or the file or folder that `SCENARIOS` names.
//! `SCENARIOS_JSON` names a file for the outcomes as JSON.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use messaging::WorkflowLog;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tests::{Client, Options, Stack, broker_as, eventually, history};

/// Minimum share of outcomes as expected.
const MIN_EXPECTED_PERCENT: usize = 92;
/// Maximum share of workflows that end `completed` without the requested result.
const MAX_FALSE_COMPLETED_PERCENT: usize = 1;
/// For loading the embedding model and computing the vectors of all recipes.
const EMBEDDINGS_TIMEOUT: Duration = Duration::from_secs(300);
/// For the whole corpus.
const RUN_TIMEOUT: Duration = Duration::from_secs(500);

const ACTIONS: [&str; 7] = ["generated", "ran", "tested", "tests_written", "changed", "documented", "explained"];
const REFUSED: &str = "no_generator";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    scenario: Vec<Scenario>,
}

/// A goal and its expected outcome.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    id: String,
    goal: String,
    code: Option<String>,
    /// Relative to the corpus file.
    code_file: Option<PathBuf>,
    language: Option<String>,
    mode: Option<String>,
    expect: Expected,
    /// The recipes of which any serves the goal.
    #[serde(default)]
    recipes: Vec<String>,
    /// Part of the standard output.
    prints: Option<String>,
    /// Share of the tests that pass; a run as given is one test.
    success_rate: Option<f64>,
    /// Texts that the delivered code contains.
    #[serde(default)]
    holds: Vec<String>,
    /// Texts that the delivered code no longer contains.
    #[serde(default)]
    lacks: Vec<String>,
    reason: String,
    /// Name of the corpus file.
    #[serde(skip)]
    kind: String,
}

/// An action, any of several actions, or `no_generator`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    One(String),
    AnyOf(Vec<String>),
}

impl Expected {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::AnyOf(names) => names,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    AsExpected,
    /// Another end than expected, without a false result.
    Missed,
    FalseCompleted,
}

/// The end of a scenario.
struct Outcome {
    verdict: Verdict,
    /// The status, and the action and recipe or the error's code.
    actual: String,
    /// The fault of a result of the right kind, or the hint of a refusal.
    remark: String,
}

impl Scenario {
    fn check(&self) {
        let known = |name: &String| name == REFUSED || ACTIONS.contains(&name.as_str());
        assert!(self.expect.names().iter().all(known), "{}: unknown outcome {:?}", self.id, self.expect);
        let generated = self.expects("generated");
        assert_eq!(generated, !self.recipes.is_empty(), "{}: recipes belong to generated", self.id);
        assert!(!self.reason.is_empty(), "{}: no reason", self.id);
    }

    fn expects(&self, outcome: &str) -> bool {
        self.expect.names().iter().any(|name| name == outcome)
    }

    fn expectation(&self) -> String {
        format!("{} {}", self.expect.names().join(" or "), self.recipes.join(", ")).trim_end().to_owned()
    }

    fn submission(&self) -> Value {
        let mut project = json!({});
        for (name, value) in [("file_content", &self.code), ("language", &self.language)] {
            if let Some(value) = value {
                project[name] = json!(value);
            }
        }
        let mode = self.mode.as_deref().unwrap_or("auto");
        let preferences = json!({"require_approval": false, "mode": mode});
        json!({"goal": self.goal, "context": {"project_context": project, "execution_preferences": preferences}})
    }

    /// Compares a workflow's end with the expectation.
    fn judge(&self, end: &Value, recipe: &str) -> Outcome {
        let status = end["status"].as_str().unwrap_or_default();
        if status != "completed" {
            let code = end["error"]["code"].as_str().unwrap_or_default();
            let verdict = if code == REFUSED && self.expects(REFUSED) { Verdict::AsExpected } else { Verdict::Missed };
            let remark = end["error"]["hint"].as_str().unwrap_or_default().to_owned();
            return Outcome { verdict, actual: format!("{status} {code}"), remark };
        }
        let action = end["action"].as_str().unwrap_or_default();
        let fault = if self.expects(action) { self.fault(action, &end["artifacts"], recipe) } else { None };
        let right = self.expects(action) && fault.is_none();
        let verdict = if right { Verdict::AsExpected } else { Verdict::FalseCompleted };
        let actual = format!("completed {action} {recipe}").trim_end().to_owned();
        Outcome { verdict, actual, remark: fault.unwrap_or_default() }
    }

    /// Returns the problem with the artifacts of the expected action.
    fn fault(&self, action: &str, artifacts: &Value, recipe: &str) -> Option<String> {
        if action == "generated" && !self.recipes.iter().any(|name| name == recipe) {
            return Some("another recipe".to_owned());
        }
        let documentation = artifacts["documentation"].as_str().unwrap_or_default();
        if action == "documented" && documentation.trim().is_empty() {
            return Some("no documentation".to_owned());
        }
        self.fault_of_code(action, artifacts["generated_code"].as_str().unwrap_or_default())
            .or_else(|| self.fault_of_results(action, &artifacts["test_results"]))
    }

    fn fault_of_code(&self, action: &str, code: &str) -> Option<String> {
        let is_due = matches!(action, "generated" | "tests_written" | "changed");
        if is_due && code.trim().is_empty() {
            return Some("no generated_code".to_owned());
        }
        if action == "changed" && self.code.as_ref().is_some_and(|given| given.trim() == code.trim()) {
            return Some("the code as given".to_owned());
        }
        if let Some(text) = self.holds.iter().find(|text| !code.contains(text.as_str())) {
            return Some(format!("generated_code lacks {text}"));
        }
        let left = self.lacks.iter().find(|text| code.contains(text.as_str()));
        left.map(|text| format!("generated_code still holds {text}"))
    }

    fn fault_of_results(&self, action: &str, results: &Value) -> Option<String> {
        let rate = &results["success_rate"];
        let tests = results["tests"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        let has_tests = tests.iter().any(|test| test["name"] != "run");
        if matches!(action, "generated" | "tests_written") && !(has_tests && *rate == 1.0) {
            return Some(format!("success_rate {rate} of {} tests", tests.len()));
        }
        if self.success_rate.is_some_and(|expected| *rate != expected) {
            return Some(format!("success_rate {rate}"));
        }
        let stdout = results["stdout"].as_str().unwrap_or_default();
        let other = self.prints.as_ref().is_some_and(|part| !stdout.contains(part));
        other.then(|| "other output".to_owned())
    }
}

/// Returns the path that an environment variable names.
fn named_path(variable: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "files outside of the repository are named by the caller")]
    let named = std::env::var(variable);
    named.ok().map(PathBuf::from)
}

/// Returns the corpus files by name: the one in `SCENARIOS`, or all of a folder.
fn corpus_files() -> Vec<PathBuf> {
    let place = named_path("SCENARIOS").unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"));
    if place.is_file() {
        return vec![place];
    }
    let folder = fs::read_dir(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let mut files: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn scenarios() -> Vec<Scenario> {
    let mut all: Vec<Scenario> = Vec::new();
    for path in corpus_files() {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let corpus: Corpus = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for mut scenario in corpus.scenario {
            scenario.kind = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(file) = scenario.code_file.as_ref().map(|file| path.with_file_name(file)) {
                let code = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                scenario.code = Some(code);
            }
            scenario.check();
            assert!(all.iter().all(|known| known.id != scenario.id), "{} is there twice", scenario.id);
            all.push(scenario);
        }
    }
    assert!(!all.is_empty(), "no scenarios");
    all
}

/// Returns the recipe that made the code, from the log; empty for any other origin.
async fn recipe_of(log: &WorkflowLog, id: &str) -> String {
    let origin = history(log, id).await.last().and_then(|entry| entry.workflow.artifacts.origin.clone());
    let name = origin.as_deref().and_then(|origin| origin.strip_prefix("recipe ")?.split(' ').next());
    name.unwrap_or_default().to_owned()
}

async fn end_of(client: &Client, id: &str) -> Value {
    eventually("an end", RUN_TIMEOUT, || async {
        let state = client.status(id).await;
        matches!(state["status"].as_str(), Some("completed" | "failed" | "cancelled")).then_some(state)
    })
    .await
}

/// Submits a goal and returns the workflow's id.
async fn submit(client: &Client, scenario: &Scenario) -> Result<String, Outcome> {
    let answer = client.post("/api/v3/execute", &scenario.submission()).await;
    let body = answer.json();
    if answer.status == 202 {
        return Ok(body["data"]["workflow_id"].as_str().expect("an id").to_owned());
    }
    let remark = body["detail"].as_str().unwrap_or_default().to_owned();
    Err(Outcome { verdict: Verdict::Missed, actual: format!("not accepted: {}", answer.status), remark })
}

/// Submits all goals and waits for one end after the other. The fairness limit bounds how many run at once.
async fn outcomes(stack: &Stack, scenarios: &[Scenario]) -> Vec<Outcome> {
    let client = stack.developer().await;
    let log = WorkflowLog::new(&broker_as(stack, "cli").await);
    let mut submitted = Vec::new();
    for scenario in scenarios {
        submitted.push(submit(&client, scenario).await);
    }
    let mut outcomes = Vec::new();
    for (scenario, submitted) in scenarios.iter().zip(submitted) {
        outcomes.push(match submitted {
            Ok(id) => {
                let end = end_of(&client, &id).await;
                let is_generated = end["action"] == "generated";
                let recipe = if is_generated { recipe_of(&log, &id).await } else { String::new() };
                scenario.judge(&end, &recipe)
            }
            Err(refused) => refused,
        });
    }
    outcomes
}

fn count(outcomes: &[Outcome], verdict: Verdict) -> usize {
    outcomes.iter().filter(|outcome| outcome.verdict == verdict).count()
}

/// Returns a Markdown table of all scenarios, the unexpected outcomes first.
fn report(scenarios: &[Scenario], outcomes: &[Outcome]) -> String {
    let as_expected = count(outcomes, Verdict::AsExpected);
    let false_completed = count(outcomes, Verdict::FalseCompleted);
    let mut text = format!(
        "# Scenarios\n\n{as_expected} of {} as expected, {false_completed} falsely completed.\n\n\
         | verdict | kind | id | goal | expected | actual | reason | remark or hint |\n|---|---|---|---|---|---|---|---|\n",
        outcomes.len()
    );
    for (verdict, name) in
        [(Verdict::FalseCompleted, "FALSE"), (Verdict::Missed, "missed"), (Verdict::AsExpected, "ok")]
    {
        for (scenario, outcome) in scenarios.iter().zip(outcomes).filter(|(_, outcome)| outcome.verdict == verdict) {
            let goal: String = scenario.goal.chars().take(100).collect();
            let cells = [
                name,
                &scenario.kind,
                &scenario.id,
                &goal,
                &scenario.expectation(),
                &outcome.actual,
                &scenario.reason,
                &outcome.remark,
            ];
            let row = cells.map(|cell| cell.replace('|', "/").replace('\n', " ")).join(" | ");
            writeln!(text, "| {row} |").expect("a string takes all");
        }
    }
    text
}

fn publish(report: &str) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let path = target.join("scenarios-report.md");
    fs::write(&path, report).expect("the report is written");
    println!("{report}\nThe report is in {}", path.display());
}

/// Writes the outcomes to the file that `SCENARIOS_JSON` names.
fn publish_json(scenarios: &[Scenario], outcomes: &[Outcome]) {
    let Some(path) = named_path("SCENARIOS_JSON") else { return };
    let entry = |(scenario, outcome): (&Scenario, &Outcome)| json!({"id": scenario.id, "kind": scenario.kind, "verdict": outcome.verdict, "actual": outcome.actual});
    let entries: Vec<Value> = scenarios.iter().zip(outcomes).map(entry).collect();
    fs::write(&path, Value::from(entries).to_string()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Waits until the worker has loaded the embedding model; the first time it computes the vectors of all recipes.
async fn until_matched_by_meaning(stack: &Stack) {
    let client = stack.developer().await;
    eventually("goals are matched by meaning", EMBEDDINGS_TIMEOUT, || async {
        let health = client.get("/health").await.json();
        (health["services"]["generator"]["matching"] == "embeddings").then_some(())
    })
    .await;
}

#[tokio::test]
async fn goals_of_newcomers_end_as_expected() {
    let scenarios = scenarios();
    // On a busy machine the run outlasts the default lifetime of the token.
    let options = Options::default().with("budget.per_user_day", "1000000").with("auth.access_ttl", "4h");
    let stack = Stack::start_with(Options { embeddings: true, ..options }).await;
    until_matched_by_meaning(&stack).await;
    let outcomes = outcomes(&stack, &scenarios).await;
    publish(&report(&scenarios, &outcomes));
    publish_json(&scenarios, &outcomes);
    let (as_expected, false_completed) =
        (count(&outcomes, Verdict::AsExpected), count(&outcomes, Verdict::FalseCompleted));
    assert!(
        false_completed * 100 <= MAX_FALSE_COMPLETED_PERCENT * outcomes.len(),
        "{false_completed} of {} falsely completed",
        outcomes.len()
    );
    assert!(
        as_expected * 100 >= MIN_EXPECTED_PERCENT * outcomes.len(),
        "{as_expected} of {} as expected",
        outcomes.len()
    );
}
