//! Supervises a job until it ends: output, wall time, cancel, remaining processes, usage.

mod capture;
mod live_output;
pub(crate) mod monitor;

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::cgroup::{CgroupCounters, Meter};
use crate::child::JobProcess;
use crate::process_table::SAMPLE_INTERVAL;
use crate::protocol::{Finished, JobLimits, WithoutCgroup};
use crate::supervision::capture::Capture;
use crate::supervision::live_output::LiveOutputSender;
use crate::supervision::monitor::Monitor;
use crate::sys::{self, Reaped};

/// Minimum interval between checks of the CPU time.
const MIN_CPU_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running job.
pub(crate) struct Supervision<'a> {
    pid: i32,
    status: Option<i32>,
    stdout: Capture,
    stderr: Capture,
    report: Capture,
    /// `None` if the host wants no output while the job runs.
    live_output: Option<LiveOutputSender>,
    child_exits: OwnedFd,
    started: Instant,
    wall: Duration,
    cpu_limit_ms: u64,
    next_cpu_poll: Duration,
    without_cgroup: Option<WithoutCgroup>,
    meter: &'a Meter,
    monitor: &'a mut Monitor,
    before: CgroupCounters,
    measured: CgroupCounters,
    wall_exceeded: bool,
    cpu_exceeded: bool,
    cancelled: bool,
    killed: bool,
    childless: bool,
    reaped_cpu_ms: u64,
    reaped_rss_bytes: u64,
}

