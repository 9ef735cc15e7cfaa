//! The transition function `transition(state, event)`, pure and total: the only way to change a workflow.

use crate::Timestamp;
use crate::approval::{ClosedGate, Decision, Gate, GateOutcome, GateState, OnExpiry, Park, Stage, Verdict};
use crate::ids::UserName;

use super::event::{Event, EventKind, TestVerdict};
use super::phase::{Failure, Feedback, NewInput, Phase, PhaseKind};
use super::plan::{self, StepStatus};
use super::{Workflow, artifacts::Artifacts};

/// Maximum gates of a workflow that returns to generation. Bounds the history of gates, which is part of every message
/// of the log.
pub const MAX_GATES: usize = 30;

/// An event that is illegal in the workflow's phase; the workflow is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event {} is illegal in phase {}", .event.as_str(), .phase.as_str())]
pub struct IllegalTransition {
    pub phase: PhaseKind,
    pub event: EventKind,
}

/// Applies `event` to `state` at the time `at` and returns the new state.
///
/// Terminal states never change: every event is [`IllegalTransition`] there.
pub fn transition(state: &Workflow, event: Event, at: Timestamp) -> Result<Workflow, IllegalTransition> {
    let illegal = IllegalTransition { phase: state.phase.kind(), event: event.kind() };
    if illegal.phase.is_terminal() {
        return Err(illegal);
    }
    let mut next = state.clone();
    next.updated_at = at;
    book_usage(&mut next, &event);
    match event {
        Event::StepFailed { failure, .. } => next.fail(failure, at),
        Event::TimedOut => next.time_out(at).ok_or(illegal)?,
        Event::Cancelled { by } => next.enter(Phase::Cancelled { by }, at),
        Event::Planned { usage } => match state.phase {
            Phase::Plan => {
                next.begin_plan(usage.started_at);
                next.enter(Phase::Generate { feedback: None, input: None }, at);
            }
            Phase::Generate { .. } | Phase::Analyze | Phase::Execute { .. } | Phase::Approve { .. } => {
                return Err(illegal);
            }
            Phase::Done | Phase::Failed { .. } | Phase::Cancelled { .. } => return Err(illegal),
        },
        Event::Generated { artifacts, .. } if illegal.phase == PhaseKind::Generate => next.take_code(*artifacts, at),
        Event::NoGenerator { failure, recipes, .. } if illegal.phase == PhaseKind::Generate => {
            next.ask_for_input(failure, recipes, at);
        }
        Event::Analyzed { report, issues, .. } if illegal.phase == PhaseKind::Analyze => {
            next.artifacts.security_report = Some(report);
            next.count_issues(issues);
            next.leave_analysis(at);
        }
        Event::Executed { results, tests, ran, rerun, .. } if illegal.phase == PhaseKind::Execute => {
            next.artifacts.test_results = Some(results);
            next.artifacts.tests = tests;
            next.artifacts.action = ran.action.or(next.artifacts.action);
            next.artifacts.runtime_version = ran.runtime_version;
            next.artifacts.run_end = ran.end;
            next.artifacts.output_files = ran.output_files;
            next.leave_execution(rerun, at);
        }
        Event::GateReleased { .. } => next.open_undecided(at).ok_or(illegal)?,
        Event::Parked { park } => next.park_at_gate(park, at).ok_or(illegal)?,
        Event::Decided { decision, lapsed } => next.decide(decision, &lapsed, at).ok_or(illegal)?,
        Event::Expired => next.expire(at).ok_or(illegal)?,
        Event::Generated { .. } | Event::NoGenerator { .. } | Event::Analyzed { .. } | Event::Executed { .. } => {
            return Err(illegal);
        }
    }
    next.keep_to_budget(at);
    Ok(next)
}

fn book_usage(next: &mut Workflow, event: &Event) {
    next.metrics.total_cost += event.cost();
    if let Some(usage) = event.usage() {
        next.metrics.steps_completed += 1;
        next.metrics.queue_ms += usage.queue_ms;
        next.metrics.sandbox_ms += usage.sandbox_ms;
    }
}

