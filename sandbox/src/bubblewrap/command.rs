//! The bubblewrap command line.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use runner::launch::BOUND_ROOT;
use runner::protocol::{SHARED_MEMORY, SHARED_MEMORY_DIR};
use tokio::process::Command;

use crate::bubblewrap::cgroup::JobCgroup;
use crate::error::SandboxError;
use crate::job::{Limits, written_programs};
use crate::runtime::roots::{self, RUNNER_NAME};

/// User and group id of every job, on the host and inside: 65534, which owns no files.
const NOBODY: u32 = 65534;

/// Bound devices, one by one: a full `/dev` would need a second user namespace.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// Links to a process's own streams, if there is a `/proc`; process substitution of shells needs the first.
const STREAMS: [(&str, &str); 4] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// Builds the commands that start bubblewrap on this host.
pub(crate) struct Launcher {
    bubblewrap: PathBuf,
    runner: Option<PathBuf>,
    /// True if the worker is root and must switch to the user of jobs first.
    drop_user: bool,
    /// False if the kernel refuses a `/proc` of the sandbox's own, as in a container that hides parts of its own.
    pub(crate) own_proc: bool,
}

impl Launcher {
    pub(crate) fn find(runner: Option<PathBuf>) -> Result<Self, SandboxError> {
        let places = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];
        let bubblewrap = places.iter().map(PathBuf::from).find(|place| place.exists()).ok_or_else(|| {
            SandboxError::fail("sandbox_unavailable", "bubblewrap is not installed; run: apt-get install bubblewrap")
        })?;
        Ok(Self { bubblewrap, runner, drop_user: is_root(), own_proc: true })
    }

    /// Returns the command that starts a sandbox; `writes_programs` adds the folder of written programs.
    pub(crate) fn command(
        &self,
        root: &Path,
        limits: &Limits,
        writes_programs: bool,
        cgroup: Option<&JobCgroup>,
    ) -> Command {
        let runner = self.runner.clone().unwrap_or_else(|| root.join(RUNNER_NAME));
        let mut command = Command::new(runner);
        command.arg("launch");
        for file in cgroup.iter().flat_map(|cgroup| cgroup.join_files()) {
            command.arg("--cgroup").arg(file);
        }
        if !self.own_proc {
            command.arg("--samples");
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
        // The runner mounts the work directory, noexec and with bounded inodes, which bubblewrap cannot do, and drops
        // the capability before it reads a job.
        command.args(["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]);
        command.arg("--ro-bind").arg(seen_root).arg("/");
        if self.own_proc {
            command.args(["--proc", "/proc"]);
        }
        command.args(["--tmpfs", "/dev"]);
        for device in DEVICES {
            command.args(["--dev-bind", device, device]);
        }
        for (link, target) in STREAMS.iter().filter(|_| self.own_proc) {
            command.args(["--symlink", target, link]);
        }
        // Into the work directory, so that its limits cover shared memory as well.
        command.args(["--symlink", SHARED_MEMORY_DIR, SHARED_MEMORY]);
        command.args(["--remount-ro", "/dev", "--chdir", "/", "--"]);
        command.arg(format!("/{RUNNER_NAME}")).args(["serve", "--mount-work"]);
        command.arg(limits.disk_bytes.to_string()).arg(limits.inodes.to_string());
        if writes_programs {
            let (bytes, inodes) = written_programs(limits.disk_bytes, limits.inodes);
            command.arg("--mount-programs").arg(bytes.to_string()).arg(inodes.to_string());
        }
        if !self.own_proc {
            command.arg("--samples");
        }
        command.env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