impl<'a> Supervision<'a> {
    pub(crate) fn new(
        started: JobProcess,
        limits: &JobLimits,
        child_exits: OwnedFd,
        (meter, before): (&'a Meter, CgroupCounters),
        monitor: &'a mut Monitor,
    ) -> Self {
        Self {
            pid: started.pid,
            status: None,
            stdout: Capture::new(started.stdout, limits.output_bytes),
            stderr: Capture::new(started.stderr, limits.output_bytes),
            report: Capture::new(started.report, limits.report_bytes),
            live_output: None,
            child_exits,
            started: now(),
            wall: Duration::from_millis(limits.wall_ms),
            cpu_limit_ms: limits.cpu_ms,
            next_cpu_poll: Duration::ZERO,
            without_cgroup: limits.without_cgroup.clone(),
            meter,
            monitor,
            before,
            measured: CgroupCounters::default(),
            wall_exceeded: false,
            cpu_exceeded: false,
            cancelled: false,
            killed: false,
            childless: false,
            reaped_cpu_ms: 0,
            reaped_rss_bytes: 0,
        }
    }

    /// Sends the output to the host while the job runs, too.
    pub(crate) fn with_live_output(self, host: File) -> Self {
        Self { live_output: Some(LiveOutputSender::to(host)), ..self }
    }

    /// Waits until the job and all its descendants have ended and all output is read.
    pub(crate) fn run(mut self) -> Result<Finished, std::io::Error> {
        let mut buffer = vec![0; 64 << 10];
        let mut disk_full = false;
        while !self.is_done() {
            self.wait(&mut buffer)?;
            self.send_live_output()?;
            self.reap();
            self.check_memory();
            self.check_cpu();
            if self.must_kill() {
                if !self.killed {
                    disk_full = [c"/work", c"/dev/shm", c"/programs"].into_iter().any(sys::is_full);
                    self.check_process_limit();
                    self.killed = true;
                }
                sys::kill_all_others();
            }
        }
        Ok(self.finish(disk_full))
    }

    fn send_live_output(&mut self) -> Result<(), std::io::Error> {
        let Some(live_output) = &mut self.live_output else { return Ok(()) };
        live_output.send(self.started.elapsed(), [&mut self.stdout, &mut self.stderr])
    }

    fn must_kill(&self) -> bool {
        let over = self.cancelled || self.wall_exceeded || self.cpu_exceeded || self.measured.oom_kills.is_some();
        over || self.status.is_some()
    }

    /// Enforces the memory limit if there is no cgroup.
    fn check_memory(&mut self) {
        if let Some(limits) = &self.without_cgroup
            && !self.must_kill()
            && self.monitor.sample().memory_bytes > limits.memory_bytes
        {
            self.measured.oom_kills = Some(1);
        }
    }

    /// Enforces the CPU limit over all processes; the kernel limits each process separately.
    fn check_cpu(&mut self) {
        if self.must_kill() || self.started.elapsed() < self.next_cpu_poll {
            return;
        }
        let left_ms = self.cpu_limit_ms.saturating_sub(self.cpu_ms());
        self.cpu_exceeded = left_ms == 0;
        // Four busy processors use up the remaining time by then.
        self.next_cpu_poll = self.started.elapsed() + Duration::from_millis(left_ms / 4).max(MIN_CPU_POLL_INTERVAL);
    }

    /// Returns the CPU time used by all processes of the job.
    fn cpu_ms(&self) -> u64 {
        match self.meter.cpu_us() {
            Some(now_us) => now_us.saturating_sub(self.before.cpu_us.unwrap_or(0)) / 1000,
            None => self.reaped_cpu_ms + self.monitor.sample().cpu_ms,
        }
    }

    /// Checks the process limit before the kill, while the processes still exist.
    fn check_process_limit(&mut self) {
        if let Some(limits) = &self.without_cgroup {
            // The job's own process may have ended since.
            self.measured.pids_refused = Some(u64::from(!sys::can_fork_within(limits.processes - 1)));
        }
    }

    fn is_done(&self) -> bool {
        self.childless && [&self.stdout, &self.stderr, &self.report].iter().all(|capture| capture.fd().is_none())
    }

    fn wait(&mut self, buffer: &mut [u8]) -> Result<(), std::io::Error> {
        let stdin = std::io::stdin();
        // A closed stdin stays readable, so it is not polled again.
        let host = (!self.cancelled).then(|| stdin.as_fd());
        let (exits, samples) = (Some(self.child_exits.as_fd()), self.monitor.fd());
        let fds = [self.stdout.fd(), self.stderr.fd(), self.report.fd(), exits, host, samples];
        let ready = sys::poll(&fds, self.timeout_ms())?;
        for (index, capture) in [&mut self.stdout, &mut self.stderr, &mut self.report].into_iter().enumerate() {
            if ready[index] {
                capture.read_ready(buffer);
            }
        }
        if ready[3] {
            self.clear_child_exits(buffer)?;
        }
        if ready[5] {
            self.monitor.read_ready(buffer)?;
        }
        // The host sends nothing after the job: a close or any byte cancels it.
        self.cancelled |= ready[4] && self.status.is_none() && !self.wall_exceeded;
        self.wall_exceeded |= self.status.is_none() && !self.cancelled && self.started.elapsed() >= self.wall;
        Ok(())
    }

    fn timeout_ms(&self) -> i32 {
        /// Poll interval after the kill, because a dying process may hold its pipes a little longer.
        const KILL_POLL_MS: i32 = 5;
        if self.killed {
            return KILL_POLL_MS;
        }
        let live_output = self.live_output.as_ref();
        let due = live_output.and_then(|live_output| live_output.due([&self.stdout, &self.stderr]));
        let end = self.wall.min(self.next_cpu_poll).min(due.unwrap_or(Duration::MAX));
        let left = end.saturating_sub(self.started.elapsed());
        let longest = if self.without_cgroup.is_some() { left.min(SAMPLE_INTERVAL) } else { left };
        i32::try_from(longest.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
    }

    fn clear_child_exits(&self, buffer: &mut [u8]) -> Result<(), std::io::Error> {
        use std::io::Read;
        let mut events = std::fs::File::from(self.child_exits.try_clone()?);
        match events.read(buffer) {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn reap(&mut self) {
        loop {
            match sys::reap() {
                Reaped::Ended { pid, status, cpu_ms, rss_bytes } => {
                    self.reaped_cpu_ms += cpu_ms;
                    self.reaped_rss_bytes = self.reaped_rss_bytes.max(rss_bytes);
                    if pid == self.pid {
                        self.status = Some(status);
                    }
                }
                Reaped::StillRunning => return self.childless = false,
                Reaped::NoChildren => return self.childless = true,
            }
        }
    }

    fn finish(self, disk_full: bool) -> Finished {
        let wall = self.started.elapsed();
        let counted = self.meter.read().since(self.before);
        let (exit_code, signal) = self.status.map_or((None, None), sys::decode_status);
        let (stdout, stdout_truncated) = self.stdout.into_kept();
        let (stderr, stderr_truncated) = self.stderr.into_kept();
        let (report, report_truncated) = self.report.into_kept();
        Finished {
            exit_code,
            signal,
            wall_exceeded: self.wall_exceeded,
            cpu_exceeded: self.cpu_exceeded,
            cancelled: self.cancelled,
            disk_full,
            stdout,
            stderr,
            truncated: stdout_truncated || stderr_truncated,
            report,
            report_truncated,
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            // A process whose parent ignores its exit is not reaped here, but the cgroup counts it.
            cpu_ms: self.reaped_cpu_ms.max(counted.cpu_us.unwrap_or(0) / 1000),
            max_rss_bytes: self.reaped_rss_bytes.max(counted.peak_bytes.unwrap_or(0)),
            oom_kills: counted.oom_kills.or(self.measured.oom_kills).unwrap_or(0),
            pids_refused: counted.pids_refused.or(self.measured.pids_refused).unwrap_or(0),
            left_out: Vec::new(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the runner has no async runtime")]
fn now() -> Instant {
    Instant::now()
}
