//! The broker's permissions, read user by user: which process may consume, recreate or delete a queue of the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use messaging::Consumer;
use tests::program;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Writes the configuration with every lane, as for an operator.
fn written() -> &'static Path {
    static WRITTEN: OnceLock<PathBuf> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("written-{}", std::process::id()));
        let done = Command::new(program("promptcraft"))
            .args(["admin", "broker-config"])
            .arg(&folder)
            .output()
            .expect("it starts");
        assert!(done.status.success(), "{done:?}");
        folder
    })
}

/// The subjects that one user may publish to, as configured.
struct Rights {
    allow: Vec<String>,
    deny: Vec<String>,
}

impl Rights {
    /// Reads the user's own block only.
    fn of(user: &str, file: &str) -> Self {
        let text = fs::read_to_string(written().join(file)).expect("a configuration");
        let without_comments = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let text = without_comments.collect::<Vec<_>>().join("\n");
        let (_, behind) =
            text.split_once(&format!("user: {user},")).unwrap_or_else(|| panic!("{file} has no user {user}"));
        let publish = section(inside(behind), "publish:").unwrap_or_else(|| panic!("{user} may publish anything"));
        let list = |name| section(publish, name).map(quoted).unwrap_or_default();
        Self { allow: list("allow:"), deny: list("deny:") }
    }

    fn permit(&self, subject: &str) -> bool {
        let any = |list: &[String]| list.iter().any(|pattern| covers(pattern, subject));
        (self.allow.is_empty() || any(&self.allow)) && !any(&self.deny)
    }
}

/// Returns the text up to the bracket that closes its block.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += i32::from(matches!(c, '{' | '[')) - i32::from(matches!(c, '}' | ']'));
        depth == 0
    });
    &text[..end.expect("brackets close")]
}

/// Returns the text in the brackets after a name.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(name)?;
    Some(inside(behind.trim_start().strip_prefix(['{', '['])?))
}

fn quoted(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn covers(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            (_, _) => return false,
        }
    }
}

fn queues() -> Vec<Consumer> {
    let runtimes = fs::read_dir(root().join("sandbox/runtimes")).expect("runtimes").flatten();
    let folders = runtimes.filter(|entry| entry.path().is_dir());
    let lanes: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(lanes.len() >= 4, "{lanes:?}");
    Consumer::all(&lanes)
}

/// Returns the stream of a queue and the process that alone consumes it.
fn place(queue: &Consumer) -> (&'static str, &'static str) {
    match queue {
        Consumer::Steps(_) | Consumer::Execute(_) => ("WORKFLOWS", "worker"),
        Consumer::Analyses => ("ANALYSES", "worker"),
        Consumer::Gates | Consumer::Audit | Consumer::Webhooks | Consumer::Schedules => ("WORKFLOWS", "approver"),
        Consumer::Decisions => ("APPROVALS", "approver"),
        Consumer::Timers | Consumer::Notifications => ("TIMERS", "approver"),
        Consumer::Projector => ("WORKFLOWS", "api"),
    }
}

#[test]
fn each_process_takes_from_its_own_queues_and_replaces_none() {
    // The workers' account maps requests to the log to another subject.
    let users = [
        ("api", "services.conf", "$JS.API"),
        ("approver", "services.conf", "$JS.API"),
        ("worker", "workers.conf", "log"),
    ];
    let users = users.map(|(user, file, prefix)| (user, Rights::of(user, file), prefix));
    for queue in queues() {
        let ((stream, host), name) = (place(&queue), queue.name());
        for (user, rights, prefix) in &users {
            let check = |subject: &str, expected: bool| {
                assert_eq!(rights.permit(subject), expected, "{user} {subject}, a queue of {host}");
            };
            check(&format!("{prefix}.CONSUMER.MSG.NEXT.{stream}.{name}"), *user == host);
            check(&format!("$JS.ACK.{stream}.{name}.1.1.1.1.0"), *user == host);
            check(&format!("{prefix}.CONSUMER.DELETE.{stream}.{name}"), false);
            check(&format!("{prefix}.CONSUMER.CREATE.{stream}.{name}"), false);
            check(&format!("{prefix}.CONSUMER.CREATE.{stream}.{name}.wf.plan.std.x"), false);
            check(&format!("{prefix}.CONSUMER.DURABLE.CREATE.{stream}.{name}"), false);
        }
    }
}

#[test]
fn the_approver_alone_releases_and_parks() {
    for (user, file) in [("api", "services.conf"), ("cli", "services.conf"), ("worker", "workers.conf")] {
        let rights = Rights::of(user, file);
        for subject in ["wf.done.std.x", "wf.judged.approve-std.x"] {
            assert!(!rights.permit(subject), "{user} may publish {subject}");
        }
    }
    let operator = Rights::of("cli", "services.conf");
    for phase in ["plan.std", "generate.std", "analyze.std", "execute.python"] {
        assert!(operator.permit(&format!("wf.{phase}.x")), "a dead step cannot be put back to {phase}");
    }
    for phase in ["approve.std", "failed.std", "cancelled.std"] {
        assert!(!operator.permit(&format!("wf.{phase}.x")), "the operator's tool may write {phase}");
    }
    let approver = Rights::of("approver", "services.conf");
    assert!(approver.permit("wf.done.std.x") && approver.permit("wf.judged.approve-std.x"));
}
