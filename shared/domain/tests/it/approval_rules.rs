//! Entitlement and policy: tables with one case a line.

use std::time::Duration;

use domain::Timestamp;
use domain::approval::{
    Actor, Channel, ClosedGate, Decision, DecisionError, DecisionRequest, Gate, GateDecision, GateOutcome, OnExpiry,
    Park, Policy, RiskLevel, Stage, Verdict, has_voted, is_eligible, lapse_votes, lapsed_voters, may_decide,
    validate_decision,
};
use domain::identity::{Role, User};
use domain::ids::{ApprovalId, Digest, UserName};
use domain::samples::{self, START, options, submitted};
use domain::workflow::{
    Action, Artifacts, CodeFile, Content, Event, Invocation, NewInput, OutputFile, Phase, ProjectFile, RunCommand,
    RunEnd, TestSummary, Workflow, transition,
};

fn name(text: &str) -> UserName {
    text.parse().expect("a name")
}

fn user(text: &str, role: Role, self_approval: bool) -> User {
    User { self_approval, ..samples::user(text, role) }
}

/// Returns Ann's workflow at its release gate, validated by the policy.
fn at_release(policy: &Policy) -> Workflow {
    at_gate(Stage::Release, policy)
}

/// Returns Ann's workflow at an input gate.
fn at_input() -> Workflow {
    at_gate(Stage::Input { hint: "h".into(), recipes: vec!["known".into()] }, &Policy::default())
}

/// Returns Ann's workflow at its first gate, validated by the policy.
fn at_gate(stage: Stage, policy: &Policy) -> Workflow {
    let mut workflow = submitted("ann", options());
    workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 1, stage) };
    match policy.rule(&workflow, RiskLevel::Low, START) {
        Some(GateDecision::Park(park)) => transition(&workflow, Event::Parked { park: *park }, START).expect("legal"),
        other => panic!("expected a park: {other:?}"),
    }
}

fn request(workflow: &Workflow, by: &str) -> DecisionRequest {
    DecisionRequest {
        workflow_id: workflow.id,
        approval_id: ApprovalId::for_gate(workflow.id, 1),
        verdict: Verdict::Approved,
        comment: None,
        digest: Some(workflow.release_digest()),
        on_behalf_of: None,
        input: None,
        by: name(by),
        channel: Channel::Http,
        message_id: "m-1".into(),
    }
}

#[test]
fn the_right_to_decide_is_the_approvers_or_the_owners_by_leave() {
    let parked = at_release(&Policy::default());
    for (who, expected) in [
        (user("bob", Role::Approver, false), true),
        (user("bob", Role::Admin, false), true),
        (user("bob", Role::Developer, true), false),
        (user("bob", Role::Viewer, false), false),
        (user("ann", Role::Developer, false), false),
        (user("ann", Role::Developer, true), true),
        // Permission ends with the role that may submit.
        (user("ann", Role::Viewer, true), false),
        // Four eyes: not even an admin decides on their own work without permission.
        (user("ann", Role::Admin, false), false),
        (User { disabled: true, ..user("bob", Role::Admin, true) }, false),
    ] {
        assert_eq!(may_decide(&parked, &who), expected, "{who:?}");
    }
}

#[test]
fn every_refusal_has_its_reason() {
    let parked = at_release(&Policy::default());
    let bob = user("bob", Role::Approver, false);
    let check = |change: &dyn Fn(&mut DecisionRequest), at: Timestamp, expected: DecisionError| {
        let mut request = request(&parked, "bob");
        change(&mut request);
        assert_eq!(validate_decision(&parked, Some(&bob), &request, at), Err(expected));
    };
    let other = ApprovalId::for_gate(parked.id, 9);
    check(&|request| request.approval_id = other, START, DecisionError::UnknownApproval);
    check(&|request| request.digest = Some(Digest::of(b"other")), START, DecisionError::DigestMismatch);
    check(
        &|request| {
            request.digest = None;
            request.channel = Channel::Nats;
        },
        START,
        DecisionError::DigestMissing,
    );
    let deadline = START.after(Policy::default().expiry);
    check(&|_| {}, deadline, DecisionError::Expired);
    assert_eq!(validate_decision(&parked, None, &request(&parked, "eve"), START), Err(DecisionError::NotEntitled));

    let mut unjudged = parked.clone();
    unjudged.phase = Phase::Approve { gate: Gate::pending(parked.id, 1, Stage::Release) };
    assert_eq!(
        validate_decision(&unjudged, Some(&bob), &request(&parked, "bob"), START),
        Err(DecisionError::NotYetParked)
    );
}

