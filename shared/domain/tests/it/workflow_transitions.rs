//! The state machine: all states and events as one snapshot, and properties of every sequence of events.

use std::fmt::Write;
use std::time::Duration;

use domain::Timestamp;
use domain::approval::{
    Actor, ApprovalType, COMMENT_CHARS, Channel, ClosedGate, Decision, Gate, GateOutcome, GateState, OnExpiry, Park,
    RiskLevel, Stage, Verdict,
};
use domain::ids::Digest;
use domain::samples::{START, options, submitted};
use domain::workflow::{
    Artifacts, CodeFile, Content, Event, EventKind, Failure, Feedback, MAX_GATES, MAX_PROJECT_FILES, NewInput,
    OutputFile, Phase, PhaseKind, ProjectFile, Ran, RunCommand, Status, StepUsage, SubmissionOptions, TestSummary,
    TestVerdict, Workflow, transition,
};
use messaging::MAX_TRANSITION_BYTES;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn usage() -> StepUsage {
    StepUsage { started_at: START, queue_ms: 1, sandbox_ms: 2, cost: 0.01 }
}

fn code() -> Artifacts {
    let file = CodeFile { path: "a.py".into(), content: Content::new("x".into()), is_test: false, from_caller: false };
    Artifacts {
        files: vec![file],
        run: Some(RunCommand::Tests),
        runtime: Some("python".into()),
        ..Artifacts::default()
    }
}

fn feedback() -> Feedback {
    Feedback { failed_tests: vec![], output_tail: String::new(), findings: vec![], comment: None }
}

fn park(required_approvers: u32) -> Park {
    Park {
        approval_type: ApprovalType::CodeDeployment,
        description: "?".into(),
        risk: RiskLevel::Low,
        requested_at: START,
        expires_at: START.after(Duration::from_secs(60)),
        required_approvers,
        digest: Digest::of(b"parked"),
        decisions: vec![],
        on_expiry: OnExpiry::Fail,
    }
}

/// Returns a park that releases on expiry.
fn silence() -> Park {
    Park { on_expiry: OnExpiry::Release, ..park(1) }
}

fn decision(verdict: Verdict, by: &str, input: Option<NewInput>) -> Event {
    Event::Decided {
        decision: Decision {
            verdict,
            by: by.parse().expect("a name"),
            channel: Channel::Http,
            on_behalf_of: None,
            comment: None,
            input,
            message_id: "m".into(),
            at: START,
            lapsed: false,
        },
        lapsed: vec![],
    }
}

fn executed(rerun: TestVerdict) -> Event {
    Event::Executed {
        results: Content::new("{}".into()),
        tests: TestSummary { total: 1, passed: 1 },
        ran: Box::default(),
        rerun,
        usage: usage(),
    }
}

fn failure() -> Failure {
    Failure::new("code", "message", "hint")
}

/// Returns every kind of event, with the variations that lead to different places.
fn events() -> Vec<(&'static str, Event)> {
    let recipe = NewInput::Recipe { name: "r".into() };
    vec![
        ("planned", Event::Planned { usage: usage() }),
        ("generated", Event::Generated { artifacts: Box::new(code()), usage: usage() }),
        ("no_generator", Event::NoGenerator { failure: failure(), recipes: Vec::new(), usage: usage() }),
        ("analyzed", Event::Analyzed { report: Content::new("{}".into()), issues: 1, usage: usage() }),
        ("executed enough", executed(TestVerdict::Passed)),
        ("executed repair", executed(TestVerdict::Repairable(feedback()))),
        ("executed hopeless", executed(TestVerdict::Unrepairable)),
        ("step_failed", Event::StepFailed { failure: failure(), cost: 0.25 }),
        ("gate_released", Event::GateReleased { reason: "r".into() }),
        ("parked", Event::Parked { park: park(1) }),
        ("parked for two", Event::Parked { park: park(2) }),
        ("parked, silence releases", Event::Parked { park: silence() }),
        ("approved", decision(Verdict::Approved, "bob", None)),
        ("approved with input", decision(Verdict::Approved, "bob", Some(recipe))),
        ("rejected", decision(Verdict::Rejected, "bob", None)),
        ("changes_requested", decision(Verdict::ChangesRequested, "bob", None)),
        ("expired", Event::Expired),
        ("timed_out", Event::TimedOut),
        ("cancelled", Event::Cancelled { by: Actor::Service("test".into()) }),
    ]
}

