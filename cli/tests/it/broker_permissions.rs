//! The permissions of each broker user, on a real server with the shipped configuration.

use std::panic::Location;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::jetstream::stream::Config as StreamConfig;
use async_nats::jetstream::{self, kv};
use async_nats::{Client, HeaderMap};
use futures_util::{Stream, StreamExt as _};

use crate::broker::{Broker, Session, check_configuration};

const BOTS: [&str; 2] = ["demo_bot", "other_bot"];

/// Starts a broker with streams, buckets and consumers.
async fn provisioned() -> (Broker, Client) {
    let broker = Broker::start(&BOTS).await;
    let operator = broker.connect("cli").await.client;
    let context = jetstream::new(operator.clone());
    for (name, subjects) in [
        ("WORKFLOWS", vec!["wf.*.*.*"]),
        ("BLOBS", vec!["blob.*"]),
        ("ANALYSES", vec!["analysis.*"]),
        ("APPROVALS", vec!["approvals.requested.*", "approvals.decisions.*.*"]),
        ("TIMERS", vec!["timers.>"]),
        ("AUDIT", vec!["audit.log"]),
    ] {
        let subjects = subjects.into_iter().map(str::to_owned).collect();
        let config = StreamConfig { name: name.to_owned(), subjects, allow_direct: true, ..Default::default() };
        context.create_stream(config).await.unwrap();
    }
    for bucket in ["users", "revocations", "refresh", "signing_keys", "attempts", "catalogues"] {
        context.create_key_value(kv::Config { bucket: bucket.to_owned(), ..Default::default() }).await.unwrap();
    }
    for (durable, filter) in [
        ("plan", "wf.plan.*.*"),
        ("execute-python", "wf.execute.python.*"),
        ("execute-made-up", "wf.execute.made-up.*"),
        ("projector", "wf.>"),
    ] {
        let config = Pull {
            durable_name: Some(durable.to_owned()),
            filter_subject: filter.to_owned(),
            ack_wait: Duration::from_secs(30),
            ..Default::default()
        };
        context.create_consumer_on_stream(config, "WORKFLOWS").await.unwrap();
    }
    (broker, operator)
}

async fn stored(operator: &Client, stream: &str) -> u64 {
    jetstream::new(operator.clone()).get_stream(stream).await.unwrap().cached_info().state.messages
}

/// Returns the subjects of the log that match `filter`.
async fn subjects(operator: &Client, filter: &str) -> Vec<String> {
    let stream = jetstream::new(operator.clone()).get_stream_no_info("WORKFLOWS").await.unwrap();
    let mut listing = stream.info_with_subjects(filter).await.unwrap();
    let mut found = Vec::new();
    while let Some(subject) = listing.next().await {
        found.push(subject.unwrap().0);
    }
    found
}

#[track_caller]
fn assert_names(refusal: Option<&str>, subject: &str) {
    let text = refusal.unwrap_or_else(|| panic!("{subject} was not refused")).to_lowercase();
    assert!(text.contains("permissions violation"), "{text}");
    assert!(text.contains(&subject.to_lowercase()), "{text} does not name {subject}");
}

async fn assert_publish_refused(session: &mut Session, subject: &str) {
    session.client.publish(subject.to_owned(), "x".into()).await.unwrap();
    // The server renames the requests of workers.
    let named = subject.replace("$JS.API", if session.user == "worker" { "log" } else { "$JS.API" });
    assert_names(session.refusal().await.as_deref(), &named);
}

async fn assert_subscribe_refused(session: &mut Session, subject: &str) {
    let subscription = session.client.subscribe(subject.to_owned()).await.unwrap();
    assert_names(session.refusal().await.as_deref(), subject);
    drop(subscription);
}

/// Waits for the next message, up to 10 s.
#[track_caller]
fn next<S: Stream + Unpin>(messages: &mut S) -> impl Future<Output = S::Item> {
    let caller = Location::caller();
    async move {
        let next = tokio::time::timeout(Duration::from_secs(10), messages.next()).await;
        next.ok().flatten().unwrap_or_else(|| panic!("no message at {caller}"))
    }
}