impl Workflow {
    /// Enters a phase: starts the plan's next step, or ends the plan.
    fn enter(&mut self, phase: Phase, at: Timestamp) {
        match &phase {
            Phase::Done => plan::end(&mut self.plan, self.current_step, StepStatus::Completed, None, at),
            Phase::Failed { failure } => {
                plan::end(&mut self.plan, self.current_step, StepStatus::Failed, Some(&failure.message), at);
            }
            Phase::Cancelled { .. } => {
                plan::end(&mut self.plan, self.current_step, StepStatus::Cancelled, Some("cancelled"), at);
            }
            Phase::Plan | Phase::Generate { .. } | Phase::Analyze | Phase::Execute { .. } | Phase::Approve { .. } => {
                let (kind, rounds) = (phase.kind(), self.metrics.iterations + 1);
                // The planning step is completed as soon as the workflow enters any other phase.
                let current = self.current_step.max(1);
                self.current_step = plan::advance(&mut self.plan, &self.submission, current, kind, rounds, at);
            }
        }
        if phase.kind().is_terminal() {
            self.stop_time(at);
            self.abandon_gate(at);
        }
        self.phase = phase;
    }

    fn begin_plan(&mut self, at: Timestamp) {
        if let Some(step) = self.plan.first_mut() {
            step.started_at = Some(at);
        }
    }

    fn fail(&mut self, failure: Failure, at: Timestamp) {
        self.enter(Phase::Failed { failure }, at);
    }

    fn take_code(&mut self, code: Artifacts, at: Timestamp) {
        self.artifacts = Artifacts {
            security_report: None,
            test_results: None,
            tests: super::TestSummary::default(),
            run_end: None,
            output_files: Vec::new(),
            ..code
        };
        self.metrics.iterations += 1;
        self.enter(Phase::Analyze, at);
    }

    fn ask_for_input(&mut self, failure: Failure, recipes: Vec<String>, at: Timestamp) {
        // The human who requested changes can be asked again, also if only policy opened the gate.
        if self.submission.options.may_ask_human() || self.changes_requested().is_some() {
            self.open_gate(Stage::Input { hint: failure.hint, recipes }, at);
        } else {
            self.fail(failure, at);
        }
    }

    fn count_issues(&mut self, now: u32) {
        let before = self.metrics.security_issues_found - self.metrics.security_issues_resolved;
        if now >= before {
            self.metrics.security_issues_found += now - before;
        } else {
            self.metrics.security_issues_resolved += before - now;
        }
    }

    fn leave_analysis(&mut self, at: Timestamp) {
        if self.submission.policy.gate_before_execute {
            self.open_gate(Stage::BeforeExecute, at);
        } else {
            self.run_code(at);
        }
    }

    fn run_code(&mut self, at: Timestamp) {
        let runtime = self.artifacts.runtime.clone().unwrap_or_default();
        self.enter(Phase::Execute { runtime }, at);
    }

    fn leave_execution(&mut self, rerun: TestVerdict, at: Timestamp) {
        match rerun {
            TestVerdict::Passed => self.open_gate(Stage::Release, at),
            TestVerdict::Repairable(feedback) if self.round < self.submission.options.max_iterations => {
                self.round += 1;
                let feedback = Feedback { comment: self.unanswered_comment(), ..feedback };
                self.enter(Phase::Generate { feedback: Some(feedback), input: None }, at);
            }
            TestVerdict::Repairable(_) | TestVerdict::Unrepairable => self.fail(
                Failure::new(
                    "tests_failed",
                    format!("The tests did not pass in {} rounds.", self.round),
                    "Read the test results, make the goal more precise, or allow more iterations.",
                ),
                at,
            ),
        }
    }

