//! The restrictions of the engine, each removed from a plain container.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use sandbox::{Backend, IsolationLevel};

use crate::case::{self, Case};
use crate::escaped;
use crate::host::Host;
use crate::support::{engine_answers, roots, shared, variable};

/// A folder with the attack, mounted at `/work` in a container.
struct Attack {
    folder: PathBuf,
}

impl Attack {
    fn of(name: &str, host: &Host) -> Self {
        let case = Case::read(&case::folder().join(name));
        let known = host.attacker_knowledge(IsolationLevel::Standard, "control").to_string();
        Self::with(case.files.into_iter().chain([("host.json".to_owned(), known.into())]))
    }

    fn inline(source: &str) -> Self {
        let known = r#"{"marker": "control"}"#;
        Self::with([("attack.py".to_owned(), source.into()), ("host.json".to_owned(), known.into())])
    }

    fn with(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let name = format!("promptcraft-control-{}", uuid::Uuid::new_v4().simple());
        let (folder, evidence) = (std::env::temp_dir().join(name), case::folder().join("evidence.py"));
        fs::create_dir(&folder).expect("makes a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("opens the folder");
        fs::copy(evidence, folder.join("evidence.py")).expect("copies");
        for (path, content) in files {
            fs::write(folder.join(path), content).expect("writes");
        }
        Self { folder }
    }

    /// Returns the output in a container with these flags.
    fn run(&self, flags: &[&str]) -> String {
        let image = fs::read_to_string(roots().join("python/image")).expect("the image is noted");
        let network: &[_] = if flags.contains(&"--network") { &[] } else { &["--network", "none"] };
        let ended = Command::new("docker")
            .args(["run", "--rm", "--entrypoint", "/usr/bin/python3", "--workdir", "/work", "--volume"])
            .arg(format!("{}:/work", self.folder.display()))
            .args(network)
            .args(flags)
            .args([image.trim(), "-s", "-B", "attack.py"])
            .output()
            .expect("the docker client is installed");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!said.is_empty(), "{flags:?}: {}", String::from_utf8_lossy(&ended.stderr));
        said
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).expect("cleans up");
    }
}

/// A network of the test, with a route to the host.
struct Network {
    name: String,
}

impl Network {
    fn create() -> Self {
        let name = format!("promptcraft-control-{}", std::process::id());
        docker(&["network", "create", &name]);
        Self { name }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        docker(&["network", "rm", &self.name]);
    }
}

/// Returns the output of the Docker client.
#[track_caller]
fn docker(arguments: &[&str]) -> String {
    let ended = Command::new("docker").args(arguments).output().expect("docker is installed");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).trim().to_owned()
}

/// Returns whether an engine responds; prints SKIPPED if not.
fn there_is_an_engine() -> bool {
    if !engine_answers() {
        assert!(variable("CI").as_deref() != Some("true"), "no Docker engine answers, and CI must test with one");
        eprintln!("SKIPPED: positive controls of docker's walls: no engine answers");
    }
    engine_answers()
}

#[track_caller]
fn check(attempt: &str, attack: &Attack, without: &[&str], with: &[&str]) {
    let free = attack.run(without);
    assert!(escaped(attempt, &free), "without {with:?} {attempt} must succeed: {free}");
    let walled = attack.run(with);
    assert!(!escaped(attempt, &walled), "with {with:?} {attempt} must fail: {walled}");
}

const NOBODY: [&str; 2] = ["--user", "65534:65534"];

#[test]
fn a_container_without_network_reaches_nobody() {
    if there_is_an_engine() {
        let host = Host::open();
        let attack = Attack::of("network/services", &host);
        let network = Network::create();
        let within = [&NOBODY[..], &["--network", &network.name]].concat();
        check("listener", &attack, &within, &NOBODY);
    }
}

#[test]
fn a_container_without_capabilities_makes_no_devices() {
    if there_is_an_engine() {
        // The folder is on the host: the device is created there and removed with it.
        let source = "import os\nimport stat\nfrom evidence import attempt\nattempt('make', lambda: os.mknod('/work/null', stat.S_IFCHR | 0o666, os.makedev(1, 3)) or 'made')\n";
        check("make", &Attack::inline(source), &["--user", "0:0"], &["--user", "0:0", "--cap-drop", "ALL"]);
    }
}

#[test]
fn a_container_with_a_read_only_root_cannot_be_changed() {
    if there_is_an_engine() {
        let attack = Attack::of("filesystem/write_elsewhere", &Host::open());
        check("file_in_/usr/lib", &attack, &["--user", "0:0"], &["--user", "0:0", "--read-only"]);
    }
}

#[test]
fn a_container_of_nobody_cannot_change_what_is_root_s() {
    if there_is_an_engine() {
        let attack = Attack::of("filesystem/write_elsewhere", &Host::open());
        check("file_in_/usr/lib", &attack, &["--user", "0:0"], &NOBODY);
    }
}

