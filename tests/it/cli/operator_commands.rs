//! Operator commands of `promptcraft`, and their effect on running services.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;
use tests::{Bot, Client, Stack, Terminal, eventually, question_of, redis_command, run_request, steady};

/// Maximum time until the services know of a change.
const HEARD: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_operator_gets_by_with_the_program() {
    let stack = Stack::start().await;
    people_come_and_go(&stack).await;
    a_bot_is_let_in_and_shut_out(&stack).await;
    the_read_model_is_mended(&stack).await;
    another_broker_is_prepared(&stack);
    a_machine_is_looked_over(&stack);
    keys_are_rotated(&stack).await;
}

/// Waits until a sign-in with these credentials returns `status`.
async fn sign_in(stack: &Stack, user: &str, password: &str, status: u16) -> Client {
    let body = json!({"username": user, "password": password});
    let answer = eventually("the sign-in has the status", HEARD, || async {
        Some(stack.stranger().post("/auth/token", &body).await).filter(|answer| answer.status == status)
    });
    let pair = answer.await.json();
    let mut client = stack.stranger().with_token(pair["access_token"].as_str().unwrap_or_default());
    client.refresh_token = pair["refresh_token"].as_str().map(str::to_owned);
    client
}

/// Checks that the tokens of a sign-in are revoked.
async fn is_over(client: &Client) {
    until_answered(client, "/api/v3/execute", 401).await;
    client.post("/auth/refresh", &json!({"refresh_token": client.refresh_token})).await.expect(401);
}

async fn until_answered(client: &Client, path: &str, status: u16) {
    eventually("the call has the status", HEARD, || async { (client.get(path).await.status == status).then_some(()) })
        .await;
}

