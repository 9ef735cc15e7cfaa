//! A dedicated thread that starts every child of the bubblewrap backend.
//!
//! PR_SET_PDEATHSIG applies to the thread that started the child. The runtime's threads may end long before the process
//! and would kill running jobs; this thread lives as long as the sandbox.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type SpawnRequest = (Command, oneshot::Sender<io::Result<Child>>);

pub(crate) struct Spawner {
    requests: mpsc::Sender<SpawnRequest>,
}

impl Spawner {
    /// Starts the thread; it ends when the spawner is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        let (requests, received) = mpsc::channel::<SpawnRequest>();
        let runtime = Handle::current();
        thread::Builder::new().name("sandbox-spawner".into()).spawn(move || {
            let _context = runtime.enter();
            while let Ok((mut command, reply)) = received.recv() {
                // If the receiver was dropped, dropping the child kills it.
                drop(reply.send(command.spawn()));
            }
        })?;
        Ok(Self { requests })
    }

    /// Starts a child that is killed on drop. Cancel safe.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        let (reply, answer) = oneshot::channel();
        let ended = || io::Error::other("the sandbox's spawner thread has ended");
        self.requests.send((command, reply)).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}
