//! Cases of the Docker backend only: an engine outlives workers and may lose containers.

mod gvisor;
mod reuse;

use std::process::Command;

use sandbox::Backend;

use crate::support::{RUNTIME, config, engine_answers, roots, script, shared, text};
use crate::worker::wait_until;

#[test]
fn a_warm_container_that_was_killed_is_not_handed_out() {
    if shared(Backend::Docker).is_none() {
        return;
    }
    let mut own = config(Backend::Docker);
    own.instance = format!("killed-{}", std::process::id());
    let label = format!("label=promptcraft.instance={}", own.instance);
    RUNTIME.block_on(async {
        let sandbox = sandbox::open(own).await.expect("opens");
        let warm = docker(&["ps", "-q", "--filter", &label]);
        assert!(!warm.is_empty(), "the pool keeps at least the container that proved the walls");
        docker(&[&["kill"][..], &warm.split_whitespace().collect::<Vec<_>>()].concat());
        for _ in 0..3 {
            assert_eq!(text(&script(&*sandbox, "print('ran')").await.stdout), "ran\n");
        }
        sandbox.shutdown().await;
    });
    let none = || docker(&["ps", "-aq", "--filter", &label]).is_empty();
    RUNTIME.block_on(wait_until(none, "a container is left by a shutdown"));
}

#[test]
fn a_start_sweeps_the_containers_of_dead_workers_alone() {
    if shared(Backend::Docker).is_none() {
        return;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("knows its boot");
    let namespace = std::fs::read_link("/proc/self/ns/pid").expect("knows its pid namespace");
    let create = |pid: u32, started: &str| {
        let image = std::fs::read_to_string(roots().join("python/image")).expect("the image is noted");
        let labels = [
            "promptcraft.sandbox=1".into(),
            "promptcraft.instance=swept".into(),
            format!("promptcraft.boot={}", boot.trim()),
            format!("promptcraft.pid_namespace={}", namespace.display()),
            format!("promptcraft.pid={pid}"),
            format!("promptcraft.pid_started={started}"),
        ];
        let labels: Vec<_> = labels.iter().flat_map(|label| ["--label", label.as_str()]).collect();
        docker(&[&["create"][..], &labels, &[image.trim()]].concat())
    };
    let dead = create(4_194_304, "1");
    let reused = create(std::process::id(), "1");
    let living = create(1, &start_time_of(1));
    RUNTIME.block_on(async {
        let sandbox = sandbox::open(config(Backend::Docker)).await.expect("opens");
        sandbox.shutdown().await;
    });
    let left = docker(&["ps", "-aq", "--no-trunc", "--filter", "label=promptcraft.instance=swept"]);
    docker(&["rm", "-f", &living]);
    assert!(left.contains(&living), "the container of a living worker stays");
    assert!(!left.contains(&dead) && !left.contains(&reused), "{left}");
}

fn start_time_of(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let fields = stat.rsplit_once(") ").expect("a name in parentheses").1;
    fields.split(' ').nth(19).expect("the start time").to_owned()
}

pub(crate) fn docker(arguments: &[&str]) -> String {
    assert!(engine_answers());
    let output = Command::new("docker").args(arguments).output().expect("the docker client is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("ids are text").trim().to_owned()
}