fn at_gate(stage: Stage, state: GateState) -> Phase {
    let mut gate = Gate::pending(submitted("ann", options()).id, 1, stage);
    gate.state = state;
    Phase::Approve { gate }
}

fn states() -> Vec<(&'static str, Workflow)> {
    let parked = || GateState::Parked { park: park(1) };
    let silent = || GateState::Parked { park: silence() };
    let input = || Stage::Input { hint: "h".into(), recipes: Vec::new() };
    let phases = [
        ("plan", Phase::Plan),
        ("generate", Phase::Generate { feedback: None, input: None }),
        ("analyze", Phase::Analyze),
        ("execute", Phase::Execute { runtime: "python".into() }),
        ("approve: release, pending", at_gate(Stage::Release, GateState::Pending)),
        ("approve: release, parked", at_gate(Stage::Release, parked())),
        ("approve: release, parked, silence releases", at_gate(Stage::Release, silent())),
        ("approve: release, parked for two", at_gate(Stage::Release, GateState::Parked { park: park(2) })),
        ("approve: before execute, pending", at_gate(Stage::BeforeExecute, GateState::Pending)),
        ("approve: before execute, parked", at_gate(Stage::BeforeExecute, parked())),
        ("approve: before execute, parked, silence releases", at_gate(Stage::BeforeExecute, silent())),
        ("approve: input, pending", at_gate(input(), GateState::Pending)),
        ("approve: input, parked", at_gate(input(), parked())),
        ("done", Phase::Done),
        ("failed", Phase::Failed { failure: failure() }),
        ("cancelled", Phase::Cancelled { by: Actor::Service("test".into()) }),
    ];
    let state = |phase: Phase| {
        let mut workflow = submitted("ann", options());
        if workflow.phase != phase {
            workflow.current_step = 2;
        }
        if matches!(&phase, Phase::Approve { gate } if gate.park().is_some()) {
            workflow.active_since = None;
        }
        workflow.artifacts = code();
        workflow.phase = phase;
        workflow
    };
    let mut all: Vec<_> = phases.map(|(name, phase)| (name, state(phase))).into();
    // Only policy can ask a human about work that its caller wants released without approval.
    let mut alone = state(Phase::Generate { feedback: None, input: None });
    alone.submission.options.require_approval = false;
    all.push(("generate, no approval wanted", alone.clone()));
    alone.phase = at_gate(Stage::Release, parked());
    let sent_back = transition(&alone, decision(Verdict::ChangesRequested, "bob", None), START).expect("legal");
    all.push(("generate, no approval wanted, changes requested", sent_back));
    all
}

fn place(workflow: &Workflow) -> String {
    match &workflow.phase {
        Phase::Approve { gate } => {
            let stage = match gate.stage {
                Stage::Input { .. } => "input",
                Stage::BeforeExecute => "before execute",
                Stage::Release => "release",
            };
            format!("approve: {stage}, {}", if gate.park().is_some() { "parked" } else { "pending" })
        }
        Phase::Failed { failure } => format!("failed: {}", failure.code),
        Phase::Plan
        | Phase::Generate { .. }
        | Phase::Analyze
        | Phase::Execute { .. }
        | Phase::Done
        | Phase::Cancelled { .. } => workflow.phase.kind().as_str().to_owned(),
    }
}

