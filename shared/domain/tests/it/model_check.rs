//! A model of the protocol by which processes advance a workflow, checked exhaustively for small numbers of processes
//! and crashes.
//!
//! [`transition`], [`validate_decision`], [`Policy`] and [`classify_conflict`] are the real ones. The model adds their environment: a log with a
//! fence, redeliveries, processes that read, pause for any time, append and may crash in between, appends that arrive
//! late or lose their acknowledgement, repeated decisions, timers and cancels.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use domain::approval::{
    Actor, Channel, Decision, DecisionError, DecisionRequest, GateDecision, GateOutcome, Policy, RiskLevel, Verdict,
    validate_decision,
};
use domain::identity::{Role, User};
use domain::ids::{ApprovalId, Digest};
use domain::samples::{START, options, submitted, user};
use domain::workflow::{
    Artifacts, Content, Event, Feedback, PhaseKind, Status, StepUsage, SubmissionOptions, TestSummary, TestVerdict,
    Workflow, transition,
};
use messaging::{ConflictOutcome, classify_conflict};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// The size of a world.
#[derive(Debug, Clone)]
struct Protocol {
    is_fenced: bool,
    /// True if a process that meets a conflict distinguishes its own append from another's.
    is_wary: bool,
    apis: usize,
    workers: usize,
    approvers: usize,
    /// Budget of crashes and lost acknowledgements in one run of the world.
    crashes: u8,
    /// Appends without acknowledgement, which arrive at any time.
    unheard: u8,
    /// The verdict sent to each gate; gates are counted from 1.
    decisions: Vec<(u32, Verdict)>,
    /// Number of deliveries of each decision.
    deliveries: u8,
    is_cancelled: bool,
    rounds: u32,
    /// Skips the steps before the run, to explore those after it in more depth.
    begins_at_execute: bool,
}

/// A state of the workflow, compared by its digest.
#[derive(Clone)]
struct Snapshot {
    workflow: Arc<Workflow>,
    digest: Digest,
}

impl Snapshot {
    fn new(workflow: Workflow) -> Self {
        let text = serde_json::to_vec(&workflow).expect("a workflow is JSON");
        Self { digest: Digest::of(&text), workflow: Arc::new(workflow) }
    }

    fn phase(&self) -> PhaseKind {
        self.workflow.phase.kind()
    }
}

/// Short, because a path through the model is read by people.
impl fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.phase().as_str(), self.digest)
    }
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Snapshot {}

impl Hash for Snapshot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// A message of the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Written {
    /// The message that its author had read; `None` for a submission.
    on: Option<usize>,
    event: EventNumber,
    snapshot: Snapshot,
    is_settled: bool,
}

/// The number of an append without acknowledgement; 0 for all others.
type EventNumber = u8;

/// An append that was sent and has not arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OnItsWay {
    intent: Intent,
    event: EventNumber,
}

/// The append that a process is about to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Intent {
    Step { on: usize, outcome: Outcome },
    Decision { on: usize, request: usize },
    Expiry(usize),
    Cancel(usize),
}

impl Intent {
    fn on(self) -> usize {
        let (Self::Step { on, .. } | Self::Decision { on, .. } | Self::Expiry(on) | Self::Cancel(on)) = self;
        on
    }
}

