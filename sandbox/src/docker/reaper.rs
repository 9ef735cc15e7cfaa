//! Container labels that identify their worker, and the detection of orphaned containers.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

/// Label of every sandbox container.
pub(crate) const LABEL: &str = "promptcraft.sandbox";

const INSTANCE: &str = "promptcraft.instance";
const BOOT: &str = "promptcraft.boot";
const PID_NAMESPACE: &str = "promptcraft.pid_namespace";
const PID: &str = "promptcraft.pid";
const PID_STARTED: &str = "promptcraft.pid_started";

/// Identifies one worker process; a pid alone is reused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkerIdentity {
    instance: String,
    boot: String,
    pid_namespace: String,
    pid: u32,
    started: String,
}

impl WorkerIdentity {
    /// Returns the identity of the calling process.
    pub(crate) fn current(instance: &str) -> io::Result<Self> {
        let pid = std::process::id();
        Ok(Self {
            instance: instance.to_owned(),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
            pid_namespace: fs::read_link("/proc/self/ns/pid")?.display().to_string(),
            pid,
            started: start_time(pid)?,
        })
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn labels(&self) -> HashMap<String, String> {
        [
            (LABEL, "1".to_owned()),
            (INSTANCE, self.instance.clone()),
            (BOOT, self.boot.clone()),
            (PID_NAMESPACE, self.pid_namespace.clone()),
            (PID, self.pid.to_string()),
            (PID_STARTED, self.started.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// Returns whether the worker of a container with these labels has certainly ended.
    ///
    /// A worker that cannot be seen, such as one on another machine, counts as alive unless its container has stopped:
    /// a container without its worker ends when its stdin closes.
    pub(crate) fn is_orphan(&self, labels: &HashMap<String, String>, running: bool) -> bool {
        let label = |key: &str| labels.get(key).map(String::as_str);
        let visible = label(BOOT) == Some(&self.boot) && label(PID_NAMESPACE) == Some(&self.pid_namespace);
        if !visible {
            return !running;
        }
        let (Some(pid), Some(started)) = (label(PID).and_then(|pid| pid.parse().ok()), label(PID_STARTED)) else {
            return true;
        };
        !start_time(pid).is_ok_and(|now| now == started)
    }
}

/// Returns the start time of a process in ticks since boot; with the pid it identifies one process.
fn start_time(pid: u32) -> io::Result<String> {
    const START_TIME_FIELD: usize = 19;
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?;
    // The name in parentheses may contain spaces and parentheses.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    fields
        .split(' ')
        .nth(START_TIME_FIELD)
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other("/proc/PID/stat is incomplete"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: &[(&str, &str)], running: bool, expect: bool) {
        let worker = WorkerIdentity::current("w").expect("reads /proc");
        let mut labels = worker.labels();
        labels.extend(change.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        assert_eq!(worker.is_orphan(&labels, running), expect, "{change:?}");
    }

    #[test]
    fn only_a_worker_that_is_surely_gone_loses_its_containers() {
        check(&[], true, false);
        check(&[], false, false);
        check(&[(PID_STARTED, "1")], true, true);
        check(&[(PID, "4194304"), (PID_STARTED, "1")], true, true);
        check(&[(BOOT, "another"), (PID_STARTED, "1")], true, false);
        check(&[(BOOT, "another"), (PID_STARTED, "1")], false, true);
        check(&[(PID_NAMESPACE, "pid:[1]"), (PID_STARTED, "1")], true, false);
    }
}
