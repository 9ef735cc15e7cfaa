//! The progress of a workflow: a bar on a terminal and lines elsewhere, with the output of its running code.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::event_stream::ServerEvent;
use crate::live_output::{LivePart, ShownOutput};
use crate::output::{Style, out, styled};
use crate::workflow_state::{STREAMS, WorkflowState};

/// Progress and live output to show, or to hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Shown,
    Hidden,
}

pub(crate) struct ProgressView {
    progress: Progress,
    /// `None` without a terminal.
    bar: Option<ProgressBar>,
    last_line: String,
    live: ShownOutput,
}

impl ProgressView {
    pub(crate) fn new(progress: Progress) -> Self {
        let has_bar = progress == Progress::Shown && std::io::stdout().is_terminal();
        Self { progress, bar: has_bar.then(bar), last_line: String::new(), live: ShownOutput::default() }
    }

    pub(crate) fn show(&mut self, workflow: &WorkflowState) {
        let state = &workflow.fields;
        let (step, steps) = (state["current_step"].as_u64().unwrap_or(0), state["total_steps"].as_u64().unwrap_or(0));
        let doing = running_step(state).unwrap_or(workflow.status());
        if let Some(bar) = &self.bar {
            bar.set_length(steps.max(1));
            bar.set_position(step.min(steps));
            bar.set_message(doing.to_owned());
        } else if self.progress == Progress::Shown {
            let line = format!("{step}/{steps} {doing}");
            if self.last_line != line {
                out!("{line}");
                self.last_line = line;
            }
        }
    }

    /// Prints the whole lines of an output event, above the bar.
    pub(crate) fn show_output(&mut self, event: &ServerEvent) {
        if self.progress == Progress::Shown {
            let parts = self.live.receive(event);
            self.print(&parts);
        }
    }

    fn print(&self, parts: &[LivePart]) {
        let print = || parts.iter().for_each(print_part);
        match &self.bar {
            Some(bar) if !parts.is_empty() => bar.suspend(print),
            Some(_) | None => print(),
        }
    }

    /// Ends the view, and removes the output that was shown from the state, so that the rest of it follows.
    pub(crate) fn finish(mut self, state: &mut WorkflowState) {
        if state.has_results() {
            self.live.remove_shown(&mut state.output);
        } else {
            let rest = self.live.take_unfinished();
            self.print(&rest);
        }
        self.clear();
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} [{bar:24.cyan/dim}] {pos}/{len} {wide_msg}") {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn print_part(part: &LivePart) {
    match part {
        LivePart::Lines(stream, lines) => {
            let mark = styled(Style::Dim, STREAMS[*stream].1);
            lines.lines().for_each(|line| out!("  {mark} {line}"));
        }
        LivePart::Gap => out!("  {}", styled(Style::Dim, "(output was dropped here)")),
    }
}

fn running_step(state: &Value) -> Option<&str> {
    let steps = state["execution_plan"].as_array()?;
    let running = steps.iter().find(|step| step["status"].as_str() == Some("running"))?;
    running["description"].as_str()
}