/// Appends and waits for the acknowledgement.
async fn append(client: &Client, subject: &str) -> u64 {
    let context = jetstream::new(client.clone());
    context.publish(subject.to_owned(), "x".into()).await.unwrap().await.unwrap().sequence
}

#[tokio::test]
async fn a_worker_takes_a_step_and_appends_what_follows() {
    let (broker, operator) = provisioned().await;
    let worker = broker.connect("worker").await;
    let context = jetstream::new(worker.client.clone());
    let planned = append(&operator, "wf.plan.std.w1").await;

    let stream = context.get_stream("WORKFLOWS").await.unwrap();
    let consumer = stream.get_consumer::<Pull>("plan").await.unwrap();
    let mut steps = consumer.batch().max_messages(1).expires(Duration::from_secs(5)).messages().await.unwrap();
    let step = next(&mut steps).await.unwrap();
    step.ack_with(jetstream::AckKind::Progress).await.unwrap();
    assert_eq!(stream.get_last_raw_message_by_subject("wf.*.*.w1").await.unwrap().sequence, planned);

    let mut fence = HeaderMap::new();
    fence.insert("Nats-Expected-Last-Subject-Sequence", planned.to_string().as_str());
    fence.insert("Nats-Expected-Last-Subject-Sequence-Subject", "wf.*.*.w1");
    let publish = || context.publish_with_headers("wf.generate.std.w1", fence.clone(), "x".into());
    assert_eq!(publish().await.unwrap().await.unwrap().sequence, planned + 1);
    publish().await.unwrap().await.expect_err("the fence holds for a worker, too");
    step.double_ack().await.unwrap();

    let newest = stream.direct_get_last_for_subject("wf.*.*.w1").await.unwrap();
    assert_eq!(newest.sequence, planned + 1);
    let plan = jetstream::new(operator).get_stream("WORKFLOWS").await.unwrap();
    assert_eq!(plan.consumer_info("plan").await.unwrap().num_ack_pending, 0);
}

#[tokio::test]
async fn a_worker_takes_from_the_queue_of_every_runtime() {
    let (broker, operator) = provisioned().await;
    let worker = broker.connect("worker").await;
    let stream = jetstream::new(worker.client.clone()).get_stream("WORKFLOWS").await.unwrap();
    for lane in ["python", "made-up"] {
        let subject = format!("wf.execute.{lane}.w1");
        append(&operator, &subject).await;
        let consumer = stream.get_consumer::<Pull>(&format!("execute-{lane}")).await.unwrap();
        let mut steps = consumer.batch().max_messages(1).expires(Duration::from_secs(5)).messages().await.unwrap();
        let step = next(&mut steps).await.unwrap();
        assert_eq!(step.subject.as_str(), subject);
        step.double_ack().await.unwrap();
    }
}

/// A pull request has many responses; the export must allow that for an import.
#[tokio::test]
async fn a_worker_receives_later_messages_on_the_same_pull() {
    let (broker, operator) = provisioned().await;
    let worker = broker.connect("worker").await;
    let stream = jetstream::new(worker.client.clone()).get_stream("WORKFLOWS").await.unwrap();
    let consumer = stream.get_consumer::<Pull>("plan").await.unwrap();
    let pull = consumer.batch().max_messages(10).expires(Duration::from_secs(60)).heartbeat(Duration::from_secs(5));
    let mut steps = pull.messages().await.unwrap();
    for workflow in ["w1", "w2", "w3"] {
        let subject = format!("wf.plan.std.{workflow}");
        append(&operator, &subject).await;
        let step = next(&mut steps).await.unwrap();
        assert_eq!(step.subject.as_str(), subject);
        step.double_ack().await.unwrap();
    }
}

