//! The approver's settings.

use std::time::Duration;

use domain::approval::Policy;
use domain::identity::Secret;
use messaging::BrokerSettings;
use service::config::{ConfigErrors, Profile, Settings};
use service::telemetry::{LogFormat, OtlpEndpoint};

/// Everything that an approver reads from its settings.
#[derive(Debug, Clone)]
pub struct Config {
    pub broker: BrokerSettings,
    pub redis_url: Secret,
    pub policy: Policy,
    /// Time between two announcements of an open approval; zero announces it once.
    pub announce_interval: Duration,
    pub metrics_listen: String,
    /// The key that signs every webhook.
    pub webhook_key: Secret,
    pub webhook_allow_private: bool,
    pub log: LogFormat,
    pub log_filter: String,
    /// The receiver of traces; none are made without it.
    pub otlp_endpoint: Option<OtlpEndpoint>,
}

impl Config {
    /// Reads the settings; the error lists every mistake.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigErrors> {
        let profile = settings.read::<Profile>("profile");
        let config = Self {
            broker: BrokerSettings::read(&mut settings),
            redis_url: settings.required_secret("redis.url", "redis.url_file"),
            policy: read_policy(&mut settings),
            announce_interval: settings.span("approval.announce_every"),
            metrics_listen: settings.read::<String>("approver.metrics_listen"),
            webhook_key: settings.required_secret("webhook.signing_key", "webhook.signing_key_file"),
            webhook_allow_private: settings.read("webhook.allow_private"),
            log: settings.read("telemetry.log"),
            log_filter: settings.read_or("telemetry.filter", "info".to_owned()),
            otlp_endpoint: settings.optional("telemetry.otlp_endpoint"),
        };
        if profile == Profile::Production && config.webhook_allow_private {
            settings.mistake("webhook.allow_private: must be false in production");
        }
        // The broker's timers count whole seconds.
        if !config.announce_interval.is_zero() && config.announce_interval < Duration::from_secs(1) {
            settings.mistake("approval.announce_every: must be at least 1s, or 0s for never");
        }
        settings.finish()?;
        Ok(config)
    }
}

fn read_policy(settings: &mut Settings) -> Policy {
    Policy {
        demand_human_from: settings.optional("approval.demand_human_from"),
        gate_before_execute: settings.read("approval.gate_before_execute"),
        two_approvers_from: settings.optional("approval.two_approvers_from"),
        expiry: settings.span("approval.expiry"),
        release_on_expiry: settings.read("approval.release_on_expiry"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_refuses_unsafe_settings_and_names_each() {
        let settings = Settings::from_pairs([
            ("profile", "production"),
            ("nats.url", "nats://127.0.0.1:4222"),
            ("nats.user", "approver"),
            ("nats.monitor_url", "http://127.0.0.1:8222"),
            ("webhook.allow_private", "true"),
            ("approval.two_approvers_from", "severe"),
        ]);
        let ConfigErrors(mistakes) = Config::read(settings).unwrap_err();
        let named: Vec<&str> = mistakes.iter().filter_map(|mistake| mistake.split(':').next()).collect();
        assert_eq!(named, ["approval.two_approvers_from", "redis.url", "webhook.allow_private", "webhook.signing_key"]);
    }
}
