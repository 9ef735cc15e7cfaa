//! The worker's settings.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use domain::identity::Secret;
use domain::workflow::PhaseKind;
use generator::{Embeddings, GeneratorConfig, ModelConfig, OfferedRuntime};
use messaging::BrokerSettings;
use sandbox::{Backend, IsolationLevel, SandboxConfig};
use service::config::{Budget, ConfigErrors, Profile, Settings};
use service::telemetry::{LogFormat, OtlpEndpoint};

/// Maximum length of the host name in a worker's name, which has at most 40 characters.
const MAX_HOST_BYTES: usize = 20;

/// Sandbox runs at once if memory allows; a sleeping program takes memory and no core.
const DEFAULT_SLOTS: usize = 16;
/// Memory of a job at level `standard`, and of the worker itself.
const SLOT_MIB: usize = 512;
const WORKER_MIB: usize = 1_024;

/// Everything that a worker reads from its settings.
#[derive(Debug, Clone)]
pub struct Config {
    pub broker: BrokerSettings,
    pub redis_url: Secret,
    pub instance: String,
    /// Phases whose steps the worker runs.
    pub phases: Vec<PhaseKind>,
    /// True if the worker runs interactive analyses.
    pub analyses: bool,
    /// Maximum concurrent steps of one phase.
    pub concurrency: usize,
    /// Maximum concurrent sandbox runs of users who may have others running; the further slots, up to
    /// `sandbox.concurrency` in all, are for users without running code.
    pub execute_concurrency: usize,
    pub max_attempts: u64,
    pub steps_per_user: u32,
    pub drain: Duration,
    /// True if the worker must run in a user namespace other than the host's.
    pub require_user_namespace: bool,
    pub sandbox: SandboxConfig,
    pub generator: GeneratorConfig,
    pub budget: Budget,
    pub metrics_listen: String,
    pub log: LogFormat,
    pub log_filter: String,
    /// The receiver of traces; none are made without it.
    pub otlp_endpoint: Option<OtlpEndpoint>,
}

impl Config {
    /// Reads the settings; the error lists every mistake.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigErrors> {
        let profile = settings.read::<Profile>("profile");
        let instance =
            settings.read_or("worker.instance", instance_name(rustix::system::uname().nodename().to_bytes()));
        let (phases, analyses) = read_phases(&mut settings);
        let runtimes = settings.list("sandbox.runtimes");
        let execute_concurrency = settings.read_or("worker.execute_concurrency", cores());
        let config = Self {
            broker: BrokerSettings::read(&mut settings),
            redis_url: settings.required_secret("redis.url", "redis.url_file"),
            phases,
            analyses,
            concurrency: settings.read("worker.concurrency"),
            execute_concurrency,
            max_attempts: settings.read("worker.max_attempts"),
            steps_per_user: settings.read("worker.steps_per_user"),
            drain: settings.span("worker.drain"),
            require_user_namespace: settings.read("worker.require_user_namespace"),
            sandbox: read_sandbox(&mut settings, profile, &instance, runtimes.clone(), execute_concurrency),
            generator: read_generator(&mut settings, &runtimes),
            budget: Budget::read(&mut settings),
            metrics_listen: settings.read::<String>("worker.metrics_listen"),
            log: settings.read("telemetry.log"),
            log_filter: settings.read_or("telemetry.filter", "info".to_owned()),
            otlp_endpoint: settings.optional("telemetry.otlp_endpoint"),
            instance,
        };
        if config.phases.contains(&PhaseKind::Generate)
            && let Some((variant, usual)) = lone_variant(&config.generator.runtimes)
        {
            settings.mistake(format!(
                "sandbox.runtimes, generator.runtimes: {variant} serves programs that import its modules or name it; add \
                 {usual}"
            ));
        }
        if config.concurrency == 0 || config.execute_concurrency == 0 {
            settings.mistake("worker.concurrency, worker.execute_concurrency: must be at least 1");
        }
        if config.sandbox.concurrency < config.execute_concurrency {
            settings.mistake("worker.execute_slots: must be at least worker.execute_concurrency");
        }
        settings.finish()?;
        Ok(config)
    }
}

