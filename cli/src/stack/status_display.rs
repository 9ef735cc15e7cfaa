//! Shows process events of a stack and records process ids in `stack.json`.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::output::{self, Style};
use crate::stack::{Manifest, ProcessEvent, StackConfig};

/// Prints a line for each event and keeps `stack.json` up to date.
pub(crate) struct StatusDisplay {
    config: Arc<StackConfig>,
    manifest: Manifest,
    events: mpsc::UnboundedReceiver<ProcessEvent>,
}

impl StatusDisplay {
    pub(crate) fn new(config: Arc<StackConfig>, events: mpsc::UnboundedReceiver<ProcessEvent>) -> io::Result<Self> {
        let manifest = Manifest::of(&config)?;
        Ok(Self { config, manifest, events })
    }

    /// Shows events until all senders are dropped. Cancel safe.
    pub(crate) async fn run(&mut self) {
        while let Some(event) = self.events.recv().await {
            self.show(&event);
        }
    }

    /// Shows the events that are already queued.
    pub(crate) fn show_pending(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.show(&event);
        }
    }

    fn show(&mut self, event: &ProcessEvent) {
        match event {
            ProcessEvent::Started { name, pid } => {
                self.manifest.pids.insert(name.clone(), *pid);
                self.refresh_bots();
                if let Err(error) = self.manifest.write(self.config.data.root()) {
                    output::status_line("stack.json", Style::Warning, "not written", &error.to_string());
                }
            }
            ProcessEvent::Ready { name, after } => {
                let state = format!("ready in {}", output::format_duration(*after));
                output::status_line(name, Style::Success, &state, &self.address(name));
            }
            ProcessEvent::Lost { name, reason, pause } => {
                let when = match pause.is_zero() {
                    true => "at once".to_owned(),
                    false => format!("in {}", output::format_duration(*pause)),
                };
                let detail = format!("restarts {when}; see {}", self.log(name));
                output::status_line(name, Style::Error, reason, &detail);
            }
        }
    }

    /// Adds bots that `promptcraft admin bot add` has created since.
    fn refresh_bots(&mut self) {
        for bot in self.config.data.bots().unwrap_or_default() {
            if let Ok(file) = self.config.data.secret_file(&format!("bot-{}", bot.name)) {
                self.manifest.add_bot(bot.name.as_str(), &file);
            }
        }
    }

    fn address(&self, name: &str) -> String {
        match name {
            "nats" => self.config.broker_url(),
            "redis" => format!("redis://127.0.0.1:{}", self.config.ports.redis),
            "api" => self.config.api_url(),
            _ => self.log(name),
        }
    }

    fn log(&self, name: &str) -> String {
        let path = self.config.data.log(name);
        let here = std::env::current_dir().unwrap_or_default();
        path.strip_prefix(here).unwrap_or(&path).display().to_string()
    }
}
