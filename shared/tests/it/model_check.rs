//! The protocol by which processes move a workflow on, checked exhaustively for small numbers of processes and crashes.
//!
//! Real are [`transition`], [`judge`], [`Policy`] and [`met`]; the model adds what surrounds them: a log with its fence, deliveries that
//! come again, processes that read, pause for any time, append and may die in between, appends that arrive late and whose
//! acknowledgements are lost, repeated decisions, timers and cancels.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use shared::approval::{
    Actor, Channel, Decision, DecisionRequest, GateOutcome, Policy, Refusal, RiskLevel, Ruling, Verdict, judge,
};
use shared::identity::{Role, User};
use shared::ids::{ApprovalId, Digest};
use shared::messaging::{Met, met};
use shared::samples::{START, options, submitted, user};
use shared::workflow::{
    Artifacts, Content, Event, Feedback, Options, PhaseKind, Rerun, Status, StepUsage, TestSummary, Workflow,
    transition,
};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// The sizes of a world.
#[derive(Debug, Clone)]
struct Protocol {
    is_fenced: bool,
    /// Whether who met a conflict tells its own append from another's.
    is_wary: bool,
    apis: usize,
    workers: usize,
    approvers: usize,
    /// Processes that die, and acknowledgements that are lost, in one life of the world.
    crashes: u8,
    /// Appends of which nothing is heard and which arrive at any time.
    unheard: u8,
    /// What is said at which gate, counted from 1.
    decisions: Vec<(u32, Verdict)>,
    /// How often each decision is delivered.
    deliveries: u8,
    is_cancelled: bool,
    rounds: u32,
    /// Leaves out what comes before the run, to look closer at what comes after it.
    begins_at_execute: bool,
}

/// A state of the workflow, told from others by its digest.
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

/// A path through the model is read by people.
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

/// Tells appends of which nothing was heard from all others, which are 0.
type EventNumber = u8;

/// An append that was sent and has not arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct OnItsWay {
    intent: Intent,
    event: EventNumber,
}

/// What a process is to append.
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

