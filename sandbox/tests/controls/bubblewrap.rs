//! The restrictions of bubblewrap and of the runner, one control each.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use runner::protocol::SocketRule;
use sandbox::{Backend, IsolationLevel, Job, JobFile, Limits, Outcome, Owner, Sandbox};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::case::{self, Case};
use crate::escaped;
use crate::host::{Host, is_running};
use crate::stage::{NOBODY, Stage, scratch};
use crate::support::{RUNTIME, is_root, roots, script_job, shared};

/// Asserts that the attempt succeeds without the restriction and is blocked with it.
#[track_caller]
fn check(attempt: &str, without: Stage, with: Stage) {
    let host = Host::open();
    assert!(escaped(attempt, &without.run(&host)), "without the wall {attempt} must succeed");
    host.was_connected();
    assert!(!escaped(attempt, &with.run(&host)), "with the wall {attempt} must fail");
    assert!(!host.was_connected(), "with the wall no client connects to the host");
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
    // Bound in place of the runner, it is the only other program.
    let attack = "process/other_programs";
    check("/promptcraft-runner", Stage::of(attack), Stage::of(attack).with(|control| control.landlock = Some(2)));
}

/// Returns whether the kernel has this Landlock ABI; prints a note if not.
fn offers_landlock(version: u32) -> bool {
    let offered = RUNTIME.block_on(bubblewrap().health()).landlock_abi;
    if offered < version {
        // Not a skipped suite: the attack does not apply to this kernel.
        eprintln!("not tried: a control of Landlock {version}, since this kernel offers {offered}");
    }
    offered >= version
}

#[test]
fn landlock_refuses_tcp_to_who_has_no_internet_sockets() {
    if offers_landlock(4) {
        let attack = "network/services";
        let up_to = |version| {
            Stage::of(attack).without("--unshare-net").with(|control| {
                control.walls.sockets = SocketRule::UnixOnly;
                control.landlock = Some(version);
            })
        };
        check("listener", up_to(3), up_to(4));
    }
}

