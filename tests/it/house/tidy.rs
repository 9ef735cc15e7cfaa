//! House rules that a test can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use shared::config::SETTINGS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn table(path: PathBuf) -> toml::Table {
    fs::read_to_string(path).expect("a manifest").parse().expect("TOML")
}

/// Returns the folders of the workspace's crates, except `tests`.
fn folders() -> Vec<String> {
    let manifest = table(root().join("Cargo.toml"));
    let members = manifest["workspace"]["members"].as_array().expect("a list");
    members.iter().filter_map(toml::Value::as_str).filter(|name| *name != "tests").map(str::to_owned).collect()
}

fn crate_name(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// Returns each crate's dependencies in this workspace, without those of tests.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let folders = folders();
    let own = |name: &str| folders.iter().any(|folder| crate_name(folder) == name);
    let of = |folder: &str| {
        let manifest = table(root().join(folder).join("Cargo.toml"));
        let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
        let places = targets.filter_map(toml::Value::as_table).chain([&manifest]);
        let tables = places.flat_map(|place| ["dependencies", "build-dependencies"].map(|kind| place.get(kind)));
        let names = tables.flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys);
        names.filter(|name| own(name)).cloned().collect()
    };
    folders.iter().map(|folder| (crate_name(folder).to_owned(), of(folder))).collect()
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
        ("faults", &["cli", "shared"]),
        ("gates", &[]),
        ("generator", &["source-text"]),
        ("heimdall", &["source-text"]),
        ("runner", &[]),
        ("sandbox", &["runner"]),
        ("shared", &[]),
        ("source-text", &[]),
        ("test-support", &["shared"]),
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

/// Returns the first token of every subject of `shared::messaging`, as it would begin a string literal.
fn beginnings_of_subjects() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("shared/src/messaging/subjects.rs")).expect("a file");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let words = code.split('"').skip(1).step_by(2);
    words.filter_map(|word| word.split_once('.')).map(|(first, _)| format!("\"{first}.")).collect()
}

#[test]
fn only_messaging_knows_subjects_and_only_the_read_model_knows_redis() {
    let mut subjects = beginnings_of_subjects();
    for name in
        ["wf", "blob", "analysis", "answers", "approvals", "timers", "dead", "audit", "control", "decide", "presence"]
    {
        assert!(subjects.contains(&format!("\"{name}.")), "{name} is no longer among {subjects:?}");
    }
    subjects.extend(["\"$JS", "\"$KV", "\"_INBOX"].map(str::to_owned));
    for (path, text) in folders().iter().flat_map(|folder| sources(&format!("{folder}/src"))) {
        let inside = |folder: &str| path.starts_with(root().join(folder));
        // Settings have dotted names as well, and some begin like a subject.
        let text = SETTINGS.iter().fold(text, |text, it| text.replace(&format!("\"{}\"", it.name), "a setting"));
        // The harness's bot uses the documented subjects, like a bot of somebody else.
        let messaging = inside("shared/src/messaging") || inside("tests/faults/src/client/bot.rs");
        for subject in subjects.iter().filter(|_| !messaging) {
            assert!(!text.contains(subject.as_str()), "{} knows the subject {subject}", path.display());
        }
        assert!(!text.contains("async_nats") || messaging, "{} speaks to the broker", path.display());
        assert!(!text.contains("redis::") || inside("shared/src/read_model"), "{} speaks to Redis", path.display());
        assert!(!text.contains("bollard") || inside("sandbox"), "{} speaks to Docker", path.display());
    }
}

/// The functions whose first argument is a setting's name; a secret's second is one too.
const SETTING_READERS: [&str; 11] = [
    ".read",
    ".read_or",
    ".list",
    ".list_or",
    ".span",
    ".optional",
    ".required",
    ".required_secret",
    ".secret",
    ".rate",
    " rate",
];

/// Returns the names of settings that a source reads, without those of its tests.
fn settings_read(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code.split_whitespace().collect::<Vec<_>>().join(" ").replace("( \"", "(\"");
    let parts: Vec<&str> = code.split('"').collect();
    let mut names = BTreeSet::new();
    for (before, literal) in parts.iter().step_by(2).zip(parts.iter().skip(1).step_by(2)) {
        let call = before.strip_suffix('(').unwrap_or_default();
        // `read::<String>` and the like.
        let call = call.strip_suffix('>').and_then(|call| call.rsplit_once("::<")).map_or(call, |(call, _)| call);
        let is_file_of_secret = *before == ", " && literal.ends_with("_file");
        if is_file_of_secret || SETTING_READERS.iter().any(|reader| call.ends_with(reader)) {
            names.insert((*literal).to_owned());
        }
    }
    names
}

#[test]
fn the_table_of_settings_has_what_the_processes_read() {
    let sources = folders().into_iter().flat_map(|folder| sources(&format!("{folder}/src")));
    let read: BTreeSet<String> = sources.flat_map(|(_, text)| settings_read(&text)).collect();
    let known: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
    let groups: BTreeSet<&str> = known.iter().filter_map(|name| name.split('.').next()).collect();
    let is_setting = |name: &&String| name.split('.').next().is_some_and(|group| groups.contains(group));
    let unknown: Vec<&String> = read.difference(&known).filter(is_setting).collect();
    assert!(unknown.is_empty(), "read but not in the table: {unknown:?}");
    let unread: Vec<&String> = known.difference(&read).collect();
    assert!(unread.is_empty(), "in the table but not read: {unread:?}");
}