#[test]
fn the_same_message_is_the_same_decision_and_another_is_too_late() {
    let parked = at_release(&Policy::default());
    let bob = user("bob", Role::Approver, false);
    let mut asked = request(&parked, "bob");
    let decision = validate_decision(&parked, Some(&bob), &asked, START).expect("allowed").expect("new");
    let done = transition(&parked, Event::Decided { decision, lapsed: Vec::new() }, START).expect("legal");
    assert_eq!(done.closed_gates[0].outcome, GateOutcome::Approved);
    assert_eq!(validate_decision(&done, Some(&bob), &asked, START), Ok(None));
    asked.message_id = "m-2".into();
    assert_eq!(
        validate_decision(&done, Some(&bob), &asked, START),
        Err(DecisionError::AlreadyDecided("it was approved"))
    );
}

#[test]
fn a_message_id_is_for_one_decision() {
    let parked = at_input();
    let bob = user("bob", Role::Approver, false);
    let code = |text: &str| Some(NewInput::Code { content: Content::new(text.into()) });
    let asked = DecisionRequest { input: code("x = 1"), ..request(&parked, "bob") };
    let mut decision = validate_decision(&parked, Some(&bob), &asked, START).expect("allowed").expect("new");
    if let Some(NewInput::Code { content }) = &mut decision.input {
        // As stored for large code.
        content.inline = None;
    }
    let supplied = transition(&parked, Event::Decided { decision, lapsed: Vec::new() }, START).expect("legal");
    let again = |change: &dyn Fn(&mut DecisionRequest)| {
        let mut again = asked.clone();
        change(&mut again);
        validate_decision(&supplied, Some(&bob), &again, START)
    };
    assert_eq!(again(&|_| {}), Ok(None));
    assert_eq!(again(&|request| request.digest = None), Ok(None), "without a digest, the parked content is meant");
    let changes: [&dyn Fn(&mut DecisionRequest); 5] = [
        &|request| request.verdict = Verdict::Rejected,
        &|request| request.comment = Some("but".into()),
        &|request| request.digest = Some(Digest::of(b"other")),
        &|request| request.input = code("x = 2"),
        &|request| request.input = None,
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(again(change), Err(DecisionError::MessageReused), "{number}");
    }
}

#[test]
fn help_goes_where_it_is_asked_for_and_with_a_yes() {
    let bob = user("bob", Role::Approver, false);
    let recipe = |name: &str| Some(NewInput::Recipe { name: name.into() });
    let code = Some(NewInput::Code { content: Content::new("x = 1".into()) });
    let before = at_gate(Stage::BeforeExecute, &Policy { gate_before_execute: true, ..Policy::default() });
    let unknown = DecisionError::UnknownRecipe("known".into());
    use Verdict::{Approved, ChangesRequested, Rejected};
    for (parked, verdict, input, expected) in [
        (at_input(), Approved, code.clone(), None),
        (at_input(), Approved, recipe("known"), None),
        (at_input(), Approved, recipe("other"), Some(unknown)),
        (at_input(), ChangesRequested, code.clone(), Some(DecisionError::InputNotAsked)),
        (at_input(), Rejected, recipe("known"), Some(DecisionError::InputNotAsked)),
        (at_release(&Policy::default()), ChangesRequested, code.clone(), Some(DecisionError::InputNotAsked)),
        (at_release(&Policy::default()), Approved, recipe("known"), Some(DecisionError::InputNotAsked)),
        (at_release(&Policy::default()), ChangesRequested, None, None),
        (before.clone(), ChangesRequested, code.clone(), Some(DecisionError::InputNotAsked)),
        (before, Approved, code, Some(DecisionError::InputNotAsked)),
    ] {
        let asked = DecisionRequest { verdict, input, ..request(&parked, "bob") };
        let validated = validate_decision(&parked, Some(&bob), &asked, START);
        assert_eq!(validated.err(), expected, "{:?}", asked);
    }
}

