//! CPU time of this process, of the machine, and of the processes of a stack on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Meters CPU time from its creation on.
pub struct CpuMeter {
    started: Instant,
    own: Duration,
    machine: Option<Duration>,
    processes: BTreeMap<String, (i32, Option<Duration>)>,
}

/// Shares of the machine's CPU time, in percent.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct CpuUsage {
    pub cores: usize,
    /// The load generator.
    pub generator: f64,
    /// All processes; `None` where the system does not report it.
    pub machine: Option<f64>,
    /// The processes of the stack by name; jobs in the sandbox are not part of their worker.
    pub components: BTreeMap<String, f64>,
}

impl CpuMeter {
    /// Starts metering; `processes` are the process ids of a stack by name.
    pub fn start(processes: &BTreeMap<String, i32>) -> Self {
        let processes = processes.iter().map(|(name, pid)| (name.clone(), (*pid, process_time(*pid)))).collect();
        Self { started: Instant::now(), own: own_time(), machine: machine_time(), processes }
    }

    /// Returns the shares since the start.
    pub fn usage(&self) -> CpuUsage {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let total = self.started.elapsed().as_secs_f64().max(1e-6) * cores as f64;
        let share = |time: Duration| 100.0 * time.as_secs_f64() / total;
        let machine = machine_time().zip(self.machine).map(|(now, then)| share(now.saturating_sub(then)));
        let components = self.processes.iter().filter_map(|(name, (pid, then))| {
            let used = process_time(*pid)?.saturating_sub((*then)?);
            Some((name.clone(), share(used)))
        });
        CpuUsage {
            cores,
            generator: share(own_time().saturating_sub(self.own)),
            machine,
            components: components.collect(),
        }
    }
}

fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / rustix::param::clock_ticks_per_second().max(1) as f64)
}

/// Returns the busy time of all cores: everything but idle and waiting for input and output.
fn machine_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let counts: Vec<u64> =
        text.lines().next()?.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    Some(ticks([0, 1, 2, 5, 6].iter().filter_map(|index| counts.get(*index)).sum()))
}

/// Returns the CPU time of a process and of the ended children for which it waited.
fn process_time(pid: i32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    // utime stime cutime cstime are fields 14 to 17; the state is field 3.
    Some(ticks(fields.split_whitespace().skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_metered_for_the_process_and_the_machine() {
        let own = i32::try_from(std::process::id()).unwrap();
        let meter = CpuMeter::start(&BTreeMap::from([("self".to_owned(), own), ("ended".to_owned(), i32::MAX)]));
        let mut sum = 1_u64;
        while own_time() < meter.own + Duration::from_millis(300) {
            sum = std::hint::black_box(sum.wrapping_mul(31));
        }
        let usage = meter.usage();
        assert!(usage.generator > 1.0 && usage.generator <= 100.0, "{usage:?}");
        assert!(usage.components["self"] > 1.0 && !usage.components.contains_key("ended"), "{usage:?}");
        assert!(usage.machine.is_none_or(|machine| machine > 1.0), "{usage:?}");
    }
}