/// The state of a process in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Hand {
    Idle,
    /// Executes the step, or judges the gate, of this message.
    Step(usize),
    /// Has checked that the decision is valid, the question expired, or the workflow active.
    Ready(Intent),
    /// Has sent its append and received no acknowledgement.
    Unsure(Intent, EventNumber),
    /// Has only to acknowledge this message.
    Settle(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Process {
    Api,
    Worker,
    Approver,
}

/// The state of a cancel, as known to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cancel {
    Wanted,
    Done,
    Refused,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    log: Vec<Written>,
    /// Sorted: equal processes are interchangeable.
    hands: Vec<(Process, Hand)>,
    /// Remaining deliveries of each decision, and whether it was answered as applied.
    decisions: Vec<(u8, bool)>,
    /// Remaining submissions: the same one, by each API.
    submissions: u8,
    cancel: Cancel,
    crashes: u8,
    /// Remaining appends without acknowledgement.
    unheard: u8,
    on_their_way: Vec<OnItsWay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Outcome {
    Enough,
    Repair,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Action {
    Submit,
    /// The broker delivers a message to a process, for the first time or again.
    Deliver(usize, usize),
    Settle(usize),
    Receive(usize, usize),
    Fire(usize),
    ReadForCancel(usize),
    Append(usize, Intent),
    /// The process appends without acknowledgement; the append is in flight.
    Send(usize, Intent),
    Arrive(usize),
    /// The process without acknowledgement appends again.
    Retry(usize),
    Crash(usize),
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let apis = std::iter::repeat_n(Process::Api, self.apis);
        let workers = std::iter::repeat_n(Process::Worker, self.workers);
        let approvers = std::iter::repeat_n(Process::Approver, self.approvers);
        let mut world = World {
            log: Vec::new(),
            hands: apis.chain(workers).chain(approvers).map(|process| (process, Hand::Idle)).collect(),
            decisions: self.decisions.iter().map(|_| (self.deliveries, false)).collect(),
            submissions: if self.begins_at_execute { 0 } else { 2 },
            cancel: if self.is_cancelled { Cancel::Wanted } else { Cancel::Never },
            crashes: self.crashes,
            unheard: self.unheard,
            on_their_way: Vec::new(),
        };
        if self.begins_at_execute {
            let mut workflow = self.submission();
            while workflow.phase.kind() != PhaseKind::Execute {
                workflow = step(&workflow, Outcome::Enough).expect("a step");
            }
            world.append(self, None, Some(workflow), 0);
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.submissions > 0 {
            actions.push(Action::Submit);
        }
        for (number, (process, hand)) in world.hands.iter().enumerate() {
            match hand {
                Hand::Idle => self.begin(world, number, *process, actions),
                Hand::Step(on) => {
                    let can_fail = world.log[*on].snapshot.phase() == PhaseKind::Execute;
                    let outcomes = if can_fail { &[Outcome::Enough, Outcome::Repair][..] } else { &[Outcome::Enough] };
                    for outcome in outcomes {
                        world.appends(self, number, Intent::Step { on: *on, outcome: *outcome }, actions);
                    }
                }
                Hand::Ready(intent) => world.appends(self, number, *intent, actions),
                Hand::Unsure(..) => actions.push(Action::Retry(number)),
                Hand::Settle(_) => actions.push(Action::Settle(number)),
            }
            if *hand != Hand::Idle && world.crashes > 0 {
                actions.push(Action::Crash(number));
            }
        }
        actions.extend((0..world.on_their_way.len()).map(Action::Arrive));
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::Submit => {
                next.submissions -= 1;
                next.append(self, None, Some(self.submission()), 0);
            }
            Action::Deliver(number, message) => {
                if message + 1 == next.log.len() {
                    next.hands[number].1 = Hand::Step(message);
                } else {
                    // Superseded: acknowledged without any other effect.
                    next.log[message].is_settled = true;
                }
            }
            Action::Settle(number) => {
                let Hand::Settle(message) = next.hands[number].1 else { return None };
                next.log[message].is_settled = true;
                next.hands[number].1 = Hand::Idle;
            }
            Action::Receive(number, request) => next.receive(self, number, request)?,
            Action::Fire(number) => next.hands[number].1 = Hand::Ready(Intent::Expiry(next.log.len() - 1)),
            Action::ReadForCancel(number) => next.read_for_cancel(number),
            Action::Append(number, intent) => {
                let is_appended = next.append_made(self, intent, 0);
                next.conclude(number, intent, is_appended);
            }
            Action::Send(number, intent) => {
                let event = next.unheard;
                next.unheard -= 1;
                next.on_their_way.push(OnItsWay { intent, event });
                next.hands[number].1 = Hand::Unsure(intent, event);
            }
            Action::Arrive(place) => {
                let OnItsWay { intent, event } = next.on_their_way.remove(place);
                next.append_made(self, intent, event);
            }
            Action::Retry(number) => next.retry(self, number)?,
            Action::Crash(number) => {
                next.crashes -= 1;
                next.hands[number].1 = Hand::Idle;
            }
        }
        next.hands.sort_unstable();
        next.on_their_way.sort_unstable();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("no message follows a terminal state", |_, world| {
                let end = world.log.iter().position(|written| written.snapshot.phase().is_terminal());
                end.is_none_or(|end| end + 1 == world.log.len())
            }),
            Property::<Self>::always("every message follows its predecessor", |_, world| {
                world.log.iter().enumerate().all(|(place, written)| written.on.map_or(0, |on| on + 1) == place)
            }),
            Property::<Self>::always("every released result was approved", |_, world| {
                let mut released = world.log.iter().filter(|written| written.snapshot.phase() == PhaseKind::Done);
                released.all(|written| was_approved(&written.snapshot.workflow))
            }),
            Property::<Self>::always("an answered cancel is final", |_, world| {
                world.cancel != Cancel::Done || world.ended_as(Status::Cancelled)
            }),
            Property::<Self>::always("an answered rejection is never released", |protocol, world| {
                let rejected = protocol.decisions.iter().zip(&world.decisions);
                let mut answered =
                    rejected.filter(|((_, verdict), (_, applied))| *verdict == Verdict::Rejected && *applied);
                answered.next().is_none() || !world.ended_as(Status::Completed)
            }),
            // Every action consumes a budget, so every path ends.
            Property::<Self>::always("every path ends in a terminal state", |protocol, world| {
                let mut actions = Vec::new();
                protocol.actions(world, &mut actions);
                let rests = actions.into_iter().all(|action| protocol.next_state(world, action).is_none());
                !rests || world.log.last().is_some_and(|last| last.snapshot.phase().is_terminal())
            }),
            Property::<Self>::sometimes("a workflow is released", |_, world| world.ended_as(Status::Completed)),
            Property::<Self>::sometimes("a workflow fails", |_, world| world.ended_as(Status::Failed)),
        ]
    }
}