#[test]
fn the_whole_grid() {
    let mut grid = String::new();
    for (name, state) in states() {
        writeln!(grid, "{name}").expect("text");
        for (event_name, event) in events() {
            let next = transition(&state, event, START).map_or("-".to_owned(), |next| place(&next));
            writeln!(grid, "    {event_name:26} {next}").expect("text");
        }
    }
    insta::assert_snapshot!(grid);
}

/// The kinds of transitions in a walk.
#[derive(Debug, Default)]
struct Seen {
    released: bool,
    by_human: bool,
    parked: bool,
    repaired: bool,
    sent_back: bool,
    expired: bool,
    cancelled: bool,
    refused: bool,
}

/// The events from which a step of a walk is drawn.
#[derive(Debug, Clone, Copy)]
enum Draw {
    /// Legal events that lead to no end except a release.
    Onward,
    Legal,
    Any,
}

#[derive(Debug, Clone)]
struct Stride {
    draw: Draw,
    index: Index,
    millis: u64,
}

/// Weighted: with uniform draws, a walk would fail or be cancelled long before a gate.
fn any_stride() -> impl Strategy<Value = Stride> {
    let draw = prop_oneof![24 => Just(Draw::Onward), 1 => Just(Draw::Legal), 3 => Just(Draw::Any)];
    (draw, any::<Index>(), 0_u64..120_000).prop_map(|(draw, index, millis)| Stride { draw, index, millis })
}

fn any_walk() -> impl Strategy<Value = Vec<Stride>> {
    proptest::collection::vec(any_stride(), 0..60)
}

/// Returns the stride's event, if the workflow has one.
fn next_event(state: &Workflow, stride: &Stride, now: Timestamp) -> Option<Event> {
    let fits = |event: &Event| {
        let next = transition(state, event.clone(), now).map(|next| next.phase.kind());
        match stride.draw {
            Draw::Onward => next.is_ok_and(|kind| kind == PhaseKind::Done || !kind.is_terminal()),
            Draw::Legal => next.is_ok(),
            Draw::Any => true,
        }
    };
    let mut offered: Vec<Event> = events().into_iter().map(|(_, event)| event).filter(fits).collect();
    (!offered.is_empty()).then(|| offered.swap_remove(stride.index.index(offered.len())))
}

/// Returns a workflow as accepted, with any options and policy.
fn any_submitted() -> impl Strategy<Value = Workflow> {
    (any::<bool>(), any::<bool>(), 1_u32..=10, any::<bool>(), 1_u32..=8).prop_map(
        |(require_approval, enable_human_loop, max_iterations, gate_before_execute, max_agents)| {
            let options =
                SubmissionOptions { require_approval, enable_human_loop, max_iterations, max_agents, ..options() };
            under_gate(gate_before_execute, options)
        },
    )
}

/// Returns a workflow as accepted, under a policy with or without a gate before the run.
fn under_gate(gate_before_execute: bool, options: SubmissionOptions) -> Workflow {
    let mut workflow = submitted("ann", options);
    workflow.submission.policy.gate_before_execute = gate_before_execute;
    Workflow::submitted(workflow.id, workflow.owner, workflow.submission, START)
}

fn passed(gate: &ClosedGate) -> bool {
    match gate.outcome {
        GateOutcome::Approved | GateOutcome::Released => true,
        GateOutcome::Expired => gate.stage == Stage::Release,
        GateOutcome::Rejected | GateOutcome::ChangesRequested | GateOutcome::Abandoned => false,
    }
}

