//! The properties of a container that are fixed before its job is known. Containers with equal specs are
//! interchangeable.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use runner::protocol::{PROGRAMS_DIR, SHARED_MEMORY, WORK_DIR};

use crate::job::{IsolationLevel, Job, Limits, shared_memory, written_programs};
use crate::runtime;

/// Period of the quota of one CPU. With a longer period a throttled job delays its own cancel.
const CPU_PERIOD_US: i64 = 10_000;

/// The runner.
const OWN_PROCESSES: i64 = 1;

const NOBODY: &str = "65534:65534";

/// The runtime of a container and the limits that the engine enforces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ContainerSpec {
    pub(crate) runtime: String,
    memory_bytes: u64,
    pids: u32,
    disk_bytes: u64,
    inodes: u64,
}

impl ContainerSpec {
    pub(crate) fn for_job(job: &Job) -> Self {
        Self::from_limits(&job.runtime, &job.limits)
    }

    /// Returns the spec of the warm pool, which serves `strict` and `standard`.
    pub(crate) fn standard(runtime: &str) -> Self {
        Self::from_limits(runtime, &Limits::for_level(IsolationLevel::Standard, Duration::from_secs(1)))
    }

    fn from_limits(runtime: &str, limits: &Limits) -> Self {
        Self {
            runtime: runtime.to_owned(),
            memory_bytes: limits.memory_bytes,
            pids: limits.pids,
            disk_bytes: limits.disk_bytes,
            inodes: limits.inodes,
        }
    }

    /// Returns the engine's request body.
    pub(crate) fn create_body(
        &self,
        image: &str,
        engine_runtime: Option<&str>,
        seccomp_profile: &str,
        labels: HashMap<String, String>,
    ) -> ContainerCreateBody {
        ContainerCreateBody {
            image: Some(image.to_owned()),
            user: Some(NOBODY.into()),
            hostname: Some("sandbox".into()),
            open_stdin: Some(true),
            // With one attached client, its disconnect closes stdin, which ends the runner.
            stdin_once: Some(true),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            network_disabled: Some(true),
            labels: Some(labels),
            host_config: Some(HostConfig {
                runtime: engine_runtime.map(str::to_owned),
                ..self.host_config(seccomp_profile)
            }),
            ..ContainerCreateBody::default()
        }
    }

    fn host_config(&self, seccomp_profile: &str) -> HostConfig {
        let bytes = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let writable = |(bytes, inodes): (u64, u64)| {
            format!("rw,nosuid,nodev,noexec,size={bytes},nr_inodes={inodes},mode=0700,uid=65534,gid=65534")
        };
        let own = (self.disk_bytes, self.inodes);
        let mut tmpfs = HashMap::from([
            (WORK_DIR.into(), writable(own)),
            (SHARED_MEMORY.into(), writable(shared_memory(self.disk_bytes, self.inodes))),
        ]);
        if runtime::executes_written_programs(&self.runtime) {
            let options = writable(written_programs(self.disk_bytes, self.inodes));
            // The engine's default is noexec.
            tmpfs.insert(PROGRAMS_DIR.into(), options.replace("noexec", "exec"));
        }
        HostConfig {
            auto_remove: Some(true),
            network_mode: Some("none".into()),
            ipc_mode: Some("none".into()),
            readonly_rootfs: Some(true),
            privileged: Some(false),
            cap_drop: Some(vec!["ALL".into()]),
            security_opt: Some(vec!["no-new-privileges:true".into(), format!("seccomp={seccomp_profile}")]),
            memory: Some(bytes(self.memory_bytes)),
            // Equal to memory: no swap.
            memory_swap: Some(bytes(self.memory_bytes)),
            pids_limit: Some(i64::from(self.pids) + OWN_PROCESSES),
            cpu_period: Some(CPU_PERIOD_US),
            cpu_quota: Some(CPU_PERIOD_US),
            log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
            tmpfs: Some(tmpfs),
            ..HostConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_has_every_wall() {
        let body = ContainerSpec::standard("python").create_body("image", None, "{}", HashMap::new());
        insta::with_settings!({ sort_maps => true }, { insta::assert_json_snapshot!(body) });
    }

    #[test]
    fn only_runtimes_of_compiled_languages_execute_what_jobs_write() {
        for language in crate::languages() {
            let body = ContainerSpec::standard(language.name).create_body("image", None, "{}", HashMap::new());
            let tmpfs = body.host_config.and_then(|host| host.tmpfs).expect("has file systems");
            let executing: Vec<_> = tmpfs
                .iter()
                .filter(|(_, options)| !options.contains(",noexec,"))
                .map(|(path, _)| path.as_str())
                .collect();
            let is_compiled = ["c", "cpp"].contains(&language.name);
            assert_eq!(executing, if is_compiled { vec![PROGRAMS_DIR] } else { vec![] }, "{}", language.name);
            let walls = tmpfs.values().all(|options| options.contains(",nosuid,nodev,"));
            assert!(walls, "{tmpfs:?}");
        }
    }
}
