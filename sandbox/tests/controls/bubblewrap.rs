//! The walls that bubblewrap and the runner build, one control for each.

use std::fs;
use std::io::Write;
use std::ops::Deref;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use runner::controls::Control;
use runner::protocol::{FileFrame, ProcessRule, SocketRule, Walls, encode};
use sandbox::SecurityLevel;
use serde_json::Value;

use crate::build::static_program;
use crate::case::{self, Case};
use crate::got_through;
use crate::host::{Host, is_running};
use crate::support::{is_root, roots};

const NOBODY: u32 = 65534;

/// One run: the walls that stand, and what the host lends to the attack.
struct Stage {
    attack: &'static str,
    script: &'static str,
    /// What bubblewrap takes away.
    unshare: Vec<&'static str>,
    /// A folder of the host, shown at `/sys`, which every root has; and whether it may be written to.
    lent: Option<(PathBuf, bool)>,
    lent_work: Option<PathBuf>,
    uid: u32,
    control: Control,
    /// Changes to what the attack knows.
    known: Vec<(&'static str, Value)>,
}

impl Stage {
    /// Namespaces and nothing else.
    fn of(attack: &'static str) -> Self {
        let walls = Walls {
            minimum_landlock_abi: 0,
            read: ["/usr/lib", "/etc/ld.so.cache"].map(String::from).into(),
            exec: ["/usr/bin/python3", "/lib64/ld-linux-x86-64.so.2"].map(String::from).into(),
            processes: ProcessRule::Allowed,
            sockets: SocketRule::Loopback,
        };
        let control = Control {
            argv: Vec::new(),
            files: Vec::new(),
            work_options: Some("size=64m,mode=0700".into()),
            executable_work: false,
            drop_capabilities: true,
            outer_seccomp: false,
            inner_seccomp: false,
            landlock: None,
            file_bytes: None,
            walls,
        };
        let unshare = vec!["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"];
        let (script, known) = ("attack.py", Vec::new());
        Self { attack, script, unshare, lent: None, lent_work: None, uid: NOBODY, control, known }
    }

    fn without(mut self, flag: &str) -> Self {
        self.unshare.retain(|one| *one != flag);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Control)) -> Self {
        change(&mut self.control);
        self
    }

    fn lending(mut self, folder: &Path, writable: bool) -> Self {
        self.lent = Some((folder.to_owned(), writable));
        self.known.push(("secret_path", "/sys/secret".into()));
        self
    }

    /// Runs the attack and returns what it printed.
    fn run(mut self, host: &Host) -> String {
        let case = Case::read(&case::folder().join(self.attack));
        let mut known = host.as_known(SecurityLevel::Standard, "control");
        for (key, value) in self.known.drain(..) {
            known[key] = value;
        }
        let evidence = fs::read(case::folder().join("evidence.py")).expect("the attacks share it");
        let shared = [("evidence.py".to_owned(), evidence), ("host.json".to_owned(), known.to_string().into())];
        let files = case.files.into_iter().chain(shared).map(|(path, content)| FileFrame { path, content });
        self.control.files = files.collect();
        self.control.argv = ["/usr/bin/python3", "-s", "-B", self.script].map(String::from).into();
        let frame = encode(&self.control).expect("encodes");
        let copy = open_copy();
        let mut child = self.command(&copy.join("control")).spawn().expect("starts bubblewrap");
        child.stdin.take().expect("has stdin").write_all(&frame).expect("takes the control");
        let ended = child.wait_with_output().expect("ends");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(said.starts_with("CONTROL ok"), "{said} {}", String::from_utf8_lossy(&ended.stderr));
        said
    }

