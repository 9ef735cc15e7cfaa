//! Watches a workflow, with a progress bar on a terminal and lines elsewhere, and prints its state.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::client::{ApiClient, ApiError};
use crate::event_stream::EventStream;
use crate::output::{self, Style, out, styled, truncate};

/// The type of an approval that needs code or a recipe.
pub const NEEDS_INPUT: &str = "needs_input";

/// Maximum time between two status requests, and delay before an ended event stream is opened again.
const STATUS_INTERVAL: Duration = Duration::from_secs(2);
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Shows progress and the output of running code until the workflow ends or awaits a decision; returns its state.
///
/// Events only trigger status requests, so a lost event stream delays the output but loses nothing.
pub async fn watch(api: &ApiClient, id: &str) -> Result<Value, ApiError> {
    let mut view = ProgressView::new();
    let mut last_id = String::new();
    let mut events = EventStream::open(api, id, &last_id).await.ok();
    loop {
        let answer = api.get_with_retry(&format!("/api/v3/execute/status/{id}")).await?;
        let mut state = answer["data"].clone();
        view.show(&state);
        if is_settled(&state) {
            view.finish(&mut state);
            return Ok(state);
        }
        match &mut events {
            // The state is also requested without an event.
            Some(stream) => {
                let next = next_transition(stream, &mut view, &mut last_id);
                if matches!(tokio::time::timeout(STATUS_INTERVAL, next).await, Ok(None)) {
                    events = None;
                }
            }
            // A stream ends when its token expires or the API stops.
            None => {
                tokio::time::sleep(RECONNECT_DELAY).await;
                events = EventStream::open(api, id, &last_id).await.ok();
            }
        }
    }
}

/// Shows output until the next transition, and stores the id of each event; `None` once the stream has ended. Cancel safe.
async fn next_transition(stream: &mut EventStream, view: &mut ProgressView, last_id: &mut String) -> Option<()> {
    loop {
        let mut is_transition = false;
        for event in stream.next().await? {
            if event.name == "output" {
                view.show_output(&event.data);
            } else {
                is_transition = true;
            }
            *last_id = event.id;
        }
        if is_transition {
            return Some(());
        }
    }
}

fn is_settled(state: &Value) -> bool {
    matches!(state["status"].as_str(), Some("completed" | "failed" | "cancelled" | "waiting_approval"))
}

struct ProgressView {
    bar: Option<ProgressBar>,
    last: String,
    /// The output shown so far, and the line of each stream that has not ended.
    shown: [String; 2],
    unfinished: [String; 2],
}

/// The streams of a program, and the mark before a line of each.
const STREAMS: [(&str, &str); 2] = [("stdout", "|"), ("stderr", "stderr |")];

impl ProgressView {
    fn new() -> Self {
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = ProgressBar::new(1);
            if let Ok(style) =
                ProgressStyle::with_template("{spinner:.cyan} [{bar:24.cyan/dim}] {pos}/{len} {wide_msg}")
            {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, last: String::new(), shown: Default::default(), unfinished: Default::default() }
    }

    fn show(&mut self, state: &Value) {
        let (step, steps) = (state["current_step"].as_u64().unwrap_or(0), state["total_steps"].as_u64().unwrap_or(0));
        let status = state["status"].as_str().unwrap_or("unknown");
        let doing = running_step(state).unwrap_or(status);
        match &self.bar {
            Some(bar) => {
                bar.set_length(steps.max(1));
                bar.set_position(step.min(steps));
                bar.set_message(doing.to_owned());
            }
            None => {
                let line = format!("{step}/{steps} {doing}");
                if self.last != line {
                    out!("{line}");
                    self.last = line;
                }
            }
        }
    }

    /// Prints the whole lines of an output event, above the bar.
    fn show_output(&mut self, event: &Value) {
        let name = event["stream"].as_str().unwrap_or_default();
        let Some(stream) = STREAMS.iter().position(|(stream, _)| *stream == name) else { return };
        let text = event["text"].as_str().unwrap_or_default();
        self.shown[stream].push_str(text);
        self.unfinished[stream].push_str(text);
        let Some(end) = self.unfinished[stream].rfind('\n') else { return };
        let rest = self.unfinished[stream].split_off(end + 1);
        let lines = std::mem::replace(&mut self.unfinished[stream], rest);
        self.print_lines(stream, &lines);
    }

