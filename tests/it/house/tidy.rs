//! House rules that a test can check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use service::config::SETTINGS;

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

/// Returns the dependencies of a crate, without those of its tests.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = table(root().join(folder).join("Cargo.toml"));
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let places = targets.filter_map(toml::Value::as_table).chain([&manifest]);
    let tables = places.flat_map(|place| ["dependencies", "build-dependencies"].map(|kind| place.get(kind)));
    tables.flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys).cloned().collect()
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
        ("analysis-report", [].as_slice()),
        ("api", &["domain", "messaging", "read-model", "service"]),
        ("approver", &["domain", "messaging", "read-model", "service"]),
        ("cli", &["domain", "messaging", "read-model", "service"]),
        ("domain", &["analysis-report"]),
        ("embedding", &[]),
        ("faults", &["cli", "domain", "messaging", "read-model", "service"]),
        ("gates", &[]),
        ("generator", &["embedding", "source-text"]),
        ("heimdall", &["analysis-report", "source-text"]),
        ("loadtest", &[]),
        ("messaging", &["domain", "service"]),
        ("read-model", &["domain", "messaging", "service"]),
        ("runner", &[]),
        ("sandbox", &["runner"]),
        ("service", &["domain"]),
        ("source-text", &[]),
        ("test-support", &["messaging", "service"]),
        ("worker", &["domain", "generator", "heimdall", "messaging", "read-model", "sandbox", "service"]),
    ]);
    let folders = folders();
    let own: BTreeSet<&str> = folders.iter().map(|folder| crate_name(folder)).collect();
    assert_eq!(own, allowed.keys().copied().collect(), "the crates in the plan of the house");
    for folder in &folders {
        let name = crate_name(folder);
        for dependency in dependencies(folder).iter().filter(|dependency| own.contains(dependency.as_str())) {
            assert!(allowed[name].contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn the_domain_does_no_io() {
    // Values, their encodings and their ids: nothing of these opens a file or a connection.
    let pure = [
        "analysis-report",
        "getrandom",
        "hex",
        "serde",
        "serde_bytes",
        "serde_json",
        "sha2",
        "strsim",
        "thiserror",
        "time",
        "uuid",
    ];
    assert_eq!(dependencies("shared/domain"), pure);
    let is_product = |(path, _): &(PathBuf, String)| !path.ends_with("tests.rs");
    for (path, text) in sources("shared/domain/src").into_iter().filter(is_product) {
        for forbidden in ["std::fs", "std::net", "std::process", "std::env", "async fn"] {
            assert!(!text.contains(forbidden), "{} mentions {forbidden}", path.display());
        }
    }
}

/// Returns the first token of every subject of `messaging`, as it would begin a string literal.
fn beginnings_of_subjects() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("shared/messaging/src/subjects.rs")).expect("a file");
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let words = code.split('"').skip(1).step_by(2);
    words.filter_map(|word| word.split_once('.')).map(|(first, _)| format!("\"{first}.")).collect()
}

#[test]
fn only_messaging_knows_subjects() {
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
        let messaging = inside("shared/messaging/src") || inside("tests/faults/src/client/bot.rs");
        // Names of thresholds look alike; it has no client of the broker.
        let messaging = messaging || inside("loadtest");
        for subject in subjects.iter().filter(|_| !messaging) {
            assert!(!text.contains(subject.as_str()), "{} knows the subject {subject}", path.display());
        }
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

/// The crates of processes and of tests. They may use a name of [`SHARED_TYPE_NAMES`] for the same role.
const PROCESSES: [&str; 8] = ["api", "approver", "cli", "faults", "gates", "loadtest", "tests", "worker"];

const SHARED_TYPE_NAMES: [&str; 10] = [
    "Answer",       // A response of the API with its body.
    "Application",  // A process that is built and run.
    "Bot",          // An approval bot.
    "Client",       // A client of the API.
    "Config",       // The settings of a process.
    "DailyBudget",  // The maximum cost of a user's day.
    "EventStream",  // A response of server-sent events.
    "Random",       // A generator of random numbers with a seed.
    "Stack",        // All processes of an installation.
    "StartupError", // A failure to start a process.
];

/// Returns the name of the type that a line declares with `pub`, `pub(crate)` or the like.
fn declared_type(line: &str) -> Option<&str> {
    let declaration = line.trim_start().strip_prefix("pub")?;
    let scoped = declaration.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let mut words = scoped.map_or(declaration, |(_, rest)| rest).split_whitespace();
    let is_type = matches!(words.next()?, "struct" | "enum" | "union" | "trait" | "type");
    let name = words.next()?.split(|c: char| !c.is_alphanumeric()).next()?;
    (is_type && !name.is_empty()).then_some(name)
}

#[test]
fn a_type_name_has_one_meaning() {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in folders().iter().map(String::as_str).chain(["tests"]) {
        for (_, text) in sources(&format!("{folder}/src")).iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
            for name in text.lines().filter_map(declared_type) {
                users.entry(name.to_owned()).or_default().insert(crate_name(folder).to_owned());
            }
        }
    }
    users.retain(|_, crates| crates.len() > 1);
    let is_of_processes = |crates: &BTreeSet<String>| crates.iter().all(|it| PROCESSES.contains(&it.as_str()));
    let is_allowed = |name: &str| SHARED_TYPE_NAMES.contains(&name) && is_of_processes(&users[name]);
    let wrong: BTreeMap<_, _> = users.iter().filter(|(name, _)| !is_allowed(name)).collect();
    assert!(wrong.is_empty(), "names of types in more than one crate; rename all but one: {wrong:#?}");
    let unused = SHARED_TYPE_NAMES.into_iter().find(|name| !users.contains_key(*name));
    assert_eq!(unused, None, "a name that may be shared and is not");
}
