//! Accepted submissions are on disk: group commit, power cuts, and a full disk.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use async_nats::jetstream;
use futures_util::future::join_all;
use messaging::{Broker, BrokerError, BrokerSettings};
use rustix::process::Signal;
use serde_json::json;
use test_support::NatsServer;
use tests::{Client, Options, Stack, eventually, program, raw_broker_as, run_request};

/// Submits under a key and returns the workflow's id.
async fn submit(client: &Client, key: &str) -> String {
    let goal = json!({"goal": format!("Teach my cat to pilot a submarine, {key}")}).to_string();
    let answer = client.send("POST", "/api/v3/execute", &[("idempotency-key", key)], Some(goal)).await;
    answer.expect(202)["data"]["workflow_id"].as_str().expect("an id").to_owned()
}

/// Returns how often the log has each submission, and how many submissions each batch has.
async fn submitted(stack: &Stack) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let context = async_nats::jetstream::new(raw_broker_as(stack, "cli").await);
    let mut stream = context.get_stream("WORKFLOWS").await.expect("the log");
    let last = stream.info().await.expect("the log").state.last_sequence;
    let (mut workflows, mut batches) = (BTreeMap::new(), BTreeMap::new());
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.expect("a message");
        let Some(id) = message.subject.strip_prefix("wf.plan.std.") else { continue };
        *workflows.entry(id.to_owned()).or_default() += 1;
        if let Some(batch) = message.headers.get("Nats-Batch-Id") {
            *batches.entry(batch.as_str().to_owned()).or_default() += 1;
        }
    }
    (workflows, batches)
}

#[tokio::test]
async fn submissions_at_once_are_written_together_and_each_once() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    // The size of a batch depends on the speed of the machine; that each submission is written once does not.
    for round in 1..=10 {
        if written_together(&stack, &client, round).await {
            return;
        }
    }
    panic!("none were written together in ten rounds");
}

/// Submits forty at once, each twice, while the broker is stopped. Returns whether one batch holds many of them.
async fn written_together(stack: &Stack, client: &Client, round: u32) -> bool {
    stack.signal("nats", Signal::STOP);
    // The second submission of a key conflicts with the first and fails its batch.
    let keys: Vec<String> = (0..40).chain(0..40).map(|number| format!("key-{round}-{number}")).collect();
    let all = keys.iter().map(|key| submit(client, key));
    let wake = async {
        tokio::time::sleep(Duration::from_millis(300) * round.min(4)).await;
        stack.signal("nats", Signal::CONT);
    };
    let (ids, ()) = tokio::join!(join_all(all), wake);
    let distinct: HashSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), 40, "one workflow for each key");
    let (workflows, batches) = submitted(stack).await;
    assert_eq!(workflows.len(), 40 * usize::try_from(round).expect("a few"));
    assert!(workflows.values().all(|times| *times == 1), "{workflows:?}");
    assert!(distinct.iter().all(|id| workflows.contains_key(*id)));
    batches.values().any(|members| *members >= 8)
}

/// A file system in a mounted file; unmounted when dropped.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    fn make(folder: &Path) -> Result<Self, String> {
        let disk = Self { image: folder.join("disk.img"), mount: folder.join("disk") };
        let file = std::fs::File::create(&disk.image).map_err(|error| error.to_string())?;
        file.set_len(512 * 1024 * 1024).map_err(|error| error.to_string())?;
        run(Command::new("mkfs.ext4").arg("-q").arg(&disk.image))?;
        disk.mounted()
    }

    /// Mounts it with a commit interval longer than the test, so that nothing is written back by itself.
    fn mounted(self) -> Result<Self, String> {
        std::fs::create_dir_all(&self.mount).map_err(|error| error.to_string())?;
        run(Command::new("mount").args(["-o", "loop,commit=600"]).arg(&self.image).arg(&self.mount))?;
        Ok(self)
    }

    /// Simulates a power cut: the file system shuts down without writing back its caches.
    fn cut(&self) -> Result<(), String> {
        let shut_down = "import fcntl, os, struct, sys\n\
                         fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))\n";
        run(Command::new("python3").args(["-c", shut_down]).arg(&self.mount))
    }

    /// Mounts the disk again after the cut, once no process uses it.
    async fn found_again(self) -> Self {
        eventually("the disk is unmounted", Duration::from_secs(30), || async { self.unmount().ok() }).await;
        self.mounted().expect("the disk can be repaired")
    }

    fn unmount(&self) -> Result<(), String> {
        run(Command::new("umount").arg(&self.mount))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            eprintln!("{} is left mounted: {error}", self.mount.display());
        }
    }
}

