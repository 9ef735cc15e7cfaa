//! An interpreter that was process before its job, with all its walls, and waits for the word to release on.
//!
//! Up to that word only the root's own code runs in it. It serves one job, like any other process here.

use std::io::{PipeWriter, Write};
use std::process::Stdio;

use crate::child::{self, JobProcess};
use crate::protocol::{JobLimits, Refused, StartFrame};
use crate::sys::{self, Reaped};
use crate::work_files;

/// Tells the root's start-up code to wait for a byte on stdin; it takes the variable away before the job runs.
const WAIT_VARIABLE: &str = "PROMPTCRAFT_WAIT";

pub(crate) struct Prestarted {
    frame: StartFrame,
    process: JobProcess,
    release: PipeWriter,
}

impl Prestarted {
    /// Starts the process. The work directory stays empty until its job comes.
    pub(crate) fn start(frame: StartFrame) -> Result<Self, Refused> {
        let failed = |error: std::io::Error| Refused { code: "runner_failed".into(), detail: error.to_string() };
        work_files::make_directories()?;
        let (wait, release) = std::io::pipe().map_err(failed)?;
        let mut waiting = frame.clone();
        waiting.env.push((WAIT_VARIABLE.into(), "1".into()));
        let process = child::start_with(&waiting, None, Stdio::from(wait))?;
        Ok(Self { frame, process, release })
    }

    /// The process, let release, if it is alive and just what the job wants; otherwise it is dead when this returns.
    pub(crate) fn claim(mut self, wanted: &StartFrame, limits: &JobLimits) -> Option<JobProcess> {
        let alive = matches!(sys::reap(), Reaped::StillRunning);
        if alive
            && self.frame == *wanted
            && child::set_remaining_limits(self.process.pid, limits).is_ok()
            && self.release.write_all(b"g").is_ok()
        {
            return Some(self.process);
        }
        self.kill();
        None
    }

    fn kill(self) {
        while !matches!(sys::reap(), Reaped::NoChildren) {
            sys::kill_all_others();
            std::thread::yield_now();
        }
    }
}
