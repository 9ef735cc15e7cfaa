//! The API's settings.

use std::net::IpAddr;
use std::time::Duration;

use domain::approval::RiskLevel;
use domain::identity::Secret;
use messaging::BrokerSettings;
use rustix::process::{Resource, getrlimit};
use service::config::{Budget, ConfigErrors, Profile, Settings};
use service::telemetry::{LogFormat, OtlpEndpoint};

use crate::auth::settings::TokenSettings;
use crate::http::hosts::Hosts;
use crate::limits::settings::RateLimitSettings;

/// Default of `api.max_connections` if the limit of open files is high. A connection whose client never reads takes
/// about 35 KiB, one with an unfinished head up to 128 KiB more.
const DEFAULT_MAX_CONNECTIONS: usize = 10_000;

/// Silences the HTTP library's own line per malformed request, with which any client could fill the log.
const DEFAULT_FILTER: &str = "info,actix_http::h1::dispatcher=off";

/// All settings of an API process.
#[derive(Debug, Clone)]
pub struct Config {
    pub profile: Profile,
    pub broker: BrokerSettings,
    pub redis_url: Secret,
    pub listen: String,
    /// Accepted values of `Host`.
    pub hosts: Hosts,
    pub metrics_listen: String,
    pub workers: usize,
    /// Maximum open connections over all HTTP threads; further ones wait in the kernel.
    pub max_connections: usize,
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted.
    pub trusted_proxies: Vec<IpAddr>,
    pub tokens: TokenSettings,
    pub limits: RateLimitSettings,
    pub budget: Budget,
    pub analysis_deadline: Duration,
    pub analysis_cache_ttl: Duration,
    /// Code runs only after a human approved it.
    pub gate_before_execute: bool,
    pub demand_human_from: Option<RiskLevel>,
    /// Notifications may go to private addresses; refused in production.
    pub allow_private_webhooks: bool,
    pub log: LogFormat,
    pub log_filter: String,
    /// The receiver of traces; none are made without it.
    pub otlp_endpoint: Option<OtlpEndpoint>,
}

impl Config {
    /// Reads the settings and reports all mistakes together.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigErrors> {
        let profile = settings.read::<Profile>("profile");
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let listen = settings.read::<String>("api.listen");
        let config = Self {
            profile,
            broker: BrokerSettings::read(&mut settings),
            redis_url: settings.required_secret("redis.url", "redis.url_file"),
            hosts: Hosts::read(&mut settings, &listen, profile),
            listen,
            metrics_listen: settings.read::<String>("api.metrics_listen"),
            workers: settings.read_or("api.workers", cores.clamp(2, 8)).max(1),
            max_connections: read_max_connections(&mut settings),
            trusted_proxies: read_proxies(&mut settings),
            tokens: TokenSettings::read(&mut settings, profile),
            limits: RateLimitSettings::read(&mut settings, profile),
            budget: Budget::read(&mut settings),
            analysis_deadline: settings.span("analysis.deadline"),
            analysis_cache_ttl: settings.span("analysis.cache_ttl"),
            gate_before_execute: settings.read("approval.gate_before_execute"),
            demand_human_from: settings.optional("approval.demand_human_from"),
            allow_private_webhooks: settings.read("webhook.allow_private"),
            log: settings.read("telemetry.log"),
            log_filter: settings.read_or("telemetry.filter", DEFAULT_FILTER.to_owned()),
            otlp_endpoint: settings.optional("telemetry.otlp_endpoint"),
        };
        settings.finish()?;
        Ok(config)
    }
}

/// Reads `api.max_connections`; the default is half of the open files allowed, leaving the rest for NATS, Redis and
/// logs.
fn read_max_connections(settings: &mut Settings) -> usize {
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    let connections = settings.read_or("api.max_connections", (files / 2).clamp(1, DEFAULT_MAX_CONNECTIONS));
    if !(1..files).contains(&connections) {
        settings.mistake("api.max_connections: must be at least 1 and below the limit of open files (ulimit -n)");
    }
    connections
}

fn read_proxies(settings: &mut Settings) -> Vec<IpAddr> {
    let mut proxies = Vec::new();
    for text in settings.list("api.trusted_proxies") {
        match text.parse() {
            Ok(address) => proxies.push(address),
            Err(_) => settings.mistake("api.trusted_proxies: must be a list of IP addresses, e.g. 10.0.0.2,::1"),
        }
    }
    proxies
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("nats.url", "nats://127.0.0.1:4222"),
        ("nats.user", "api"),
        ("nats.monitor_url", "http://127.0.0.1:8222"),
        ("redis.url", "redis://127.0.0.1:6379/0"),
    ];

    #[track_caller]
    fn check(more: &[(&'static str, &'static str)], named: &[&str]) {
        let outcome = Config::read(Settings::from_pairs(GOOD.into_iter().chain(more.iter().copied())));
        let mistakes = outcome.err().map(|ConfigErrors(mistakes)| mistakes).unwrap_or_default();
        let names: Vec<&str> = mistakes.iter().filter_map(|mistake| mistake.split(':').next()).collect();
        assert_eq!(names, named);
    }

    #[test]
    fn every_mistake_is_named() {
        check(&[], &[]);
        check(&[("auth.access_ttl", "48h")], &["auth.access_ttl"]);
        check(&[("auth.max_revocation_staleness", "1s")], &["auth.max_revocation_staleness"]);
        check(&[("api.max_connections", "0")], &["api.max_connections"]);
        check(&[("api.max_connections", "4000000000")], &["api.max_connections"]);
        check(
            &[("auth.refresh_ttl", "1m"), ("api.trusted_proxies", "proxy")],
            &["api.trusted_proxies", "auth.refresh_ttl"],
        );
        check(&[("limits.execute", "8"), ("limits.roles", "king:execute=1/1")], &["limits.execute", "limits.roles"]);
        check(&[("profile", "demo"), ("api.listen", "0.0.0.0:0")], &["api.hosts"]);
        check(&[("limits.profile", "load"), ("profile", "production")], &["limits.profile"]);
        check(&[("budget.per_user_day", "NaN")], &["budget"]);
    }
}
