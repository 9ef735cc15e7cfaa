//! Prints the state of a workflow, its approvals and its results.

use std::time::Duration;

use serde_json::Value;

use crate::output::{self, Style, out, styled, truncate};
use crate::workflow_state::{ProgramOutput, STREAMS, WorkflowState};

/// The type of an approval that needs code or a recipe.
pub const NEEDS_INPUT: &str = "needs_input";

/// Maximum characters of a goal; `status --json` has all of it.
const MAX_GOAL_CHARS: usize = 400;

/// Prints the state of a workflow. The output is whole if the caller's code ran as it was given, or if `is_full`.
pub fn print_workflow(workflow: &WorkflowState, is_full: bool) {
    let (state, status) = (&workflow.fields, workflow.status());
    let style = match status {
        "completed" => Style::Success,
        "failed" | "cancelled" => Style::Error,
        "waiting_approval" => Style::Warning,
        _ => Style::Bold,
    };
    let goal = truncate(state["goal"].as_str().unwrap_or_default(), MAX_GOAL_CHARS);
    out!("{} {} {}", styled(style, status), workflow.id(), styled(Style::Dim, &goal));
    if let Some(error) = state["error"].as_object() {
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        out!("{}", output::indented(&format!("{}: {}", text("code"), text("message")), "  "));
        out!("{}", styled(Style::Dim, &output::indented(text("hint"), "  ")));
    }
    print_action(state);
    let results = &state["artifacts"]["test_results"];
    if results.is_object() {
        let is_whole = is_full || workflow.is_given_code();
        let more = (!is_whole).then(|| format!("promptcraft status {} --full", workflow.id()));
        print_test_results(results, more.as_deref());
        print_output(&workflow.output, more.as_deref());
    }
    if let Some(code) = state["artifacts"]["generated_code"].as_str().filter(|code| !code.is_empty()) {
        out!("\n{}\n", code.trim_end());
    }
    print_output_files(state);
    print_metrics(&state["metrics"]);
    // Last, so that it stays visible below long code.
    print_approvals(state, workflow.id());
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

/// Maximum lines of each stream, and maximum failed tests, where the results are not printed in full.
const MAX_LINES: usize = 20;

/// Prints the counts and the failed tests; `more` is the command that prints all of them, if these are not all.
fn print_test_results(results: &Value, more: Option<&str>) {
    let number = |name: &str| results[name].as_u64().unwrap_or(0);
    let style = if results["success_rate"].as_f64() == Some(1.0) { Style::Success } else { Style::Error };
    let end = match (results["exit_code"].as_i64(), results["signal"].as_i64()) {
        _ if results["timed_out"] == true => "timed out".to_owned(),
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    };
    let tests: &[Value] = results["tests"].as_array().map_or(&[], Vec::as_slice);
    if let [only] = tests
        && only["name"] == "run"
    {
        out!("  {}, no tests", styled(style, &end));
        let explanation = only["message"].as_str().and_then(explanation);
        return explanation.into_iter().for_each(|text| out!("{}", output::indented(text, "  ")));
    }
    out!("  {}, {end}", styled(style, &format!("{} of {} tests passed", number("passed"), number("total"))));
    let failed = tests.iter().filter(|test| matches!(test["outcome"].as_str(), Some("failed" | "error")));
    let limit = if more.is_some() { MAX_LINES } else { usize::MAX };
    let mut printed = 0;
    for test in failed.take(limit) {
        let text = |name: &str| test[name].as_str().unwrap_or_default();
        out!("  {}: {}", text("name"), text("message").lines().next().unwrap_or_default());
        printed += 1;
    }
    let left_out = (number("failed") + number("errors")).saturating_sub(printed);
    if left_out > 0 {
        let place = more.map_or("not kept by the service".to_owned(), |command| format!("omitted; {command}"));
        out!("  {}", styled(Style::Dim, &format!("({left_out} further failed tests {place})")));
    }
}

/// Returns what the message of a program adds to its exit code, which is printed already.
fn explanation(message: &str) -> Option<&str> {
    if message.starts_with("the program ended") {
        message.split_once("; ").map(|(_, rest)| rest)
    } else {
        Some(message)
    }
}

/// Prints the output, of which the last lines only if `more` is the command that prints all of it.
fn print_output(program: &ProgramOutput, more: Option<&str>) {
    if program.is_repeated {
        out!(
            "  {}",
            styled(
                Style::Warning,
                "The output shown above is incomplete or repeated. This is the output of the result:"
            )
        );
    }
    for (text, (_, mark)) in program.texts.iter().zip(STREAMS) {
        print_stream(text, mark, more);
    }
    if program.is_truncated {
        let kept = program.kept_bytes.iter().zip(STREAMS).filter(|(bytes, _)| **bytes > 0);
        let kept: Vec<String> =
            kept.map(|(bytes, (name, _))| format!("{} of {name}", output::format_bytes(*bytes))).collect();
        let cut = format!("The output is cut: the service kept the first {}.", kept.join(" and "));
        out!("{}", styled(Style::Warning, &output::indented(&cut, "  ")));
    }
}

/// Prints the lines of a stream, each after a mark.
fn print_stream(text: &str, mark: &str, more: Option<&str>) {
    let mut lines: Vec<&str> = text.lines().collect();
    if let Some(command) = more {
        lines = text.trim_end().lines().collect();
        let left_out = lines.len().saturating_sub(MAX_LINES);
        if left_out > 0 {
            out!("  {}", styled(Style::Dim, &format!("{mark} ({left_out} earlier lines omitted; {command})")));
        }
        lines.drain(..left_out);
    }
    let mark = styled(Style::Dim, mark);
    lines.iter().for_each(|line| out!("  {mark} {line}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_exit_code_is_printed() {
        for (message, text) in [
            ("the program ended with exit code 1", None),
            (
                "the program ended with exit code 1; language assumed: python; in a fence",
                Some("language assumed: python; in a fence"),
            ),
            ("the program filled its disk", Some("the program filled its disk")),
        ] {
            assert_eq!(explanation(message), text);
        }
    }
}
