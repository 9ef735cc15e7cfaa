//! Approval bots on the broker.

use std::time::Duration;

use domain::workflow::Content;
use messaging::{BlobError, Blobs};
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{Bot, Client, Options, Stack, Terminal, eventually, question_of, run_request};

async fn park(client: &Client, bot: &mut Bot, code: &str) -> Value {
    let id = client.execute(&run_request(code, true)).await;
    loop {
        // An earlier one may be announced again.
        let request = bot.request().await;
        if request["workflow_id"] == id.as_str() {
            return request;
        }
    }
}

fn decision(request: &Value, verdict: &str) -> Value {
    json!({
        "workflow_id": request["workflow_id"],
        "approval_id": request["approval_id"],
        "decision": verdict,
        "digest": request["digest"],
        "decided_by": "somebody else",
    })
}

const SUPPLIED: &str = "x = 1\n";

/// Returns a decision with more members.
fn with(request: &Value, verdict: &str, members: Value) -> Value {
    let mut body = decision(request, verdict);
    for (name, value) in members.as_object().expect("members") {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_bot_is_told_and_its_decision_releases() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    let request = park(&client, &mut bot, "print('by bot')\n").await;
    let id = request["workflow_id"].as_str().expect("an id").to_owned();
    for field in ["approval_type", "description", "risk_level", "digest", "context", "required_approvers", "expires_at"]
    {
        assert!(!request[field].is_null(), "{field} is missing: {request}");
    }
    assert_eq!(request["reply_subject"], format!("approvals.replies.{id}"));
    bot.decide(&id, &decision(&request, "approved"), "first").await;
    let reply = bot.reply().await;
    assert_eq!((&reply["status"], &reply["workflow_status"]), (&json!("applied"), &json!("completed")), "{reply}");
    client.until(&id, "completed").await;
}

#[tokio::test]
async fn a_bad_decision_changes_nothing_is_answered_and_is_audited() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    let request = park(&client, &mut bot, "print('wait')\n").await;
    let id = request["workflow_id"].as_str().expect("an id").to_owned();

    let mut other_digest = decision(&request, "approved");
    other_digest["digest"] = json!("0".repeat(64));
    let mut no_digest = decision(&request, "approved");
    no_digest["digest"] = Value::Null;
    let mut unknown = decision(&request, "approved");
    unknown["approval_id"] = json!("00000000-0000-4000-8000-000000000000");
    let mut other_workflow = decision(&request, "approved");
    other_workflow["workflow_id"] = json!("00000000-0000-4000-8000-000000000000");
    let cases = [
        (other_digest, "digest_mismatch"),
        (no_digest, "digest_missing"),
        (unknown, "unknown_approval"),
        (other_workflow, "malformed"),
        (with(&request, "changes_requested", json!({"code": SUPPLIED.repeat(9_000)})), "input_not_asked"),
        (with(&request, "approved", json!({"recipe": "jwt-auth"})), "input_not_asked"),
        (with(&request, "approved", json!({"code": SUPPLIED.repeat(9_000), "recipe": "jwt-auth"})), "malformed"),
        (with(&request, "approved", json!({"code": "x".repeat(1_100_000)})), "malformed"),
        (with(&request, "rejected", json!({"comment": "no\u{0}"})), "malformed"),
        (json!({"decision": "maybe"}), "malformed"),
        (json!("approved"), "malformed"),
    ];
    for (number, (body, code)) in cases.iter().enumerate() {
        bot.decide(&id, body, &format!("bad-{number}")).await;
        let reply = bot.reply().await;
        assert_eq!((&reply["status"], &reply["code"]), (&json!("refused"), &json!(code)), "{reply}");
        assert!(reply["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    }
    assert_eq!(client.status(&id).await["status"], "waiting_approval");
    let supplied = Content { inline: None, ..Content::new(SUPPLIED.repeat(9_000)) };
    let stored = Blobs::new(&tests::broker_as(&stack, "api").await).load(&supplied).await;
    assert!(matches!(stored, Err(BlobError::Missing(_))), "a refused decision has filled the disk");

    bot.decide(&id, &with(&request, "rejected", json!({"comment": "It prints too much."})), "good").await;
    assert_eq!(bot.reply().await["status"], "applied");
    let failed = client.until(&id, "failed").await;
    assert!(failed["error"]["message"].as_str().is_some_and(|text| text.contains("It prints too much.")), "{failed}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    bot.decide(&id, &with(&request, "rejected", json!({"comment": "another"})), "good").await;
    assert_eq!(bot.reply().await["code"], "message_reused");
    assert_eq!(client.until(&id, "failed").await["error"]["code"], "rejected");
    bot.decide(&id, &decision(&request, "approved"), "late").await;
    assert_eq!(bot.reply().await["code"], "already_decided");

    let audit = tests::audit_log(&stack).await;
    let refused = audit.iter().filter(|record| record.action == "refused").count();
    assert_eq!(refused, cases.len() + 2, "{audit:#?}");
    let rejected = audit.iter().find(|record| record.action == "rejected").expect("the decision is recorded");
    assert_eq!(rejected.actor.to_string(), "bot demo_bot");
    assert_eq!(rejected.path, "nats");
    assert_eq!(rejected.digest.map(|digest| digest.to_string()).as_deref(), request["digest"].as_str());
}

#[tokio::test]
async fn code_that_a_bot_supplies_is_shown_and_has_to_pass() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    // Larger than code that is stored in the log itself.
    let large = format!("print('supplied')\n{}", "# more\n".repeat(2_000));
    for (code, end) in [(large.as_str(), "waiting_approval"), ("raise SystemExit(3)\n", "failed")] {
        let id = client.execute(&json!({"goal": "Teach my cat to pilot a submarine"})).await;
        let request = bot.request().await;
        assert_eq!((&request["workflow_id"], &request["approval_type"]), (&json!(id), &json!("needs_input")));
        bot.decide(&id, &with(&request, "approved", json!({"code": code})), &id).await;
        assert_eq!(bot.reply().await["status"], "applied");
        let first = request["approval_id"].clone();
        let data = eventually("it continues", Duration::from_secs(30), || async {
            let data = client.status(&id).await;
            let is_behind = data["status"] == end && data["pending_approvals"][0]["approval_id"] != first;
            is_behind.then_some(data)
        })
        .await;
        if end == "failed" {
            assert_eq!(data["error"]["code"], "tests_failed");
        } else {
            assert_eq!(data["artifacts"]["generated_code"], code);
            assert_eq!(data["artifacts"]["test_results"]["stdout"], "supplied\n");
            // The author of the code, who may not release it.
            let release = bot.request().await;
            bot.decide(&id, &decision(&release, "approved"), "release").await;
            assert_eq!(bot.reply().await["code"], "not_entitled");
            assert_eq!(client.status(&id).await["status"], "waiting_approval");
        }
    }
}

#[tokio::test]
async fn a_bot_that_floods_is_turned_away_and_fills_no_audit_log() {
    let stack = Stack::start().await;
    let mut bot = Bot::sign_in(&stack).await;
    let absent = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    for number in 0..500 {
        bot.decide(absent, &json!("nonsense"), &format!("n-{number}")).await;
    }
    let mut codes: Vec<String> = Vec::new();
    for _ in 0..500 {
        codes.push(bot.reply().await["code"].as_str().expect("a code").to_owned());
    }
    let malformed = codes.iter().filter(|code| *code == "malformed").count();
    // 60 at once, those in flight meanwhile, and one more a second.
    assert!((60..300).contains(&malformed), "{malformed}");
    let is_expected = |code: &String| matches!(code.as_str(), "malformed" | "too_many_refused");
    assert!(codes.iter().all(is_expected), "{codes:?}");
    let audit = tests::audit_log(&stack).await;
    let floods = audit.iter().filter(|record| record.key.starts_with("flood-")).count();
    assert!((1..=4).contains(&floods), "{audit:#?}");
    assert_eq!(audit.len(), malformed + floods);
}

#[tokio::test]
async fn a_decision_that_was_sent_twice_counts_once() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    let request = park(&client, &mut bot, "print('once')\n").await;
    let id = request["workflow_id"].as_str().expect("an id").to_owned();
    stack.signal("approver", Signal::STOP);
    for _ in 0..2 {
        bot.decide(&id, &decision(&request, "approved"), "same").await;
        // Longer than the broker's deduplication window, so that the approver must recognise the repeat.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stack.kill("approver");
    client.until(&id, "completed").await;
    for _ in 0..2 {
        assert_eq!(bot.reply().await["status"], "applied");
    }
    let audit = tests::audit_log(&stack).await;
    assert_eq!(audit.iter().filter(|record| record.action == "approved").count(), 1, "{audit:#?}");
}

/// The effects of a recorded park (its announcement and audit record) survive the death of the approver.
#[tokio::test]
async fn a_gate_whose_approver_dies_is_announced_all_the_same() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    stack.signal("approver", Signal::STOP);
    let id = client.execute(&run_request("print('kept')\n", true)).await;
    eventually("the gate is in the log", Duration::from_secs(20), || async {
        (client.status(&id).await["current_step"] == 5).then_some(())
    })
    .await;
    stack.kill("approver");
    let request = bot.request().await;
    assert_eq!(request["workflow_id"], id.as_str());
    client.until(&id, "waiting_approval").await;
    let audit = tests::audit_log(&stack).await;
    assert_eq!(audit.iter().filter(|record| record.action == "parked").count(), 1, "{audit:#?}");
}

#[tokio::test]
async fn where_two_must_agree_a_bot_and_a_human_count_once_each() {
    let stack = Stack::start_with(Options::default().with("approval.two_approvers_from", "low")).await;
    let client = stack.developer().await;
    let mut bot = Bot::sign_in(&stack).await;
    let request = park(&client, &mut bot, "print('by two')\n").await;
    assert_eq!(request["required_approvers"], 2);
    let id = request["workflow_id"].as_str().expect("an id").to_owned();
    let approval = request["approval_id"].as_str().expect("an id").to_owned();

    // A repeated message returns the same decision; another message of the same bot is rejected.
    for (message, status, code) in [
        ("first", "applied", Value::Null),
        ("first", "applied", Value::Null),
        ("second", "refused", json!("already_voted")),
    ] {
        // Longer than the broker's deduplication window.
        tokio::time::sleep(Duration::from_millis(300)).await;
        bot.decide(&id, &decision(&request, "approved"), message).await;
        let reply = bot.reply().await;
        assert_eq!((&reply["status"], &reply["code"]), (&json!(status), &code), "{reply}");
    }
    let waiting = client.status(&id).await;
    let asked = &waiting["pending_approvals"][0];
    let said = &asked["decisions"][0];
    assert_eq!((&said["decision"], &said["by"]), (&json!("approved"), &json!("demo_bot")), "{asked}");
    assert_eq!(waiting["status"], "waiting_approval");
    assert_eq!((&asked["approvals_so_far"], &asked["required_approvers"]), (&json!(1), &json!(2)));

    let approver = stack.client("approver", "approver_pass").await;
    let answer = approver.decide(&id, &approval, "approved").await.expect(200);
    assert_eq!(answer["workflow_status"], "completed");
    assert_eq!(client.until(&id, "completed").await["artifacts"]["test_results"]["stdout"], "by two\n");
    let audit = tests::audit_log(&stack).await;
    let mut deciders: Vec<String> =
        audit.iter().filter(|record| record.action == "approved").map(|record| record.actor.to_string()).collect();
    deciders.sort();
    assert_eq!(deciders, ["bot demo_bot", "user approver"], "{audit:#?}");
}

#[tokio::test]
async fn where_two_must_agree_one_human_is_not_two() {
    let stack = Stack::start_with(Options::default().with("approval.two_approvers_from", "low")).await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('by two')\n", true)).await;
    let parked = client.until(&id, "waiting_approval").await;
    let approval = question_of(&parked);
    let approver = stack.client("approver", "approver_pass").await;
    assert_eq!(approver.decide(&id, &approval, "approved").await.expect(200)["workflow_status"], "waiting_approval");
    approver.decide(&id, &approval, "approved").await.expect(409);
    assert_eq!(client.status(&id).await["status"], "waiting_approval");
    client.decide(&id, &approval, "approved").await.expect(200);
    client.until(&id, "completed").await;
}

/// Signs in a second bot and the demo's, after the broker was restarted with the second account.
async fn two_bots(stack: &Stack) -> (Bot, Bot) {
    let added = Terminal::new(stack).run(&["admin", "bot", "add", "rob"]);
    let file = added.well().rsplit(' ').next().expect("a file").trim_end();
    let password = std::fs::read_to_string(file).expect("a password");
    let rob = Bot::sign_in_as(stack, "rob", password.trim()).await.expect("the broker lets it in");
    (Bot::sign_in(stack).await, rob)
}

#[tokio::test]
async fn no_bot_suppresses_anothers_decision_by_its_message_id() {
    let stack = Stack::start_with(Options::default().with("approval.two_approvers_from", "low")).await;
    let client = stack.developer().await;
    let (mut bot, mut rob) = two_bots(&stack).await;
    let request = park(&client, &mut bot, "print('by two bots')\n").await;
    assert_eq!(rob.request().await, request);
    let (id, approval) =
        (request["workflow_id"].as_str().expect("an id"), request["approval_id"].as_str().expect("an id"));
    bot.decide(id, &decision(&request, "approved"), approval).await;
    // Sent at once under the same id; each message of the same bot gets a reply.
    bot.decide(id, &decision(&request, "approved"), approval).await;
    rob.decide(id, &decision(&request, "approved"), approval).await;
    for bot in [&mut bot, &mut rob] {
        assert_eq!(bot.reply().await["status"], "applied");
    }
    assert_eq!(bot.reply().await["status"], "applied", "a repeat");
    client.until(id, "completed").await;

    let request = park(&client, &mut bot, "print('not this')\n").await;
    let (id, approval) =
        (request["workflow_id"].as_str().expect("an id"), request["approval_id"].as_str().expect("an id"));
    for number in 0..20 {
        bot.decide(id, &json!({}), approval).await;
        if number == 10 {
            rob.decide(id, &decision(&request, "rejected"), approval).await;
        }
    }
    assert_eq!(rob.reply().await["status"], "applied");
    client.until(id, "failed").await;
    for _ in 0..20 {
        assert_eq!(bot.reply().await["code"], "malformed");
    }
    let audit = tests::audit_log(&stack).await;
    assert!(audit.iter().any(|record| record.action == "rejected" && record.actor.to_string() == "bot rob"));
}

#[tokio::test]
async fn a_bot_that_comes_late_learns_what_is_open() {
    let stack = Stack::start_with(Options::default().with("approval.announce_every", "1s")).await;
    let client = stack.developer().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let id = client.execute(&run_request(&format!("print({number})\n"), true)).await;
        client.until(&id, "waiting_approval").await;
        ids.push(id);
    }
    let mut bot = Bot::sign_in(&stack).await;
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = bot.open(&json!({"limit": 2, "cursor": cursor})).await;
        assert_eq!(page["status"], "ok", "{page}");
        assert!(page["open"].as_array().is_some_and(|open| open.len() <= 2), "{page}");
        found.extend(page["open"].as_array().cloned().unwrap_or_default());
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    ids.reverse();
    let named: Vec<&str> = found.iter().filter_map(|request| request["workflow_id"].as_str()).collect();
    assert_eq!(named, ids, "newest first, each once");
    assert_eq!(bot.open(&json!("nonsense")).await["code"], "malformed");
    // Any living approver announces them again, unchanged.
    stack.kill("approver");
    let again = bot.request().await;
    assert!(found.contains(&again), "{again}");

    let decided = found[0]["workflow_id"].as_str().expect("an id");
    bot.decide(decided, &decision(&found[0], "approved"), "one").await;
    assert_eq!(bot.reply().await["status"], "applied");
    let left = bot.open(&json!({})).await;
    assert_eq!(left["open"].as_array().map(Vec::len), Some(2), "{left}");
    // Decided approvals are not announced again: no announcement for a second.
    let mut others = 0;
    while others < 4 {
        others += usize::from(bot.request().await["workflow_id"] != decided);
    }
    for _ in 0..4 {
        assert_ne!(bot.request().await["workflow_id"], decided);
    }
}

#[tokio::test]
async fn a_vote_of_who_was_shut_out_does_not_count() {
    let stack = Stack::start_with(Options::default().with("approval.two_approvers_from", "low")).await;
    let (client, terminal) = (stack.developer().await, Terminal::new(&stack));
    let mut bot = Bot::sign_in(&stack).await;
    let request = park(&client, &mut bot, "print('by two')\n").await;
    let (id, approval) =
        (request["workflow_id"].as_str().expect("an id"), request["approval_id"].as_str().expect("an id"));
    let approver = stack.client("approver", "approver_pass").await;
    approver.decide(id, approval, "approved").await.expect(200);
    terminal.run(&["admin", "user", "role", "approver", "developer"]).well();
    eventually("the status counts it no more", Duration::from_secs(30), || async {
        (client.status(id).await["pending_approvals"][0]["approvals_so_far"] == 0).then_some(())
    })
    .await;
    bot.decide(id, &decision(&request, "approved"), "second").await;
    let reply = bot.reply().await;
    assert_eq!(
        (&reply["status"], &reply["workflow_status"]),
        (&json!("applied"), &json!("waiting_approval")),
        "{reply}"
    );
    let audit = tests::audit_log(&stack).await;
    let second = audit.iter().find(|record| record.actor.to_string() == "bot demo_bot").expect("a record");
    assert!(second.detail.as_ref().is_some_and(|detail| detail.ends_with("no longer counted: approver")), "{second:?}");

    terminal.run(&["admin", "user", "role", "approver", "approver"]).well();
    eventually("they may vote again", Duration::from_secs(30), || async {
        (approver.decide(id, approval, "approved").await.status == 200).then_some(())
    })
    .await;
    client.until(id, "completed").await;
}

#[tokio::test]
async fn silence_is_no_consent_where_a_rule_demands_a_human() {
    let options = Options::default().with("approval.release_on_expiry", "true").with("approval.expiry", "3s");
    let stack = Stack::start_with(options.with("approval.demand_human_from", "medium")).await;
    let client = stack.developer().await;
    let risky = "def find(db, name):\n    return db.execute(\"select 1 from t where n = '\" + name + \"'\")\n";
    let plain = client.execute(&run_request("print('plain')\n", true)).await;
    let demanded = client.execute(&run_request(risky, false)).await;
    client.until(&plain, "completed").await;
    assert_eq!(client.until(&demanded, "failed").await["error"]["code"], "approval_expired");
}

/// A sender that received 503 may have decided otherwise since, so its decision is dropped.
#[tokio::test]
async fn a_decision_that_was_answered_503_is_dropped_and_audited() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('late')\n", true)).await;
    let approval = question_of(&client.until(&id, "waiting_approval").await);
    stack.signal("approver", Signal::STOP);
    let late = client.decide(&id, &approval, "approved").await;
    stack.signal("approver", Signal::CONT);
    let problem = late.expect(503);
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("dropped")), "{problem}");
    let audit = eventually("the drop is in the audit log", Duration::from_secs(20), || async {
        let audit = tests::audit_log(&stack).await;
        audit.iter().any(|record| record.action == "refused").then_some(audit)
    })
    .await;
    let dropped = audit.iter().find(|record| record.action == "refused").expect("a record");
    assert_eq!(dropped.detail.as_deref(), Some("approved was refused: too_late"));
    assert_eq!(client.status(&id).await["status"], "waiting_approval");
    client.decide(&id, &approval, "rejected").await.expect(200);
    client.until(&id, "failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_floods_with_questions_delays_neither_decisions_nor_other_bots() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let (bot, mut rob) = two_bots(&stack).await;
    let request = park(&client, &mut rob, "print('in a flood')\n").await;
    let id = request["workflow_id"].as_str().expect("an id");
    let others = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let page = tokio::time::timeout(Duration::from_secs(40), rob.open(&json!({}))).await;
        let page = page.expect("a page while the other bot floods");
        assert_eq!(page["open"][0]["workflow_id"], id, "{page}");
        rob.decide(id, &decision(&request, "approved"), "in a flood").await;
        let reply = tokio::time::timeout(Duration::from_secs(40), rob.reply()).await.expect("a reply");
        assert_eq!(reply["status"], "applied", "{reply}");
    };
    tokio::select! {
        () = bot.flood_open() => panic!("the broker shut the bot out"),
        () = others => {}
    }
    let log = stack.log("approver");
    assert!(!log.contains("Watch lost"), "{log}");
    // At most once a minute.
    assert!((1..=2).contains(&log.matches("asks for open approvals too often").count()), "{log}");
    assert!(log.lines().count() < 5_000, "{} lines", log.lines().count());
}