#[tokio::test]
async fn a_worker_stores_attempts_responds_to_the_api_and_receives_cancels() {
    let (broker, _operator) = provisioned().await;
    let mut worker = broker.connect("worker").await;
    let mut api = broker.connect("api").await;

    let attempts = jetstream::new(worker.client.clone()).get_key_value("attempts").await.unwrap();
    let revision = attempts.create("w1", "1".into()).await.unwrap();
    attempts.update("w1", "2".into(), revision).await.unwrap();
    assert_eq!(attempts.get("w1").await.unwrap().unwrap(), "2");
    let catalogues = jetstream::new(worker.client.clone()).get_key_value("catalogues").await.unwrap();
    catalogues.put("digest", "recipes".into()).await.unwrap();
    let read = jetstream::new(api.client.clone()).get_key_value("catalogues").await.unwrap();
    assert_eq!(read.get("digest").await.unwrap().unwrap(), "recipes");

    let mut cancels = worker.client.subscribe("control.cancel.*").await.unwrap();
    worker.wait_until_processed().await;
    api.client.publish("control.cancel.w1", "".into()).await.unwrap();
    assert_eq!(next(&mut cancels).await.subject.as_str(), "control.cancel.w1");

    let mut answers = api.client.subscribe("answers.one.*").await.unwrap();
    let mut presence = api.client.subscribe("presence.>").await.unwrap();
    let mut output = api.client.subscribe("live.output.*").await.unwrap();
    api.wait_until_processed().await;
    worker.client.publish("live.output.w1", "output".into()).await.unwrap();
    assert_eq!(next(&mut output).await.payload, "output");
    worker.client.publish("answers.one.1", "answer".into()).await.unwrap();
    worker.client.publish("presence.worker.one", "".into()).await.unwrap();
    assert_eq!(next(&mut answers).await.payload, "answer");
    assert_eq!(next(&mut presence).await.subject.as_str(), "presence.worker.one");
}

#[tokio::test]
async fn a_worker_can_neither_release_nor_park_nor_cancel() {
    let (broker, operator) = provisioned().await;
    let mut worker = broker.connect("worker").await;
    for subject in [
        "wf.done.std.w1",
        "wf.judged.approve-std.w1",
        "wf.judged.failed-std.w1",
        "wf.judged.generate-std.w1",
        "wf.judged.execute-python.w1",
        "wf.cancelled.std.w1",
        "wf.plan.std.w1",
        "approvals.requested.w1",
        "approvals.decisions.demo_bot.w1",
        "control.cancel.w1",
        "decide.w1",
        "presence.approver.one",
        // A message there would look like a response of the approver or the broker.
        "_INBOX_api.one",
        "_INBOX_approver.one",
        "audit.log",
        "timers.w1",
        "$KV.users.someone",
        "$KV.signing_keys.key",
        "$KV.revocations.token",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.UPDATE.WORKFLOWS",
        "$JS.API.STREAM.PURGE.WORKFLOWS",
        "$JS.API.STREAM.DELETE.WORKFLOWS",
        "$JS.API.STREAM.MSG.DELETE.WORKFLOWS",
        "$JS.API.STREAM.MSG.GET.KV_signing_keys",
        "$JS.API.DIRECT.GET.KV_signing_keys",
        "$JS.API.STREAM.MSG.GET.KV_catalogues",
        "$JS.API.DIRECT.GET.KV_users.$KV.users.someone",
        "$JS.API.CONSUMER.CREATE.WORKFLOWS.mine",
        "$JS.API.CONSUMER.DURABLE.CREATE.WORKFLOWS.mine",
        "$JS.API.CONSUMER.DELETE.WORKFLOWS.plan",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.approve",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.projector",
    ] {
        assert_publish_refused(&mut worker, subject).await;
    }
    for subject in [
        ">",
        "wf.>",
        "_INBOX.>",
        "_INBOX_api.>",
        "answers.>",
        "$KV.>",
        "approvals.>",
        "decide.*",
        "presence.>",
        "live.>",
    ] {
        assert_subscribe_refused(&mut worker, subject).await;
    }
    assert_eq!(stored(&operator, "WORKFLOWS").await, 0);
    assert_eq!(stored(&operator, "AUDIT").await, 0);
}

