//! The command line that builds a sandbox around a runner.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use runner::launcher::BOUND_ROOT;
use tokio::process::Command;

use crate::bubblewrap::cgroup::JobCgroup;
use crate::error::SandboxError;
use crate::job::Limits;
use crate::runtime::roots::{self, RUNNER_NAME};

/// The user of every job, on the host as inside: nobody.
const NOBODY: u32 = 65534;

/// The devices a program may expect, each bound one by one: a full /dev would cost a second user namespace.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// A process's own streams by name; a shell's process substitution needs the first.
const STREAMS: [(&str, &str); 4] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// How this host starts bubblewrap.
pub(crate) struct Launcher {
    bubblewrap: PathBuf,
    runner: Option<PathBuf>,
    /// Whether the worker is root and must become nobody first.
    drop_user: bool,
}

impl Launcher {
    pub(crate) fn find(runner: Option<PathBuf>) -> Result<Self, SandboxError> {
        let places = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];
        let bubblewrap = places.iter().map(PathBuf::from).find(|place| place.exists()).ok_or_else(|| {
            SandboxError::fail("sandbox_unavailable", "bubblewrap is missing; install with: apt-get install bubblewrap")
        })?;
        Ok(Self { bubblewrap, runner, drop_user: is_root() })
    }

    pub(crate) fn command(&self, root: &Path, limits: &Limits, cgroup: Option<&JobCgroup>) -> Command {
        let runner = self.runner.clone().unwrap_or_else(|| root.join(RUNNER_NAME));
        let mut command = Command::new(runner);
        command.arg("launch");
        for file in cgroup.iter().flat_map(|cgroup| cgroup.procs_files()) {
            command.arg("--cgroup-procs").arg(file);
        }
        let mut seen_root = root;
        if self.drop_user {
            if !roots::is_world_reachable(root) {
                command.arg("--bind-root").arg(root);
                seen_root = Path::new(BOUND_ROOT);
            }
            command.arg("--user").arg(NOBODY.to_string());
        }
        command.arg("--").arg(&self.bubblewrap);
        command.args(["--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--hostname", "sandbox"]);
        command.args(["--uid", &NOBODY.to_string(), "--gid", &NOBODY.to_string()]);
        // The runner mounts its own work directory, noexec and bounded in files, which bubblewrap cannot, and gives
        // the capability up before it reads a job.
        command.args(["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]);
        command.arg("--ro-bind").arg(seen_root).arg("/").args(["--proc", "/proc", "--tmpfs", "/dev"]);
        for device in DEVICES {
            command.args(["--dev-bind", device, device]);
        }
        for (link, target) in STREAMS {
            command.args(["--symlink", target, link]);
        }
        command.args(["--remount-ro", "/dev", "--chdir", "/", "--"]);
        command.arg(format!("/{RUNNER_NAME}")).args(["serve", "--mount-work"]);
        command.arg(limits.disk_bytes.to_string()).arg(limits.inodes.to_string());
        command.env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
