//! An interpreter that was started before its job, with all its walls, and waits for the word to go on.
//!
//! Up to that word only the root's own code runs in it. It serves one job, like any other process here.

use std::io::{PipeWriter, Write};
use std::process::Stdio;

use crate::child::{self, Started};
use crate::protocol::{JobLimits, Refused, StartFrame};
use crate::sys::{self, Reaped};
use crate::work_files;

/// Tells the root's start-up code to wait for a byte on stdin; it takes the variable away before the job runs.
const WAIT: &str = "PROMPTCRAFT_WAIT";

pub(crate) struct Ahead {
    frame: StartFrame,
    started: Started,
    go: PipeWriter,
}

impl Ahead {
    /// Starts the process. The work directory stays empty until its job comes.
    pub(crate) fn start(frame: StartFrame) -> Result<Self, Refused> {
        let failed = |error: std::io::Error| Refused { code: "runner_failed".into(), detail: error.to_string() };
        work_files::make_directories()?;
        let (wait, go) = std::io::pipe().map_err(failed)?;
        let mut waiting = frame.clone();
        waiting.env.push((WAIT.into(), "1".into()));
        let started = child::start_with(&waiting, None, Stdio::from(wait))?;
        Ok(Self { frame, started, go })
    }

    /// The process, let go, if it is alive and just what the job wants; otherwise it is dead when this returns.
    pub(crate) fn serve(mut self, wanted: &StartFrame, limits: &JobLimits) -> Option<Started> {
        let alive = matches!(sys::reap(), Reaped::StillRunning);
        if alive
            && self.frame == *wanted
            && child::limit_started(self.started.pid, limits).is_ok()
            && self.go.write_all(b"g").is_ok()
        {
            return Some(self.started);
        }
        self.end();
        None
    }

    fn end(self) {
        while !matches!(sys::reap(), Reaped::NoChildren) {
            sys::kill_everything_else();
            std::thread::yield_now();
        }
    }
}
