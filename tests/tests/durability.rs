//! Accepted means on disk: submissions that share their way to it, and a power cut that takes all else.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;
use tests::{Client, Options, Stack, eventually, raw_broker_as};

/// Submits under a key; the answer is the workflow's id.
async fn submit(client: &Client, key: &str) -> String {
    let goal = json!({"goal": format!("Teach my cat to pilot a submarine, {key}")}).to_string();
    let answer = client.send("POST", "/api/v3/execute", &[("idempotency-key", key)], Some(goal)).await;
    answer.expect(202)["data"]["workflow_id"].as_str().expect("an id").to_owned()
}

/// How often each workflow was submitted according to the log, and how many submissions came in each batch.
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
    // How many gather depends on how fast the machine is; that each is there once does not.
    for round in 1..=10 {
        if written_together(&stack, &client, round).await {
            return;
        }
    }
    panic!("none were written together in ten rounds");
}

/// Submits forty at once, each twice, while the broker stands still; whether many of them came to the log in one batch.
async fn written_together(stack: &Stack, client: &Client, round: u32) -> bool {
    stack.signal("nats", Signal::STOP);
    // The second of a key meets the first and takes down its batch.
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

/// A disk in a file, mounted; taken away when dropped.
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

    fn mounted(self) -> Result<Self, String> {
        std::fs::create_dir_all(&self.mount).map_err(|error| error.to_string())?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))?;
        Ok(self)
    }

    /// What is on the disk now, without anything that only memory holds.
    fn as_after_a_power_cut(&self) -> Result<Self, String> {
        let folder = self.image.with_extension("copy");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let copy = Self { image: folder.join("disk.img"), mount: folder.join("disk") };
        run(Command::new("cp").arg("--sparse=always").arg(&self.image).arg(&copy.image))?;
        Ok(copy)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("umount").arg(&self.mount)) {
            eprintln!("{} is left mounted: {error}", self.mount.display());
        }
    }
}

/// A small file system in memory, mounted; taken away when dropped.
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
        // What the broker has open there goes with it.
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
        Ok(disk) => power_cut(&disk).await,
        Err(reason) => println!("SKIPPED: no power was cut, so nothing is known about it: {reason}"),
    }
    std::fs::remove_dir_all(&folder).expect("nothing is left mounted");
}

async fn power_cut(disk: &Disk) {
    let on = |disk: &Disk| Options { broker_store: Some(disk.mount.clone()), ..Options::default() };
    let stack = Stack::start_with(on(disk)).await;
    let client = stack.developer().await;
    let keys: Vec<String> = (0..150).map(|number| format!("key-{number}")).collect();
    let accepted = join_all(keys.iter().map(|key| submit(&client, key))).await;
    stack.signal("nats", Signal::STOP);
    let after = disk.as_after_a_power_cut().expect("a copy");
    stack.signal("nats", Signal::CONT);
    drop(stack);

    let after = after.mounted().expect("a disk that can be repaired");
    let stack = Stack::start_with(on(&after)).await;
    let client = stack.developer().await;
    for (key, id) in keys.iter().zip(&accepted) {
        client.get(&format!("/api/v3/execute/status/{id}")).await.expect(200);
        assert_eq!(submit(&client, key).await, *id, "its submission was lost");
    }
}

#[tokio::test]
async fn a_disk_that_was_full_and_has_room_again_serves_again_and_lost_nothing() {
    let folder = std::env::temp_dir().join(format!("promptcraft-full-{}", std::process::id()));
    match SmallDisk::make(folder.clone()) {
        Ok(disk) => full_disk(&disk).await,
        Err(reason) => println!("SKIPPED: no disk was filled, so nothing is known about it: {reason}"),
    }
    std::fs::remove_dir(&folder).expect("nothing is left mounted");
}

async fn full_disk(disk: &SmallDisk) {
    let stack = Stack::start_with(Options { broker_store: Some(disk.0.clone()), ..Options::default() }).await;
    let client = stack.developer().await;
    let accepted = client.run("print('before')\n").await;
    disk.fill();
    let first = stack.pid("nats");
    let goal = json!({"goal": "Teach my cat to pilot a submarine"}).to_string();
    eventually("the broker is started again", Duration::from_secs(60), || async {
        // Something has to be written for the broker to notice; whether it fits still is chance.
        let answer = client.send("POST", "/api/v3/execute", &[], Some(goal.clone())).await;
        assert!([202, 401, 503].contains(&answer.status), "{}", answer.status);
        (stack.pid("nats") != first).then_some(())
    })
    .await;
    disk.make_room();
    eventually("work is accepted again", Duration::from_secs(60), || async {
        (client.send("POST", "/api/v3/execute", &[], Some(goal.clone())).await.status == 202).then_some(())
    })
    .await;
    client.until(&accepted, "completed").await;
    let after = client.run("print('after')\n").await;
    client.until(&after, "completed").await;
}
