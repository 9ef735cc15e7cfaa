//! A language is a folder of the sandbox and a lane of the log; what the broker's files say of one lane they say of each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use cli::stack::{RUNTIMES, RuntimeName, broker_config};

fn lanes() -> Vec<RuntimeName> {
    ["python", "made-up"].map(|name| name.parse().unwrap()).into()
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nats")
}

#[test]
fn a_lane_is_whatever_folder_of_runtimes_there_is() {
    let runtimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sandbox/runtimes");
    assert!(RUNTIMES.contains(&"python"));
    for name in RUNTIMES {
        let text = fs::read_to_string(runtimes.join(name).join("runtime.toml")).unwrap();
        assert!(text.lines().any(|line| line == format!("name = {name:?}")), "{name} is not what its folder is called");
    }
}

/// Whatever a list grants or denies for one lane, it grants or denies for each, and says the rest once.
#[test]
fn permission_lists_treat_all_lanes_alike() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lanes-{}", std::process::id()));
    broker_config::write_for_operator(&directory, &lanes()).unwrap();
    for file in ["workers.conf", "services.conf"] {
        let text = fs::read_to_string(directory.join(file)).unwrap();
        let of = |lane: &str| -> Vec<String> {
            let mark = format!("execute-{lane}");
            text.lines().filter(|line| line.contains(&mark)).map(|line| line.replace(&mark, "execute-python")).collect()
        };
        assert!(!of("python").is_empty(), "{file} names the lane of Python");
        assert_eq!(of("made-up"), of("python"), "{file}");
        let without: Vec<_> = text.lines().filter(|line| !line.contains("execute-made-up")).collect();
        let committed = fs::read_to_string(shipped().join(file)).unwrap();
        assert_eq!(without, committed.lines().collect::<Vec<_>>(), "{file}");
        assert_eq!(committed.matches("execute-").count(), committed.matches("execute-python").count(), "{file}");
    }
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn an_operators_bots_outlive_new_files() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("operators-{}", std::process::id()));
    broker_config::write_for_operator(&directory, &lanes()).unwrap();
    fs::write(directory.join("bots.conf"), "include \"bots/mine.conf\"\n").unwrap();
    fs::write(directory.join("bots/mine.conf"), "an account").unwrap();
    broker_config::write_for_operator(&directory, &lanes()).unwrap();
    assert_eq!(fs::read_to_string(directory.join("bots.conf")).unwrap(), "include \"bots/mine.conf\"\n");
    assert_eq!(fs::read_to_string(directory.join("bots/mine.conf")).unwrap(), "an account");
    for entry in fs::read_dir(shipped()).unwrap().flatten() {
        let name = entry.file_name();
        assert!(
            !name.to_string_lossy().ends_with(".conf") || directory.join(&name).exists(),
            "{name:?} is not written"
        );
    }
    fs::remove_dir_all(directory).unwrap();
}