/// What a process has in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Hand {
    Idle,
    /// Does the step, or judges the gate, of this message.
    Step(usize),
    /// Has found the decision fit, the question expired, or the workflow alive.
    Ready(Intent),
    /// Has sent its append and heard nothing.
    Unsure(Intent, EventNumber),
    /// Has only the acknowledgement of this message left to do.
    Settle(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Process {
    Api,
    Worker,
    Approver,
}

/// What a client knows of its cancel.
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
    /// In order: which of two equal processes holds what makes no difference.
    hands: Vec<(Process, Hand)>,
    /// Deliveries left of each decision, and whether it was answered as applied.
    decisions: Vec<(u8, bool)>,
    /// Submissions left: the same one, by each API.
    submissions: u8,
    cancel: Cancel,
    crashes: u8,
    /// Appends left of which nothing will be heard.
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
    /// The broker hands a message to a process, for the first time or again.
    Deliver(usize, usize),
    Settle(usize),
    Receive(usize, usize),
    Fire(usize),
    ReadForCancel(usize),
    Append(usize, Intent),
    /// The process appends and hears nothing; what it sent is on its way.
    Send(usize, Intent),
    Arrive(usize),
    /// The process that heard nothing appends once more.
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
                    // Superseded: acknowledged, and nothing else was touched in between.
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
            Property::<Self>::always("nothing follows an end", |_, world| {
                let end = world.log.iter().position(|written| written.snapshot.phase().is_terminal());
                end.is_none_or(|end| end + 1 == world.log.len())
            }),
            Property::<Self>::always("every message goes on from the one before it", |_, world| {
                world.log.iter().enumerate().all(|(place, written)| written.on.map_or(0, |on| on + 1) == place)
            }),
            Property::<Self>::always("what is released was approved", |_, world| {
                let mut released = world.log.iter().filter(|written| written.snapshot.phase() == PhaseKind::Done);
                released.all(|written| was_approved(&written.snapshot.workflow))
            }),
            Property::<Self>::always("a cancel that was answered stands", |_, world| {
                world.cancel != Cancel::Done || world.ended_as(Status::Cancelled)
            }),
            Property::<Self>::always("a rejection that was answered is never released", |protocol, world| {
                let rejected = protocol.decisions.iter().zip(&world.decisions);
                let mut answered =
                    rejected.filter(|((_, verdict), (_, applied))| *verdict == Verdict::Rejected && *applied);
                answered.next().is_none() || !world.ended_as(Status::Completed)
            }),
            // Every action uses something up, so that every way through the world comes to rest.
            Property::<Self>::always("whatever comes to rest has ended", |protocol, world| {
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
        submitted("ann", Options { max_iterations: self.rounds, ..options() })
    }

    /// What an idle process may begin.
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

    /// Appends unless the fence refuses; an event that cannot happen is dropped, as every process does.
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
            // Kept, and tried again.
            Err(Refusal::NotYetParked) => return None,
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

    /// The ways to append it: heard, or while there are such, not.
    fn appends(&self, protocol: &Protocol, number: usize, intent: Intent, actions: &mut Vec<Action>) {
        actions.push(Action::Append(number, intent));
        if self.unheard > 0 && self.made(protocol, intent).is_some() {
            actions.push(Action::Send(number, intent));
        }
    }

    /// What a process makes of what it has read; `None` where that cannot happen.
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

    /// The process knows what became of its append.
    fn conclude(&mut self, number: usize, intent: Intent, is_appended: bool) {
        self.hands[number].1 = match intent {
            Intent::Step { on, .. } => Hand::Settle(on),
            // Lost: who decides or cancels reads again.
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
            match met(newest, intent.on() as u64 + 1, &event) {
                Met::Itself(_) => true,
                Met::Another => !protocol.is_wary,
                // What cannot happen is not appended, by nobody.
                Met::Nothing => false,
            }
        };
        self.conclude(number, intent, is_appended);
        Some(())
    }
}

/// What a worker makes of its step, or the approver of a gate; `None` where nothing is left to be done.
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
                Outcome::Enough => Rerun::Enough,
                Outcome::Repair => Rerun::Repair(Feedback {
                    failed_tests: vec![],
                    output_tail: String::new(),
                    findings: vec![],
                    comment: None,
                }),
            },
            usage,
        },
        PhaseKind::Approve => match Policy::default().rule(workflow, RiskLevel::Low, START)? {
            Ruling::Park(park) => Event::Parked { park: *park },
            Ruling::Release { reason } => Event::GateReleased { reason: reason.to_owned() },
            Ruling::ApprovalRequired | Ruling::RanWithoutLeave => return None,
        },
        PhaseKind::Done | PhaseKind::Failed | PhaseKind::Cancelled => return None,
    };
    transition(workflow, event, START).ok()
}

/// How many gates the workflow has come to: a client knows no other approvals.
fn gates_of(workflow: &Workflow) -> u32 {
    let open = u32::from(workflow.gate().is_some());
    u32::try_from(workflow.closed_gates.len()).unwrap_or(u32::MAX) + open
}

/// The owner's decision, as the approver judges it.
fn verdict_on(workflow: &Workflow, protocol: &Protocol, request: usize) -> Result<Option<Decision>, Refusal> {
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
    judge(workflow, Some(&user), &request, START)
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

/// Goes through every state, and through more than `states` of them.
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
    let broken = "a cancel that was answered stands";
    let checker = protocol.checker().threads(2).finish_when(HasDiscoveries::AnyOf([broken].into())).spawn_bfs().join();
    assert!(checker.discovery(broken).is_some(), "the model does not look");
}

#[test]
fn without_the_fence_the_model_finds_what_goes_wrong() {
    let protocol = Protocol { is_fenced: false, is_cancelled: true, begins_at_execute: true, ..small() };
    let broken =
        ["nothing follows an end", "every message goes on from the one before it", "a cancel that was answered stands"];
    let all = HasDiscoveries::AllOf(broken.into());
    let checker = protocol.checker().threads(2).finish_when(all).spawn_bfs().join();
    for promise in broken {
        assert!(checker.discovery(promise).is_some(), "`{promise}` holds without the fence: the model does not look");
    }
}