#[test]
fn landlock_keeps_signals_inside() {
    if offers_landlock(6) {
        // Process 1 is bubblewrap's and outside of the attack's Landlock domain.
        let source =
            "import os\nfrom evidence import attempt\nattempt('first', lambda: os.kill(1, 0) or 'may be signalled')\n";
        let up_to = |version| {
            let stage = Stage { source: Some(source), ..Stage::of("process/signal_runner").without("--as-pid-1") };
            stage.with(|control| control.landlock = Some(version))
        };
        check("first", up_to(5), up_to(6));
    }
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
    let secret_folder = scratch("root", 0o755);
    fs::write(secret_folder.join("secret"), "secret").expect("writes the secret");
    let attack = "filesystem/host_paths";
    let with = Stage { known: vec![("secret_path", "/sys/secret".into())], ..Stage::of(attack) };
    check("direct", Stage::of(attack).lending(&secret_folder, false), with);
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
    let secret_folder = scratch("user", 0o755);
    fs::write(secret_folder.join("secret"), "secret").expect("writes the secret");
    fs::set_permissions(secret_folder.join("secret"), fs::Permissions::from_mode(0o600)).expect("closes it");
    let attack = "filesystem/host_paths";
    let as_root = Stage { uid: 0, ..Stage::of(attack) };
    check("direct", as_root.lending(&secret_folder, false), Stage::of(attack).lending(&secret_folder, false));
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
fn descriptors_are_bounded() {
    let attack = "resources/descriptors";
    check("files", Stage::of(attack), Stage::of(attack).with(|control| control.fixed_limits = true));
}

#[test]
fn the_work_directory_is_bounded_in_size() {
    let attack = "resources/disk_fill_by_many_files";
    let of_size = |options: &str| Stage::of(attack).with(|control| control.work_options = Some(options.into()));
    check("many", of_size("size=1g,mode=0700"), of_size("size=16m,mode=0700"));
}

#[test]
fn the_host_name_namespace_hides_what_the_host_is_called() {
    let attack = "proc_and_sys/names_of_the_host";
    let with = Stage::of(attack).and(&["--hostname", "sandbox"]);
    check("host", Stage::of(attack).without("--unshare-uts"), with);
}

#[test]
fn the_cgroup_namespace_hides_where_the_sandbox_is() {
    if !is_root() {
        return eprintln!("SKIPPED: the_cgroup_namespace_hides_where_the_sandbox_is: needs root to make a cgroup");
    }
    let mount = Path::new("/sys/fs/cgroup");
    let one = ["pids", "memory"].map(|name| mount.join(name)).into_iter().find(|folder| folder.exists());
    let folder = one.unwrap_or_else(|| mount.to_owned()).join(format!("promptcraft-control-{}", std::process::id()));
    fs::create_dir(&folder).expect("makes a cgroup");
    let of = || Stage { cgroup: Some(folder.clone()), ..Stage::of("proc_and_sys/names_of_the_host") };
    // In the other hierarchies the test may be in the root cgroup; this one decides.
    let (without, with) = (of().run(&Host::open()), of().and(&["--unshare-cgroup"]).run(&Host::open()));
    let removed = (0..1000).any(|_| fs::remove_dir(&folder).is_ok());
    assert!(escaped("cgroup", &without), "without the wall the name must be seen: {without}");
    assert!(!escaped("cgroup", &with), "with the wall it must not: {with}");
    assert!(removed, "the cgroup is empty");
}

/// With the host's mounts, a root is only a starting point to walk up from.
#[test]
fn the_mount_namespace_leaves_nothing_above_the_root() {
    let host = Host::open();
    let root = roots().join("python/rootfs").canonicalize().expect("is built");
    let work = scratch("cell", 0o777);
    let case = Case::read(&case::folder().join("filesystem/chroot_escape"));
    let known = host.attacker_knowledge(IsolationLevel::Standard, "control").to_string();
    fs::write(work.join("attack.py"), &case.files["attack.py"]).expect("writes the attack");
    fs::copy(case::folder().join("evidence.py"), work.join("evidence.py")).expect("copies what attacks share");
    fs::write(work.join("host.json"), known).expect("writes what is known");
    let run = |mounts: &[&str]| {
        let enter =
            "import os, runpy, sys; os.chdir('/work'); sys.path.insert(0, '/work'); runpy.run_path('attack.py')";
        let mut command = Command::new("bwrap");
        command.args([
            "--unshare-user",
            "--uid",
            "0",
            "--gid",
            "0",
            "--cap-drop",
            "ALL",
            "--cap-add",
            "CAP_SYS_CHROOT",
        ]);
        let ended = command.args(mounts).args(["/usr/bin/python3", "-s", "-B", "-c", enter]).output().expect("runs");
        for left in ["cell", "control"] {
            drop(fs::remove_dir(work.join(left)));
        }
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(said.starts_with("CONTROL ok"), "{said} {}", String::from_utf8_lossy(&ended.stderr));
        said
    };
    let (root, inner) = (root.display().to_string(), root.join("work").display().to_string());
    let work_path = work.display().to_string();
    let without = run(&["--dev-bind", "/", "/", "--bind", &work_path, &inner, "--", "/usr/sbin/chroot", &root]);
    let with = run(&["--ro-bind", &root, "/", "--bind", &work_path, "/work", "--"]);
    assert!(escaped("climb", &without), "without the wall it must reach the host: {without}");
    assert!(!escaped("climb", &with), "with the wall it must not: {with}");
}

#[test]
fn the_job_check_keeps_files_in_their_folder() {
    let host = Host::open();
    let stage = Stage::of("job_files/parent").with(|control| control.unchecked_files = true);
    let (child, _program) = stage.start(&host);
    let said = child.wait_with_output().expect("ends").stdout;
    assert_eq!(String::from_utf8_lossy(&said), "ESCAPED ran True\n", "without the wall the file must lie above");
    let (child, _program) = Stage::of("job_files/parent").start(&host);
    let checked = child.wait_with_output().expect("ends");
    let complaint = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(
        checked.stdout.is_empty() && complaint.contains("the path of a file"),
        "the runner checks again: {complaint}"
    );
    let job = job_of("job_files/parent", &host, Duration::from_secs(5));
    let refused = RUNTIME.block_on(bubblewrap().run(job, CancellationToken::new())).expect_err("is refused");
    assert_eq!(refused.code(), "file_rejected");
}

#[test]
fn the_runner_ends_what_would_wait_for_ever() {
    const LIMIT: Duration = Duration::from_millis(500);
    let host = Host::open();
    let (mut child, _program) = Stage::of("resources/sleep").start(&host);
    let mut said = [0; 64];
    let mut output = child.stdout.take().expect("has stdout");
    let mut heard = String::new();
    while !heard.contains("start bounded") {
        let count = output.read(&mut said).expect("speaks");
        assert!(count > 0, "it must start: {heard}");
        heard.push_str(&String::from_utf8_lossy(&said[..count]));
    }
    std::thread::sleep(3 * LIMIT);
    assert!(child.try_wait().expect("is asked").is_none(), "without the runner it must go on");
    child.kill().expect("is killed");
    child.wait().expect("has ended");
    let job = job_of("resources/sleep", &host, LIMIT);
    let result = RUNTIME.block_on(bubblewrap().run(job, CancellationToken::new())).expect("runs");
    assert_eq!(result.outcome, Outcome::TimedOut, "{result:?}");
}

#[test]
fn the_runner_keeps_no_more_output_than_it_may() {
    const KEPT: usize = 100_000;
    let host = Host::open();
    let (mut child, _program) = Stage::of("resources/output_of_a_gigabyte").start(&host);
    let mut output = child.stdout.take().expect("has stdout").take(20 * KEPT as u64);
    let poured = std::io::copy(&mut output, &mut std::io::sink()).expect("reads");
    child.kill().expect("is killed");
    child.wait().expect("has ended");
    assert_eq!(poured, 20 * KEPT as u64, "without the runner it must come out");
    let mut job = job_of("resources/output_of_a_gigabyte", &host, Duration::from_secs(20));
    job.limits.output_bytes = KEPT as u64;
    let result = RUNTIME.block_on(bubblewrap().run(job, CancellationToken::new())).expect("runs");
    assert_eq!((result.stdout.len(), result.truncated), (KEPT, true), "{:?}", result.outcome);
}

/// With a cgroup nothing else bounds these: the control is a wide and a narrow limit of the job.
#[test]
fn the_cgroup_of_a_bubblewrap_job_bounds_memory_and_processes() {
    let health = RUNTIME.block_on(bubblewrap().health());
    if health.detail.contains("no cgroups") {
        return eprintln!("SKIPPED: the cgroup of a bubblewrap job: {}", health.detail);
    }
    let run = |source: &str, change: fn(&mut Limits)| {
        let mut job = script_job(IsolationLevel::Standard, source);
        change(&mut job.limits);
        let result = RUNTIME.block_on(bubblewrap().run(job, CancellationToken::new())).expect("runs");
        (result.outcome, result.exit_code)
    };
    let memory = "held = b'x' * (200 << 20)\n";
    let wide = run(memory, |limits| limits.memory_bytes = 512 << 20);
    let narrow = run(memory, |limits| (limits.memory_bytes, limits.disk_bytes) = (128 << 20, 16 << 20));
    assert_eq!((wide, narrow), ((Outcome::Exited, Some(0)), (Outcome::OomKilled, None)));
    let threads =
        "import threading, time\nfor _ in range(200): threading.Thread(target=time.sleep, args=(0.5,)).start()\n";
    let (wide, narrow) = (run(threads, |limits| limits.pids = 400), run(threads, |limits| limits.pids = 64));
    assert_eq!(wide, (Outcome::Exited, Some(0)));
    assert!(narrow.0 == Outcome::PidsExhausted && narrow.1 != Some(0), "{narrow:?}");
}

fn bubblewrap() -> Arc<dyn Sandbox> {
    shared(Backend::Bubblewrap).expect("bubblewrap needs no engine")
}

/// Returns the attack as a job behind all restrictions.
fn job_of(attack: &str, host: &Host, wall: Duration) -> Job {
    let case = Case::read(&case::folder().join(attack));
    let evidence = fs::read(case::folder().join("evidence.py")).expect("the attacks share it");
    let known = host.attacker_knowledge(IsolationLevel::Standard, "control").to_string();
    let shared = [("evidence.py".to_owned(), evidence), ("host.json".to_owned(), known.into())];
    let more = case.expect.more_files.into_iter().map(|file| (file.path, file.content.into()));
    let files = case.files.into_iter().chain(more).chain(shared).map(|(path, content)| JobFile { path, content });
    Job {
        owner: Owner::new("attacker"),
        level: IsolationLevel::Standard,
        runtime: "python".into(),
        command: sandbox::Command::Script { path: "attack.py".into() },
        files: files.collect(),
        input: sandbox::JobInput::default(),
        limits: Limits::for_level(IsolationLevel::Standard, wall),
        live_output: None,
    }
}

#[test]
fn single_use_leaves_no_marks() {
    let shared = scratch("work", 0o777);
    let attack = "between_jobs/marker_files";
    let stage = |script, work: &Path| {
        let stage = Stage { script, lent_work: Some(work.to_owned()), ..Stage::of(attack) };
        stage.with(|control| {
            control.work_options = None;
            // The second use finds its own script there as well.
            control.unchecked_files = true;
        })
    };
    if is_root() {
        chown(&*shared, Some(NOBODY), Some(NOBODY)).expect("gives it to the job's user");
    }
    let host = Host::open();
    stage("leave.py", &shared).run(&host);
    assert!(escaped("/work/job", &stage("attack.py", &shared).run(&host)), "a second use must find the first");
    assert!(!escaped("/work/job", &Stage::of(attack).run(&host)));
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
