//! The process specifications of the stack: programs, settings, secrets, probes.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::broker_config::{self, BrokerEnvironment};
use super::data_directory::DataDirectory;
use super::ports::Ports;
use super::private_file;
use super::programs::Programs;
use super::redis_config;
use super::supervise::child::ChildSpec;
use super::supervise::probe::{FailureIndicator, Probe};
use super::{RUNTIMES, RuntimeName};
use crate::env::{catalogue_folders, is_set, runtimes};

/// Time of failing probes after which broker or Redis is restarted. A broker whose disk was full stays unhealthy until
/// a restart, even if space was freed.
const UNHEALTHY_AFTER: Duration = Duration::from_secs(10);

/// The configuration of a stack.
pub struct StackConfig {
    pub data: DataDirectory,
    pub ports: Ports,
    pub programs: Programs,
    pub demo: bool,
    /// Sandbox backend, or `auto`.
    pub backend: String,
}

impl StackConfig {
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.api)
    }

    pub fn broker_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.ports.broker)
    }

    pub fn broker_monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.broker_monitor)
    }

    /// Returns the Redis URL of the user `promptcraft` (API and approver) or `worker`, password included.
    pub fn redis_url(&self, user: &str) -> io::Result<String> {
        let password = self.data.stored_secret(&format!("redis-{user}"))?;
        Ok(format!("redis://{user}:{password}@127.0.0.1:{}/0", self.ports.redis))
    }

    /// Returns the runtimes that workers offer: those of the settings, or Python and those that have a sandbox root.
    pub fn runtimes(&self) -> Vec<String> {
        let configured = runtimes();
        if configured.is_empty() { self.built_runtimes() } else { configured }
    }

    /// Returns the runtimes that have a lane of `execute` steps: the offered ones and those that have a sandbox root.
    pub fn lanes(&self) -> Vec<String> {
        let mut lanes = self.runtimes();
        lanes.extend(self.built_runtimes());
        lanes.sort();
        lanes.dedup();
        lanes
    }

    /// Returns the runtimes of the settings that have no sandbox root; a worker reports names that are unknown.
    pub fn runtimes_without_root(&self) -> Vec<String> {
        let is_built = |name: &String| self.data.sandbox().join(name).join("rootfs").exists();
        runtimes().into_iter().filter(|name| RUNTIMES.contains(&name.as_str()) && !is_built(name)).collect()
    }

    /// Returns Python and the runtimes of this version that have a sandbox root.
    fn built_runtimes(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.data.sandbox()).into_iter().flatten().flatten();
        let built = entries.filter(|entry| entry.path().join("rootfs").exists());
        let mut others: Vec<_> = built.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        others.retain(|name| name != "python" && RUNTIMES.contains(&name.as_str()));
        others.sort();
        std::iter::once("python".to_owned()).chain(others).collect()
    }

    /// Returns the catalogue directories of the settings and the organization's own, comma-separated.
    fn catalogue_folders(&self) -> String {
        let own = self.data.recipes().display().to_string();
        catalogue_folders().into_iter().chain([own]).collect::<Vec<_>>().join(",")
    }

    /// Writes the broker's configuration; returns its process specification.
    pub fn broker_spec(&self) -> io::Result<ChildSpec> {
        let configuration = broker_config::write(&self.data.nats(), &self.data.bots()?, &RuntimeName::all())?;
        let mut passwords = Vec::new();
        for user in broker_config::SERVICE_USERS {
            passwords.push((user, self.data.stored_secret(&format!("nats-{user}"))?));
        }
        let environment = BrokerEnvironment {
            server_name: "promptcraft",
            listen: &format!("127.0.0.1:{}", self.ports.broker),
            monitor_listen: &format!("127.0.0.1:{}", self.ports.broker_monitor),
            store: &self.data.root().join("jetstream"),
            password: &|user| {
                passwords
                    .iter()
                    .find(|(name, _)| *name == user)
                    .map(|(_, password)| password.clone())
                    .unwrap_or_default()
            },
        };
        Ok(ChildSpec {
            name: "nats".to_owned(),
            program: self.programs.nats_server.clone(),
            arguments: vec!["--config".into(), configuration.into()],
            environment: environment.variables(),
            log: self.data.log("nats"),
            probe: Probe::Http { port: self.ports.broker_monitor, path: "/healthz" },
            restart_when_unhealthy: Some(UNHEALTHY_AFTER),
            // A broker whose disk was full rejects writes, at least to one stream, until a restart with free space.
            // `/healthz` alone does not show it: it also fails while a large store is being loaded.
            fatal_indicators: [("/healthz?js-enabled-only=true", ""), ("/healthz", "write error")]
                .map(|(path, text)| FailureIndicator { port: self.ports.broker_monitor, path, text })
                .to_vec(),
            drain_timeout: Duration::from_secs(10),
        })
    }

    /// Writes the configuration of Redis; returns its process specification.
    pub fn redis_spec(&self) -> io::Result<ChildSpec> {
        let directory = self.data.redis();
        let configuration = directory.join("redis.conf");
        let operator = self.data.stored_secret("redis-default")?;
        let password = |user: &str| self.data.stored_secret(&format!("redis-{user}"));
        let text = redis_config::render("127.0.0.1", self.ports.redis, &directory, password)?;
        private_file::write(&configuration, text.as_bytes())?;
        Ok(ChildSpec {
            name: "redis".to_owned(),
            program: self.programs.redis_server.clone(),
            arguments: vec![configuration.into()],
            environment: Vec::new(),
            log: self.data.log("redis"),
            probe: Probe::Redis { port: self.ports.redis, password: operator },
            restart_when_unhealthy: Some(UNHEALTHY_AFTER),
            fatal_indicators: Vec::new(),
            drain_timeout: Duration::from_secs(10),
        })
    }

    pub fn approver_spec(&self) -> io::Result<ChildSpec> {
        let metrics = self.ports.approver_metrics;
        let mut own = vec![("APPROVER__METRICS_LISTEN", format!("127.0.0.1:{metrics}"))];
        if !is_set("PROMPTCRAFT__WEBHOOK__SIGNING_KEY") && !is_set("PROMPTCRAFT__WEBHOOK__SIGNING_KEY_FILE") {
            own.push(("WEBHOOK__SIGNING_KEY_FILE", self.data.secret_file("webhook")?.display().to_string()));
        }
        self.service_spec(
            "approver",
            "approver",
            self.programs.approver.clone(),
            own,
            Probe::Http { port: metrics, path: "/metrics" },
        )
    }

    /// Returns the specification of worker `number`, counted from 1.
    pub fn worker_spec(&self, number: usize) -> io::Result<ChildSpec> {
        let name = format!("worker-{number}");
        let metrics = self.ports.worker_metrics[number - 1];
        let own = vec![
            ("WORKER__INSTANCE", name.clone()),
            ("WORKER__METRICS_LISTEN", format!("127.0.0.1:{metrics}")),
            ("SANDBOX__ROOTS_DIR", self.data.sandbox().display().to_string()),
            ("GENERATOR__CATALOGUE_DIRS", self.catalogue_folders()),
            ("GENERATOR__DATA_DIR", self.data.root().display().to_string()),
            ("SANDBOX__RUNTIMES", self.runtimes().join(",")),
        ];
        let probe = Probe::Http { port: metrics, path: "/metrics" };
        let mut spec = self.service_spec(&name, "worker", self.programs.worker.clone(), own, probe)?;
        if self.backend != "auto" || !is_set("PROMPTCRAFT__SANDBOX__BACKEND") {
            spec.environment.push(("PROMPTCRAFT__SANDBOX__BACKEND".to_owned(), self.backend.clone()));
        }
        Ok(spec)
    }

    pub fn api_spec(&self) -> io::Result<ChildSpec> {
        let own = vec![
            ("API__LISTEN", format!("127.0.0.1:{}", self.ports.api)),
            ("API__METRICS_LISTEN", format!("127.0.0.1:{}", self.ports.api_metrics)),
        ];
        let probe = Probe::Http { port: self.ports.api, path: "/ready" };
        self.service_spec("api", "api", self.programs.api.clone(), own, probe)
    }

    /// Returns the specification of a service. Settings that connect the services are set here; others are inherited
    /// from the caller's environment.
    fn service_spec(
        &self,
        name: &str,
        user: &str,
        program: PathBuf,
        own: Vec<(&'static str, String)>,
        probe: Probe,
    ) -> io::Result<ChildSpec> {
        let (redis_user, file) = if user == "worker" {
            ("worker", "secrets/redis-url-worker")
        } else {
            ("promptcraft", "secrets/redis-url")
        };
        let redis_url = self.data.root().join(file);
        private_file::write(&redis_url, self.redis_url(redis_user)?.as_bytes())?;
        let mut settings = vec![
            ("NATS__URL", self.broker_url()),
            ("NATS__USER", user.to_owned()),
            ("NATS__PASSWORD_FILE", self.data.secret_file(&format!("nats-{user}"))?.display().to_string()),
            ("NATS__MONITOR_URL", self.broker_monitor_url()),
            ("REDIS__URL_FILE", redis_url.display().to_string()),
        ];
        settings.extend(own);
        if !is_set("PROMPTCRAFT__PROFILE") {
            settings.push(("PROFILE", if self.demo { "demo" } else { "development" }.to_owned()));
        }
        if !is_set("PROMPTCRAFT__TELEMETRY__LOG") {
            settings.push(("TELEMETRY__LOG", "text".to_owned()));
        }
        let environment = settings.into_iter().map(|(name, value)| (format!("PROMPTCRAFT__{name}"), value)).collect();
        Ok(ChildSpec {
            name: name.to_owned(),
            program,
            arguments: Vec::<OsString>::new(),
            environment,
            log: self.data.log(name),
            probe,
            restart_when_unhealthy: None,
            fatal_indicators: Vec::new(),
            drain_timeout: Duration::from_secs(30),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    const FOLDER: &str = "PROMPTCRAFT_TEST_FOLDER";

    #[test]
    #[ignore = "is run by the test below, in the environment of a caller"]
    fn the_folders_of_a_worker_are_printed() {
        let folder = std::env::var_os(FOLDER).expect("the folder of the test below");
        let program = PathBuf::from("/bin/true");
        let programs = Programs {
            nats_server: program.clone(),
            redis_server: program.clone(),
            api: program.clone(),
            worker: program.clone(),
            approver: program,
        };
        let data = DataDirectory::open(Path::new(&folder)).unwrap();
        let config =
            StackConfig { data, ports: Ports::choose(0, 1).unwrap(), programs, demo: true, backend: "auto".to_owned() };
        let environment = config.worker_spec(1).unwrap().environment;
        let folders = environment.iter().filter(|(name, _)| name == "PROMPTCRAFT__GENERATOR__CATALOGUE_DIRS");
        println!("folders: {:?}", folders.map(|(_, value)| value.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn the_own_recipes_are_added_to_the_folders_of_the_settings() {
        let folder = std::env::temp_dir().join(format!("promptcraft-folders-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let settings = folder.join("settings.toml");
        fs::write(&settings, "[generator]\ncatalogue_dirs = [\"/srv/one\", \"/srv/two\"]\n").unwrap();
        let variable = "PROMPTCRAFT__GENERATOR__CATALOGUE_DIRS";
        for (environment, others) in [(None, "/srv/one,/srv/two,"), (Some("/srv/three"), "/srv/three,"), (Some(""), "")]
        {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["stack::process_specs::tests::the_folders_of_a_worker_are_printed", "--exact", "--ignored"]);
            command.arg("--nocapture").env(FOLDER, &folder).env("PROMPTCRAFT_CONFIG", &settings).env_remove(variable);
            let output = command.envs(environment.map(|value| (variable, value))).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let expected = format!("folders: [\"{others}{}/recipes\"]", folder.display());
            assert!(text.contains(&expected), "{expected} is not in:\n{text}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
