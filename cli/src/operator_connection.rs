//! Connections to broker and Redis with the operator's credentials.

use std::path::{Path, PathBuf};

use domain::identity::Secret;
use messaging::{Broker, BrokerSettings};
use read_model::ReadModel;
use service::config::Settings;

use crate::error::CommandError;
use crate::stack::Manifest;

/// Options that select the installation.
#[derive(clap::Args, Clone)]
pub(crate) struct OperatorConnection {
    /// Data directory of a stack on this machine; if none runs there, the settings nats.* and redis.* apply
    #[arg(long, default_value = "./data")]
    pub(crate) data: PathBuf,
}

impl OperatorConnection {
    /// Returns the manifest of the stack that runs on the data directory.
    pub(crate) fn running_stack(&self) -> Option<Manifest> {
        Manifest::read(&self.data)
    }

    /// Connects as operator to the broker of the running stack, else of the settings.
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

    /// Returns the number of stream replicas from the settings.
    pub(crate) fn replicas(&self) -> usize {
        if self.running_stack().is_some() { 1 } else { Settings::from_environment().read("nats.replicas") }
    }
}

fn stack_settings(stack: &Manifest) -> Result<BrokerSettings, CommandError> {
    let file = stack
        .nats_password_files
        .get("cli")
        .ok_or("stack.json has no password file of the operator; restart the stack")?;
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
            "no stack runs on {}, and nats.url is not set. Start one with `promptcraft up`, or set \
             PROMPTCRAFT__NATS__URL, PROMPTCRAFT__NATS__USER=cli and PROMPTCRAFT__NATS__PASSWORD_FILE",
            data.display()
        );
        return Err(message.into());
    }
    let broker = BrokerSettings::read(&mut settings);
    settings.finish()?;
    Ok(broker)
}