    fn command(&self, program: &Path) -> Command {
        let root = roots().join("python/rootfs").canonicalize().expect("is built");
        let mut command = Command::new("bwrap");
        command.args(["--unshare-user", "--uid", &self.uid.to_string(), "--gid", &self.uid.to_string()]);
        command.args(&self.unshare).args(["--die-with-parent", "--new-session", "--as-pid-1"]);
        if !self.unshare.contains(&"--unshare-pid") {
            command = without_last(command);
        }
        command.args(["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]);
        command.arg("--ro-bind").arg(&root).arg("/").args(["--proc", "/proc", "--tmpfs", "/dev"]);
        for device in ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"] {
            command.args(["--dev-bind", device, device]);
        }
        if let Some((folder, writable)) = &self.lent {
            command.arg(if *writable { "--bind" } else { "--ro-bind" }).arg(folder).arg("/sys");
        }
        if let Some(folder) = &self.lent_work {
            command.arg("--bind").arg(folder).arg("/work");
        }
        // In place of the real runner, which is in every root.
        command.arg("--ro-bind").arg(program).arg("/promptcraft-runner");
        command.args(["--chdir", "/", "--", "/promptcraft-runner"]);
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if is_root() {
            command.uid(self.uid).gid(self.uid);
        }
        command
    }
}

/// Only a process in a pid namespace of its own can be its first.
fn without_last(command: Command) -> Command {
    let mut shorter = Command::new(command.get_program());
    shorter.args(command.get_args().filter(|argument| *argument != "--as-pid-1"));
    shorter
}

/// A folder with the program in it. Cargo's own may be closed to nobody; /tmp is not.
fn open_copy() -> Scratch {
    static PROGRAM: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let program = PROGRAM.get_or_init(|| static_program("promptcraft-control", "positive-controls", "controls"));
    let folder = scratch("program", 0o755);
    fs::copy(program, folder.join("control")).expect("copies");
    fs::set_permissions(folder.join("control"), fs::Permissions::from_mode(0o755)).expect("opens");
    folder
}

/// A folder under /tmp, taken away with its content when dropped.
struct Scratch(PathBuf);

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn scratch(name: &str, mode: u32) -> Scratch {
    let name = format!("promptcraft-control-{name}-{}", uuid::Uuid::new_v4().simple());
    let folder = Scratch(std::env::temp_dir().join(name));
    fs::create_dir(&*folder).expect("makes a folder");
    fs::set_permissions(&*folder, fs::Permissions::from_mode(mode)).expect("sets its mode");
    folder
}

/// The attempt gets through without the wall and is blocked with it.
#[track_caller]
fn check(attempt: &str, without: Stage, with: Stage) {
    let host = Host::open();
    assert!(got_through(attempt, &without.run(&host)), "without the wall {attempt} must succeed");
    host.was_visited();
    assert!(!got_through(attempt, &with.run(&host)), "with the wall {attempt} must fail");
    assert!(!host.was_visited(), "with the wall nobody comes to the host");
}

#[test]
fn landlock_hides_files_of_the_root() {
    let attack = "proc_and_sys/kernel_facts";
    check("/proc/version", Stage::of(attack), Stage::of(attack).with(|control| control.landlock = Some(6)));
}

#[test]
fn landlock_of_a_stock_debian_12_kernel_does_so_too() {
    let attack = "proc_and_sys/environ";
    check("environ_self", Stage::of(attack), Stage::of(attack).with(|control| control.landlock = Some(2)));
}

#[test]
fn landlock_keeps_other_programs_from_running() {
    // Bound in place of the runner, it is the only other program there is.
    let attack = "process/other_programs";
    check("/promptcraft-runner", Stage::of(attack), Stage::of(attack).with(|control| control.landlock = Some(2)));
}

#[test]
fn the_outer_filter_refuses_what_is_not_listed() {
    let with = |attack| Stage::of(attack).with(|control| control.outer_seccomp = true);
    check("user_only", Stage::of("kernel/userfaultfd"), with("kernel/userfaultfd"));
    check("setup", Stage::of("kernel/io_uring"), with("kernel/io_uring"));
    check("plain", Stage::of("process/clone3"), with("process/clone3"));
}

#[test]
fn the_inner_filter_refuses_what_the_outer_one_must_allow() {
    let outer = |attack| Stage::of(attack).with(|control| control.outer_seccomp = true);
    let both = |attack| outer(attack).with(|control| control.inner_seccomp = true);
    check("route", outer("network/netlink"), both("network/netlink"));
    check("runner_limits", outer("process/runner_options"), both("process/runner_options"));
}

#[test]
fn the_network_namespace_has_no_neighbours() {
    let attack = "network/services";
    check("listener", Stage::of(attack).without("--unshare-net"), Stage::of(attack));
    let attack = "network/abstract_unix";
    check("listener", Stage::of(attack).without("--unshare-net"), Stage::of(attack));
}

#[test]
fn the_pid_namespace_hides_the_host_s_processes() {
    let attack = "proc_and_sys/other_processes";
    check("worker_group", Stage::of(attack).without("--unshare-pid"), Stage::of(attack));
}

#[test]
fn the_ipc_namespace_keeps_messages_apart() {
    let attack = "between_jobs/system_v_ipc";
    let leave = |stage: Stage| Stage { script: "leave.py", ..stage };
    let host = Host::open();
    leave(Stage::of(attack).without("--unshare-ipc")).run(&host);
    let without = Stage::of(attack).without("--unshare-ipc").run(&host);
    let key = "0x5ec2e7";
    Command::new("ipcrm").args(["-M", key, "-Q", key, "-S", key]).status().expect("util-linux is there");
    assert!(without.contains("ESCAPED memory "), "without the wall messages must pass: {without}");
    leave(Stage::of(attack)).run(&host);
    assert!(!Stage::of(attack).run(&host).contains("ESCAPED memory "));
}

#[test]
fn the_root_shows_nothing_of_the_host() {
    let prize = scratch("root", 0o755);
    fs::write(prize.join("secret"), "prize").expect("writes the prize");
    let attack = "filesystem/host_paths";
    let with = Stage { known: vec![("secret_path", "/sys/secret".into())], ..Stage::of(attack) };
    check("direct", Stage::of(attack).lending(&prize, false), with);
}

#[test]
fn a_read_only_root_stays_as_it_is() {
    let folder = scratch("writable", 0o777);
    let attack = "filesystem/write_elsewhere";
    check("file_in_/sys", Stage::of(attack).lending(&folder, true), Stage::of(attack).lending(&folder, false));
}

#[test]
fn another_user_cannot_read_what_is_root_s() {
    if !is_root() {
        return eprintln!("SKIPPED: another_user_cannot_read_what_is_root_s: needs root to have something of root's");
    }
    let prize = scratch("user", 0o755);
    fs::write(prize.join("secret"), "prize").expect("writes the prize");
    fs::set_permissions(prize.join("secret"), fs::Permissions::from_mode(0o600)).expect("closes it");
    let attack = "filesystem/host_paths";
    let as_root = Stage { uid: 0, ..Stage::of(attack) };
    check("direct", as_root.lending(&prize, false), Stage::of(attack).lending(&prize, false));
}

#[test]
fn without_capabilities_nothing_is_mounted() {
    let attack = "kernel/mounts";
    check("tmpfs", Stage::of(attack).with(|control| control.drop_capabilities = false), Stage::of(attack));
}

#[test]
fn the_work_directory_runs_nothing() {
    let attack = "process/exec_copy";
    let executable = Stage::of(attack).with(|control| control.executable_work = true);
    check("directly", executable, Stage::of(attack));
}

#[test]
fn the_work_directory_is_bounded_in_files() {
    let attack = "resources/inode_fill";
    let bounded =
        Stage::of(attack).with(|control| control.work_options = Some("size=64m,nr_inodes=4096,mode=0700".into()));
    let unbounded =
        Stage::of(attack).with(|control| control.work_options = Some("size=1g,nr_inodes=0,mode=0700".into()));
    check("files", unbounded, bounded);
}

#[test]
fn a_file_is_bounded_in_size() {
    let attack = "resources/disk_fill";
    let work = "size=16m,mode=0700";
    let unbounded = Stage::of(attack).with(|control| control.work_options = Some(work.into()));
    let bounded = Stage::of(attack).with(|control| {
        control.work_options = Some(work.into());
        control.file_bytes = Some(16 << 20);
    });
    check("sparse", unbounded, bounded);
}

#[test]
fn single_use_leaves_no_marks() {
    let shared = scratch("work", 0o777);
    let attack = "between_jobs/marker_files";
    let stage = |script, work: &Path| {
        let stage = Stage { script, lent_work: Some(work.to_owned()), ..Stage::of(attack) };
        stage.with(|control| control.work_options = None)
    };
    if is_root() {
        chown(&*shared, Some(NOBODY), Some(NOBODY)).expect("gives it to the job's user");
    }
    let host = Host::open();
    stage("leave.py", &shared).run(&host);
    assert!(got_through("/work/job", &stage("attack.py", &shared).run(&host)), "a second use must find the first");
    assert!(!got_through("/work/job", &Stage::of(attack).run(&host)));
}

#[test]
fn what_the_pid_namespace_ends_would_live_on() {
    let attack = "survivors/double_fork";
    let host = Host::open();
    let marker = |name: &'static str| vec![("marker", Value::from(name))];
    let with = Stage { known: marker("control-ns"), ..Stage::of(attack) };
    with.run(&host);
    assert!(!is_running("control-ns"));
    Stage { known: marker("control-free"), ..Stage::of(attack).without("--unshare-pid") }.run(&host);
    let survivors = processes_named("control-free");
    assert!(!survivors.is_empty(), "without the wall the daemon must live on");
    for pid in survivors {
        Command::new("kill").args(["-9", &pid]).status().expect("kill is there");
    }
}

fn processes_named(name: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("lists processes").flatten();
    let named = processes
        .filter(|process| fs::read_to_string(process.path().join("comm")).is_ok_and(|comm| comm.trim() == name));
    named.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}