#[test]
fn nobody_counts_twice() {
    let policy = Policy { two_approvers_from: Some(RiskLevel::Low), ..Policy::default() };
    let parked = at_release(&policy);
    let bob = user("bob", Role::Approver, false);
    let mut asked = request(&parked, "bob");
    let decision = validate_decision(&parked, Some(&bob), &asked, START).expect("allowed").expect("new");
    let half = transition(&parked, Event::Decided { decision, lapsed: Vec::new() }, START).expect("legal");
    assert_eq!(half.park().map(|park| (park.approvals(), park.required_approvers)), Some((1, 2)));
    asked.message_id = "m-2".into();
    let refusal = validate_decision(&half, Some(&bob), &asked, START).expect_err("already voted");
    assert_eq!(
        (refusal.code(), refusal.to_string().as_str()),
        ("already_voted", "You have already voted; 1 of 2 approvals so far.")
    );
}

#[derive(Debug, PartialEq)]
enum Expect {
    ExecutedWithoutApproval,
    Release,
    Park(u32),
    Required,
}

#[test]
fn the_policy_parks_releases_or_refuses() {
    let demand = |from| Policy { demand_human_from: from, ..Policy::default() };
    let before = Policy { gate_before_execute: true, ..Policy::default() };
    let two = Policy { two_approvers_from: Some(RiskLevel::High), ..Policy::default() };
    let release = Stage::Release;
    let execute = Stage::BeforeExecute;
    let input = Stage::Input { hint: "h".into(), recipes: vec!["known".into()] };
    let critical = RiskLevel::Critical;
    for (policy, stage, require_approval, human_loop, risk, expected) in [
        (demand(None), &release, true, true, RiskLevel::Low, Expect::Park(1)),
        (demand(None), &release, false, true, critical, Expect::Release),
        (demand(None), &release, true, false, critical, Expect::Release),
        (demand(Some(RiskLevel::High)), &release, false, true, critical, Expect::Park(1)),
        (demand(Some(RiskLevel::High)), &release, false, true, RiskLevel::Medium, Expect::Release),
        (demand(Some(RiskLevel::High)), &release, true, false, critical, Expect::Required),
        (before.clone(), &execute, false, true, RiskLevel::Low, Expect::Park(1)),
        (before, &execute, true, false, RiskLevel::Low, Expect::Required),
        // The gate exists because the operator of the API requires it, whatever the approver's settings are.
        (demand(None), &execute, false, true, RiskLevel::Low, Expect::Park(1)),
        (demand(None), &execute, false, false, RiskLevel::Low, Expect::Required),
        (
            Policy { gate_before_execute: true, ..Policy::default() },
            &release,
            false,
            true,
            RiskLevel::Low,
            Expect::ExecutedWithoutApproval,
        ),
        (two.clone(), &release, true, true, RiskLevel::Medium, Expect::Park(1)),
        (two.clone(), &release, true, true, RiskLevel::High, Expect::Park(2)),
        (two, &input, true, true, RiskLevel::High, Expect::Park(1)),
    ] {
        let mut workflow = submitted("ann", options());
        workflow.submission.options.require_approval = require_approval;
        workflow.submission.options.enable_human_loop = human_loop;
        workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 1, stage.clone()) };
        let found = match policy.rule(&workflow, risk, START) {
            Some(GateDecision::Release { .. }) => Expect::Release,
            Some(GateDecision::Park(park)) => Expect::Park(park.required_approvers),
            Some(GateDecision::ApprovalRequired) => Expect::Required,
            Some(GateDecision::ExecutedWithoutApproval) => Expect::ExecutedWithoutApproval,
            None => panic!("a pending gate is validated"),
        };
        assert_eq!(found, expected, "{stage:?} {require_approval} {human_loop} {risk:?}");
    }
}