impl Protocol {
    fn submission(&self) -> Workflow {
        submitted("ann", SubmissionOptions { max_iterations: self.rounds, ..options() })
    }

    /// Collects the actions that an idle process may start.
    fn begin(&self, world: &World, number: usize, process: Process, actions: &mut Vec<Action>) {
        let waiting = |wanted: fn(PhaseKind) -> bool| {
            let messages = world.log.iter().enumerate();
            messages
                .filter(move |(_, written)| !written.is_settled && wanted(written.snapshot.phase()))
                .map(move |(message, _)| Action::Deliver(number, message))
        };
        let newest = world.log.last().map(|written| &written.snapshot);
        match process {
            Process::Api if world.cancel == Cancel::Wanted && newest.is_some() => {
                actions.push(Action::ReadForCancel(number));
            }
            Process::Api => {}
            Process::Worker => actions.extend(waiting(|phase| {
                matches!(phase, PhaseKind::Plan | PhaseKind::Generate | PhaseKind::Analyze | PhaseKind::Execute)
            })),
            Process::Approver => {
                actions.extend(waiting(|phase| phase == PhaseKind::Approve));
                if newest.is_some_and(|newest| newest.workflow.park().is_some()) {
                    actions.push(Action::Fire(number));
                }
                let gates = newest.map_or(0, |newest| gates_of(&newest.workflow));
                let decisions = self.decisions.iter().zip(&world.decisions).enumerate();
                let sent = decisions.filter(|(_, ((gate, _), (left, _)))| *gate <= gates && *left > 0);
                actions.extend(sent.map(|(request, _)| Action::Receive(number, request)));
            }
        }
    }
}

impl World {
    fn ended_as(&self, status: Status) -> bool {
        self.log.last().is_some_and(|last| last.snapshot.workflow.status() == status)
    }

    /// Appends unless the fence refuses; an illegal event is dropped, as in every process.
    fn append(
        &mut self,
        protocol: &Protocol,
        on: Option<usize>,
        workflow: Option<Workflow>,
        event: EventNumber,
    ) -> bool {
        let is_newest = on.map_or(0, |on| on + 1) == self.log.len();
        match workflow {
            Some(workflow) if is_newest || !protocol.is_fenced => {
                self.log.push(Written { on, event, snapshot: Snapshot::new(workflow), is_settled: false });
                true
            }
            Some(_) | None => false,
        }
    }

    fn receive(&mut self, protocol: &Protocol, number: usize, request: usize) -> Option<()> {
        let on = self.log.len().checked_sub(1)?;
        match verdict_on(&self.log[on].snapshot.workflow, protocol, request) {
            Ok(Some(_)) => self.hands[number].1 = Hand::Ready(Intent::Decision { on, request }),
            Ok(None) => self.decisions[request] = (self.decisions[request].0 - 1, true),
            // Kept for a retry.
            Err(DecisionError::NotYetParked) => return None,
            Err(_) => self.decisions[request].0 -= 1,
        }
        Some(())
    }

    fn read_for_cancel(&mut self, number: usize) {
        let on = self.log.len() - 1;
        match self.log[on].snapshot.workflow.status() {
            Status::Completed | Status::Failed => self.cancel = Cancel::Refused,
            Status::Cancelled => self.cancel = Cancel::Done,
            Status::Created | Status::Running | Status::WaitingApproval => {
                self.hands[number].1 = Hand::Ready(Intent::Cancel(on));
            }
        }
    }