/// Returns a name that is unique among the workers of all hosts, in the characters that an instance may have. In a
/// container every process id is 1, and the host name is the container's.
fn instance_name(host: &[u8]) -> String {
    let plain: Vec<u8> = host.iter().copied().filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').collect();
    // Generated host names differ at their end.
    let host = String::from_utf8_lossy(&plain[plain.len().saturating_sub(MAX_HOST_BYTES)..]);
    format!("worker-{host}-{}", std::process::id())
}

fn read_phases(settings: &mut Settings) -> (Vec<PhaseKind>, bool) {
    let known = [PhaseKind::Plan, PhaseKind::Generate, PhaseKind::Analyze, PhaseKind::Execute];
    let mut phases = Vec::new();
    let mut analyses = false;
    for word in settings.list("worker.phases") {
        match known.into_iter().find(|phase| phase.as_str() == word) {
            Some(phase) => phases.push(phase),
            None if word == "analyses" => analyses = true,
            None => settings
                .mistake(format!("worker.phases: {word:?} is not one of plan, generate, analyze, execute, analyses")),
        }
    }
    (phases, analyses)
}

/// Returns the number of cores that this process may use, at least 2.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2)
}

/// Returns the memory of this host or container in MiB; `None` if the kernel does not tell.
fn memory_mib() -> Option<usize> {
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<usize>().ok());
    let total = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.trim().strip_suffix(" kB")?.parse::<usize>().ok()
    });
    [limit.map(|bytes| bytes >> 20), total.map(|kib| kib >> 10)].into_iter().flatten().min()
}

/// Returns the default of `worker.execute_slots`: [`DEFAULT_SLOTS`], or twice the runs for everyone if that is more, or
/// what the memory allows beside the worker; at least one is left for users without running code.
fn default_slots(execute_concurrency: usize, memory_mib: Option<usize>) -> usize {
    let fitting = memory_mib.map_or(usize::MAX, |mib| mib.saturating_sub(WORKER_MIB) / SLOT_MIB);
    let wanted = DEFAULT_SLOTS.max(execute_concurrency.saturating_mul(2));
    fitting.min(wanted).max(execute_concurrency.saturating_add(1))
}

fn read_sandbox(
    settings: &mut Settings,
    profile: Profile,
    instance: &str,
    runtimes: Vec<String>,
    execute_concurrency: usize,
) -> SandboxConfig {
    let backend = match settings.read::<String>("sandbox.backend").as_str() {
        "docker" => Backend::Docker,
        "bubblewrap" => Backend::Bubblewrap,
        "auto" => Backend::Auto,
        _ => {
            settings.mistake("sandbox.backend: must be auto, docker or bubblewrap");
            Backend::Auto
        }
    };
    if profile == Profile::Production && backend == Backend::Auto {
        settings.mistake(
            "sandbox.backend: production must name docker or bubblewrap, so that an unavailable engine is an error",
        );
    }
    let docker_runtime = settings.optional::<String>("sandbox.docker_runtime");
    let minimum_landlock_abi =
        settings.read_or("sandbox.minimum_landlock_abi", min_landlock_abi(backend, docker_runtime.as_deref()));
    SandboxConfig {
        backend,
        docker_host: settings.optional("sandbox.docker_host"),
        roots_dir: PathBuf::from(settings.read::<String>("sandbox.roots_dir")),
        runtimes,
        pool_size: settings.read("sandbox.pool_size"),
        prestart: read_start_ahead(settings),
        jobs_per_container: settings.read("sandbox.jobs_per_container"),
        docker_runtime,
        concurrency: settings.read_or("worker.execute_slots", default_slots(execute_concurrency, memory_mib())),
        runner_path: None,
        minimum_landlock_abi,
        instance: instance.to_owned(),
    }
}

/// Returns the default of the minimum Landlock ABI: any version, or none under a runtime with its own kernel, such as
/// gVisor.
fn min_landlock_abi(backend: Backend, docker_runtime: Option<&str>) -> u32 {
    match (backend, docker_runtime) {
        (Backend::Bubblewrap, _) | (_, None | Some("runc" | "crun" | "io.containerd.runc.v2")) => 1,
        (Backend::Docker | Backend::Auto, Some(_)) => 0,
    }
}

