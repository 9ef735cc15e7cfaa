//! What `promptcraft up` shows and writes down while its processes come and go.

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::output::{self, Style};
use crate::stack::{Event, Manifest, Recipe};

/// Follows the events of a stack: a line on the terminal for each that matters, the process ids in `stack.json`.
pub(crate) struct Board {
    recipe: Arc<Recipe>,
    manifest: Manifest,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Board {
    pub(crate) fn new(recipe: Arc<Recipe>, events: mpsc::UnboundedReceiver<Event>) -> io::Result<Self> {
        let manifest = Manifest::of(&recipe)?;
        Ok(Self { recipe, manifest, events })
    }

    /// Shows events until nobody sends any more. Cancel safe.
    pub(crate) async fn follow(&mut self) {
        while let Some(event) = self.events.recv().await {
            self.show(&event);
        }
    }

    /// Shows what was not shown yet.
    pub(crate) fn catch_up(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.show(&event);
        }
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Started { name, pid } => {
                self.manifest.pids.insert(name.clone(), *pid);
                self.refresh_bots();
                if let Err(error) = self.manifest.write(self.recipe.data.root()) {
                    output::component("stack.json", Style::Attention, "not written", &error.to_string());
                }
            }
            Event::Ready { name, after } => {
                let state = format!("ready in {}", output::duration(*after));
                output::component(name, Style::Good, &state, &self.address(name));
            }
            Event::Lost { name, reason, pause } => {
                let detail = format!("starts again in {}; see {}", output::duration(*pause), self.log(name));
                output::component(name, Style::Bad, reason, &detail);
            }
        }
    }

    /// `promptcraft bot add` may have made some meanwhile.
    fn refresh_bots(&mut self) {
        for bot in self.recipe.data.bots().unwrap_or_default() {
            if let Ok(file) = self.recipe.data.secret_file(&format!("bot-{}", bot.name)) {
                self.manifest.remember_bot(bot.name.as_str(), &file);
            }
        }
    }

    fn address(&self, name: &str) -> String {
        match name {
            "nats" => self.recipe.broker_url(),
            "redis" => format!("redis://127.0.0.1:{}", self.recipe.ports.redis),
            "api" => self.recipe.api_url(),
            _ => self.log(name),
        }
    }

    fn log(&self, name: &str) -> String {
        let path = self.recipe.data.log(name);
        let here = std::env::current_dir().unwrap_or_default();
        path.strip_prefix(here).unwrap_or(&path).display().to_string()
    }
}
