//! The operator's own way to the broker, for commands that change what services only read.

use std::path::{Path, PathBuf};

use shared::config::Settings;
use shared::identity::Secret;
use shared::messaging::{Broker, BrokerSettings};
use shared::read_model::ReadModel;

use crate::error::CommandError;
use crate::stack::Manifest;

/// Which installation a command is about.
#[derive(clap::Args, Clone)]
pub(crate) struct OperatorConnection {
    /// The data directory of a stack on this machine; without one the settings nats.* say where the broker is
    #[arg(long, default_value = "./data")]
    pub(crate) data: PathBuf,
}

impl OperatorConnection {
    /// The stack that runs on the data directory, if one does.
    pub(crate) fn running_stack(&self) -> Option<Manifest> {
        Manifest::read(&self.data)
    }

    /// Signs in as the operator: to the stack of the data directory, else to the broker of the settings.
    pub(crate) async fn connect(&self) -> Result<Broker, CommandError> {
        let settings = match self.running_stack() {
            Some(stack) => stack_settings(&stack)?,
            None => environment_settings(&self.data)?,
        };
        Ok(Broker::connect(&settings).await?)
    }

    /// Opens the read model of the same installation.
    pub(crate) fn read_model(&self) -> Result<ReadModel, CommandError> {
        Ok(ReadModel::open(self.redis_url()?.expose())?)
    }

    fn redis_url(&self) -> Result<Secret, CommandError> {
        if let Some(stack) = self.running_stack() {
            return Ok(Secret::new(std::fs::read_to_string(stack.redis_url_file)?.trim()));
        }
        let mut settings = Settings::from_environment();
        let url = settings.secret("redis.url", "redis.url_file");
        settings.finish()?;
        url.ok_or_else(|| "redis.url is not set: set PROMPTCRAFT__REDIS__URL or PROMPTCRAFT__REDIS__URL_FILE".into())
    }

    /// How many copies of each stream the settings ask for.
    pub(crate) fn replicas(&self) -> usize {
        if self.running_stack().is_some() { 1 } else { Settings::from_environment().read("nats.replicas", 1) }
    }
}

fn stack_settings(stack: &Manifest) -> Result<BrokerSettings, CommandError> {
    let file = stack.nats_password_files.get("cli").ok_or("stack.json names no password of the operator")?;
    Ok(BrokerSettings {
        url: stack.nats_url.clone(),
        user: "cli".to_owned(),
        password: Some(Secret::new(std::fs::read_to_string(file)?.trim())),
        replicas: 1,
        strict: true,
        monitor_url: Some(stack.nats_monitor_url.clone()),
        tls_ca_file: None,
    })
}

fn environment_settings(data: &Path) -> Result<BrokerSettings, CommandError> {
    let mut settings = Settings::from_environment();
    if settings.optional::<String>("nats.url").is_none() {
        let message = format!(
            "no stack runs on {}, and nats.url is not set. Start one with `promptcraft up`, or set PROMPTCRAFT__NATS__URL, \
             PROMPTCRAFT__NATS__USER=cli and PROMPTCRAFT__NATS__PASSWORD_FILE",
            data.display()
        );
        return Err(message.into());
    }
    let broker = BrokerSettings::read(&mut settings);
    settings.finish()?;
    Ok(broker)
}
