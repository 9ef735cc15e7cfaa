//! Watches a workflow until it ends or awaits a decision.

use std::process::ExitCode;
use std::time::Duration;

use crate::client::{ApiClient, ApiError};
use crate::event_stream::EventStream;
use crate::progress_view::{Progress, ProgressView};
use crate::workflow_state::WorkflowState;

/// Maximum time between two status requests, and delay before an ended event stream is opened again.
const STATUS_INTERVAL: Duration = Duration::from_secs(2);
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Waits until the workflow ends or awaits a decision, and returns its state without the output that was shown. With
/// Ctrl-C the process exits with 130, and the workflow goes on.
pub async fn watch(api: &ApiClient, id: &str, progress: Progress) -> Result<WorkflowState, ApiError> {
    let mut view = ProgressView::new(progress);
    tokio::select! {
        settled = follow(api, id, &mut view) => {
            let mut state = settled?;
            view.finish(&mut state);
            return Ok(state);
        }
        Ok(()) = tokio::signal::ctrl_c() => {}
    }
    view.clear();
    // Behind the ^C that a terminal shows.
    eprintln!("\n{id} still runs; promptcraft cancel {id}");
    std::process::exit(EXIT_INTERRUPTED);
}

/// Requests the state after each event. Events only trigger requests, so a lost event stream delays the output but loses
/// nothing.
async fn follow(api: &ApiClient, id: &str, view: &mut ProgressView) -> Result<WorkflowState, ApiError> {
    let mut last_id = String::new();
    let mut events = EventStream::open(api, id, &last_id).await.ok();
    loop {
        let state = WorkflowState::new(api.get_raw_with_retry(&format!("/api/v3/execute/status/{id}")).await?);
        view.show(&state);
        if state.is_settled() {
            return Ok(state);
        }
        match &mut events {
            // The state is also requested without an event.
            Some(stream) => {
                let next = next_transition(stream, view, &mut last_id);
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
                view.show_output(&event);
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

/// Exit code if the watched workflow awaits a decision.
const EXIT_WAITING: u8 = 8;
/// Exit code after Ctrl-C, that of a program which the signal ends.
const EXIT_INTERRUPTED: i32 = 130;

/// Returns the exit code for the state of a watched workflow: 0 if it succeeded, 8 if it awaits a decision, 1 if it or
/// its code failed.
pub fn exit_code(state: &WorkflowState) -> ExitCode {
    if has_succeeded(state) {
        ExitCode::SUCCESS
    } else if state.status() == "waiting_approval" {
        ExitCode::from(EXIT_WAITING)
    } else {
        ExitCode::FAILURE
    }
}

/// Returns whether the workflow has ended well, and so has its code.
pub fn has_succeeded(state: &WorkflowState) -> bool {
    state.status() == "completed" && state.fields["metrics"]["test_success_rate"].as_f64() == Some(1.0)
}