#[test]
fn what_ran_without_leave_is_not_released() {
    let gate = |stage, outcome| ClosedGate {
        outcome,
        ..ClosedGate::of(&Gate::pending(submitted("ann", options()).id, 1, stage), outcome, START)
    };
    use GateOutcome::{Approved, ChangesRequested, Expired, Released};
    for (last, with_leave) in [
        (None, false),
        (Some(gate(Stage::BeforeExecute, Approved)), true),
        // An expired question is not a permission to run.
        (Some(gate(Stage::BeforeExecute, Expired)), false),
        (Some(gate(Stage::BeforeExecute, Released)), false),
        (Some(gate(Stage::BeforeExecute, ChangesRequested)), false),
        (Some(gate(Stage::Release, ChangesRequested)), false),
    ] {
        for (by_approver, by_submission) in [(true, false), (false, true), (false, false)] {
            let mut workflow = submitted("ann", options());
            workflow.submission.policy.gate_before_execute = by_submission;
            workflow.closed_gates.extend(last.clone());
            workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 2, Stage::Release) };
            let policy = Policy { gate_before_execute: by_approver, ..Policy::default() };
            let refused = policy.rule(&workflow, RiskLevel::Low, START) == Some(GateDecision::ExecutedWithoutApproval);
            assert_eq!(refused, !with_leave && (by_approver || by_submission), "{last:?}");
        }
    }
}

#[test]
fn what_was_demanded_at_submission_is_demanded() {
    let mut workflow = submitted("ann", options());
    workflow.submission.options.require_approval = false;
    workflow.submission.policy.demand_human_from = Some(RiskLevel::High);
    workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 1, Stage::Release) };
    let parks = |risk| matches!(Policy::default().rule(&workflow, risk, START), Some(GateDecision::Park(_)));
    assert_eq!((parks(RiskLevel::Medium), parks(RiskLevel::High)), (false, true));
}

#[test]
fn people_see_what_runs_but_no_values_of_variables() {
    let mut workflow = at_release(&Policy::default());
    workflow.artifacts.run = Some(RunCommand::Script { path: "main.py".to_owned() });
    let content = Content::new("x = 1\n".to_owned());
    workflow.artifacts.files =
        vec![CodeFile { path: "main.py".to_owned(), content, is_test: false, from_caller: true }];
    let (long, env) = ("x".repeat(200), [("API_KEY".to_owned(), "hunter2".to_owned())].into());
    let invocation = Invocation { args: vec!["-v".to_owned(), long], env };
    workflow.submission.invocation = Some(Content::new(serde_json::to_string(&invocation).expect("is JSON")));
    workflow.submission.stdin = Some(Content::new("four".to_owned()));
    let seen = workflow.run_input().expect("the caller's code runs");
    assert_eq!((seen.command.as_str(), &seen.args[0], seen.args[1].len()), ("run main.py", &"-v".to_owned(), 100));
    assert_eq!((seen.env.as_slice(), seen.stdin_bytes, seen.is_shortened), (&["API_KEY".to_owned()][..], 4, true));
    workflow.artifacts.files[0].from_caller = false;
    assert_eq!(workflow.run_input(), None);
}