/// Reads the security level for which interpreters are started ahead; by default that of jobs without a chosen level.
fn read_start_ahead(settings: &mut Settings) -> Option<IsolationLevel> {
    match settings.read::<String>("sandbox.start_ahead").as_str() {
        "strict" => Some(IsolationLevel::Strict),
        "standard" => Some(IsolationLevel::Standard),
        "permissive" => Some(IsolationLevel::Permissive),
        "none" => None,
        _ => {
            settings.mistake("sandbox.start_ahead: must be strict, standard, permissive or none");
            None
        }
    }
}

fn read_generator(settings: &mut Settings, offered: &[String]) -> GeneratorConfig {
    let runtimes = read_languages(settings, offered);
    let base_url = settings.optional::<String>("generator.model_url");
    let name = settings.optional::<String>("generator.model");
    let api_key = settings.secret("generator.model_key", "generator.model_key_file");
    let timeout = settings.span("generator.model_timeout");
    let max_tokens = settings.read("generator.max_tokens");
    let model = match (base_url, name) {
        (Some(base_url), Some(model)) => {
            let api_key = api_key.map(|key| key.expose().to_owned());
            Some(ModelConfig { base_url, model, api_key, timeout, max_tokens })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            settings.mistake("generator.model_url, generator.model: a language model needs both");
            None
        }
    };
    let catalogue_dirs = settings.list("generator.catalogue_dirs").into_iter().map(PathBuf::from).collect();
    let embeddings = match settings.read::<String>("generator.embeddings").as_str() {
        "auto" => Embeddings::Auto,
        "off" => Embeddings::Off,
        folder => Embeddings::Folder(PathBuf::from(folder)),
    };
    let data_dir = Some(PathBuf::from(settings.read::<String>("generator.data_dir")));
    let is_offered = |name: &str| runtimes.iter().any(|runtime| runtime.name == name);
    let addable = sandbox::languages().map(|it| it.name.to_owned()).filter(|name| !is_offered(name)).collect();
    GeneratorConfig { catalogue_dirs, model, runtimes, addable, embeddings, data_dir }
}

/// Returns a runtime that only some programs of a language choose, and the missing usual one.
fn lone_variant(runtimes: &[OfferedRuntime]) -> Option<(&str, &str)> {
    let is_there = |name: &str| runtimes.iter().any(|runtime| runtime.name == name);
    let variants = runtimes.iter().filter_map(|it| Some((it.name.as_str(), it.variant_of.as_deref()?)));
    variants.into_iter().find(|(_, usual)| !is_there(usual))
}

