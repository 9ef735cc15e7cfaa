//! The containers of the stack, by the command line tools of an operator.

use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tests::{Client, eventually};

/// For a container that was killed or added, on a busy machine.
const HEALTHY_TIMEOUT: Duration = Duration::from_secs(90);

#[expect(clippy::disallowed_methods, reason = "the script names the stack by variables")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/compose-test.sh"))
}

fn output_of(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Returns what `docker` prints.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let mut command = Command::new("docker");
    command.args(arguments);
    output_of(command)
}

/// Returns what the compose program prints, which `COMPOSE` names.
pub(crate) fn compose(arguments: &[&str]) -> String {
    let program = variable("COMPOSE");
    let mut words = program.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).args(arguments).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    output_of(command)
}

/// Returns the running containers of a service.
pub(crate) fn running(service: &str) -> Vec<String> {
    let project = format!("label=com.docker.compose.project={}", variable("COMPOSE_PROJECT_NAME"));
    let service = format!("label=com.docker.compose.service={service}");
    let once = "label=com.docker.compose.oneoff=False";
    let listed = docker(&["ps", "--quiet", "--filter", &project, "--filter", &service, "--filter", once]);
    listed.lines().map(str::to_owned).collect()
}

/// Returns the engine's record of a container.
pub(crate) fn inspect(container: &str) -> Value {
    let mut records: Value = serde_json::from_str(&docker(&["inspect", container])).expect("JSON");
    records[0].take()
}

/// Kills a container as a crash would: the engine must start it again by itself.
pub(crate) fn crash(container: &str) {
    let pid = inspect(container)["State"]["Pid"].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    kill_process(pid.expect("it runs"), Signal::KILL).expect("root may kill it");
}

/// Waits until the service has this number of containers, all healthy.
pub(crate) async fn until_healthy(service: &str, count: usize) {
    eventually("the containers are healthy", HEALTHY_TIMEOUT, || async {
        let containers = running(service);
        let healthy = |id: &String| inspect(id)["State"]["Health"]["Status"] == "healthy";
        (containers.len() == count && containers.iter().all(healthy)).then_some(())
    })
    .await;
}

/// Returns a client without a token.
pub(crate) fn stranger() -> Client {
    Client::new(&variable("COMPOSE_URL"))
}

/// Returns a client of the demo's developer, who has self-approval.
pub(crate) async fn developer() -> Client {
    stranger().sign_in("test_user", "test_pass").await
}