#[test]
fn what_is_approved_is_what_is_parked() {
    let parked = at_release(&Policy::default());
    let mut changed = parked.clone();
    changed.artifacts.documentation = Some(domain::workflow::Content::new("other".into()));
    assert_ne!(parked.release_digest(), changed.release_digest());
    let mut with_input = parked.clone();
    with_input.submission.stdin = Some(Content::new("rm -r data".to_owned()));
    assert_ne!(parked.release_digest(), with_input.release_digest());
    let mut with_file = parked.clone();
    with_file.artifacts.output_files = vec![OutputFile::new("a.txt".to_owned(), b"one")];
    let mut with_another = parked.clone();
    with_another.artifacts.output_files = vec![OutputFile::new("a.txt".to_owned(), b"two")];
    assert_ne!(parked.release_digest(), with_file.release_digest());
    assert_ne!(with_another.release_digest(), with_file.release_digest());
    let mut project = parked.clone();
    project.submission.files = vec![ProjectFile { path: "a.py".to_owned(), content: Content::new(String::new()) }];
    let mut other_entry = project.clone();
    for (workflow, path) in [(&mut project, "a.py"), (&mut other_entry, "b.py")] {
        workflow.artifacts.run = Some(RunCommand::Script { path: path.to_owned() });
    }
    assert_ne!(project.release_digest(), other_entry.release_digest());
    assert_eq!(parked.park().map(|park| park.digest), Some(parked.release_digest()));
    assert_eq!(parked.park().map(|park| park.expires_at.since(START)), Some(Duration::from_secs(86_400)));
}

/// Returns Ann's workflow at a gate for two, where `by` has voted over `channel`.
fn voted(by: &str, channel: Channel) -> Workflow {
    let policy = Policy { two_approvers_from: Some(RiskLevel::Low), ..Policy::default() };
    let parked = at_release(&policy);
    let bob = User { bot: channel == Channel::Nats, ..user(by, Role::Approver, false) };
    let asked = DecisionRequest { channel, ..request(&parked, by) };
    let decision = validate_decision(&parked, Some(&bob), &asked, START).expect("allowed").expect("new");
    transition(&parked, Event::Decided { decision, lapsed: Vec::new() }, START).expect("legal")
}

#[test]
fn a_vote_counts_while_its_voter_may_decide() {
    let half = voted("bob", Channel::Http);
    let bob = user("bob", Role::Approver, false);
    for (now, counts) in [
        (Some(bob.clone()), true),
        (Some(user("bob", Role::Admin, false)), true),
        (Some(user("bob", Role::Developer, true)), false),
        (Some(User { disabled: true, ..bob.clone() }), false),
        (Some(User { bot: true, ..bob.clone() }), false),
        (None, false),
    ] {
        let expected = if counts { vec![] } else { vec![name("bob")] };
        assert_eq!(lapsed_voters(&half, |_| now.clone()), expected, "{now:?}");
        let mut shown = half.clone();
        lapse_votes(&mut shown, |_| now.clone());
        assert_eq!(shown.park().map(Park::approvals), Some(u32::from(counts)), "{now:?}");
    }
    let by_bot = voted("robot", Channel::Nats);
    let robot = user("robot", Role::Approver, false);
    assert_eq!(lapsed_voters(&by_bot, |_| Some(robot.clone())), [name("robot")], "a person of the same name");
    assert!(lapsed_voters(&by_bot, |_| Some(User { bot: true, ..robot.clone() })).is_empty());
}

#[test]
fn who_lost_a_vote_may_vote_again() {
    let half = voted("bob", Channel::Http);
    let (bob, again) =
        (user("bob", Role::Approver, false), DecisionRequest { message_id: "m-2".into(), ..request(&half, "bob") });
    assert_eq!(
        validate_decision(&half, Some(&bob), &again, START).map_err(|refusal| refusal.code()),
        Err("already_voted")
    );
    let mut lapsed = half;
    lapse_votes(&mut lapsed, |_| None);
    assert!(matches!(validate_decision(&lapsed, Some(&bob), &again, START), Ok(Some(_))));
    assert!(
        matches!(validate_decision(&lapsed, Some(&bob), &request(&lapsed, "bob"), START), Ok(Some(_))),
        "not a repeat"
    );
}

#[test]
fn a_gate_that_expires_says_how_many_approved() {
    for (parked, expected) in [
        (at_release(&Policy::default()), "No decision came before the approval expired."),
        (voted("bob", Channel::Http), "1 of 2 approvals came before the approval expired."),
    ] {
        let after = transition(&parked, Event::Expired, START).expect("legal");
        let Phase::Failed { failure } = &after.phase else { panic!("expected a failure: {:?}", after.phase) };
        assert_eq!(failure.message, expected);
    }
}