    /// Collects the ways to append: with acknowledgement, and within the budget without.
    fn appends(&self, protocol: &Protocol, number: usize, intent: Intent, actions: &mut Vec<Action>) {
        actions.push(Action::Append(number, intent));
        if self.unheard > 0 && self.made(protocol, intent).is_some() {
            actions.push(Action::Send(number, intent));
        }
    }

    /// Returns the state that a process derives from the message it read; `None` if the event is illegal.
    fn made(&self, protocol: &Protocol, intent: Intent) -> Option<Workflow> {
        let workflow = &self.log[intent.on()].snapshot.workflow;
        let event = match intent {
            Intent::Step { outcome, .. } => return step(workflow, outcome),
            Intent::Decision { request, .. } => {
                let decision = verdict_on(workflow, protocol, request).ok().flatten()?;
                Event::Decided { decision, lapsed: Vec::new() }
            }
            Intent::Expiry(_) => Event::Expired,
            Intent::Cancel(_) => Event::Cancelled { by: Actor::User(workflow.owner.clone()) },
        };
        transition(workflow, event, START).ok()
    }

    fn append_made(&mut self, protocol: &Protocol, intent: Intent, event: EventNumber) -> bool {
        let made = self.made(protocol, intent);
        self.append(protocol, Some(intent.on()), made, event)
    }

    /// Updates the process once the result of its append is known.
    fn conclude(&mut self, number: usize, intent: Intent, is_appended: bool) {
        self.hands[number].1 = match intent {
            Intent::Step { on, .. } => Hand::Settle(on),
            // On a conflict, a decision or cancel is read again.
            Intent::Decision { .. } | Intent::Expiry(_) | Intent::Cancel(_) => Hand::Idle,
        };
        match intent {
            Intent::Decision { request, .. } if is_appended => {
                self.decisions[request] = (self.decisions[request].0 - 1, true);
            }
            Intent::Cancel(_) if is_appended => self.cancel = Cancel::Done,
            Intent::Step { .. } | Intent::Decision { .. } | Intent::Expiry(_) | Intent::Cancel(_) => {}
        }
    }

    fn retry(&mut self, protocol: &Protocol, number: usize) -> Option<()> {
        let Hand::Unsure(intent, event) = self.hands[number].1 else { return None };
        let is_appended = self.append_made(protocol, intent, event) || {
            let newest = self.log.last().map(|newest| (self.log.len() as u64, &newest.event));
            match classify_conflict(newest, intent.on() as u64 + 1, &event) {
                ConflictOutcome::Own(_) => true,
                ConflictOutcome::Superseded => !protocol.is_wary,
                // No process appends an illegal event.
                ConflictOutcome::NotApplied => false,
            }
        };
        self.conclude(number, intent, is_appended);
        Some(())
    }
}

/// Returns the state after a worker's step or the approver's judgement; `None` if nothing remains to be done.
fn step(workflow: &Workflow, outcome: Outcome) -> Option<Workflow> {
    let usage = StepUsage { started_at: START, queue_ms: 0, sandbox_ms: 0, cost: 0.0 };
    let event = match workflow.phase.kind() {
        PhaseKind::Plan => Event::Planned { usage },
        PhaseKind::Generate => Event::Generated { artifacts: Box::new(Artifacts::default()), usage },
        PhaseKind::Analyze => Event::Analyzed { report: Content::new("{}".into()), issues: 0, usage },
        PhaseKind::Execute => Event::Executed {
            results: Content::new("{}".into()),
            tests: TestSummary { total: 1, passed: 1 },
            ran: Box::default(),
            rerun: match outcome {
                Outcome::Enough => TestVerdict::Passed,
                Outcome::Repair => TestVerdict::Repairable(Feedback {
                    failed_tests: vec![],
                    output_tail: String::new(),
                    findings: vec![],
                    comment: None,
                }),
            },
            usage,
        },
        PhaseKind::Approve => match Policy::default().rule(workflow, RiskLevel::Low, START)? {
            GateDecision::Park(park) => Event::Parked { park: *park },
            GateDecision::Release { reason } => Event::GateReleased { reason: reason.to_owned() },
            GateDecision::ApprovalRequired | GateDecision::ExecutedWithoutApproval => return None,
        },
        PhaseKind::Done | PhaseKind::Failed | PhaseKind::Cancelled => return None,
    };
    transition(workflow, event, START).ok()
}

/// Returns the number of gates so far: a client knows no other approvals.
fn gates_of(workflow: &Workflow) -> u32 {
    let open = u32::from(workflow.gate().is_some());
    u32::try_from(workflow.closed_gates.len()).unwrap_or(u32::MAX) + open
}