fn check_step(before: &Workflow, after: &Workflow, event: &Event) -> Result<(), TestCaseError> {
    let spent = after.metrics.total_cost - before.metrics.total_cost;
    prop_assert!((spent - event.cost()).abs() < 1e-9, "the cost of the step is not counted");
    prop_assert!(!before.status().is_terminal(), "left a terminal state");
    prop_assert!(after.current_step >= before.current_step, "the step number decreased");
    prop_assert!(after.current_step as usize <= after.plan.len());
    prop_assert_eq!(&after.submission, &before.submission);
    prop_assert!(after.closed_gates.starts_with(&before.closed_gates), "a gate's history changed");
    prop_assert_eq!(after.active_since.is_none(), after.park().is_some() || after.status().is_terminal());
    prop_assert!(after.round <= after.submission.options.max_iterations);
    if after.phase.kind() == PhaseKind::Done {
        check_release(before, after, event)?;
    }
    if after.phase.kind() == PhaseKind::Execute
        && before.phase != after.phase
        && after.submission.policy.gate_before_execute
    {
        let last = after.closed_gates.last().expect("a gate before the run");
        prop_assert!(last.stage == Stage::BeforeExecute && passed(last), "ran before its gate");
    }
    Ok(())
}

fn check_release(before: &Workflow, after: &Workflow, event: &Event) -> Result<(), TestCaseError> {
    let last = after.closed_gates.last().expect("a gate before the end");
    prop_assert!(last.stage == Stage::Release && passed(last), "released through no gate");
    let silence_releases = before.park().is_some_and(|park| park.on_expiry == OnExpiry::Release);
    let by_policy = matches!(event, Event::GateReleased { .. }) || matches!(event, Event::Expired) && silence_releases;
    let approved = matches!(event, Event::Decided { decision, .. } if decision.verdict == Verdict::Approved);
    prop_assert!(approved || by_policy, "released by another event");
    if approved {
        let park = before.park().expect("approved without a question");
        prop_assert!(park.approvals() + 1 >= park.required_approvers, "released by too few");
        prop_assert_eq!(last.digest, Some(park.digest), "released another digest");
    }
    Ok(())
}

impl Seen {
    fn note(&mut self, before: &Workflow, after: &Workflow, event: &Event) {
        let kind = event.kind();
        self.released |= after.phase.kind() == PhaseKind::Done;
        self.by_human |= after.phase.kind() == PhaseKind::Done && kind == EventKind::Decided;
        self.parked |= kind == EventKind::Parked;
        self.repaired |= after.round > before.round;
        self.sent_back |= kind == EventKind::Decided && after.phase.kind() == PhaseKind::Generate;
        self.expired |= kind == EventKind::Expired;
        self.cancelled |= kind == EventKind::Cancelled;
    }
}

/// Walks from a submission and checks all properties at each step.
fn walk_through(start: Workflow, walk: &[Stride]) -> Result<(Workflow, Seen), TestCaseError> {
    let (mut state, mut now, mut seen) = (start, START, Seen::default());
    for stride in walk {
        now = now.after(Duration::from_millis(stride.millis));
        let Some(event) = next_event(&state, stride, now) else { continue };
        match transition(&state, event.clone(), now) {
            Ok(next) => {
                check_step(&state, &next, &event)?;
                seen.note(&state, &next, &event);
                state = next;
            }
            Err(illegal) => {
                prop_assert_eq!(illegal.phase, state.phase.kind());
                seen.refused = true;
            }
        }
    }
    prop_assert_eq!(seen.released, state.status() == Status::Completed);
    Ok((state, seen))
}

proptest! {
    #[test]
    fn no_sequence_breaks_a_promise(start in any_submitted(), walk in any_walk()) {
        walk_through(start, &walk)?;
    }

    /// The state survives encoding: the log returns the appended state.
    #[test]
    fn a_state_survives_the_log(start in any_submitted(), walk in any_walk()) {
        let (state, _) = walk_through(start, &walk)?;
        let read: Workflow = messaging::decode(&messaging::encode(&state)).expect("readable");
        prop_assert_eq!(read, state);
    }
}

