//! A running stack: started in order, watched, drained in reverse.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::process_specs::Recipe;
use super::seed::{self, SeedError, Seeded};
use super::supervise::child::ChildSpec;
use super::supervise::{Event, Orders, Reports, State, supervise};

/// A first start may build caches; after this long something is wrong.
const START_LIMIT: Duration = Duration::from_secs(60);
/// So often a process may be lost before it was ready for the first time.
const START_ATTEMPTS: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error("a file of the stack cannot be written: {0}. Check space and permissions of the data directory")]
    Files(#[from] io::Error),
    #[error("{name} does not start: {reason}. Its log, {log}, ends:\n{last_words}")]
    NotReady { name: String, reason: String, log: String, last_words: String },
    #[error("the broker could not be prepared: {0}")]
    Seed(#[from] SeedError),
}

/// The processes of a stack. Dropping it leaves them to die with this process; [`Stack::drain`] ends them in order.
pub struct Stack {
    recipe: Arc<Recipe>,
    components: Vec<Component>,
    kill: tokio_util::sync::CancellationToken,
    tasks: TaskTracker,
    events: mpsc::UnboundedSender<Event>,
}

struct Component {
    spec: ChildSpec,
    orders: Orders,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

impl Stack {
    /// Prepares a stack; nothing runs yet. `events` hears of every start and loss.
    pub fn new(recipe: Arc<Recipe>, events: mpsc::UnboundedSender<Event>) -> Self {
        let kill = tokio_util::sync::CancellationToken::new();
        Self { recipe, components: Vec::new(), kill, tasks: TaskTracker::new(), events }
    }

    /// Starts broker and Redis and waits for both.
    pub async fn start_servers(&mut self) -> Result<(), StackError> {
        self.launch(self.recipe.broker()?);
        self.launch(self.recipe.redis()?);
        self.all_ready().await
    }

    /// Prepares the broker: streams, the signing key, demo users.
    pub async fn seed(&self) -> Result<Seeded, StackError> {
        let broker = seed::operator(&self.recipe).await?;
        Ok(seed::seed(&broker, &self.recipe.runtimes(), self.recipe.demo).await?)
    }

    /// Starts the services and waits until the API is ready to serve.
    pub async fn start_services(&mut self) -> Result<(), StackError> {
        self.launch(self.recipe.approver()?);
        for number in 1..=self.recipe.ports.worker_metrics.len() {
            self.launch(self.recipe.worker(number)?);
        }
        self.launch(self.recipe.api()?);
        self.all_ready().await
    }

    /// Ends everything, those who use others first: api, workers, approver, Redis, broker.
    pub async fn drain(&mut self) {
        while let Some(component) = self.components.pop() {
            // Workers end together; nothing else has a twin.
            let mut together = vec![component];
            while together[0].is_worker() && self.components.last().is_some_and(Component::is_worker) {
                together.extend(self.components.pop());
            }
            for component in &together {
                component.orders.stop.cancel();
            }
            for component in together {
                // A supervisor that panicked has lost its process; the kernel ends that with ours.
                drop(component.task.await);
            }
        }
    }

    /// A token that ends the patience of [`Stack::drain`].
    pub fn impatience(&self) -> tokio_util::sync::CancellationToken {
        self.kill.clone()
    }

    fn launch(&mut self, spec: ChildSpec) {
        let orders = Orders { stop: tokio_util::sync::CancellationToken::new(), kill: self.kill.clone() };
        let (sender, state) = watch::channel(State::default());
        let reports = Reports { events: self.events.clone(), state: sender };
        let task = self.tasks.spawn(supervise(spec.clone(), orders.clone(), reports));
        self.components.push(Component { spec, orders, state, task });
    }

    async fn all_ready(&mut self) -> Result<(), StackError> {
        for component in &mut self.components {
            component.ready().await?;
        }
        Ok(())
    }
}

impl Component {
    fn is_worker(&self) -> bool {
        self.spec.name.starts_with("worker-")
    }

    async fn ready(&mut self) -> Result<(), StackError> {
        let settled = self.state.wait_for(|state| state.ready || state.losses >= START_ATTEMPTS);
        let reason = match tokio::time::timeout(START_LIMIT, settled).await {
            Ok(Ok(state)) if state.ready => return Ok(()),
            Ok(_) => format!("it ended {START_ATTEMPTS} times in a row"),
            Err(_) => format!("not ready after {} s", START_LIMIT.as_secs()),
        };
        Err(StackError::NotReady {
            name: self.spec.name.clone(),
            reason,
            log: self.spec.log.display().to_string(),
            last_words: self.spec.last_words(),
        })
    }
}