async fn people_come_and_go(stack: &Stack) {
    let terminal = Terminal::new(stack);
    terminal
        .run_with_input(&["admin", "user", "add", "jane"], "short\n")
        .refused(1, "a password must have 8 to 256 characters");
    terminal.run(&["admin", "user", "add", "j/ane"]).refused(2, "a user name is 1 to 64 of a-z A-Z 0-9 _ -");
    terminal
        .run(&["admin", "user", "add", "jane", "--role", "boss"])
        .refused(2, "a role is viewer, developer, approver or admin");
    let added = terminal.run_with_input(&["admin", "user", "add", "jane", "--role", "viewer"], "first password\n");
    assert_snapshot!(added.well(), @"added jane (viewer)");
    terminal
        .run_with_input(&["admin", "user", "add", "jane"], "other password\n")
        .refused(1, "user jane already exists");
    let made = terminal.run(&["admin", "user", "add", "joe", "--self-approval"]);
    let password = made.well().lines().find_map(|line| line.strip_prefix("password ")).expect("a fresh password");
    sign_in(stack, "joe", password, 200).await;
    assert_snapshot!(steady(terminal.run(&["admin", "user", "list"]).well()), @r"
    USER ROLE SINCE REMARKS
    approver approver TIME demo
    demo_bot approver TIME bot, demo
    jane viewer TIME
    joe developer TIME may approve own work
    stress_user developer TIME demo, may approve own work
    test_user developer TIME demo, may approve own work
    ");

    let jane = sign_in(stack, "jane", "first password", 200).await;
    jane.post("/api/v3/execute", &run_request("print(1)", false)).await.expect(403);
    terminal.run(&["admin", "user", "role", "jane", "developer"]).well();
    leave_ends_with_the_role(&terminal, &jane).await;
    eventually("the role applies to signed-in users", HEARD, || async {
        let answer = jane.post("/api/v3/execute", &run_request("print(1)", false)).await;
        (answer.status == 202).then_some(())
    })
    .await;
    assert_snapshot!(terminal.run_with_input(&["admin", "user", "password", "jane"], "second password\n").well(), @"changed the password of jane");
    sign_in(stack, "jane", "first password", 401).await;
    is_over(&jane).await;
    let jane = sign_in(stack, "jane", "second password", 200).await;
    assert_snapshot!(terminal.run(&["admin", "user", "disable", "jane"]).well(), @"jane is disabled");
    until_answered(&jane, "/api/v3/execute", 401).await;
    sign_in(stack, "jane", "second password", 401).await;
    terminal.run(&["admin", "user", "enable", "jane"]).well();
    let later = sign_in(stack, "jane", "second password", 200).await;
    is_over(&jane).await;
    terminal.run(&["admin", "user", "remove", "jane"]).well();
    sign_in(stack, "jane", "second password", 401).await;
    terminal.run_with_input(&["admin", "user", "add", "jane"], "second password\n").well();
    sign_in(stack, "jane", "second password", 200).await;
    is_over(&later).await;
    terminal.run(&["admin", "user", "remove", "jane"]).well();
    terminal
        .run(&["admin", "user", "remove", "jane"])
        .refused(1, "user jane not found; see `promptcraft admin user list`");
    terminal
        .run(&["admin", "user", "role", "demo_bot", "admin"])
        .refused(1, "demo_bot is a bot; see `promptcraft admin bot`");
}

/// Checks that self-approval is granted and withdrawn by an operator, and that a viewer cannot have it.
async fn leave_ends_with_the_role(terminal: &Terminal<'_>, jane: &Client) {
    terminal
        .run(&["admin", "user", "role", "jane", "viewer", "--self-approval", "true"])
        .refused(1, "the role viewer cannot have self-approval; omit --self-approval");
    let given = terminal.run(&["admin", "user", "role", "jane", "developer", "--self-approval", "true"]);
    assert_snapshot!(given.well(), @"jane now has the role developer; self-approval is on");
    let id = eventually("the role counts for who is signed in", HEARD, || async {
        let answer = jane.post("/api/v3/execute", &run_request("print(1)", true)).await;
        (answer.status == 202).then(|| answer.json()["data"]["workflow_id"].as_str().expect("an id").to_owned())
    })
    .await;
    let question = question_of(&jane.until(&id, "waiting_approval").await);
    // With a wrong digest nothing is decided: 409 with the right to decide, 403 without it.
    let until_probed = async |status: u16| {
        let body =
            json!({"workflow_id": id, "approval_id": question, "decision": "approved", "digest": "0".repeat(64)});
        eventually("the decision has the reply", HEARD, || async {
            let answer = jane.post(&format!("/api/v3/execute/approve/{id}"), &body).await;
            (answer.status == status).then_some(())
        })
        .await;
    };
    until_probed(409).await;
    let taken = terminal.run(&["admin", "user", "role", "jane", "viewer"]);
    assert_snapshot!(taken.well(), @"jane now has the role viewer; self-approval is off");
    until_probed(403).await;
    // A role that may submit does not bring back what ended.
    assert_snapshot!(terminal.run(&["admin", "user", "role", "jane", "developer"]).well(), @"jane now has the role developer");
    jane.decide(&id, &question, "approved").await.expect(403);
    terminal.run(&["admin", "user", "role", "jane", "developer", "--self-approval", "true"]).well();
    until_probed(409).await;
    jane.decide(&id, &question, "approved").await.expect(200);
    terminal.run(&["admin", "user", "role", "jane", "developer", "--self-approval", "false"]).well();
}

async fn a_bot_is_let_in_and_shut_out(stack: &Stack) {
    let terminal = Terminal::new(stack);
    terminal.run(&["admin", "bot", "add", "joe"]).refused(1, "joe is already the name of a person");
    let added = terminal.run(&["admin", "bot", "add", "rob"]);
    let file = added.well().rsplit(' ').next().expect("a file").trim_end();
    let password = std::fs::read_to_string(file).expect("a password");
    let mut bot = Bot::sign_in_as(stack, "rob", password.trim()).await.expect("the broker lets it in");
    let client = stack.developer().await;
    let id = client.execute(&run_request("print('by a bot')\n", true)).await;
    let request = bot.request().await;
    assert_eq!(request["workflow_id"], id.as_str());
    let mut decision = json!({"decision": "approved", "decided_by": "a script"});
    for name in ["workflow_id", "approval_id", "digest"] {
        decision[name] = request[name].clone();
    }
    bot.decide(&id, &decision, "first").await;
    client.until(&id, "completed").await;

    assert_snapshot!(terminal.run(&["admin", "bot", "remove", "rob"]).well(), @"removed rob");
    assert!(Bot::sign_in_as(stack, "rob", password.trim()).await.is_err(), "the broker knows it no more");
    assert!(!terminal.run(&["admin", "user", "list"]).well().contains("rob"));
    terminal.run(&["admin", "bot", "remove", "rob"]).refused(1, "bot rob not found");
    terminal.run(&["admin", "bot", "remove", "joe"]).refused(1, "joe is a person; see `promptcraft admin user remove`");
}

async fn the_read_model_is_mended(stack: &Stack) {
    let terminal = Terminal::new(stack);
    let client = stack.developer().await;
    let id = client.run("print('kept')\n").await;
    client.until(&id, "completed").await;
    eventually("the read model has caught up", HEARD, || async {
        (terminal.run(&["admin", "rebuild", "--check"]).code == 0).then_some(())
    })
    .await;
    redis_command(stack, &["DEL", &format!("workflow:{id}")]);
    let damaged = terminal.run(&["admin", "rebuild", "--check"]);
    assert_eq!(damaged.code, 1, "{damaged:?}");
    assert!(damaged.out.contains(&format!("{id} is absent, at ")), "{damaged:?}");
    let mended = terminal.run(&["admin", "rebuild"]);
    assert!(mended.well().ends_with(" transitions\nRedis agrees with the log\n"), "{mended:?}");
    assert_eq!(terminal.run(&["admin", "rebuild", "--check"]).well(), "Redis agrees with the log\n");
}

/// Writes a broker configuration as for another machine.
fn another_broker_is_prepared(stack: &Stack) {
    let terminal = Terminal::new(stack);
    let elsewhere = ["--data", "/nonexistent"];
    let run = |terminal: &Terminal, words: &[&str]| terminal.run_elsewhere(&[words, &elsewhere].concat());
    run(&terminal, &["admin", "provision"]).refused(1, "no stack runs on /nonexistent, and nats.url is not set");
    run(&terminal, &["admin", "user", "list"])
        .refused(1, "Start one with `promptcraft up`, or set PROMPTCRAFT__NATS__URL");
    let terminal = terminal
        .with("PROMPTCRAFT__NATS__URL", stack.text("/nats_url"))
        .with("PROMPTCRAFT__NATS__USER", "cli")
        .with("PROMPTCRAFT__NATS__PASSWORD_FILE", stack.text("/nats_password_files/cli"));
    let unproven = run(&terminal, &["admin", "provision"]);
    assert!(unproven.code == 1 && unproven.err.contains("nats.monitor_url"), "{unproven:?}");
    let terminal = terminal.with("PROMPTCRAFT__NATS__MONITOR_URL", stack.text("/nats_monitor_url"));
    for _ in 0..2 {
        assert_eq!(run(&terminal, &["admin", "provision"]).well(), "streams, consumers and buckets are up to date\n");
    }
    run(&terminal, &["admin", "rebuild", "--check"]).refused(1, "redis.url is not set: set PROMPTCRAFT__REDIS__URL");
    let terminal = terminal.with("PROMPTCRAFT__REDIS__URL_FILE", stack.text("/redis_url_file"));
    assert_snapshot!(run(&terminal, &["admin", "rebuild", "--check"]).well(), @"Redis agrees with the log");
}

fn a_machine_is_looked_over(stack: &Stack) {
    let terminal = Terminal::new(stack);
    let here = terminal.run(&["doctor"]);
    assert_eq!(here.well().lines().count(), 6, "{here:?}");
    assert!(!here.out.contains("missing"), "{here:?}");
    let bare = terminal.with("PATH", "/nonexistent").run_elsewhere(&["doctor", "--data", "/nonexistent"]);
    assert_eq!(bare.code, 1, "{bare:?}");
    // It depends on the machine whether a Docker engine responds.
    let lines: Vec<&str> =
        bare.out.lines().filter(|line| line.contains(" missing ") && !line.contains("sandbox ")).collect();
    assert_snapshot!(steady(&lines.join("\n")), @r"
    nats-server missing install it with scripts/setup.sh
    redis-server missing install it: apt-get install redis-server
    roots missing no runtime in /nonexistent/sandbox: sandbox/build-root.sh /nonexistent/sandbox
    ");
}

async fn keys_are_rotated(stack: &Stack) {
    let terminal = Terminal::new(stack);
    let old = stack.developer().await;
    let rotated = terminal.run(&["admin", "keys", "rotate"]);
    let (kid, rest) = rotated.well().split_once(' ').expect("words");
    assert_eq!(rest, "is the signing key now\n");
    eventually("the fresh key signs", HEARD, || async {
        (kid_of(stack.developer().await.token()) == kid).then_some(())
    })
    .await;
    let list = terminal.run(&["admin", "keys", "list"]);
    let states: Vec<String> = list.well().lines().skip(1).map(|line| steady(&line.replace(kid, "FRESH"))).collect();
    assert!(states.iter().any(|line| line == "FRESH active TIME"), "{list:?}");
    assert_eq!(states.iter().filter(|line| line.contains(" active ")).count(), 1, "{list:?}");
    old.get("/api/v3/execute").await.expect(200);

    let fresh = stack.developer().await;
    terminal.run(&["admin", "keys", "rotate", "--revoke"]).well();
    until_answered(&old, "/api/v3/execute", 401).await;
    until_answered(&fresh, "/api/v3/execute", 401).await;
    assert_eq!(terminal.run(&["admin", "keys", "list"]).well().lines().count(), 2, "the heading and the fresh one");
    terminal.run(&["list"]).well();
}

/// Returns the id of the key that signed a token.
fn kid_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).expect("a token").kid.expect("a key id")
}