/// Verifies that the walks reach every place: a fixed thousand, with a minimum count for each.
#[test]
fn the_sequences_come_by_every_promise() {
    let mut runner = TestRunner::deterministic();
    let strategy = (any_submitted(), any_walk());
    let mut all = Vec::new();
    for _ in 0..1_000 {
        let (start, walk) = strategy.new_tree(&mut runner).expect("a sequence").current();
        all.push(walk_through(start, &walk).expect("all properties hold").1);
    }
    let check = |what: &str, came_by: fn(&Seen) -> bool, at_least: usize| {
        let count = all.iter().filter(|seen| came_by(seen)).count();
        assert!(count >= at_least, "{count} of 1000 sequences {what}, not {at_least}");
    };
    check("are released", |seen| seen.released, 300);
    check("are released by a human", |seen| seen.by_human, 75);
    check("park", |seen| seen.parked, 400);
    check("are repaired", |seen| seen.repaired, 200);
    check("are sent back by a human", |seen| seen.sent_back, 200);
    check("see a question expire", |seen| seen.expired, 40);
    check("are cancelled", |seen| seen.cancelled, 75);
    check("refuse an event", |seen| seen.refused, 500);
}

#[test]
fn two_approvals_are_needed_where_two_are_asked_for() {
    let mut state = states().into_iter().find(|(name, _)| name.ends_with("for two")).expect("a state").1;
    state = transition(&state, decision(Verdict::Approved, "bob", None), START).expect("legal");
    assert_eq!(state.status(), Status::WaitingApproval);
    state = transition(&state, decision(Verdict::Approved, "eve", None), START).expect("legal");
    assert_eq!(state.status(), Status::Completed);
}

#[test]
fn a_lapsed_vote_does_not_count_and_may_be_given_again() {
    let lapsing = |by: &str, voter: &str| {
        let mut event = decision(Verdict::Approved, by, None);
        if let Event::Decided { lapsed, .. } = &mut event {
            lapsed.push(voter.parse().expect("a name"));
        }
        event
    };
    let asked = states().into_iter().find(|(name, _)| name.ends_with("for two")).expect("a state").1;
    let first = transition(&asked, decision(Verdict::Approved, "bob", None), START).expect("legal");
    let second = transition(&first, lapsing("eve", "bob"), START).expect("legal");
    assert_eq!(second.park().map(|park| (park.approvals(), park.decisions.len())), Some((1, 2)));
    let third = transition(&second, decision(Verdict::Approved, "bob", None), START).expect("legal");
    assert_eq!(third.status(), Status::Completed);
}

/// A park of an older build has no `on_expiry`.
/// Logs hold messages of version 1, whose options also carry the operator's policy.
#[test]
fn the_policy_of_an_older_submission_is_read_from_its_options() {
    let mut workflow = under_gate(true, options());
    workflow.submission.policy.demand_human_from = Some(RiskLevel::High);
    let read: Workflow = messaging::decode(include_bytes!("submitted_v1.msgpack")).expect("readable");
    assert_eq!(read, workflow);
}

#[test]
fn an_older_park_fails_when_it_expires() {
    let mut older = serde_json::to_value(park(1)).expect("JSON");
    older.as_object_mut().expect("an object").remove("on_expiry");
    let read: Park = serde_json::from_value(older).expect("readable");
    assert_eq!(read.on_expiry, OnExpiry::Fail);
}

#[test]
fn repair_ends_after_the_last_round() {
    let mut state = submitted("ann", SubmissionOptions { max_iterations: 2, ..options() });
    let mut runs = 0;
    state = transition(&state, Event::Planned { usage: usage() }, START).expect("legal");
    while !state.status().is_terminal() {
        for event in [
            Event::Generated { artifacts: Box::new(code()), usage: usage() },
            Event::Analyzed { report: Content::new("{}".into()), issues: 0, usage: usage() },
            executed(TestVerdict::Repairable(feedback())),
        ] {
            state = transition(&state, event, START).expect("legal");
        }
        runs += 1;
    }
    assert_eq!((runs, state.metrics.iterations), (2, 2));
    assert_eq!(place(&state), "failed: tests_failed");
}