    fn open_gate(&mut self, stage: Stage, at: Timestamp) {
        let number = u32::try_from(self.closed_gates.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.enter(Phase::Approve { gate: Gate::pending(self.id, number, stage) }, at);
    }

    fn park_at_gate(&mut self, park: Park, at: Timestamp) -> Option<()> {
        let Phase::Approve { gate } = &mut self.phase else { return None };
        if gate.park().is_some() {
            return None;
        }
        gate.state = GateState::Parked { park };
        self.stop_time(at);
        Some(())
    }

    /// Passes a gate at which no human was asked.
    fn open_undecided(&mut self, at: Timestamp) -> Option<()> {
        let gate = self.gate().filter(|gate| gate.park().is_none())?;
        match gate.stage {
            Stage::Input { .. } => None,
            Stage::BeforeExecute | Stage::Release => {
                self.pass_gate(GateOutcome::Released, at);
                Some(())
            }
        }
    }

    fn decide(&mut self, decision: Decision, lapsed: &[UserName], at: Timestamp) -> Option<()> {
        let Phase::Approve { gate } = &mut self.phase else { return None };
        let GateState::Parked { park } = &mut gate.state else { return None };
        let verdict = decision.verdict;
        let comment = decision.comment.clone();
        let input = decision.input.clone();
        park.lapse(lapsed);
        park.decisions.push(decision);
        let approved = park.approvals() >= park.required_approvers;
        let needs_input = matches!(gate.stage, Stage::Input { .. });
        match verdict {
            Verdict::Approved if needs_input => match input {
                Some(input) => self.supply(input, at),
                None => self.close_failed(GateOutcome::Approved, no_input(), at),
            },
            Verdict::Approved if approved => self.pass_gate(GateOutcome::Approved, at),
            Verdict::Approved => {}
            Verdict::Rejected => self.close_failed(GateOutcome::Rejected, rejected(comment.as_deref()), at),
            Verdict::ChangesRequested => self.go_back(comment, at),
        }
        Some(())
    }

    fn expire(&mut self, at: Timestamp) -> Option<()> {
        let gate = self.gate()?;
        let failure = expired(gate.park()?);
        // Silence never permits a run and never replaces input, even if the park says so.
        match (gate.park()?.on_expiry, &gate.stage) {
            (OnExpiry::Release, Stage::Release) => self.pass_gate(GateOutcome::Expired, at),
            (OnExpiry::Release, Stage::BeforeExecute | Stage::Input { .. }) | (OnExpiry::Fail, _) => {
                self.close_failed(GateOutcome::Expired, failure, at);
            }
        }
        Some(())
    }

    /// Closes the gate and continues after it.
    fn pass_gate(&mut self, outcome: GateOutcome, at: Timestamp) {
        let Some(stage) = self.gate().map(|gate| gate.stage.clone()) else { return };
        self.close_gate(outcome, at);
        self.metrics.steps_completed += 1;
        match stage {
            Stage::Release => self.enter(Phase::Done, at),
            Stage::BeforeExecute => self.run_code(at),
            Stage::Input { .. } => self.fail(no_input(), at),
        }
    }

    fn supply(&mut self, input: NewInput, at: Timestamp) {
        self.begin_again(Phase::Generate { feedback: None, input: Some(input) }, at);
    }

    fn go_back(&mut self, comment: Option<String>, at: Timestamp) {
        let comment = Some(comment_or_default(comment));
        let feedback = Feedback { failed_tests: Vec::new(), output_tail: String::new(), findings: Vec::new(), comment };
        self.begin_again(Phase::Generate { feedback: Some(feedback), input: None }, at);
    }

    /// Returns the comment of the request for changes that the current rounds address. A gate before the run does not
    /// answer it.
    fn unanswered_comment(&self) -> Option<String> {
        let mut gates = self.closed_gates.iter().rev();
        let gate =
            gates.find(|gate| gate.stage != Stage::BeforeExecute || gate.outcome == GateOutcome::ChangesRequested)?;
        let last = gate.decisions.last().filter(|last| last.verdict == Verdict::ChangesRequested)?;
        Some(comment_or_default(last.comment.clone()))
    }

    fn begin_again(&mut self, phase: Phase, at: Timestamp) {
        self.close_gate(GateOutcome::ChangesRequested, at);
        if self.closed_gates.len() >= MAX_GATES {
            return self.fail(too_many_gates(), at);
        }
        self.round = 1;
        self.enter(phase, at);
    }

    fn close_failed(&mut self, outcome: GateOutcome, failure: Failure, at: Timestamp) {
        self.close_gate(outcome, at);
        self.fail(failure, at);
    }

    fn close_gate(&mut self, outcome: GateOutcome, at: Timestamp) {
        if let Some(gate) = self.gate() {
            let closed = ClosedGate::of(gate, outcome, at);
            self.closed_gates.push(closed);
        }
        if self.active_since.is_none() {
            self.active_since = Some(at);
        }
    }

    fn abandon_gate(&mut self, at: Timestamp) {
        let id = self.gate().map(|gate| gate.approval_id);
        let is_open = id.is_some() && self.closed_gates.last().map(|gate| gate.approval_id) != id;
        if let Some(gate) = self.gate().filter(|_| is_open) {
            let closed = ClosedGate::of(gate, GateOutcome::Abandoned, at);
            self.closed_gates.push(closed);
        }
    }

    /// Fails the workflow by its time limit. Parked time does not count: a timeout that arrives after the park is
    /// illegal.
    fn time_out(&mut self, at: Timestamp) -> Option<()> {
        self.active_since?;
        let minutes = self.submission.options.timeout_minutes;
        let failure = Failure::new(
            "timeout",
            format!("The workflow did not end within its {minutes} minutes."),
            "Raise timeout_minutes, or give the workflow less to do.",
        );
        self.fail(failure, at);
        Some(())
    }

    fn stop_time(&mut self, at: Timestamp) {
        if let Some(since) = self.active_since.take() {
            self.active_used_ms += u64::try_from(at.since(since).as_millis()).unwrap_or(u64::MAX);
        }
    }

    fn keep_to_budget(&mut self, at: Timestamp) {
        let budget = self.submission.policy.budget;
        if self.metrics.total_cost >= budget && self.metrics.total_cost > 0.0 && !self.phase.kind().is_terminal() {
            let failure = Failure::new(
                "budget_exceeded",
                format!("The workflow reached its budget of {budget:.2}."),
                "Give the workflow less to do, or ask the operator for a larger budget.",
            );
            self.fail(failure, at);
        }
    }
}

/// Returns a comment in any case, so that a generator can distinguish a request for changes from a repair.
fn comment_or_default(comment: Option<String>) -> String {
    comment.unwrap_or_else(|| "Changes are requested; no comment was given.".to_owned())
}

fn rejected(comment: Option<&str>) -> Failure {
    let said = comment.map(|comment| format!(", saying \"{comment}\"")).unwrap_or_default();
    Failure::new(
        "rejected",
        format!("An approver rejected the result{said}."),
        "Address the approver's comment, or ask for the reason, then submit a changed goal.",
    )
}

fn too_many_gates() -> Failure {
    Failure::new(
        "too_many_gates",
        format!("The workflow reached its limit of {MAX_GATES} gates."),
        "Submit a goal that includes the approvers' requests.",
    )
}

fn expired(park: &Park) -> Failure {
    let came = match (park.approvals(), park.decisions.is_empty()) {
        (_, true) => "No decision".to_owned(),
        (approvals, false) => format!("{approvals} of {} approvals", park.required_approvers),
    };
    Failure::new(
        "approval_expired",
        format!("{came} came before the approval expired."),
        "Submit again and notify an approver, or ask the operator for a longer deadline.",
    )
}

fn no_input() -> Failure {
    Failure::new(
        "no_generator",
        "No generator can serve the goal, and the approval supplied neither code nor a recipe.",
        "Supply code in file_content, name a recipe, or configure a language model.",
    )
}