/// Each change may give the name, the password or the rights to another person.
#[tokio::test]
async fn a_vote_from_before_its_voter_was_shut_out_is_not_counted_again() {
    let stack = Stack::start_with(Options::default().with("approval.two_approvers_from", "low")).await;
    let (client, terminal) = (stack.developer().await, Terminal::new(&stack));
    let mut bot = Bot::sign_in(&stack).await;
    for (number, commands) in [
        vec![vec!["admin", "user", "password", "approver"]],
        vec![
            vec!["admin", "user", "disable", "approver"],
            vec!["admin", "user", "password", "approver"],
            vec!["admin", "user", "enable", "approver"],
        ],
        vec![
            vec!["admin", "user", "role", "approver", "viewer"],
            vec!["admin", "user", "role", "approver", "approver"],
        ],
        vec![
            vec!["admin", "user", "remove", "approver"],
            vec!["admin", "user", "add", "approver", "--role", "approver"],
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let request = park(&client, &mut bot, &format!("print('by two, {number}')\n")).await;
        let (id, approval) =
            (request["workflow_id"].as_str().expect("an id"), request["approval_id"].as_str().expect("an id"));
        let approver = stack.client("approver", "approver_pass").await;
        approver.decide(id, approval, "approved").await.expect(200);
        for command in &commands {
            terminal.run_with_input(command, "approver_pass\n").well();
        }
        eventually("the status no longer counts the vote", Duration::from_secs(30), || async {
            (client.status(id).await["pending_approvals"][0]["approvals_so_far"] == 0).then_some(())
        })
        .await;
        bot.decide(id, &decision(&request, "approved"), id).await;
        let reply = bot.reply().await;
        assert_eq!(reply["workflow_status"], "waiting_approval", "{commands:?}: {reply}");
    }
}
