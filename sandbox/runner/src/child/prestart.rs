//! An interpreter that is started and confined before its job and waits for it.
//!
//! Until it is released it runs code of the root only. It serves one job, like any other job process.

use std::io::{PipeWriter, Write};
use std::process::Stdio;

use crate::child::{self, JobProcess};
use crate::protocol::{JobLimits, Refused, StartFrame};
use crate::sys::{self, Reaped};
use crate::work_files;

/// Makes the root's start-up code wait for a byte on stdin; the code removes the variable before the job runs.
const WAIT_VARIABLE: &str = "PROMPTCRAFT_WAIT";

pub(crate) struct Prestarted {
    frame: StartFrame,
    process: JobProcess,
    release: PipeWriter,
}

impl Prestarted {
    /// Starts the process. The work directory stays empty until the job arrives.
    pub(crate) fn start(frame: StartFrame) -> Result<Self, Refused> {
        let failed = |error: std::io::Error| Refused { code: "runner_failed".into(), detail: error.to_string() };
        work_files::make_directories()?;
        let (wait, release) = std::io::pipe().map_err(failed)?;
        let mut waiting = frame.clone();
        waiting.env.push((WAIT_VARIABLE.into(), "1".into()));
        let process = child::start_with(&waiting, None, Stdio::from(wait))?;
        Ok(Self { frame, process, release })
    }

    /// Releases and returns the process if it is alive and has exactly the wanted start frame; otherwise kills it.
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
