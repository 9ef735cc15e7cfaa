//! The house rules that nobody should have to remember.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use shared::messaging::Consumer;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The crates of this workspace that each crate depends on in its product, tests aside.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let folders = ["api", "approver", "cli", "generator", "heimdall", "sandbox", "sandbox/runner", "shared", "worker"];
    let own = |name: &str| folders.iter().any(|folder| folder.rsplit('/').next() == Some(name));
    folders
        .iter()
        .map(|folder| {
            let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest");
            let manifest: toml::Table = text.parse().expect("TOML");
            let table = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
            let name = folder.rsplit('/').next().expect("a name").to_owned();
            (name, table.into_iter().map(|(name, _)| name).filter(|name| own(name)).collect())
        })
        .collect()
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("api", ["shared"].as_slice()),
        ("approver", &["shared"]),
        ("cli", &["shared"]),
        ("generator", &[]),
        ("heimdall", &[]),
        ("runner", &[]),
        ("sandbox", &["runner"]),
        ("shared", &[]),
        ("worker", &["generator", "heimdall", "sandbox", "shared"]),
    ]);
    for (name, found) in dependencies() {
        let allowed = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the plan of the house"));
        for dependency in found {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_domain_does_no_io() {
    let domain = ["shared/src/workflow", "shared/src/approval"];
    let files = domain.iter().flat_map(|folder| sources(folder));
    let single = ["ids.rs", "analysis.rs", "clock.rs"].map(|file| root().join("shared/src").join(file));
    let single = single.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a file")));
    for (path, text) in files.chain(single) {
        for forbidden in ["tokio", "async_nats", "actix", "redis::", "std::fs", "std::net", "reqwest", "async fn"] {
            assert!(!text.contains(forbidden), "{} mentions {forbidden}", path.display());
        }
    }
}

#[test]
fn only_messaging_knows_subjects_and_only_the_read_model_knows_redis() {
    let subjects = ["\"wf.", "\"approvals.", "\"timers.", "\"blob.", "\"control.cancel", "\"decide.", "\"$JS", "\"$KV"];
    for folder in
        ["api/src", "approver/src", "worker/src", "shared/src", "generator/src", "heimdall/src", "sandbox/src"]
    {
        for (path, text) in sources(folder) {
            let inside = |module: &str| path.starts_with(root().join("shared/src").join(module));
            for subject in subjects.iter().filter(|_| !inside("messaging")) {
                assert!(!text.contains(subject), "{} knows the subject {subject}", path.display());
            }
            assert!(!text.contains("async_nats") || inside("messaging"), "{} speaks to the broker", path.display());
            assert!(!text.contains("redis::") || inside("read_model"), "{} speaks to Redis", path.display());
            let is_sandbox = path.starts_with(root().join("sandbox"));
            assert!(!text.contains("bollard") || is_sandbox, "{} speaks to Docker", path.display());
        }
    }
}

/// The API makes consumers of its own on the log and must not take a queue's messages or replace a queue.
#[test]
fn the_brokers_permissions_know_every_queue_of_the_log() {
    let configuration = fs::read_to_string(root().join("nats/services.conf")).expect("a configuration");
    let lanes: Vec<String> = fs::read_dir(root().join("sandbox/runtimes"))
        .expect("runtimes")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let elsewhere = ["decisions", "analyses", "timers"];
    for name in Consumer::all(&lanes).iter().map(Consumer::name).filter(|name| !elsewhere.contains(&name.as_str())) {
        let orders = ["CONSUMER.CREATE", "CONSUMER.DELETE", "CONSUMER.MSG.NEXT"];
        for order in orders.iter().filter(|order| name != "projector" || **order != "CONSUMER.MSG.NEXT") {
            let subject = format!("\"$JS.API.{order}.WORKFLOWS.{name}\"");
            assert!(configuration.contains(&subject), "nats/services.conf must deny the API {subject}");
        }
    }
}
