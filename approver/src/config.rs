//! The approver's settings.

use std::time::Duration;

use shared::approval::{Policy, RiskLevel};
use shared::config::{ConfigErrors, Profile, Settings};
use shared::identity::Secret;
use shared::messaging::BrokerSettings;
use shared::telemetry::LogFormat;

/// Everything an approver is told.
#[derive(Debug, Clone)]
pub struct Config {
    pub broker: BrokerSettings,
    pub redis_url: Secret,
    pub policy: Policy,
    pub metrics_listen: String,
    /// Signs notifications; without it they are not signed, which a production start refuses.
    pub webhook_key: Option<Secret>,
    pub webhook_allow_private: bool,
    pub log: LogFormat,
    pub log_filter: String,
}

impl Config {
    /// Reads the settings; every mistake is reported at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigErrors> {
        let profile = settings.read("profile", Profile::Development);
        let config = Self {
            broker: BrokerSettings::read(&mut settings),
            redis_url: settings.required_secret("redis.url", "redis.url_file"),
            policy: read_policy(&mut settings),
            metrics_listen: settings.read("approver.metrics_listen", "127.0.0.1:0".to_owned()),
            webhook_key: settings.secret("webhook.signing_key", "webhook.signing_key_file"),
            webhook_allow_private: settings.read("webhook.allow_private", false),
            log: settings.read("telemetry.log", LogFormat::Text),
            log_filter: settings.read("telemetry.filter", "info".to_owned()),
        };
        if profile == Profile::Production && config.webhook_key.is_none() {
            settings.mistake(
                "webhook.signing_key: must be set in production, so that receivers can tell our notifications",
            );
        }
        if profile == Profile::Production && config.webhook_allow_private {
            settings.mistake("webhook.allow_private: must be false in production");
        }
        settings.finish()?;
        Ok(config)
    }
}

fn read_policy(settings: &mut Settings) -> Policy {
    Policy {
        demand_human_from: read_risk(settings, "approval.demand_human_from"),
        gate_before_execute: settings.read("approval.gate_before_execute", false),
        two_approvers_from: read_risk(settings, "approval.two_approvers_from"),
        expiry: settings.span("approval.expiry", Duration::from_secs(24 * 3600)),
        release_on_expiry: settings.read("approval.release_on_expiry", false),
    }
}

fn read_risk(settings: &mut Settings, name: &'static str) -> Option<RiskLevel> {
    let text = settings.optional::<String>(name)?;
    let level = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical]
        .into_iter()
        .find(|level| level.as_str() == text);
    if level.is_none() {
        settings.mistake(format!("{name}: is low, medium, high or critical"));
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_refuses_what_is_unsafe_and_names_it_all() {
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