#[test]
fn no_new_privileges_disarms_a_setuid_program() {
    if !there_is_an_engine() {
        return;
    }
    let source = "import os, subprocess\nfrom evidence import attempt\ndef become():\n    said = subprocess.run(['/work/tool', '-I', '-S', '-c', 'import os; print(os.geteuid())'], capture_output=True).stdout\n    if said.strip() == b'0': return 'root'\n    raise PermissionError(1, 'not root')\nattempt('become', become)\n";
    let attack = Attack::inline(source);
    let python = roots().join("python/rootfs/usr/bin/python3").canonicalize().expect("is built");
    fs::copy(python, attack.folder.join("tool")).expect("copies");
    fs::set_permissions(attack.folder.join("tool"), fs::Permissions::from_mode(0o4755)).expect("sets the bit");
    check("become", &attack, &NOBODY, &[&NOBODY[..], &["--security-opt", "no-new-privileges"]].concat());
}

/// Returns the outer seccomp list that the engine applied to a warm container.
fn profile_of_a_warm_container() -> PathBuf {
    shared(Backend::Docker).expect("there is an engine");
    let label = format!("label=promptcraft.instance=conformance-{}", std::process::id());
    let warm = docker(&["ps", "--quiet", "--filter", &label]);
    let id = warm.lines().next().expect("the pool keeps at least the container that proved the walls");
    let options = docker(&["inspect", "--format", "{{json .HostConfig.SecurityOpt}}", id]);
    let options: Vec<String> = serde_json::from_str(&options).expect("is a list");
    let profile = options.iter().find_map(|option| option.strip_prefix("seccomp=")).expect("has a profile");
    let path = std::env::temp_dir().join(format!("promptcraft-control-{}.json", uuid::Uuid::new_v4().simple()));
    fs::write(&path, profile).expect("writes the profile");
    path
}

#[test]
fn the_profile_of_a_container_refuses_what_is_not_listed() {
    if there_is_an_engine() {
        let (host, profile) = (Host::open(), profile_of_a_warm_container());
        let with = format!("seccomp={}", profile.display());
        // With no-new-privileges the engine sets the user before it applies the profile, which lacks that call.
        let flags =
            |profile| [&NOBODY[..], &["--security-opt", "no-new-privileges", "--security-opt", profile]].concat();
        for (attack, attempt) in [("kernel/userfaultfd", "user_only"), ("process/clone3", "plain")] {
            check(attempt, &Attack::of(attack, &host), &flags("seccomp=unconfined"), &flags(&with));
        }
        fs::remove_file(profile).expect("cleans up");
    }
}

#[test]
fn a_container_s_pid_namespace_hides_the_host_s_processes() {
    if there_is_an_engine() {
        let attack = Attack::of("proc_and_sys/other_processes", &Host::open());
        check("worker_group", &attack, &[&NOBODY[..], &["--pid", "host"]].concat(), &NOBODY);
    }
}

#[test]
fn a_container_s_ipc_namespace_keeps_messages_apart() {
    if there_is_an_engine() {
        let made =
            Command::new("ipcmk").args(["--shmem", "4096", "--mode", "0666"]).output().expect("util-linux is there");
        let made = String::from_utf8_lossy(&made.stdout).into_owned();
        let id = made.trim().rsplit(' ').next().expect("ipcmk says the number").to_owned();
        let source =
            format!("from evidence import attempt, call\nattempt('attach', lambda: call('shmat', {id}, 0, 0o10000))\n");
        let attack = Attack::inline(&source);
        let ended = std::panic::catch_unwind(|| {
            check("attach", &attack, &[&NOBODY[..], &["--ipc", "host"]].concat(), &NOBODY);
        });
        Command::new("ipcrm").args(["-m", &id]).status().expect("util-linux is there");
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn a_container_s_host_name_is_not_the_host_s() {
    if there_is_an_engine() {
        let attack = Attack::of("proc_and_sys/names_of_the_host", &Host::open());
        let (host, own) = (["--uts", "host"], ["--hostname", "sandbox"]);
        check("host", &attack, &[NOBODY, host].concat(), &[NOBODY, own].concat());
    }
}

#[test]
fn a_container_s_memory_is_bounded() {
    if there_is_an_engine() {
        // The kernel kills the child; its parent reports it.
        let source = "import os\nfrom evidence import attempt\ndef take():\n    if (child := os.fork()) == 0:\n        held = b'x' * (300 << 20)\n        os._exit(0)\n    if os.waitpid(child, 0)[1]: raise MemoryError\n    return '300 MiB'\nattempt('take', take)\n";
        check(
            "take",
            &Attack::inline(source),
            &NOBODY,
            &[&NOBODY[..], &["--memory", "128m", "--memory-swap", "128m"]].concat(),
        );
    }
}

#[test]
fn a_container_s_processes_are_bounded() {
    if there_is_an_engine() {
        let source = "import threading, time\nfrom evidence import attempt\ndef start():\n    for _ in range(200): threading.Thread(target=time.sleep, args=(0.2,)).start()\n    return '200 threads'\nattempt('start', start)\n";
        check("start", &Attack::inline(source), &NOBODY, &[&NOBODY[..], &["--pids-limit", "64"]].concat());
    }
}

#[test]
fn a_container_s_processor_time_is_shared_out() {
    if there_is_an_engine() {
        let source = "import time\nfrom evidence import attempt\ndef use():\n    end = time.monotonic() + 1\n    while time.monotonic() < end: pass\n    used = time.process_time()\n    if used < 0.2: raise TimeoutError\n    return used\nattempt('use', use)\n";
        check(
            "use",
            &Attack::inline(source),
            &NOBODY,
            &[&NOBODY[..], &["--cpu-period", "10000", "--cpu-quota", "1000"]].concat(),
        );
    }
}
