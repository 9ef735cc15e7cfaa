//! Runs a harness as a child process, with its output in a log file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;

/// Time for a harness to end its own processes after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// The folders of a run.
#[derive(Debug, Clone)]
pub struct Place {
    /// The repository.
    pub root: PathBuf,
    /// Logs and results of the harnesses.
    pub out: PathBuf,
}

impl Place {
    /// Returns a path for a result of a harness, where an earlier one is removed.
    pub fn fresh_file(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.out.join(name);
        fs::create_dir_all(&self.out).map_err(|error| format!("{}: {error}", self.out.display()))?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
            Ok(()) | Err(_) => Ok(path),
        }
    }

    /// Returns an empty folder for results of a harness.
    pub fn fresh_folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.out.join(name);
        // Reported by the creation if it matters.
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Returns a command in the repository.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root);
        command
    }

    /// Runs a command to its end and returns its status. Its output goes to `<name>.log`. At the limit it receives SIGTERM,
    /// and SIGKILL a minute later, with all processes of its group.
    pub async fn run(&self, name: &str, mut command: Command, limit: Duration) -> Result<ExitStatus, String> {
        let log = self.fresh_file(&format!("{name}.log"))?;
        let output = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let described = format!("{:?}", command.as_std().get_program());
        let mut child = command.spawn().map_err(|error| format!("{described} does not start: {error}"))?;
        let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
        if let Ok(ended) = timeout(limit, child.wait()).await {
            return ended.map_err(|error| error.to_string());
        }
        for signal in [Signal::TERM, Signal::KILL] {
            group.signal(signal);
            if timeout(STOP_TIMEOUT, child.wait()).await.is_ok() {
                break;
            }
        }
        Err(format!("{described} did not end within {} s; see {}", limit.as_secs(), log.display()))
    }

    /// Runs a command that must succeed.
    pub async fn run_well(&self, name: &str, command: Command, limit: Duration) -> Result<(), String> {
        let status = self.run(name, command, limit).await?;
        let log = self.out.join(format!("{name}.log"));
        if status.success() { Ok(()) } else { Err(format!("{name} failed ({status}); see {}", log.display())) }
    }
}

/// The process group of a harness. It receives SIGTERM when it is dropped, also by an interrupted run.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended already.
            kill_process_group(group, signal).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}

/// Reads the JSON that a harness wrote.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read(path).map_err(|error| format!("no result in {}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}
