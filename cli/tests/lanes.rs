//! A language is a folder of the sandbox and a lane of the log; the broker's permission lists must know every one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn runtimes() -> BTreeSet<String> {
    let folders = std::fs::read_dir(repository().join("sandbox/runtimes")).expect("lists the runtimes").flatten();
    folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect()
}

/// Whatever a list grants or denies for one lane, it grants or denies for each.
#[test]
fn permission_lists_treat_all_lanes_alike() {
    let runtimes = runtimes();
    assert!(runtimes.contains("python"));
    for file in ["nats/workers.conf", "nats/services.conf"] {
        let text = std::fs::read_to_string(repository().join(file)).expect("reads the broker's configuration");
        let of = |lane: &str| -> Vec<String> {
            let mark = format!("execute-{lane}");
            let words = text.split('"').filter(|word| word.split('.').any(|part| part == mark));
            words.map(|word| word.replace(&mark, "execute-LANE")).collect()
        };
        let expected = of("python");
        assert!(!expected.is_empty(), "{file} names the lane of Python");
        for runtime in &runtimes {
            assert_eq!(of(runtime), expected, "{file}: lane {runtime}");
        }
    }
}
