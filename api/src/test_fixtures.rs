//! Workflows in several phases, and a worker's report, for unit tests.

use std::time::Duration;

use domain::approval::{Actor, GateDecision, Policy, RiskLevel};
use domain::samples;
pub(crate) use domain::samples::{START, user};
use domain::workflow::{
    Action, Artifacts, CodeFile, Content, Event, Failure, Ran, RunCommand, StepUsage, TestSummary, TestVerdict,
    Workflow, transition,
};
use messaging::WorkerReport;

/// Returns the heartbeat of a worker with bubblewrap and Python.
pub(crate) fn worker_report(instance: &str, phases: &[&str]) -> WorkerReport {
    WorkerReport {
        instance: instance.to_owned(),
        phases: phases.iter().map(|phase| (*phase).to_owned()).collect(),
        runtimes: vec!["python".to_owned()],
        runtime_details: Vec::new(),
        running: 0,
        running_workflows: Vec::new(),
        sandbox_backend: "bubblewrap".to_owned(),
        sandbox_ok: true,
        sandbox_detail: String::new(),
        catalogue: None,
        generator: None,
    }
}

pub(crate) fn submitted(owner: &str) -> Workflow {
    samples::submitted(owner, samples::options())
}

fn usage(second: u64) -> StepUsage {
    StepUsage { started_at: START.after(Duration::from_secs(second)), queue_ms: 20, sandbox_ms: 150, cost: 0.01 }
}

fn artifacts() -> Artifacts {
    let file = |path: &str, text: &str, is_test, from_caller| CodeFile {
        path: path.to_owned(),
        content: Content::new(text.to_owned()),
        is_test,
        from_caller,
    };
    Artifacts {
        files: vec![
            file("caller.py", "caller_owns = 'this'\n", false, true),
            file("add.py", "def add(a, b):\n    return a + b\n", false, false),
            file("test_add.py", "from add import add\n", true, false),
        ],
        run: Some(RunCommand::Tests),
        runtime: Some("python".to_owned()),
        action: Some(Action::Generated),
        origin: Some("recipe add 1.0.0".to_owned()),
        repairable: false,
        documentation: Some(Content::new("# Adding\n".to_owned())),
        ..Artifacts::default()
    }
}

/// Returns a workflow before its release gate.
pub(crate) fn tested(owner: &str) -> Workflow {
    let at = |second| START.after(Duration::from_secs(second));
    let report = Content::new(r#"{"overall_score":95,"findings":[],"tools":["heimdall"]}"#.to_owned());
    let results = Content::new(r#"{"success_rate":1.0,"total":2,"passed":2}"#.to_owned());
    let events = [
        Event::Planned { usage: usage(1) },
        Event::Generated { artifacts: Box::new(artifacts()), usage: usage(2) },
        Event::Analyzed { report, issues: 1, usage: usage(3) },
        Event::Executed {
            results,
            tests: TestSummary { total: 2, passed: 2 },
            ran: Box::new(Ran { action: None, runtime_version: Some("3.11.2".to_owned()), ..Ran::default() }),
            rerun: TestVerdict::Passed,
            usage: usage(4),
        },
    ];
    let mut workflow = submitted(owner);
    for (second, event) in (1..).zip(events) {
        workflow = transition(&workflow, event, at(second)).unwrap();
    }
    workflow
}

pub(crate) fn parked(owner: &str) -> Workflow {
    parked_under(owner, &Policy::default())
}

pub(crate) fn parked_under(owner: &str, policy: &Policy) -> Workflow {
    let workflow = tested(owner);
    let at = START.after(Duration::from_secs(5));
    match policy.rule(&workflow, RiskLevel::Low, at) {
        Some(GateDecision::Park(park)) => transition(&workflow, Event::Parked { park: *park }, at).unwrap(),
        other => panic!("the sample does not park: {other:?}"),
    }
}

pub(crate) fn released(owner: &str) -> Workflow {
    let event = Event::GateReleased { reason: "the sample requires no approval".to_owned() };
    transition(&tested(owner), event, START.after(Duration::from_secs(6))).unwrap()
}

pub(crate) fn failed(owner: &str) -> Workflow {
    let failure = Failure::new("no_generator", "No generator can serve this goal.", "Name a known recipe.");
    transition(&submitted(owner), Event::failed(failure), START.after(Duration::from_secs(2))).unwrap()
}

pub(crate) fn cancelled(owner: &str) -> Workflow {
    let by = Actor::User(owner.parse().unwrap());
    transition(&submitted(owner), Event::Cancelled { by }, START.after(Duration::from_secs(2))).unwrap()
}