/// A small file system in memory; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn make(folder: PathBuf) -> Result<Self, String> {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&folder))?;
        Ok(Self(folder))
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).expect("a file");
        let error = std::io::copy(&mut std::io::repeat(0), &mut file).expect_err("it is full at some point");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("a file");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because the broker may have files open there.
        if let Err(error) = run(Command::new("umount").arg("-l").arg(&self.0)) {
            eprintln!("{} is left mounted: {error}", self.0.display());
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    output.status.success().then_some(()).ok_or_else(|| format!("{command:?}: {text}"))
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_accepted() {
    let folder = std::env::temp_dir().join(format!("promptcraft-power-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    match Disk::make(&folder) {
        Ok(disk) => power_cut(disk).await,
        Err(reason) => println!("SKIPPED: a power cut cannot be simulated: {reason}"),
    }
    std::fs::remove_dir_all(&folder).expect("nothing remains mounted");
}

async fn power_cut(disk: Disk) {
    let on = |disk: &Disk| Options { broker_store: Some(disk.mount.clone()), ..Options::default() };
    let stack = Stack::start_with(on(&disk)).await;
    let client = stack.developer().await;
    let answered = Mutex::new(Vec::new());
    let noted = || answered.lock().expect("no panic");
    let submit_on = join_all((0..16).map(async |lane| {
        for number in 0.. {
            let key = format!("key-{lane}-{number}");
            let id = submit(&client, &key).await;
            noted().push((key, id));
        }
    }));
    let cut = async {
        eventually("150 are accepted", Duration::from_secs(60), || async { (noted().len() >= 150).then_some(()) })
            .await;
        let accepted = noted().clone();
        disk.cut().expect("the power is cut");
        accepted
    };
    let accepted = tokio::select! {
        accepted = cut => accepted,
        _ = submit_on => panic!("submissions continue until the cut"),
    };
    drop(stack);

    let disk = disk.found_again().await;
    let stack = Stack::start_with(on(&disk)).await;
    let client = stack.developer().await;
    for (key, id) in &accepted {
        client.get(&format!("/api/v3/execute/status/{id}")).await.expect(200);
        assert_eq!(submit(&client, key).await, *id, "its submission was lost");
    }
}

/// Returns the stream that the test writes to, created if it is missing.
async fn stream(server: &NatsServer) -> (jetstream::Context, jetstream::stream::Stream) {
    let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
    let context = jetstream::new(options.connect(server.url()).await.expect("an address"));
    let config = jetstream::stream::Config {
        name: "NOTES".to_owned(),
        subjects: vec!["note".to_owned()],
        ..jetstream::stream::Config::default()
    };
    let stream = eventually("the stream is there", Duration::from_secs(20), || async {
        context.get_or_create_stream(config.clone()).await.ok()
    })
    .await;
    (context, stream)
}

/// Returns how many of a hundred acknowledged messages remain after a power cut.
async fn survivors(disk: Disk, sync_interval: &str) -> u64 {
    let node = NatsServer::start_in(&disk.mount.join("store"), sync_interval);
    let (context, _) = stream(&node).await;
    for _ in 0..100 {
        context.publish("note", "a text".into()).await.expect("sent").await.expect("acknowledged");
    }
    disk.cut().expect("the power is cut");
    drop(node);
    let disk = disk.found_again().await;
    let node = NatsServer::start_in(&disk.mount.join("store"), sync_interval);
    let (_, mut stream) = stream(&node).await;
    stream.info().await.expect("the stream").state.messages
}

/// Proves that the power cut of the test above discards unsynced writes.
#[tokio::test]
async fn a_power_cut_takes_what_a_broker_did_not_sync() {
    for (sync_interval, all) in [("2m", false), ("always", true)] {
        let folder = std::env::temp_dir().join(format!("promptcraft-power-{sync_interval}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        match Disk::make(&folder) {
            Ok(disk) => assert_eq!(survivors(disk, sync_interval).await == 100, all, "{sync_interval}"),
            Err(reason) => println!("SKIPPED: a power cut cannot be simulated: {reason}"),
        }
        std::fs::remove_dir_all(&folder).expect("nothing remains mounted");
    }
}

#[tokio::test]
async fn a_broker_that_does_not_sync_each_write_is_refused() {
    let folder = std::env::temp_dir().join(format!("promptcraft-refusal-{}", std::process::id()));
    let (good, bad) =
        (NatsServer::start_in(&folder.join("good"), "always"), NatsServer::start_in(&folder.join("bad"), "2m"));
    let other = NatsServer::start_in(&folder.join("other"), "always");
    let down = format!("http://127.0.0.1:{}", service::ports::free(1).expect("a free port")[0]);
    let connect = async |monitors: &[&str]| {
        let settings = BrokerSettings {
            url: good.url(),
            user: "api".to_owned(),
            password: None,
            replicas: 1,
            strict: true,
            monitor_url: Some(monitors.join(", ")),
            tls_ca_file: None,
        };
        Broker::connect(&settings).await.map(|_| ())
    };
    let [good_url, bad_url, other_url] = [&good, &bad, &other].map(NatsServer::monitor_url);
    let (good_url, bad_url) = (good_url.as_str(), bad_url.as_str());
    eventually("both are up", Duration::from_secs(20), || async {
        let are_up =
            connect(&[good_url]).await.is_ok() && matches!(connect(&[bad_url]).await, Err(BrokerError::NotDurable));
        are_up.then_some(())
    })
    .await;
    connect(&[good_url, &down, good_url]).await.expect("an unavailable node does not fail the check");
    for monitors in [&[good_url, bad_url, good_url][..], &[bad_url, &down], &[&down, bad_url]] {
        assert!(matches!(connect(monitors).await, Err(BrokerError::NotDurable)), "{monitors:?}");
    }
    for monitors in [&[down.as_str()][..], &[&other_url], &[&down, &other_url]] {
        let refused =
            eventually("the pages can be read", Duration::from_secs(20), || async { connect(monitors).await.err() });
        assert!(
            matches!(refused.await, BrokerError::DurabilityUnknown { .. }),
            "no node confirms that it syncs: {monitors:?}"
        );
    }

    // The API refuses to start as well.
    let refused = Command::new(program("api"))
        .env("PROMPTCRAFT__NATS__URL", bad.url())
        .env("PROMPTCRAFT__NATS__MONITOR_URL", bad_url)
        .env("PROMPTCRAFT__NATS__USER", "api")
        .env("PROMPTCRAFT__REDIS__URL", "redis://127.0.0.1:1/0")
        .env("PROMPTCRAFT__API__LISTEN", "127.0.0.1:0")
        .env("PROMPTCRAFT__API__METRICS_LISTEN", "127.0.0.1:0")
        .output()
        .expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&refused.stdout), String::from_utf8_lossy(&refused.stderr));
    assert!(!refused.status.success() && said.contains("does not sync every write to disk"), "{said}");
    drop((good, bad, other));
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[tokio::test]
async fn a_disk_that_was_full_and_has_room_again_serves_again_and_lost_nothing() {
    let folder = std::env::temp_dir().join(format!("promptcraft-full-{}", std::process::id()));
    match SmallDisk::make(folder.clone()) {
        Ok(disk) => full_disk(&disk).await,
        Err(reason) => println!("SKIPPED: a full disk cannot be simulated: {reason}"),
    }
    std::fs::remove_dir(&folder).expect("nothing remains mounted");
}

async fn full_disk(disk: &SmallDisk) {
    let stack = Stack::start_with(Options { broker_store: Some(disk.0.clone()), ..Options::default() }).await;
    let client = stack.developer().await;
    let code = run_request("print('promised')\n", false).to_string();
    // A workflow accepted before is in flight when the disk is full.
    let promised = Mutex::new(vec![client.run("print('before')\n").await]);
    disk.fill();
    let first = stack.pid("nats");
    let submit = async || {
        let answer = client.send("POST", "/api/v3/execute", &[], Some(code.clone())).await;
        let id = answer.json()["data"]["workflow_id"].as_str().map(str::to_owned);
        promised.lock().expect("no panic").extend(id);
        answer.status
    };
    eventually("the broker is restarted", Duration::from_secs(60), || async {
        // The broker notices the full disk only when it writes; whether a submission still fits is chance.
        let status = submit().await;
        assert!([202, 401, 503].contains(&status), "{status}");
        (stack.pid("nats") != first).then_some(())
    })
    .await;
    disk.make_room();
    eventually("work is accepted again", Duration::from_secs(60), || async { (submit().await == 202).then_some(()) })
        .await;
    for id in promised.into_inner().expect("no panic") {
        client.until(&id, "completed").await;
    }
}