/// Returns the longest permitted value of a field, in the largest characters.
fn longest(chars: usize) -> String {
    "\u{10ffff}".repeat(chars)
}

/// Returns the state after two decisions of the maximum size.
fn talk(state: &Workflow, last: Verdict) -> Workflow {
    let said = |verdict, by: &str| Event::Decided {
        decision: Decision {
            verdict,
            by: by.repeat(64).parse().expect("a name"),
            channel: Channel::Nats,
            on_behalf_of: Some(longest(128)),
            comment: Some(longest(COMMENT_CHARS)),
            input: None,
            message_id: "m".repeat(255),
            at: START,
            lapsed: false,
        },
        lapsed: vec![],
    };
    let mut wide = park(2);
    wide.description = longest(COMMENT_CHARS + 2_000);
    ["b", "e"]
        .iter()
        .zip([Verdict::Approved, last])
        .fold(transition(state, Event::Parked { park: wide }, START).expect("legal"), |state, (by, verdict)| {
            transition(&state, said(verdict, by), START).expect("legal")
        })
}

/// Returns the largest result of a step: inline content at the limit, in the maximum number of files.
fn largest_code() -> Artifacts {
    let content = || Content::new("x".repeat(Content::INLINE_LIMIT_BYTES));
    let file =
        |number| CodeFile { path: format!("{number:0120}"), content: content(), is_test: false, from_caller: false };
    Artifacts { files: (0..20).map(file).collect(), documentation: Some(content()), repairable: true, ..code() }
}

fn largest_feedback() -> Feedback {
    Feedback { failed_tests: vec![(longest(300), longest(2_000)); 50], output_tail: longest(2_000), ..feedback() }
}

#[test]
fn however_often_a_workflow_is_sent_back_it_ends_and_fits_a_message() {
    let mut state = under_gate(true, SubmissionOptions { max_iterations: 10, ..options() });
    let submission = &mut state.submission;
    submission.goal = longest(10_000);
    submission.options.notification_webhook = Some(longest(2_048));
    (submission.repo_url, submission.current_file) = (Some(longest(2_048)), Some(longest(1_024)));
    let stored = || Content { inline: None, ..Content::new(longest(100)) };
    submission.files = vec![ProjectFile { path: longest(255), content: stored() }; MAX_PROJECT_FILES];
    submission.entry = Some(longest(255));
    submission.stdin = Some(Content::new(longest(Content::INLINE_LIMIT_BYTES)));
    submission.invocation = submission.stdin.clone();
    state = transition(&state, Event::Planned { usage: usage() }, START).expect("legal");
    let mut largest = 0;
    while !state.status().is_terminal() {
        let content = || Content::new("x".repeat(Content::INLINE_LIMIT_BYTES));
        let free = StepUsage { cost: 0.0, ..usage() };
        let event = match &state.phase {
            Phase::Generate { .. } => Event::Generated { artifacts: Box::new(largest_code()), usage: free },
            Phase::Analyze => Event::Analyzed { report: content(), issues: 1, usage: free },
            Phase::Execute { .. } => Event::Executed {
                results: content(),
                tests: TestSummary { total: 1, passed: 0 },
                ran: Box::new(Ran { output_files: vec![OutputFile::new(longest(255), b"x"); 50], ..Ran::default() }),
                rerun: if state.round < 10 { TestVerdict::Repairable(largest_feedback()) } else { TestVerdict::Passed },
                usage: free,
            },
            Phase::Approve { gate } => {
                // Approved at every gate before a run, so that the gates of ten rounds precede each request for
                // changes.
                let is_release = gate.stage == Stage::Release;
                state = talk(&state, if is_release { Verdict::ChangesRequested } else { Verdict::Approved });
                largest = largest.max(messaging::encode(&state).len());
                continue;
            }
            Phase::Plan | Phase::Done | Phase::Failed { .. } | Phase::Cancelled { .. } => panic!("not here"),
        };
        state = transition(&state, event, START).expect("legal");
        largest = largest.max(messaging::encode(&state).len());
    }
    assert_eq!(place(&state), "failed: too_many_gates");
    assert!(state.closed_gates.len() >= MAX_GATES);
    let most = usize::try_from(MAX_TRANSITION_BYTES).expect("a size");
    assert!(largest * 5 / 4 < most, "{largest} bytes leave no room below {most}");
}