/// Reads the languages of generated code: those of the workers that execute, which may differ from this worker's.
fn read_languages(settings: &mut Settings, offered: &[String]) -> Vec<OfferedRuntime> {
    let offered: Vec<&str> = offered.iter().map(String::as_str).collect();
    let names = settings.list_or("generator.runtimes", offered.iter().map(|name| (*name).to_owned()).collect());
    let mut runtimes = Vec::new();
    for name in names {
        match sandbox::languages().find(|language| language.name == name) {
            Some(language) => {
                let (aliases, endings) = (language.aliases.to_vec(), language.endings.to_vec());
                runtimes.push(OfferedRuntime {
                    name,
                    aliases,
                    endings,
                    has_tests: language.has_tests,
                    version: None,
                    variant_of: language.variant_of.map(str::to_owned),
                    modules: language.modules.to_vec(),
                });
            }
            None => settings.mistake(format!("sandbox.runtimes, generator.runtimes: unknown runtime {name:?}")),
        }
    }
    runtimes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings<'a>(more: &[(&'a str, &'a str)]) -> Settings {
        let needed = [
            ("nats.url", "nats://127.0.0.1:4222"),
            ("nats.user", "worker"),
            ("nats.monitor_url", "http://127.0.0.1:8222"),
            ("redis.url", "redis://127.0.0.1/"),
        ];
        Settings::from_pairs(needed.into_iter().chain(more.iter().copied()))
    }

    #[test]
    fn the_defaults_serve_every_phase() {
        let config = Config::read(settings(&[])).unwrap();
        assert_eq!(config.phases.len(), 4);
        assert!(config.analyses && config.generator.model.is_none());
    }

    #[test]
    fn the_name_of_a_worker_tells_containers_apart() {
        let pid = std::process::id();
        assert_eq!(instance_name(b"3f2a9c1b7d10"), format!("worker-3f2a9c1b7d10-{pid}"));
        assert_eq!(instance_name(b"node_1.example.org"), format!("worker-node1exampleorg-{pid}"));
        assert_eq!(instance_name(b"execute-python-7c9d8f7b5d-x2lqz"), format!("worker-hon-7c9d8f7b5d-x2lqz-{pid}"));
    }

    #[test]
    fn landlock_is_required_unless_another_kernel_runs_the_jobs() {
        let minimum = |more| Config::read(settings(more)).unwrap().sandbox.minimum_landlock_abi;
        assert_eq!(minimum(&[]), 1);
        assert_eq!(minimum(&[("sandbox.docker_runtime", "runc")]), 1);
        assert_eq!(minimum(&[("sandbox.docker_runtime", "runsc")]), 0);
        assert_eq!(minimum(&[("sandbox.docker_runtime", "runsc"), ("sandbox.backend", "bubblewrap")]), 1);
        assert_eq!(minimum(&[("sandbox.minimum_landlock_abi", "4")]), 4);
    }

    #[test]
    fn slots_exceed_the_cores_as_far_as_memory_allows() {
        assert_eq!(default_slots(2, Some(24 * 1_024)), 16);
        assert_eq!(default_slots(2, Some(5 * 1_024)), 8);
        assert_eq!(default_slots(4, Some(512)), 5, "one is left for users without running code");
        assert_eq!(default_slots(32, None), 64);
        let slots = |more| Config::read(settings(more)).map(|config| config.sandbox.concurrency);
        assert_eq!(slots(&[("worker.execute_slots", "5")]).unwrap(), 5);
        let ConfigErrors(mistakes) =
            slots(&[("worker.execute_slots", "3"), ("worker.execute_concurrency", "4")]).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.starts_with("worker.execute_slots: ")), "{mistakes:?}");
    }

    #[test]
    fn generated_code_may_have_runtimes_of_other_workers() {
        let known = |more: &[(&'static str, &'static str)]| {
            let config = Config::read(settings(more)).unwrap();
            let names: Vec<_> = config.generator.runtimes.into_iter().map(|runtime| runtime.name).collect();
            (config.sandbox.runtimes.join(","), names.join(","))
        };
        assert_eq!(known(&[]), ("python".to_owned(), "python".to_owned()));
        let both = ("python,bash".to_owned(), "python,bash".to_owned());
        assert_eq!(known(&[("sandbox.runtimes", "python,bash")]), both);
        let apart = ("bash".to_owned(), "python,sql".to_owned());
        assert_eq!(known(&[("sandbox.runtimes", "bash"), ("generator.runtimes", "python, sql")]), apart);
    }

    #[test]
    fn a_variant_needs_the_usual_runtime_of_its_language() {
        let read = |more: &[(&'static str, &'static str)]| Config::read(settings(more));
        let ConfigErrors(mistakes) = read(&[("sandbox.runtimes", "bash,python-data")]).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.ends_with("add python")), "{mistakes:?}");
        read(&[("sandbox.runtimes", "python-data"), ("generator.runtimes", "python,python-data")]).unwrap();
        read(&[("sandbox.runtimes", "python-data"), ("worker.phases", "execute")]).unwrap();
    }

    #[test]
    fn the_error_names_every_mistake() {
        let wrong = settings(&[
            ("profile", "production"),
            ("worker.phases", "plan,sleep"),
            ("worker.ack_wait", "60s"),
            ("sandbox.backend", "auto"),
            ("sandbox.start_ahead", "soon"),
            ("generator.model", "m"),
            ("generator.runtimes", "python,klingon"),
            ("worker.execute_concurrency", "0"),
            ("budget.per_user_day", "NaN"),
        ]);
        let ConfigErrors(mistakes) = Config::read(wrong).unwrap_err();
        let named: Vec<&str> = mistakes.iter().filter_map(|mistake| mistake.split([':', ',']).next()).collect();
        let expected = [
            "budget",
            "generator.model_url",
            "sandbox.backend",
            "sandbox.runtimes",
            "sandbox.start_ahead",
            "worker.ack_wait",
            "worker.concurrency",
            "worker.phases",
        ];
        assert_eq!(named, expected, "{mistakes:#?}");
    }
}