    fn print_lines(&self, stream: usize, lines: &str) {
        let mark = styled(Style::Dim, STREAMS[stream].1);
        let print = || {
            for line in output::sanitize(lines).lines() {
                out!("  {mark} {line}");
            }
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Ends the view: removes the output that was shown from the state, so that the rest of it follows.
    fn finish(&self, state: &mut Value) {
        for (stream, (name, _)) in STREAMS.iter().enumerate() {
            let shown = output::sanitize(&self.shown[stream]);
            let unfinished = output::sanitize(&self.unfinished[stream]);
            let result = &mut state["artifacts"]["test_results"][name];
            let rest = result.as_str().and_then(|text| text.strip_prefix(shown.as_str()));
            match rest.map(|rest| format!("{unfinished}{rest}")) {
                Some(rest) => *result = rest.into(),
                None => self.print_lines(stream, &unfinished),
            }
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn running_step(state: &Value) -> Option<&str> {
    let steps = state["execution_plan"].as_array()?;
    let running = steps.iter().find(|step| step["status"].as_str() == Some("running"))?;
    running["description"].as_str()
}

/// Exit code if the watched workflow awaits a decision.
const EXIT_WAITING: u8 = 8;

/// Returns the exit code for the state of a watched workflow: 0 if it succeeded, 8 if it awaits a decision, 1 if it or
/// its code failed.
pub fn exit_code(state: &Value) -> ExitCode {
    match state["status"].as_str() {
        Some("completed") if state["metrics"]["test_success_rate"].as_f64() == Some(1.0) => ExitCode::SUCCESS,
        Some("waiting_approval") => ExitCode::from(EXIT_WAITING),
        Some(_) | None => ExitCode::FAILURE,
    }
}

/// Maximum characters of a goal; `status --json` has all of it.
const MAX_GOAL_CHARS: usize = 400;

/// Prints the state of a workflow.
pub fn print_workflow(state: &Value) {
    let status = state["status"].as_str().unwrap_or("unknown");
    let style = match status {
        "completed" => Style::Success,
        "failed" | "cancelled" => Style::Error,
        "waiting_approval" => Style::Warning,
        _ => Style::Bold,
    };
    let id = state["workflow_id"].as_str().unwrap_or_default();
    let goal = truncate(state["goal"].as_str().unwrap_or_default(), MAX_GOAL_CHARS);
    out!("{} {} {}", styled(style, status), id, styled(Style::Dim, &goal));
    if let Some(error) = state["error"].as_object() {
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        out!("{}", output::indented(&format!("{}: {}", text("code"), text("message")), "  "));
        out!("{}", styled(Style::Dim, &output::indented(text("hint"), "  ")));
    }
    print_action(state);
    print_test_results(&state["artifacts"]["test_results"]);
    if let Some(code) = state["artifacts"]["generated_code"].as_str().filter(|code| !code.is_empty()) {
        out!("\n{}\n", code.trim_end());
    }
    print_output_files(state);
    print_metrics(&state["metrics"]);
    // Last, so that it stays visible below long code.
    print_approvals(state, id);
}

fn print_approvals(state: &Value, id: &str) {
    for approval in state["pending_approvals"].as_array().into_iter().flatten() {
        let text = |name: &str| approval[name].as_str().unwrap_or_default();
        print_approval(approval);
        let help = if text("approval_type") == NEEDS_INPUT { " --file CODE (or --recipe NAME)" } else { "" };
        out!("  promptcraft approve {id}{help}   or   promptcraft reject {id}");
    }
}

/// Prints an approval: the question, wrapped to the terminal, and below it the risk and the deadline.
pub fn print_approval(approval: &Value) {
    let text = |name: &str| approval[name].as_str().unwrap_or_default();
    let question = output::indented(text("description"), "  ");
    out!("{question}\n  risk:    {}\n  expires: {}", text("risk_level"), text("expires_at"));
    print_run(&approval["run"]);
}

/// Prints the command and the input that a decision covers, without the values of variables.
fn print_run(run: &Value) {
    let Some(command) = run["command"].as_str() else { return };
    let words = |name: &str| -> Vec<String> {
        run[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(|word| format!("{word:?}")).collect()
    };
    let (args, env) = (words("args"), words("env"));
    out!("  command: {}", output::sanitize(command));
    if !args.is_empty() {
        out!("  args:    {}", output::sanitize(&args.join(" ")));
    }
    if !env.is_empty() {
        out!("  env:     {}", output::sanitize(&env.join(" ")));
    }
    if let Some(bytes) = run["stdin_bytes"].as_u64().filter(|bytes| *bytes > 0) {
        out!("  stdin:   {bytes} bytes");
    }
    if run["is_shortened"] == true {
        out!("  Arguments or variables are shortened or left out here.");
    }
}

/// Prints the action and the runtime, e.g. `ran, python 3.11.2`.
fn print_action(state: &Value) {
    let Some(action) = state["action"].as_str() else { return };
    let runtime = &state["runtime"];
    let language = runtime["language"].as_str().unwrap_or("unknown language");
    let version = runtime["version"].as_str().map(|version| format!(" {version}")).unwrap_or_default();
    out!("  {}, {language}{version}", action.replace('_', " "));
}

/// Maximum lines of each stream, and maximum failed tests; the artifacts have all of them.
const MAX_OUTPUT_LINES: usize = 20;

fn print_test_results(results: &Value) {
    let Some(total) = results["total"].as_u64() else { return };
    let passed = results["passed"].as_u64().unwrap_or(0);
    let all = results["success_rate"].as_f64() == Some(1.0);
    let style = if all { Style::Success } else { Style::Error };
    let end = match (results["exit_code"].as_i64(), results["signal"].as_i64()) {
        _ if results["timed_out"] == true => "timed out".to_owned(),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    };
    let tests: Vec<&Value> = results["tests"].as_array().into_iter().flatten().collect();
    let is_program = matches!(tests.as_slice(), [only] if only["name"].as_str() == Some("run"));
    if is_program {
        out!("  {}, no tests", styled(style, &end));
    } else {
        out!("  {}, {end}", styled(style, &format!("{passed} of {total} tests passed")));
    }
    let is_shown = |test: &&&Value| is_program || matches!(test["outcome"].as_str(), Some("failed" | "error"));
    for test in tests.iter().filter(is_shown).take(MAX_OUTPUT_LINES) {
        // The exit code of a program is already printed.
        let repeated = |message: &&str| is_program && message.starts_with("the program ended");
        let Some(message) = test["message"].as_str().filter(|message| !repeated(message)) else { continue };
        let name = if is_program { String::new() } else { format!("{}: ", test["name"].as_str().unwrap_or_default()) };
        out!("  {name}{}", message.lines().next().unwrap_or_default());
    }
    for (name, mark) in STREAMS {
        print_stream(results[name].as_str().unwrap_or_default(), mark);
    }
}

/// Prints the last lines of a stream, each after a mark.
fn print_stream(text: &str, mark: &str) {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let left_out = lines.len().saturating_sub(MAX_OUTPUT_LINES);
    if left_out > 0 {
        out!("  {}", styled(Style::Dim, &format!("{mark} ({left_out} earlier lines omitted)")));
    }
    for line in &lines[left_out..] {
        out!("  {} {line}", styled(Style::Dim, mark));
    }
}

/// Prints the files that the run left, and those that were not collected.
pub fn print_output_files(state: &Value) {
    for file in state["artifacts"]["files"].as_array().into_iter().flatten() {
        let text = |name: &str| output::sanitize(file[name].as_str().unwrap_or_default());
        let bytes = file["size"].as_u64().unwrap_or_default();
        out!("  outputs/{}  {}", text("name"), styled(Style::Dim, &format!("{bytes} bytes, {}", text("media_type"))));
    }
    for file in state["artifacts"]["test_results"]["files_left_out"].as_array().into_iter().flatten() {
        let text = |name: &str| output::sanitize(file[name].as_str().unwrap_or_default());
        out!("  {}", styled(Style::Warning, &format!("outputs/{} {}", text("name"), text("reason"))));
    }
}

fn print_metrics(metrics: &Value) {
    let Some(seconds) = metrics["duration_seconds"].as_f64() else { return };
    let took = output::format_duration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let cost = metrics["total_cost"].as_f64().unwrap_or(0.0);
    out!("  {}", styled(Style::Dim, &format!("took {took}, cost {cost:.4}")));
}
