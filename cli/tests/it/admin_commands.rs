//! The commands of operators are under `promptcraft admin`; their former top-level spellings still work.

#![expect(clippy::unwrap_used, reason = "a failed setup panics")]

use std::process::{Command, Output};

/// Former spelling and present spelling.
const SPELLINGS: [(&str, &str); 8] = [
    ("provision", "provision"),
    ("broker-files", "broker-config"),
    ("user", "user"),
    ("bot", "bot"),
    ("keys", "keys"),
    ("dead", "dead-letters"),
    ("archive", "archive"),
    ("rebuild", "rebuild"),
];

fn run(arguments: &[&str]) -> Output {
    let settings: Vec<String> =
        std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("PROMPTCRAFT")).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_promptcraft"));
    for name in settings {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// The commands that the help text lists.
fn listed(arguments: &[&str]) -> Vec<String> {
    let help = text(&run(arguments).stdout);
    let commands = help.split("Commands:\n").nth(1).unwrap_or_else(|| panic!("no commands in:\n{help}"));
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn only_the_present_spellings_are_listed() {
    let (top, admin) = (listed(&["--help"]), listed(&["admin", "--help"]));
    assert!(top.contains(&"admin".to_owned()), "{top:?}");
    for (former, present) in SPELLINGS {
        assert!(!top.contains(&former.to_owned()), "{former} is listed");
        assert!(admin.contains(&present.to_owned()), "{present} is not listed: {admin:?}");
    }
}

#[test]
fn both_spellings_take_the_same_arguments() {
    let options = |words: &[&str]| {
        let help = run(words);
        assert!(help.status.success(), "{words:?}: {}", text(&help.stderr));
        let lines: Vec<String> =
            text(&help.stdout).lines().filter(|line| !line.contains("promptcraft")).map(str::to_owned).collect();
        assert!(lines.len() > 3, "{lines:?}");
        lines
    };
    for (former, present) in SPELLINGS {
        assert_eq!(options(&[former, "--help"]), options(&["admin", present, "--help"]), "{former}");
    }
}

#[test]
fn both_spellings_run_the_same_command() {
    for (former, present, rest) in [
        ("provision", "provision", vec![]),
        ("user", "user", vec!["list"]),
        ("bot", "bot", vec!["remove", "rob"]),
        ("keys", "keys", vec!["list"]),
        ("dead", "dead-letters", vec!["list"]),
        ("archive", "archive", vec!["--dry-run"]),
        ("rebuild", "rebuild", vec!["--check"]),
    ] {
        let elsewhere = ["--data", "/nonexistent"];
        let old = run(&[&[former][..], &rest, &elsewhere].concat());
        let new = run(&[&["admin", present][..], &rest, &elsewhere].concat());
        let error = text(&new.stderr);
        assert!(error.contains("no stack runs on /nonexistent"), "{present}: {error}");
        assert_eq!((text(&old.stderr), old.status.code()), (error, new.status.code()), "{former}");
    }
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spellings-{}", std::process::id()));
    let folder = directory.to_str().expect("a plain path");
    let (old, new) = (run(&["broker-files", folder]), run(&["admin", "broker-config", folder]));
    assert_eq!((text(&old.stdout), old.status.code()), (text(&new.stdout), Some(0)));
    std::fs::remove_dir_all(directory).unwrap();
}
