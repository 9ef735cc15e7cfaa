//! Following a workflow to its end, on a terminal as a bar, elsewhere as lines.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::api::{Api, ApiError};
use crate::screen::{self, Style, say, styled};

/// The type of an approval that asks for code or a recipe.
pub const NEEDS_INPUT: &str = "needs_input";

/// Shows the workflow's progress until it ends or waits for someone, and returns its state then.
///
/// Events only say that something moved; what is shown is always the state as the API tells it, so a lost event stream costs
/// freshness and nothing else.
pub async fn follow(api: &Api, id: &str) -> Result<Value, ApiError> {
    let bar = Bar::new();
    let path = format!("/api/v3/execute/{id}/events");
    let mut events = api.events(&path).await.ok();
    loop {
        let answer = api.get_patiently(&format!("/api/v3/execute/status/{id}")).await?;
        let state = answer["data"].clone();
        bar.show(&state);
        if rests(&state) {
            bar.finish();
            return Ok(state);
        }
        match &mut events {
            Some(stream) => {
                // A silent stream is asked about again all the same.
                let chunk = tokio::time::timeout(Duration::from_secs(2), stream.chunk()).await;
                if matches!(chunk, Ok(Ok(None) | Err(_))) {
                    events = None;
                }
            }
            // A stream ends with its token, and with the API.
            None => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                events = api.events(&path).await.ok();
            }
        }
    }
}

fn rests(state: &Value) -> bool {
    matches!(state["status"].as_str(), Some("completed" | "failed" | "cancelled" | "waiting_approval"))
}

struct Bar {
    bar: Option<ProgressBar>,
    last: std::cell::RefCell<String>,
}

impl Bar {
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
        Self { bar, last: std::cell::RefCell::default() }
    }

    fn show(&self, state: &Value) {
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
                if *self.last.borrow() != line {
                    say!("{line}");
                    *self.last.borrow_mut() = line;
                }
            }
        }
    }

    fn finish(&self) {
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

/// Whether a command that followed the workflow to this state ends well.
pub fn went_well(state: &Value) -> bool {
    matches!(state["status"].as_str(), Some("completed" | "waiting_approval"))
}

/// What a person wants to know of a workflow.
pub fn describe(state: &Value) {
    let status = state["status"].as_str().unwrap_or("unknown");
    let style = match status {
        "completed" => Style::Good,
        "failed" | "cancelled" => Style::Bad,
        "waiting_approval" => Style::Attention,
        _ => Style::Strong,
    };
    let id = state["workflow_id"].as_str().unwrap_or_default();
    say!("{} {} {}", styled(style, status), id, styled(Style::Faint, state["goal"].as_str().unwrap_or_default()));
    if let Some(error) = state["error"].as_object() {
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        say!("  {}: {} {}", text("code"), text("message"), styled(Style::Faint, text("hint")));
    }
    tests(&state["artifacts"]["test_results"]);
    if let Some(code) = state["artifacts"]["generated_code"].as_str().filter(|code| !code.is_empty()) {
        say!("\n{}\n", code.trim_end());
    }
    measures(&state["metrics"]);
    // Last, where it is still to be seen after long code.
    approvals(state, id);
}

fn approvals(state: &Value, id: &str) {
    for approval in state["pending_approvals"].as_array().into_iter().flatten() {
        let text = |name: &str| approval[name].as_str().unwrap_or_default();
        say!("  {} ({} risk), until {}", text("description"), text("risk_level"), text("expires_at"));
        let help = if text("approval_type") == NEEDS_INPUT { " --file CODE (or --recipe NAME)" } else { "" };
        say!("  promptcraft approve {id}{help}   or   promptcraft reject {id}");
    }
}

fn tests(results: &Value) {
    let Some(total) = results["total"].as_u64() else { return };
    let passed = results["passed"].as_u64().unwrap_or(0);
    let style = if passed == total { Style::Good } else { Style::Bad };
    say!("  {}", styled(style, &format!("{passed} of {total} tests passed")));
    let output = results["stdout"].as_str().unwrap_or_default().trim_end();
    for line in output.lines().take(20) {
        say!("  {} {line}", styled(Style::Faint, "|"));
    }
}

fn measures(metrics: &Value) {
    let Some(seconds) = metrics["duration_seconds"].as_f64() else { return };
    let took = screen::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let cost = metrics["total_cost"].as_f64().unwrap_or(0.0);
    say!("  {}", styled(Style::Faint, &format!("took {took}, cost {cost:.4}")));
}
