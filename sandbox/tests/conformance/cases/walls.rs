//! Resources that a job cannot reach. Each case first does something allowed, to show that it detects success.

use sandbox::{Command, IsolationLevel, Outcome, Owner, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::support::{job, run, script, script_job, text};

/// Runs each expression and prints `name=` and its value or `name!` and its exception.
const TRY: &str = r#"
import ctypes, errno, os, signal, socket, subprocess, sys
def attempt(name, action):
    try:
        print(f"{name}={action()}", flush=True)
    except BaseException as error:
        print(f"{name}!{type(error).__name__}", flush=True)
def read(path):
    return len(open(path, "rb").read(1))
def write(path):
    return len(os.write(os.open(path, os.O_WRONLY | os.O_CREAT), b"x") * "x")
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return "ok" if result >= 0 else errno.errorcode[ctypes.get_errno()]
"#;

/// Returns the output lines of a script that starts with [`TRY`].
async fn attempts(sandbox: &dyn Sandbox, level: IsolationLevel, source: &str) -> Vec<String> {
    let result = run(sandbox, script_job(level, &[TRY, source].concat())).await;
    assert_eq!((result.exit_code, text(&result.stderr)), (Some(0), ""), "{result:?}");
    text(&result.stdout).lines().map(str::to_owned).collect()
}

pub(crate) async fn there_is_no_network(sandbox: &dyn Sandbox) {
    let source = r#"
def connect(family, address):
    s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(2); s.connect(address); return "connected"
attempt("pair", lambda: len(socket.socketpair()))
attempt("internet", lambda: connect(socket.AF_INET, ("192.0.2.1", 80)))
attempt("internet6", lambda: connect(socket.AF_INET6, ("2001:db8::1", 80)))
attempt("name", lambda: socket.getaddrinfo("example.org", 80))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("vsock", lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("interfaces", lambda: socket.if_nameindex())
"#;
    for level in [IsolationLevel::Strict, IsolationLevel::Standard, IsolationLevel::Permissive] {
        let lines = attempts(sandbox, level, source).await;
        assert_eq!(lines[0], "pair=2");
        assert_eq!(lines.iter().filter(|line| line.contains('=')).count(), 1, "{level:?}: {lines:?}");
    }
}

pub(crate) async fn the_host_is_not_readable(sandbox: &dyn Sandbox) {
    let source = r#"
attempt("own", lambda: read(__file__))
for path in ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/resolv.conf", "/proc/self/environ",
             "/proc/1/environ", "/proc/mounts", "/proc/version", "/sys/kernel/notes", "/promptcraft-runner",
             "/sys/fs/cgroup/cgroup.procs", "/dev/mem", "/dev/kmsg"]:
    attempt(path, lambda: read(path))
for path in ["/", "/proc", "/sys", "/etc", "/dev", "/home", "/root"]:
    attempt(path, lambda: os.listdir(path))
"#;
    let lines = attempts(sandbox, IsolationLevel::Permissive, source).await;
    assert_eq!(lines[0], "own=1");
    assert_eq!(lines.iter().filter(|line| line.contains('=')).count(), 1, "{lines:?}");
}

pub(crate) async fn nothing_but_the_work_directory_is_writable(sandbox: &dyn Sandbox) {
    let source = r#"
attempt("work", lambda: write("/work/job/new"))
attempt("temporary", lambda: write("/tmp/new"))
attempt("shared", lambda: write("/dev/shm/new"))
for path in ["/new", "/etc/new", "/etc/hosts", "/usr/lib/new", "/dev/new", "/proc/self/oom_score_adj", "/var/new",
             "/usr/bin/python3", "/run/new", "/home/new"]:
    attempt(path, lambda: write(path))
attempt("device", lambda: os.mknod("/work/job/null", 0o20666, os.makedev(1, 3)))
"#;
    let lines = attempts(sandbox, IsolationLevel::Permissive, source).await;
    assert_eq!(lines[..3], ["work=1", "temporary=1", "shared=1"]);
    assert_eq!(lines.iter().filter(|line| line.contains('=')).count(), 3, "{lines:?}");
}

pub(crate) async fn no_other_program_runs(sandbox: &dyn Sandbox) {
    let source = r#"
import shutil, stat
def start(*argv):
    return subprocess.run(argv, capture_output=True, timeout=5).returncode
def run_copy(loader):
    # The runner is unreadable, so the copy is of the interpreter; renamed, it must not start.
    shutil.copy(os.path.realpath(sys.executable), "/work/job/copy"); os.chmod("/work/job/copy", 0o755)
    return start(*loader, "/work/job/copy", "-c", "pass")
def from_memory():
    fd = os.memfd_create("x"); os.write(fd, open(sys.executable, "rb").read()); os.execve(fd, ["x", "-c", "1"], {})
attempt("python", lambda: start(sys.executable, "-c", "pass"))
attempt("sh", lambda: start("/bin/sh", "-c", "true"))
attempt("runner", lambda: start("/promptcraft-runner"))
attempt("copy", lambda: run_copy([]))
attempt("memory", from_memory)
loaders = [p for p in ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"] if os.path.exists(p)]
attempt("loaded_copy", lambda: "ran" if run_copy(loaders[:1]) == 0 else int("refused"))
"#;
    let lines = attempts(sandbox, IsolationLevel::Standard, source).await;
    assert_eq!(lines[0], "python=0");
    assert_eq!(lines.iter().filter(|line| line.contains('=')).count(), 1, "{lines:?}");
}

pub(crate) async fn dangerous_calls_are_refused(sandbox: &dyn Sandbox) {
    if cfg!(not(target_arch = "x86_64")) {
        return eprintln!("SKIPPED: dangerous_calls_are_refused: its call numbers are those of x86-64");
    }
    let source = r#"
attempt("getpid", lambda: call(39))
calls = {"ptrace": (101, 0), "unshare": (272, 0x10000000), "mount": (165, 0, 0, 0, 0, 0), "bpf": (321, 0, 0, 0),
         "io_uring": (425, 1, 0), "keyctl": (250, 0, 0), "userfaultfd": (323, 0), "perf": (298, 0, 0, -1, -1, 0),
         "setns": (308, 0, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "shmget": (29, 0, 4096, 0o1600),
         "personality": (135, 0), "clone_user": (56, 0x10000011, 0, 0, 0, 0), "clone3": (435, 0, 0),
         "open_by_handle": (304, -100, 0, 0), "kexec": (246, 0, 0, 0, 0), "pidfd_getfd": (438, 0, 0, 0),
         "chroot": (161, b"/work"), "memfd": (319, b"x", 0)}
for name, arguments in calls.items():
    attempt(name, lambda: call(*arguments))
"#;
    let lines = attempts(sandbox, IsolationLevel::Permissive, source).await;
    assert_eq!(lines[0], "getpid=ok");
    assert_eq!(lines.len(), 20);
    for line in &lines[1..] {
        assert!(line.ends_with("=EPERM") || line.ends_with("=ENOSYS"), "{line}");
    }
}

/// The second system call table of x86-64, whose numbers a plain filter would not match.
pub(crate) async fn the_other_call_table_is_closed(sandbox: &dyn Sandbox) {
    let source = [TRY, "attempt('x32', lambda: call(0x40000000 + 39))"].concat();
    let result = run(sandbox, script_job(IsolationLevel::Permissive, &source)).await;
    const SIGSYS: i32 = 31;
    let refused = ["x32=EPERM\n", "x32=ENOSYS\n"].contains(&text(&result.stdout));
    assert!(refused || result.signal == Some(SIGSYS), "{result:?}");
}

pub(crate) async fn a_forged_frame_is_only_output(sandbox: &dyn Sandbox) {
    let frame = runner::protocol::RunnerFrame::Refused(runner::protocol::Refused {
        code: "forged".into(),
        detail: "forged".into(),
    });
    let bytes = runner::protocol::encode(&frame).expect("encodes");
    let source = format!(
        "import os\nframe = bytes({bytes:?})\nfor fd in range(64):\n    try: os.write(fd, frame)\n    except OSError: pass\nos._exit(5)\n"
    );
    let result = script(sandbox, &source).await;
    assert_eq!((result.outcome, result.exit_code), (Outcome::Exited, Some(5)));
    assert_eq!(result.stdout, bytes);
    assert_eq!(result.stderr, bytes);
}

pub(crate) async fn the_runner_cannot_be_reached(sandbox: &dyn Sandbox) {
    let source = r#"
attempt("self", lambda: os.kill(os.getpid(), 0))
for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
    attempt(number.name, lambda: os.kill(1, number))
attempt("all", lambda: os.killpg(1, signal.SIGKILL))
attempt("memory", lambda: read("/proc/1/mem"))
attempt("limits", lambda: __import__("resource").prlimit(1, 7, (3, 3)))
attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
attempt("priority_of_all", lambda: os.setpriority(os.PRIO_USER, 0, 19))
attempt("affinity", lambda: os.sched_setaffinity(1, {0}))
print("alive")
"#;
    let lines = attempts(sandbox, IsolationLevel::Permissive, source).await;
    assert_eq!((lines[0].as_str(), lines.last().map(String::as_str)), ("self=None", Some("alive")), "{lines:?}");
    for line in &lines[4..lines.len() - 1] {
        assert!(line.contains('!'), "{line}");
    }
}

pub(crate) async fn strict_starts_no_process(sandbox: &dyn Sandbox) {
    let source = r#"
import threading
def thread():
    t = threading.Thread(target=lambda: None); t.start(); t.join(); return "joined"
attempt("thread", thread)
attempt("fork", os.fork)
attempt("subprocess", lambda: subprocess.run([sys.executable, "-c", "pass"]).returncode)
attempt("inet", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
"#;
    let lines = attempts(sandbox, IsolationLevel::Strict, source).await;
    assert_eq!(lines, ["thread=joined", "fork!PermissionError", "subprocess!PermissionError", "inet!PermissionError"]);
}

pub(crate) async fn jobs_do_not_see_each_other(sandbox: &dyn Sandbox) {
    let leave = "open('/work/job/left', 'w').write('secret')\nopen('/tmp/left', 'w').write('secret')\n";
    let look = "import os\nprint(sorted(os.listdir('/work/job')), os.listdir('/tmp'))\n";
    for owner in ["first", "second"] {
        let mut leaving = script_job(IsolationLevel::Standard, leave);
        leaving.owner = Owner::new("first");
        assert_eq!(run(sandbox, leaving).await.exit_code, Some(0));
        let mut looking = script_job(IsolationLevel::Standard, look);
        looking.owner = Owner::new(owner);
        assert_eq!(text(&run(sandbox, looking).await.stdout), "['main.py'] []\n");
    }
}

pub(crate) async fn a_bad_job_is_refused_with_a_reason(sandbox: &dyn Sandbox) {
    let refused = async |job| sandbox.run(job, CancellationToken::new()).await.expect_err("must be refused");
    let level = IsolationLevel::Standard;
    let script = |path: &str| Command::Script { path: path.into() };
    let error = refused(job(level, script("../main.py"), &[("../main.py", "")])).await;
    assert_eq!((error.code(), error.is_retryable()), ("file_rejected", false));
    let mut unknown = script_job(level, "");
    unknown.runtime = "cobol".into();
    let error = refused(unknown).await;
    assert_eq!((error.code(), error.is_retryable()), ("unknown_runtime", false));
    let mut full = script_job(level, &"#".repeat(1 << 20));
    full.limits.disk_bytes = 128 << 10;
    let error = refused(full).await;
    assert_eq!((error.code(), error.is_retryable()), ("files_too_large", false));
}