/// The server responds to requests without checking permissions, on any reply subject. The response to a direct get is
/// the stored message: any user in the account of the log could write anything anywhere.
#[tokio::test]
async fn a_worker_cannot_have_the_server_write_into_the_log() {
    let (broker, operator) = provisioned().await;
    let mut worker = broker.connect("worker").await;
    append(&worker.client, "blob.forged").await;
    append(&operator, "wf.plan.std.w1").await;
    let last = r#"{"last_by_subj":"blob.forged"}"#;

    for (subject, payload) in [
        ("blob.again", "x"),
        ("$JS.API.DIRECT.GET.BLOBS", last),
        ("$JS.API.STREAM.MSG.GET.BLOBS", last),
        ("$JS.API.STREAM.INFO.BLOBS", ""),
        ("$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.plan", ""),
    ] {
        for target in ["wf.done.std.victim", "wf.judged.failed-std.victim", "wf.judged.approve-std.victim"] {
            worker.client.publish_with_reply(subject, target, payload.into()).await.unwrap();
        }
        // The same request with an inbox: its response follows the effects of the three above.
        if payload == last {
            worker.client.request(subject, payload.into()).await.unwrap();
        }
    }
    append(&worker.client, "blob.barrier").await;
    append(&operator, "wf.plan.std.w2").await;

    assert_eq!(subjects(&operator, "wf.>").await.len(), 2, "only what the operator appended");
    assert_eq!(stored(&operator, "WORKFLOWS").await, 2);
    assert_eq!(worker.refusals(), Vec::<String>::new(), "the attack was not refused before it was made");
}

/// Control of the test above: a user in the account of the log succeeds.
#[tokio::test]
async fn the_server_writes_into_the_log_for_users_of_its_account() {
    let (broker, operator) = provisioned().await;
    let approver = broker.connect("approver").await;
    append(&approver.client, "blob.forged").await;
    let last = r#"{"last_by_subj":"blob.forged"}"#;
    approver.client.publish_with_reply("$JS.API.DIRECT.GET.BLOBS", "wf.plan.std.victim", last.into()).await.unwrap();
    approver.client.request("$JS.API.DIRECT.GET.BLOBS", last.into()).await.unwrap();
    append(&operator, "wf.plan.std.w1").await;
    assert_eq!(stored(&operator, "WORKFLOWS").await, 2);
}

#[tokio::test]
async fn the_api_submits_cancels_and_watches_but_decides_nothing() {
    let (broker, operator) = provisioned().await;
    let mut api = broker.connect("api").await;
    append(&api.client, "wf.plan.std.w1").await;
    append(&api.client, "wf.cancelled.std.w1").await;
    append(&api.client, "analysis.a1").await;

    let context = jetstream::new(api.client.clone());
    let stream = context.get_stream("WORKFLOWS").await.unwrap();
    let ordered = jetstream::consumer::push::OrderedConfig {
        name: Some("events-one".to_owned()),
        deliver_subject: api.client.new_inbox(),
        filter_subject: "wf.>".to_owned(),
        ..Default::default()
    };
    let mut events = stream.create_consumer(ordered).await.unwrap().messages().await.unwrap();
    assert_eq!(next(&mut events).await.unwrap().subject.as_str(), "wf.plan.std.w1");

    let reader = jetstream::consumer::pull::OrderedConfig {
        name: Some("reader-one".to_owned()),
        filter_subject: "wf.>".to_owned(),
        ..Default::default()
    };
    let mut entries = stream.create_consumer(reader).await.unwrap().messages().await.unwrap();
    assert_eq!(next(&mut entries).await.unwrap().subject.as_str(), "wf.plan.std.w1");

    let users = context.get_key_value("users").await.unwrap();
    let mut watch = users.watch_all().await.unwrap();
    let operators = jetstream::new(operator.clone()).get_key_value("users").await.unwrap();
    operators.put("someone", "1".into()).await.unwrap();
    assert_eq!(next(&mut watch).await.unwrap().key, "someone");

    for subject in [
        "wf.done.std.w1",
        "wf.failed.std.w1",
        "wf.approve.std.w1",
        "wf.judged.approve-std.w1",
        "wf.generate.std.w1",
        "wf.execute.python.w1",
        "approvals.requested.w1",
        "approvals.decisions.demo_bot.w1",
        "audit.log",
        "timers.w1",
        "$KV.users.someone",
        "$KV.signing_keys.key",
        "$KV.catalogues.digest",
        "$JS.API.STREAM.PURGE.WORKFLOWS",
        "$JS.API.STREAM.DELETE.WORKFLOWS",
        "$JS.API.STREAM.CREATE.MINE",
        // Its body may name a durable consumer, which the server would change.
        "$JS.API.CONSUMER.CREATE.WORKFLOWS",
        "$JS.API.CONSUMER.CREATE.WORKFLOWS.plan.wf.plan.*.*",
        "$JS.API.CONSUMER.CREATE.WORKFLOWS.execute-python",
        "$JS.API.CONSUMER.CREATE.WORKFLOWS.execute-made-up",
        "$JS.API.CONSUMER.CREATE.WORKFLOWS.execute-made-up.wf.execute.made-up.*",
        "$JS.API.CONSUMER.DURABLE.CREATE.WORKFLOWS.mine",
        "$JS.API.CONSUMER.CREATE.BLOBS.mine",
        "$JS.API.CONSUMER.DELETE.WORKFLOWS.projector",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.plan",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.execute-python",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.execute-made-up",
        "$JS.API.CONSUMER.DELETE.WORKFLOWS.execute-made-up",
        "$JS.ACK.WORKFLOWS.plan.1.1.1.1.0",
    ] {
        assert_publish_refused(&mut api, subject).await;
    }
    for subject in [">", "wf.>", "_INBOX.>", "_INBOX_approver.>", "decide.*", "$KV.>"] {
        assert_subscribe_refused(&mut api, subject).await;
    }
    assert_eq!(stored(&operator, "WORKFLOWS").await, 2);
}