#[test]
fn a_vote_from_before_its_voter_was_shut_out_never_counts_again() {
    let second = |count| Some(START.after(Duration::from_secs(count)));
    let bob = user("bob", Role::Approver, false);
    for (now, counts) in [
        (User { tokens_from: Some(START), ..bob.clone() }, true),
        // Disabled, new password, and enabled.
        (User { tokens_from: second(2), votes_from: second(3), ..bob.clone() }, false),
        // Disabled and enabled.
        (User { tokens_from: Some(START), votes_from: second(1), ..bob.clone() }, false),
        // New password only, as after a stolen account.
        (User { tokens_from: second(1), ..bob.clone() }, false),
        // Removed and added under the same name; a bot has no tokens.
        (User { created_at: START.after(Duration::from_secs(1)), ..bob.clone() }, false),
        // Lower role, then the old one again.
        (User { votes_from: second(1), ..bob.clone() }, false),
    ] {
        for channel in [Channel::Http, Channel::Nats] {
            let half = voted("bob", channel);
            let now = User { bot: channel == Channel::Nats, ..now.clone() };
            assert_eq!(lapsed_voters(&half, |_| Some(now.clone())).is_empty(), counts, "{now:?}");
            assert_eq!(has_voted(&half, &now), counts, "{now:?}");
            // The same user votes again, also under the old message id.
            let again = DecisionRequest { channel, ..request(&half, "bob") };
            let validated = validate_decision(&half, Some(&now), &again, START.after(Duration::from_secs(9)));
            assert_eq!(validated.is_ok_and(|decision| decision.is_none()), counts, "{now:?}");
        }
    }
}

/// Returns Ann's workflow at its second gate, after `input` came from `by` at the first.
fn supplied(by: &str, input: Option<NewInput>, stage: Stage) -> Workflow {
    let mut workflow = at_input();
    let decision = Decision {
        verdict: Verdict::Approved,
        by: name(by),
        channel: Channel::Http,
        on_behalf_of: None,
        comment: None,
        input,
        message_id: "m".into(),
        at: START,
        lapsed: false,
    };
    workflow = transition(&workflow, Event::Decided { decision, lapsed: Vec::new() }, START).expect("legal");
    workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 2, stage) };
    let policy = Policy { gate_before_execute: false, ..Policy::default() };
    match policy.rule(&workflow, RiskLevel::Low, START) {
        Some(GateDecision::Park(park)) => transition(&workflow, Event::Parked { park: *park }, START).expect("legal"),
        other => panic!("expected a park: {other:?}"),
    }
}

#[test]
fn who_supplied_the_code_is_its_author() {
    let code = Some(NewInput::Code { content: Content::new("x = 1".into()) });
    let recipe = Some(NewInput::Recipe { name: "known".into() });
    let again = Stage::Input { hint: "h".into(), recipes: vec![] };
    let bob = |role, self_approval| user("bob", role, self_approval);
    for (input, stage, who, expected) in [
        (code.clone(), Stage::Release, bob(Role::Approver, false), false),
        (code.clone(), Stage::Release, bob(Role::Admin, false), false),
        (code.clone(), Stage::Release, User { bot: true, ..bob(Role::Approver, false) }, false),
        (code.clone(), Stage::BeforeExecute, bob(Role::Approver, false), false),
        (code.clone(), Stage::Release, bob(Role::Approver, true), true),
        (code.clone(), Stage::Release, bob(Role::Developer, true), false),
        (code.clone(), Stage::Release, user("carl", Role::Approver, false), true),
        // Nothing is released at that gate.
        (code, again, bob(Role::Approver, false), true),
        // A recipe is reviewed: choosing one is not authorship.
        (recipe, Stage::Release, bob(Role::Approver, false), true),
    ] {
        let parked = supplied("bob", input, stage);
        assert_eq!(may_decide(&parked, &who), expected, "{who:?} at {:?}", parked.gate());
        let gate = parked.gate().expect("a gate");
        let asked = DecisionRequest { approval_id: gate.approval_id, by: who.name.clone(), ..request(&parked, "bob") };
        let validated = validate_decision(&parked, Some(&who), &asked, START);
        assert_eq!(
            validated.as_ref().err().map(DecisionError::code),
            (!expected).then_some("not_entitled"),
            "{validated:?}"
        );
        assert_eq!(is_eligible(&parked, &who), who.role >= Role::Approver, "visible to eligible users");
    }
}