#[test]
fn parked_time_does_not_count() {
    let minute = Duration::from_secs(60);
    let mut state = submitted("ann", SubmissionOptions { timeout_minutes: 2, ..options() });
    state.phase = at_gate(Stage::Release, GateState::Pending);
    let parked_at = START.after(minute);
    let parked = transition(&state, Event::Parked { park: park(1) }, parked_at).expect("legal");
    assert_eq!(parked.deadline(), None);
    assert!(transition(&parked, Event::TimedOut, parked_at.after(minute * 60)).is_err());
    let back_at = parked_at.after(minute * 60);
    let back = transition(&parked, decision(Verdict::ChangesRequested, "bob", None), back_at).expect("legal");
    assert_eq!(back.deadline(), Some(back_at.after(minute)));
}

#[test]
fn a_reviewers_comment_stays_through_repairs_and_the_gate_before_the_run() {
    let comment_of = |state: &Workflow| {
        let Phase::Generate { feedback, .. } = &state.phase else { panic!("{:?}", state.phase) };
        feedback.as_ref().and_then(|feedback| feedback.comment.clone())
    };
    let mut state = states().into_iter().find(|(name, _)| *name == "execute").expect("a state").1;
    state.submission.options.max_iterations = 5;
    let repaired = transition(&state, executed(TestVerdict::Repairable(feedback())), START).expect("legal");
    assert_eq!(comment_of(&repaired), None);
    state.phase = at_gate(Stage::Release, GateState::Parked { park: park(1) });
    let Event::Decided { decision: sent_back, lapsed } = decision(Verdict::ChangesRequested, "bob", None) else {
        panic!("not a decision")
    };
    let sent_back = Decision { comment: Some("use sets".into()), ..sent_back };
    let mut state = transition(&state, Event::Decided { decision: sent_back, lapsed }, START).expect("legal");
    assert_eq!(comment_of(&state).as_deref(), Some("use sets"));
    for _ in 0..2 {
        state.phase = at_gate(Stage::BeforeExecute, GateState::Pending);
        state = transition(&state, Event::GateReleased { reason: "r".into() }, START).expect("legal");
        state = transition(&state, executed(TestVerdict::Repairable(feedback())), START).expect("legal");
        assert_eq!(comment_of(&state).as_deref(), Some("use sets"));
    }
    state.phase = at_gate(Stage::Input { hint: "h".into(), recipes: Vec::new() }, GateState::Parked { park: park(1) });
    let input = Some(NewInput::Recipe { name: "r".into() });
    let mut state = transition(&state, decision(Verdict::Approved, "bob", input), START).expect("legal");
    state.phase = Phase::Execute { runtime: "python".into() };
    let repaired = transition(&state, executed(TestVerdict::Repairable(feedback())), START).expect("legal");
    assert_eq!(comment_of(&repaired), None);
}

#[test]
fn the_budget_ends_a_workflow_before_it_is_released() {
    let state = states().into_iter().find(|(name, _)| *name == "execute").expect("a state").1;
    let dear = StepUsage { cost: 5.0, ..usage() };
    let event = Event::Executed {
        results: Content::new("{}".into()),
        tests: TestSummary { total: 1, passed: 1 },
        ran: Box::default(),
        rerun: TestVerdict::Passed,
        usage: dear,
    };
    let next = transition(&state, event, START).expect("legal");
    assert_eq!(place(&next), "failed: budget_exceeded");
}
