//! What a container may do, from the engine's own record of it.

use serde_json::Value;

use crate::containers::{docker, inspect, running};

const SERVICES: [&str; 6] = ["api", "approver", "worker", "nats", "redis", "proxy"];

#[track_caller]
fn check_container(service: &str, record: &Value) {
    let host = &record["HostConfig"];
    assert_eq!(record["Config"]["User"], "10001:10001", "{service}");
    assert_eq!(host["Privileged"], false, "{service}");
    assert_eq!(host["ReadonlyRootfs"], true, "{service}");
    assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]), "{service}");
    assert_eq!(host["CapAdd"], Value::Null, "{service}");
    assert!(host["SecurityOpt"].to_string().contains("no-new-privileges"), "{service}");
    for limit in ["Memory", "NanoCpus", "PidsLimit"] {
        assert!(host[limit].as_i64() > Some(0), "{service}: {limit}");
    }
    assert_eq!(host["RestartPolicy"]["Name"], "unless-stopped", "{service}");
    assert!(!record["Mounts"].to_string().contains("docker.sock"), "{service}");
    for bindings in host["PortBindings"].as_object().into_iter().flat_map(|ports| ports.values()) {
        assert_eq!(bindings[0]["HostIp"], "127.0.0.1", "{service}");
    }
    // Secrets are 64 hexadecimal digits.
    for variable in record["Config"]["Env"].as_array().expect("a list").iter().filter_map(Value::as_str) {
        let longest = variable.split(|character: char| !character.is_ascii_hexdigit()).map(str::len).max();
        assert!(longest < Some(64), "{service}: a secret in the environment");
    }
}

#[test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
fn no_container_has_a_privilege_or_a_secret_in_its_environment() {
    for service in SERVICES {
        let containers = running(service);
        assert!(!containers.is_empty(), "{service} does not run");
        for container in containers {
            check_container(service, &inspect(&container));
        }
    }
}

#[test]
#[ignore = "needs the stack of scripts/compose-test.sh"]
fn a_worker_has_its_own_secrets_only_and_no_way_out() {
    let worker = running("worker").pop().expect("a worker");
    assert_eq!(docker(&["exec", &worker, "ls", "/secrets"]), "nats-password\nredis-url");
    let networks = inspect(&worker)["NetworkSettings"]["Networks"].clone();
    let networks = networks.as_object().expect("networks");
    assert_eq!(networks.len(), 1);
    for network in networks.keys() {
        assert_eq!(docker(&["network", "inspect", "--format", "{{.Internal}}", network]), "true");
    }
}