#[tokio::test]
async fn the_approver_alone_releases_and_parks() {
    let (broker, operator) = provisioned().await;
    let mut approver = broker.connect("approver").await;
    for subject in [
        "wf.judged.approve-std.w1",
        "wf.done.std.w1",
        "wf.cancelled.std.w3",
        "wf.judged.failed-std.w2",
        "timers.w1",
        "audit.log",
    ] {
        append(&approver.client, subject).await;
    }
    let mut api = broker.connect("api").await;
    let mut presence = api.client.subscribe("presence.approver.*").await.unwrap();
    api.wait_until_processed().await;
    approver.client.publish("presence.approver.one", "".into()).await.unwrap();
    assert_eq!(next(&mut presence).await.subject.as_str(), "presence.approver.one");
    for subject in [
        "wf.plan.std.w1",
        "approvals.decisions.demo_bot.w1",
        "$KV.users.someone",
        "$KV.signing_keys.key",
        "$JS.API.STREAM.PURGE.WORKFLOWS",
        "$JS.API.STREAM.DELETE.TIMERS",
        "$JS.API.CONSUMER.DURABLE.CREATE.WORKFLOWS.mine",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.plan",
    ] {
        assert_publish_refused(&mut approver, subject).await;
    }
    for subject in [">", "wf.>", "_INBOX_api.>", "_INBOX.>"] {
        assert_subscribe_refused(&mut approver, subject).await;
    }
    jetstream::new(approver.client.clone())
        .get_stream("TIMERS")
        .await
        .unwrap()
        .purge()
        .filter("timers.w1")
        .await
        .expect("a timer can be deleted");
    assert_eq!(stored(&operator, "TIMERS").await, 0);
}

#[tokio::test]
async fn the_operators_tool_neither_releases_nor_parks() {
    let (broker, _operator) = provisioned().await;
    let mut cli = broker.connect("cli").await;
    for subject in ["wf.done.std.w1", "wf.judged.approve-std.w1", "wf.approve.std.w1"] {
        assert_publish_refused(&mut cli, subject).await;
    }
}