/// Returns the approver's judgement of the owner's decision.
fn verdict_on(workflow: &Workflow, protocol: &Protocol, request: usize) -> Result<Option<Decision>, DecisionError> {
    let user = User { self_approval: true, ..user(workflow.owner.as_str(), Role::Developer) };
    let (gate, verdict) = protocol.decisions[request];
    let request = DecisionRequest {
        workflow_id: workflow.id,
        approval_id: ApprovalId::for_gate(workflow.id, gate),
        verdict,
        comment: None,
        digest: None,
        on_behalf_of: None,
        input: None,
        by: workflow.owner.clone(),
        channel: Channel::Http,
        message_id: format!("m-{request}"),
    };
    validate_decision(workflow, Some(&user), &request, START)
}

fn was_approved(workflow: &Workflow) -> bool {
    let digest = Some(workflow.release_digest());
    workflow.closed_gates.last().is_some_and(|gate| {
        let said = gate.decisions.iter().any(|decision| decision.verdict == Verdict::Approved);
        gate.outcome == GateOutcome::Approved && gate.digest == digest && said
    })
}

fn small() -> Protocol {
    Protocol {
        is_fenced: true,
        is_wary: true,
        apis: 1,
        workers: 2,
        approvers: 1,
        crashes: 1,
        unheard: 0,
        decisions: vec![(1, Verdict::Approved)],
        deliveries: 1,
        is_cancelled: false,
        rounds: 1,
        begins_at_execute: false,
    }
}

/// Explores all states, and asserts that there are more than `states`.
#[track_caller]
fn check(protocol: Protocol, states: usize) {
    let checker = protocol.clone().checker().threads(2).spawn_bfs().join();
    println!("{} states of {protocol:?}", checker.unique_state_count());
    checker.assert_properties();
    assert!(checker.unique_state_count() > states, "{} states", checker.unique_state_count());
}

#[test]
fn redelivered_steps_and_crashes_do_no_harm() {
    check(small(), 1_000);
}

#[test]
fn a_repair_goes_round_and_ends() {
    check(Protocol { rounds: 2, crashes: 0, ..small() }, 1_000);
}

#[test]
fn a_cancel_at_any_moment_is_final() {
    check(Protocol { is_cancelled: true, apis: 2, workers: 1, ..small() }, 1_000);
}

#[test]
fn repeated_and_contradicting_decisions_at_two_approvers_count_once() {
    let decisions = vec![(1, Verdict::Approved), (1, Verdict::Rejected)];
    let protocol = Protocol { approvers: 2, decisions, deliveries: 2, is_cancelled: true, ..small() };
    check(Protocol { begins_at_execute: true, ..protocol }, 1_000);
}

#[test]
fn a_request_for_changes_goes_back_and_ends_all_the_same() {
    let decisions = vec![(1, Verdict::ChangesRequested), (2, Verdict::Approved)];
    check(Protocol { decisions, begins_at_execute: true, ..small() }, 1_000);
}

#[test]
fn an_append_that_arrives_late_or_is_not_acknowledged_counts_once() {
    let decisions = vec![(1, Verdict::Approved), (1, Verdict::Rejected)];
    let protocol = Protocol { unheard: 2, crashes: 0, is_cancelled: true, decisions, ..small() };
    check(Protocol { begins_at_execute: true, ..protocol.clone() }, 10_000);
    check(Protocol { begins_at_execute: true, crashes: 1, unheard: 1, ..protocol }, 10_000);
}

#[test]
fn who_takes_anothers_append_for_its_own_is_found_out() {
    let protocol = Protocol { is_wary: false, unheard: 1, is_cancelled: true, begins_at_execute: true, ..small() };
    let broken = "an answered cancel is final";
    let checker = protocol.checker().threads(2).finish_when(HasDiscoveries::AnyOf([broken].into())).spawn_bfs().join();
    assert!(checker.discovery(broken).is_some(), "the model misses the fault");
}

#[test]
fn without_the_fence_the_model_finds_what_goes_wrong() {
    let protocol = Protocol { is_fenced: false, is_cancelled: true, begins_at_execute: true, ..small() };
    let broken =
        ["no message follows a terminal state", "every message follows its predecessor", "an answered cancel is final"];
    let all = HasDiscoveries::AllOf(broken.into());
    let checker = protocol.checker().threads(2).finish_when(all).spawn_bfs().join();
    for promise in broken {
        assert!(checker.discovery(promise).is_some(), "`{promise}` holds without the fence: fault missed");
    }
}