#[test]
fn silence_releases_only_what_no_rule_demands_a_human_for() {
    let lenient = Policy { release_on_expiry: true, ..Policy::default() };
    let from = Some(RiskLevel::Medium);
    use RiskLevel::{Low, Medium};
    for (policy, demanded_at_submission, stage, risk, expected) in [
        (Policy::default(), None, Stage::Release, Low, OnExpiry::Fail),
        (lenient.clone(), None, Stage::Release, RiskLevel::High, OnExpiry::Release),
        (lenient.clone(), None, Stage::Release, RiskLevel::Critical, OnExpiry::Fail),
        (lenient.clone(), from, Stage::Release, Low, OnExpiry::Release),
        (lenient.clone(), from, Stage::Release, Medium, OnExpiry::Fail),
        (Policy { demand_human_from: from, ..lenient.clone() }, None, Stage::Release, Medium, OnExpiry::Fail),
        (Policy { demand_human_from: from, ..lenient.clone() }, None, Stage::Release, Low, OnExpiry::Release),
        (Policy { two_approvers_from: from, ..lenient.clone() }, None, Stage::Release, Medium, OnExpiry::Fail),
        (Policy { two_approvers_from: from, ..lenient.clone() }, None, Stage::Release, Low, OnExpiry::Release),
        (lenient.clone(), None, Stage::BeforeExecute, Low, OnExpiry::Fail),
        (lenient, None, Stage::Input { hint: "h".into(), recipes: vec![] }, Low, OnExpiry::Fail),
    ] {
        let mut workflow = submitted("ann", options());
        workflow.submission.policy.demand_human_from = demanded_at_submission;
        workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 1, stage) };
        let Some(GateDecision::Park(park)) = policy.rule(&workflow, risk, START) else { panic!("expected a park") };
        assert_eq!(park.on_expiry, expected, "{policy:?} {risk:?}");
    }
}

#[test]
fn a_refusal_says_what_happened_to_the_workflow() {
    let parked = at_release(&Policy::default());
    let bob = user("bob", Role::Approver, false);
    let decided = |verdict| {
        let asked = DecisionRequest { verdict, ..request(&parked, "carl") };
        let carl = user("carl", Role::Approver, false);
        let decision = validate_decision(&parked, Some(&carl), &asked, START).expect("allowed").expect("new");
        Event::Decided { decision, lapsed: Vec::new() }
    };
    let failure = domain::workflow::Failure::new("budget_exceeded", "m", "h");
    for (event, code, text) in [
        (Event::Cancelled { by: Actor::User(name("ann")) }, "cancelled", "The workflow was cancelled."),
        (
            Event::failed(failure),
            "workflow_ended",
            "The workflow ended before this approval was decided (budget_exceeded).",
        ),
        (Event::Expired, "expired", "This approval expired."),
        (decided(Verdict::Approved), "already_decided", "This approval was already decided: it was approved."),
        (decided(Verdict::Rejected), "already_decided", "This approval was already decided: it was rejected."),
    ] {
        let after = transition(&parked, event, START).expect("legal");
        let refusal = validate_decision(&after, Some(&bob), &request(&parked, "bob"), START).expect_err("too late");
        assert_eq!((refusal.code(), refusal.to_string().as_str()), (code, text));
    }
    let own = validate_decision(&parked, Some(&user("ann", Role::Approver, false)), &request(&parked, "ann"), START);
    assert_eq!(own, Err(DecisionError::OwnWork));
}

