//! Each directory of `sandbox/runtimes` is a runtime, and the broker's configuration treats all runtimes alike.

use std::fs;
use std::path::{Path, PathBuf};

use cli::stack::{RUNTIMES, RuntimeName, broker_config};

fn runtimes() -> Vec<RuntimeName> {
    ["python", "made-up"].map(|name| name.parse().unwrap()).into()
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nats")
}

#[test]
fn every_directory_of_runtimes_is_a_runtime() {
    let runtimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sandbox/runtimes");
    assert!(RUNTIMES.contains(&"python"));
    for name in RUNTIMES {
        let text = fs::read_to_string(runtimes.join(name).join("runtime.toml")).unwrap();
        assert!(
            text.lines().any(|line| line == format!("name = {name:?}")),
            "{name} differs from the name of its directory"
        );
    }
}

/// Permission lists grant or deny the same for each runtime, and repeat nothing else.
#[test]
fn permission_lists_treat_all_runtimes_alike() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lanes-{}", std::process::id()));
    broker_config::write_for_operator(&directory, &runtimes()).unwrap();
    for file in ["workers.conf", "services.conf"] {
        let text = fs::read_to_string(directory.join(file)).unwrap();
        let of = |runtime: &str| -> Vec<String> {
            let mark = format!("execute-{runtime}");
            text.lines().filter(|line| line.contains(&mark)).map(|line| line.replace(&mark, "execute-python")).collect()
        };
        assert!(!of("python").is_empty(), "{file} has no queue of Python");
        assert_eq!(of("made-up"), of("python"), "{file}");
        let without: Vec<_> = text.lines().filter(|line| !line.contains("execute-made-up")).collect();
        let committed = fs::read_to_string(shipped().join(file)).unwrap();
        assert_eq!(without, committed.lines().collect::<Vec<_>>(), "{file}");
        assert_eq!(committed.matches("execute-").count(), committed.matches("execute-python").count(), "{file}");
    }
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_bots_of_an_operator_are_kept() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("operators-{}", std::process::id()));
    broker_config::write_for_operator(&directory, &runtimes()).unwrap();
    fs::write(directory.join("bots.conf"), "include \"bots/mine.conf\"\n").unwrap();
    fs::write(directory.join("bots/mine.conf"), "an account").unwrap();
    broker_config::write_for_operator(&directory, &runtimes()).unwrap();
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