#[tokio::test]
async fn a_bot_decides_under_its_name_and_receives_a_reply() {
    let (broker, operator) = provisioned().await;
    let mut bot = broker.connect("demo_bot").await;
    let mut other = broker.connect("other_bot").await;
    let approver = broker.connect("approver").await;

    let mut requests = bot.client.subscribe("approvals.requested.*").await.unwrap();
    let mut replies = bot.client.subscribe("approvals.replies.*").await.unwrap();
    let mut others_replies = other.client.subscribe("approvals.replies.*").await.unwrap();
    bot.wait_until_processed().await;
    other.wait_until_processed().await;
    append(&approver.client, "approvals.requested.w1").await;
    assert_eq!(next(&mut requests).await.subject.as_str(), "approvals.requested.w1");

    approver.client.publish("approvals.repeated.w2", "again".into()).await.unwrap();
    let again = next(&mut requests).await;
    assert_eq!((again.subject.as_str(), again.payload.as_ref()), ("approvals.requested.w2", b"again".as_ref()));

    let ack = bot.client.request("approvals.decisions.demo_bot.w1", "{}".into()).await.unwrap();
    assert!(std::str::from_utf8(&ack.payload).unwrap().contains(r#""stream":"APPROVALS""#));
    let approvals = jetstream::new(operator).get_stream("APPROVALS").await.unwrap();
    let decision = approvals.get_last_raw_message_by_subject("approvals.decisions.demo_bot.*").await.unwrap();
    assert_eq!(decision.payload, "{}");

    approver.client.publish("approvals.replies.demo_bot.w1", "for demo_bot".into()).await.unwrap();
    approver.client.publish("approvals.replies.other_bot.w1", "for other_bot".into()).await.unwrap();
    let reply = next(&mut replies).await;
    assert_eq!((reply.subject.as_str(), reply.payload.as_ref()), ("approvals.replies.w1", b"for demo_bot".as_ref()));
    // Its first message is its own: the other bot's, sent before, was not delivered.
    assert_eq!(next(&mut others_replies).await.payload, "for other_bot");
}

#[tokio::test]
async fn a_bot_requests_open_approvals_under_its_name() {
    let (broker, operator) = provisioned().await;
    let mut bot = broker.connect("demo_bot").await;
    let mut approver = broker.connect("approver").await;
    let mut questions = approver.client.subscribe("approvals.open.*").await.unwrap();
    approver.wait_until_processed().await;
    let (answer, ()) = tokio::join!(bot.client.request("approvals.open.demo_bot", "{}".into()), async {
        let question = next(&mut questions).await;
        assert_eq!((question.subject.as_str(), question.payload.as_ref()), ("approvals.open.demo_bot", b"{}".as_ref()));
        approver.client.publish(question.reply.expect("a reply subject"), "page".into()).await.unwrap();
    });
    assert_eq!(answer.unwrap().payload, "page");
    assert_publish_refused(&mut bot, "approvals.open.other_bot").await;

    // Whatever the bot's reply subject is, the approver receives one that leads to the bot's account.
    bot.client.publish_with_reply("approvals.open.demo_bot", "wf.done.std.victim", "{}".into()).await.unwrap();
    let question = next(&mut questions).await;
    let reply = question.reply.expect("a reply subject");
    assert!(reply.starts_with("_R_."), "{reply}");
    approver.client.publish(reply, "page".into()).await.unwrap();
    approver.client.flush().await.unwrap();
    append(&operator, "wf.plan.std.w1").await;
    assert_eq!(subjects(&operator, "wf.>").await, ["wf.plan.std.w1"]);
}

#[tokio::test]
async fn a_bot_can_do_nothing_else() {
    let (broker, operator) = provisioned().await;
    let mut bot = broker.connect("demo_bot").await;
    for subject in [
        "approvals.decisions.other_bot.w1",
        "approvals.decisions.demo_bot.w1.more",
        "approvals.requested.w1",
        "approvals.repeated.w1",
        "approvals.open.other_bot",
        "approvals.replies.other_bot.w1",
        "approvals.replies.w1",
        "_R_.x",
        "control.cancel.w1",
        "decide.w1",
        "wf.done.std.w1",
        "wf.cancelled.std.w1",
        "_INBOX_api.x",
        "_INBOX.x",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.WORKFLOWS",
        "$JS.API.STREAM.MSG.GET.KV_signing_keys",
        "$JS.API.CONSUMER.MSG.NEXT.WORKFLOWS.approve",
        "$KV.users.demo_bot",
        "$SYS.REQ.SERVER.PING",
    ] {
        assert_publish_refused(&mut bot, subject).await;
    }
    for subject in [
        ">",
        "approvals.>",
        "approvals.replies.*.*",
        "approvals.replies.other_bot.*",
        "approvals.decisions.*.*",
        "approvals.open.*",
        "_R_.>",
        "_INBOX_api.>",
        "_INBOX_approver.>",
        "wf.>",
        "blob.*",
        "$JS.>",
        "$SYS.>",
    ] {
        assert_subscribe_refused(&mut bot, subject).await;
    }
    for stream in ["WORKFLOWS", "APPROVALS"] {
        assert_eq!(stored(&operator, stream).await, 0);
    }
}

/// Both bots may subscribe to all of the default inbox prefix, each in its own account.
#[tokio::test]
async fn a_bot_sees_only_its_own_inbox() {
    let (broker, _operator) = provisioned().await;
    let bot = broker.connect("demo_bot").await;
    let mut eavesdropper = broker.connect("other_bot").await;
    let mut overheard = eavesdropper.client.subscribe("_INBOX.>").await.unwrap();
    eavesdropper.wait_until_processed().await;

    bot.client.request("approvals.decisions.demo_bot.w1", "{}".into()).await.unwrap();
    let own = eavesdropper.client.new_inbox();
    eavesdropper.client.publish_with_reply("approvals.decisions.other_bot.w1", own.clone(), "{}".into()).await.unwrap();
    assert_eq!(next(&mut overheard).await.subject.as_str(), own, "the first message received is its own response");
}

#[tokio::test]
async fn a_bot_cannot_write_into_the_log_by_reply_or_trace_header() {
    let (broker, operator) = provisioned().await;
    let mut bot = broker.connect("demo_bot").await;
    let decision = "approvals.decisions.demo_bot.w1";
    for target in ["wf.done.std.victim", "approvals.requested.victim", "approvals.decisions.other_bot.victim"] {
        bot.client.publish_with_reply(decision, target, "{}".into()).await.unwrap();
    }
    let mut traced = HeaderMap::new();
    traced.insert("Nats-Trace-Dest", "wf.done.std.victim");
    bot.client.publish_with_headers(decision, traced, "{}".into()).await.unwrap();
    // Acknowledged after the earlier messages on the same connection and subject.
    bot.client.request(decision, "{}".into()).await.unwrap();
    append(&operator, "wf.plan.std.w1").await;

    assert_eq!(subjects(&operator, "wf.>").await, ["wf.plan.std.w1"]);
    let approvals = jetstream::new(operator).get_stream("APPROVALS").await.unwrap();
    let mut listing = approvals.info_with_subjects("approvals.>").await.unwrap();
    while let Some(subject) = listing.next().await {
        assert_eq!(subject.unwrap().0, decision);
    }
    for refusal in bot.refusals() {
        assert!(refusal.to_lowercase().contains("wf.done.std.victim"), "only the trace may be refused: {refusal}");
    }
}

#[test]
fn a_bots_file_that_imports_another_bots_subjects_is_refused() {
    check_configuration("alike", |account| account).expect("the template itself is fine");
    for (subject, rest) in [("approvals.replies.", ".*"), ("approvals.decisions.", ".*"), ("approvals.open.", "")] {
        let refusal = check_configuration(&subject.replace('.', "-"), |account| {
            let import = format!("account: SERVICES, subject: \"{subject}demo_bot{rest}\"");
            assert!(account.contains(&import));
            account.replace(&import, &import.replace("demo_bot", "other_bot"))
        });
        let refusal = refusal.expect_err("loaded");
        assert!(refusal.contains(&format!("{subject}other_bot")) && refusal.contains("not authorized"), "{refusal}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let broker = Broker::start(&BOTS).await;
    for (user, password) in [("approver", "worker"), ("demo_bot", ""), ("nobody", "nobody")] {
        let options = async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
        let error = options.connect(broker.address()).await.expect_err("signed in");
        assert_eq!(error.kind(), async_nats::ConnectErrorKind::AuthorizationViolation, "{user}");
    }
    let error = async_nats::connect(broker.address()).await.expect_err("signed in without a name");
    assert_eq!(error.kind(), async_nats::ConnectErrorKind::AuthorizationViolation);
}