/// An action, its run, the counts of tests, the end of the run, and the text about them.
type ReleaseCase = (Action, Option<RunCommand>, (u32, u32), Option<RunEnd>, &'static str);

fn release_cases() -> Vec<ReleaseCase> {
    let script = || Some(RunCommand::Script { path: "a.py".into() });
    let ended = |exit_code, timed_out, has_tests, skipped| Some(RunEnd { exit_code, timed_out, has_tests, skipped });
    vec![
        (Action::Ran, script(), (1, 1), ended(Some(0), false, false, 0), "Ran the given code: exit code 0, no tests."),
        (Action::Ran, script(), (1, 0), ended(Some(3), false, false, 0), "Ran the given code: exit code 3, no tests."),
        (Action::Ran, script(), (1, 0), ended(None, true, false, 0), "Ran the given code: timed out, no tests."),
        (Action::Ran, script(), (1, 0), ended(None, false, false, 0), "Ran the given code: killed, no tests."),
        (Action::Ran, script(), (1, 1), None, "Ran the given code: exit code 0, no tests."),
        (Action::Ran, script(), (1, 0), None, "Ran the given code: failed, no tests."),
        (
            Action::Tested,
            Some(RunCommand::Tests),
            (3, 2),
            ended(Some(1), false, true, 1),
            "Ran the tests of the given code: 2 of 3 tests passed, 1 skipped, exit code 1.",
        ),
        (
            Action::Tested,
            Some(RunCommand::Tests),
            (1, 0),
            ended(Some(5), false, false, 0),
            "Looked for tests in the given code: exit code 5, no tests.",
        ),
        (
            Action::TestsWritten,
            Some(RunCommand::Tests),
            (4, 4),
            ended(Some(0), false, true, 0),
            "Wrote tests for the given code and ran them: 4 of 4 tests passed.",
        ),
        (Action::Generated, Some(RunCommand::Tests), (2, 2), None, "Generated code and ran it: 2 of 2 tests passed."),
        (
            Action::Generated,
            script(),
            (1, 1),
            ended(Some(0), false, false, 0),
            "Generated code and ran it: exit code 0, no tests.",
        ),
        (
            Action::Changed,
            script(),
            (1, 1),
            ended(Some(0), false, false, 0),
            "Changed the given code and ran it: exit code 0, no tests.",
        ),
        (
            Action::Documented,
            script(),
            (1, 1),
            ended(Some(0), false, false, 0),
            "Documented the given code and ran it: exit code 0, no tests.",
        ),
        (
            Action::Explained,
            script(),
            (1, 0),
            ended(Some(1), false, false, 0),
            "Explained the given code and ran it: exit code 1, no tests.",
        ),
    ]
}

#[test]
fn a_release_gate_says_what_was_done() {
    for (action, run, (total, passed), run_end, expected) in release_cases() {
        let mut workflow = submitted("ann", options());
        workflow.phase = Phase::Approve { gate: Gate::pending(workflow.id, 1, Stage::Release) };
        workflow.artifacts = Artifacts {
            action: Some(action),
            origin: Some("somewhere".into()),
            run,
            tests: TestSummary { total, passed },
            run_end,
            test_results: Some(Content::new("{}".into())),
            ..Artifacts::default()
        };
        let Some(GateDecision::Park(park)) = Policy::default().rule(&workflow, RiskLevel::Low, START) else {
            panic!("it must park")
        };
        assert_eq!(park.description, format!("May this result (somewhere) be released? {expected}"));
        workflow.artifacts.output_files = vec![OutputFile::new("approve me.txt".to_owned(), b"x")];
        let Some(GateDecision::Park(park)) = Policy::default().rule(&workflow, RiskLevel::Low, START) else {
            panic!("it must park")
        };
        let expected = expected.replace(".", "");
        assert!(park.description.ends_with(&format!("{expected}, 1 output file.")), "{}", park.description);
    }
}
