//! `promptcraft doctor`: checks the prerequisites of the stack on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use landlock::{AccessFs, LandlockStatus, Ruleset, RulesetAttr as _, RulesetError};
use messaging::MINIMUM_BROKER;

use crate::env::{find_nats_server, find_program};
use crate::error::CommandError;
use crate::output::{self, Style};

/// Check the prerequisites of `up` on this machine; exits with 1 if one is missing
#[derive(clap::Args)]
pub struct Doctor {
    /// Data directory of the stack
    #[arg(long, default_value = "./data")]
    data: PathBuf,
}

/// The result of one check.
enum CheckResult {
    Ok(String),
    /// The stack starts, with a limitation.
    Degraded(String),
    /// The stack cannot start.
    Missing(String),
}

impl Doctor {
    pub fn run(self) -> Result<ExitCode, CommandError> {
        let checks = [
            ("nats-server", nats_server(&self.data)),
            ("redis-server", redis_server(&self.data)),
            ("services", services()),
            ("sandbox", sandbox()),
            ("roots", roots(&self.data)),
            ("landlock", landlock()),
        ];
        let mut healthy = true;
        for (name, finding) in checks {
            let (style, state, detail) = match finding {
                CheckResult::Ok(detail) => (Style::Success, "ok", detail),
                CheckResult::Degraded(detail) => (Style::Warning, "degraded", detail),
                CheckResult::Missing(detail) => {
                    healthy = false;
                    (Style::Error, "missing", detail)
                }
            };
            output::status_line(name, style, state, &detail);
        }
        Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn nats_server(data: &Path) -> CheckResult {
    let Some(program) = find_nats_server(&data.join("bin")) else {
        return CheckResult::Missing("install it with scripts/setup.sh".to_owned());
    };
    let version = first_line(&program, "--version");
    let number = version.rsplit('v').next().unwrap_or_default().to_owned();
    if is_at_least(&number, MINIMUM_BROKER) {
        CheckResult::Ok(format!("{number}, {}", program.display()))
    } else {
        let found = if number.is_empty() { "of unknown version" } else { &number };
        let (major, minor) = MINIMUM_BROKER;
        let program = program.display();
        CheckResult::Missing(format!("{program} is {found}; {major}.{minor} or later is needed: scripts/setup.sh"))
    }
}

fn redis_server(data: &Path) -> CheckResult {
    match find_program("redis-server", &[data.join("bin")]) {
        Some(program) => {
            let version = first_line(&program, "--version");
            let number = version.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or_default();
            if is_at_least(number, (7, 0)) {
                CheckResult::Ok(format!("{number}, {}", program.display()))
            } else {
                CheckResult::Missing(format!("{} is {number}; 7.0 or later is needed", program.display()))
            }
        }
        None => CheckResult::Missing("install it: apt-get install redis-server".to_owned()),
    }
}

fn services() -> CheckResult {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new("."));
    let missing: Vec<&str> =
        ["api", "worker", "approver"].into_iter().filter(|name| !beside.join(name).is_file()).collect();
    if missing.is_empty() {
        CheckResult::Ok(beside.display().to_string())
    } else {
        let names = missing.join(", ");
        CheckResult::Missing(format!("{names} not in {}: cargo build --release", beside.display()))
    }
}

fn sandbox() -> CheckResult {
    let engine = std::os::unix::net::UnixStream::connect("/var/run/docker.sock");
    match (engine, find_program("bwrap", &[])) {
        (Ok(_), _) => CheckResult::Ok("Docker engine is available".to_owned()),
        (Err(_), Some(program)) => bubblewrap(&program),
        (Err(_), None) => {
            CheckResult::Missing("no Docker engine and no bubblewrap: apt-get install bubblewrap".to_owned())
        }
    }
}

/// Starts an empty sandbox, with a private `/proc` and without one.
fn bubblewrap(program: &Path) -> CheckResult {
    let error_with = |options: &[&str]| {
        let mut command = Command::new(program);
        command.args(["--unshare-all", "--ro-bind", "/", "/"]).args(options).arg("/bin/true");
        match command.output() {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        }
    };
    let limits = if cgroups_are_writable() {
        "cgroups limit memory, processes and CPU"
    } else {
        "without a writable cgroup, samples and RLIMIT_DATA limit memory, RLIMIT_NPROC limits processes"
    };
    let Some(with_proc) = error_with(&["--proc", "/proc"]) else {
        return CheckResult::Degraded(format!("no Docker engine; bubblewrap with a private /proc, {limits}"));
    };
    match error_with(&[]) {
        None => {
            CheckResult::Degraded(format!("no Docker engine; bubblewrap without /proc in jobs ({with_proc}), {limits}"))
        }
        Some(error) => CheckResult::Missing(format!(
            "no Docker engine, and bubblewrap cannot create a sandbox ({error}): a container needs the profile \
             sandbox/container/seccomp.json; on a host see kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces"
        )),
    }
}

/// Returns whether a worker of this user could create cgroups: creates one beside where a worker would and removes it.
fn cgroups_are_writable() -> bool {
    let mount = Path::new("/sys/fs/cgroup");
    let version_2 = mount.join("cgroup.controllers").exists();
    let (mount, controller) = if version_2 { (mount.to_owned(), "0::") } else { (mount.join("memory"), ":memory:") };
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = own.lines().find_map(|line| Some(line.split_once(controller)?.1.trim_start_matches('/')));
    // A container may show its own cgroup as the mount point.
    let parent = path.map(|path| mount.join(path)).filter(|folder| folder.exists()).unwrap_or(mount);
    let probe = parent.join(format!("promptcraft-doctor-{}", std::process::id()));
    std::fs::create_dir(&probe).and_then(|()| std::fs::remove_dir(&probe)).is_ok()
}

fn roots(data: &Path) -> CheckResult {
    let directory = data.join("sandbox");
    let mut runtimes: Vec<String> = std::fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("rootfs").exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    runtimes.sort();
    if runtimes.is_empty() {
        CheckResult::Missing(format!("no runtime in {}: sandbox/build-root.sh {0}", directory.display()))
    } else {
        CheckResult::Ok(runtimes.join(", "))
    }
}

fn landlock() -> CheckResult {
    match landlock_abi() {
        Ok(0) => CheckResult::Degraded(
            "not supported by the kernel; workers run no jobs without it unless sandbox.minimum_landlock_abi is 0"
                .to_owned(),
        ),
        Ok(abi) => CheckResult::Ok(format!("ABI {abi}")),
        Err(reason) => CheckResult::Degraded(format!("cannot be checked: {reason}")),
    }
}

/// Returns the Landlock ABI of the kernel, 0 without Landlock.
///
/// The kernel's list of security modules is no evidence: it is absent without a mounted securityfs.
fn landlock_abi() -> Result<u32, String> {
    let probe = || -> Result<LandlockStatus, RulesetError> {
        let rules = Ruleset::default().handle_access(AccessFs::Execute)?.create()?;
        Ok(rules.restrict_self()?.landlock)
    };
    // The rules confine the thread that applies them, which then ends.
    match std::thread::spawn(probe).join() {
        Ok(Ok(LandlockStatus::Available { effective_abi, kernel_abi })) => {
            Ok(kernel_abi.unwrap_or(effective_abi as i32).unsigned_abs())
        }
        Ok(Ok(LandlockStatus::NotEnabled | LandlockStatus::NotImplemented)) => Ok(0),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the check panicked".to_owned()),
    }
}

fn first_line(program: &Path, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn is_at_least(version: &str, minimum: (u32, u32)) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= minimum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_reports_its_landlock_abi_also_without_securityfs() {
        // The tests of the sandbox need Landlock on the same machine.
        assert!(landlock_abi().expect("checked") >= 1);
    }

    #[test]
    fn versions_compare_by_number() {
        for (version, expected) in
            [("2.15.1", true), ("2.14", true), ("2.13.2", false), ("2.9.10", false), ("3.0.0", true), ("", false)]
        {
            assert_eq!(is_at_least(version, MINIMUM_BROKER), expected, "{version}");
        }
    }
}
