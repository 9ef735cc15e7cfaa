//! The settings with their types, defaults and meanings: read by [`super::Settings`] and by the reference for operators.

/// A setting.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    /// The form of its values, e.g. `duration` (`30s`), `rate` (`8/30`: burst and refill per minute) or `list` (divided by commas).
    pub kind: &'static str,
    pub default: SettingDefault,
    pub meaning: &'static str,
}

/// The value of a setting that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingDefault {
    /// In the form in which operators write it.
    Value(&'static str),
    /// Depends on the machine or on another setting; described in words.
    Computed(&'static str),
    /// None: the setting is optional.
    Unset,
    /// None: the process does not start without it or its `_file`.
    Required,
}

const fn value(name: &'static str, kind: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, kind, default: SettingDefault::Value(default), meaning }
}

const fn computed(name: &'static str, kind: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, kind, default: SettingDefault::Computed(default), meaning }
}

const fn optional(name: &'static str, kind: &'static str, meaning: &'static str) -> Setting {
    Setting { name, kind, default: SettingDefault::Unset, meaning }
}

const fn required(name: &'static str, kind: &'static str, meaning: &'static str) -> Setting {
    Setting { name, kind, default: SettingDefault::Required, meaning }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    value(
        "profile",
        "demo, development or production",
        "development",
        "safety checks at startup; production refuses everything unsafe",
    ),
    value("telemetry.log", "text or json", "text", "format of log lines"),
    computed(
        "telemetry.filter",
        "text",
        "`info`; in the API `info,actix_http::h1::dispatcher=off`",
        "log filter, e.g. info,messaging=debug",
    ),
    optional(
        "telemetry.otlp_endpoint",
        "address",
        "OTLP/HTTP receiver of traces, e.g. http://127.0.0.1:4318; only in programs built with `--features otlp`",
    ),
    required("nats.url", "address", "comma-separated addresses of the broker, e.g. nats://127.0.0.1:4222"),
    required("nats.user", "text", "broker user of this process: api, approver, worker, or cli for the operator"),
    optional("nats.password", "secret", "password of nats.user"),
    optional("nats.password_file", "file", "a file that holds nats.password"),
    value(
        "nats.durability",
        "strict or relaxed",
        "strict",
        "strict refuses a broker without sync always; relaxed skips the check and is refused in production",
    ),
    computed(
        "nats.monitor_url",
        "address",
        "none; required where nats.durability is strict",
        "comma-separated monitoring addresses of all broker nodes, e.g. http://127.0.0.1:8222, to check durability",
    ),
    optional(
        "nats.tls_ca_file",
        "file",
        "the CA of the broker's certificate, a PEM file; if set, the connection requires TLS",
    ),
    value("nats.replicas", "1, 3 or 5", "1", "copies of each stream"),
    required("redis.url", "secret", "the read model's address, e.g. redis://:password@127.0.0.1:6379/0"),
    optional("redis.url_file", "file", "a file that holds the read model's address"),
    value("api.listen", "address", "127.0.0.1:8000", "listening address of the API, e.g. 127.0.0.1:8000"),
    value("api.metrics_listen", "address", "127.0.0.1:8001", "listening address for metrics; port 0 takes a free one"),
    computed("api.workers", "number", "one for each core, 2 to 8", "HTTP threads"),
    computed(
        "api.max_connections",
        "number",
        "half of the open files allowed, at most 10000",
        "maximum client connections",
    ),
    value("api.trusted_proxies", "list", "", "comma-separated addresses whose X-Forwarded-For is trusted"),
    value(
        "api.hosts",
        "list",
        "",
        "comma-separated names and addresses, without port, of the API; if set, or on a loopback listener, any Host \
         except these and localhost is 421",
    ),
    value("auth.issuer", "text", "promptcraft", "the tokens' issuer"),
    value("auth.audience", "text", "promptcraft-api", "the tokens' audience"),
    value("auth.access_ttl", "duration", "15m", "lifetime of an access token, e.g. 15m"),
    value("auth.refresh_ttl", "duration", "30d", "lifetime of a refresh token, e.g. 30d"),
    value(
        "auth.max_revocation_staleness",
        "duration",
        "5s",
        "maximum age of the API's copies of users, keys and revocations; beyond it requests with a token are 503; at least 3s",
    ),
    value(
        "limits.profile",
        "standard or load",
        "standard",
        "load lifts the rate limits for load tests; refused in production",
    ),
    value("limits.execute", "rate", "8/30", "burst/refill per minute, e.g. 8/30"),
    value("limits.analyze", "rate", "60/60", "burst/refill per minute"),
    value("limits.decide", "rate", "120/600", "burst/refill per minute, for decisions and cancels"),
    value("limits.status", "rate", "120/600", "burst/refill per minute, for every other call"),
    value(
        "limits.sign_in",
        "rate",
        "10/10",
        "burst/refill per minute of wrong passwords, per user name and address (IPv6: /64)",
    ),
    value(
        "limits.sign_in_address",
        "rate",
        "60/60",
        "burst/refill per minute of wrong passwords, per address over all user names",
    ),
    value(
        "limits.sign_in_name",
        "rate",
        "100/100",
        "burst/refill per minute of wrong passwords, per user name over all addresses; beyond it an address has 4/1 \
         instead of limits.sign_in",
    ),
    value(
        "limits.sign_in_attempts",
        "rate",
        "60/60",
        "burst/refill per minute of sign-ins, right or wrong, per user name and address",
    ),
    value(
        "limits.unauthenticated",
        "rate",
        "300/600",
        "burst/refill per minute of requests without a valid token, per address and API process",
    ),
    value("limits.roles", "list", "", "comma-separated limits for a role, e.g. admin:execute=100/600"),
    value("budget.per_workflow", "number", "2", "the cost at which a workflow fails"),
    value(
        "budget.per_user_day",
        "number",
        "10",
        "maximum cost of a user's workflows of one day (UTC); beyond it no workflow is accepted and no step with a \
         cost starts",
    ),
    value("budget.cpu_second", "number", "0.01", "the price of a CPU second in the sandbox"),
    value("budget.thousand_tokens", "number", "0.01", "the price of a thousand model tokens"),
    value("analysis.deadline", "duration", "10s", "timeout of a caller waiting for an analysis, e.g. 10s"),
    value("analysis.cache_ttl", "duration", "1h", "lifetime of a cached analysis of the same text, e.g. 1h"),
    computed("worker.instance", "text", "worker-, host name and process id", "unique name of this worker"),
    value("worker.phases", "list", "plan,generate,analyze,execute,analyses", "phases to serve"),
    value("worker.concurrency", "number", "8", "maximum concurrent steps of one phase"),
    computed(
        "worker.execute_concurrency",
        "number",
        "one for each core, at least 2",
        "sandbox runs at once whose users may have others running",
    ),
    computed(
        "worker.execute_slots",
        "number",
        "16, or twice worker.execute_concurrency; fewer where memory is short (512 MiB each)",
        "sandbox runs at once in all; those beyond worker.execute_concurrency are for users without running code",
    ),
    value("worker.metrics_listen", "address", "127.0.0.1:0", "listening address for metrics; port 0 takes a free one"),
    value("worker.max_attempts", "number", "10", "attempts of a step before it is dead-lettered"),
    value("worker.steps_per_user", "number", "8", "maximum concurrent steps of one user; the rest wait"),
    value("worker.drain", "duration", "20s", "time for which running steps may continue after a signal"),
    value(
        "worker.require_user_namespace",
        "boolean",
        "false",
        "true: refuse to start where root of the worker's container is root of the host",
    ),
    value("sandbox.backend", "auto, docker or bubblewrap", "auto", "production must name docker or bubblewrap"),
    value("sandbox.roots_dir", "folder", "data/sandbox", "folder of the runtimes' root file systems"),
    value(
        "sandbox.runtimes",
        "list",
        "python",
        "comma-separated runtimes to offer; one that is not built by default needs its root (docs/how-to/add-a-runtime.md)",
    ),
    computed(
        "sandbox.docker_host",
        "address",
        "`/var/run/docker.sock`",
        "the engine's address, e.g. unix:///var/run/docker.sock",
    ),
    value(
        "sandbox.pool_size",
        "number",
        "4",
        "warm containers of the first runtime; each other runtime has at most one; 0 starts containers on demand",
    ),
    value(
        "sandbox.start_ahead",
        "level or none",
        "standard",
        "level whose scripts get a prestarted interpreter: strict, standard, permissive or none",
    ),
    value(
        "sandbox.jobs_per_container",
        "number",
        "20",
        "maximum jobs of one owner per container at level standard, wiped in between; 1 uses each container once",
    ),
    optional("sandbox.docker_runtime", "text", "the engine's runtime for containers, e.g. runsc for gVisor"),
    computed(
        "sandbox.minimum_landlock_abi",
        "number",
        "1; 0 where sandbox.docker_runtime brings its own kernel",
        "refuse to run code below this Landlock ABI; 0 accepts a kernel without Landlock",
    ),
    value(
        "generator.catalogue_dirs",
        "list",
        "",
        "comma-separated folders with further recipes; `promptcraft up` adds the folder recipes of its data directory",
    ),
    computed(
        "generator.runtimes",
        "list",
        "sandbox.runtimes",
        "comma-separated target runtimes of code: those of all workers that execute; default sandbox.runtimes",
    ),
    value(
        "generator.embeddings",
        "auto, off or folder",
        "auto",
        "auto, off or the folder of a model that compares goals by meaning; auto: the one in generator.data_dir",
    ),
    value(
        "generator.data_dir",
        "folder",
        "data",
        "folder of the embedding model and its vector cache, in its folders models and cache",
    ),
    optional("generator.model_url", "address", "base address of an OpenAI-compatible endpoint"),
    optional("generator.model", "text", "the model's name"),
    optional("generator.model_key", "secret", "the endpoint's key"),
    optional("generator.model_key_file", "file", "a file that holds the endpoint's key"),
    value("generator.model_timeout", "duration", "60s", "timeout of one request, e.g. 60s"),
    value("generator.max_tokens", "number", "4096", "maximum tokens of one reply"),
    value(
        "approver.metrics_listen",
        "address",
        "127.0.0.1:0",
        "listening address for metrics; port 0 takes a free one",
    ),
    value("approval.expiry", "duration", "24h", "lifetime of an open approval, e.g. 24h"),
    value(
        "approval.release_on_expiry",
        "boolean",
        "false",
        "true: an expired approval releases the result if no operator rule requires a human",
    ),
    value(
        "approval.announce_every",
        "duration",
        "5m",
        "interval of repeated announcements of open approvals to bots, e.g. 5m; 0s: never",
    ),
    value("approval.gate_before_execute", "boolean", "false", "true: code runs only after a human approved"),
    optional(
        "approval.demand_human_from",
        "risk",
        "low, medium, high or critical: from this risk on a human must approve",
    ),
    optional(
        "approval.two_approvers_from",
        "risk",
        "low, medium, high or critical: from this risk on two must approve",
    ),
    value(
        "archive.older_than",
        "duration",
        "30d",
        "minimum time since the end of a workflow for `promptcraft admin archive`, e.g. 30d; at least 24h",
    ),
    computed(
        "archive.directory",
        "folder",
        "archive in the data directory",
        "folder for the files of `promptcraft admin archive`; default the folder archive of the data directory",
    ),
    required("webhook.signing_key", "secret", "the key to sign notifications"),
    optional("webhook.signing_key_file", "file", "a file that holds it"),
    value(
        "webhook.allow_private",
        "boolean",
        "false",
        "true: notifications may go to private addresses; never in production",
    ),
];

/// Returns the setting of a name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// `(old, new)` name of every setting that was renamed; the old name is an error that names the new one.
pub const RENAMED_SETTINGS: &[(&str, &str)] = &[("auth.out_of_touch", "auth.max_revocation_staleness")];

/// Settings that no longer exist; to set one is an error that says so.
pub const REMOVED_SETTINGS: &[&str] = &["worker.ack_wait"];
