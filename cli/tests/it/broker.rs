//! A real broker with the shipped configuration, on a free port, killed on drop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event};
use cli::stack::RuntimeName;
use cli::stack::broker_config::{self, BotAccount, BrokerEnvironment};
use test_support::{ChildGuard, nats_server_program};
use tokio::sync::mpsc;

/// Python and an unknown runtime.
pub(crate) fn runtimes() -> Vec<RuntimeName> {
    ["python", "made-up"].map(|name| name.parse().unwrap()).into()
}

pub(crate) struct Broker {
    server: ChildGuard,
    directory: PathBuf,
    address: String,
}

impl Broker {
    /// Starts a server with an account for each of `bots`; the password is the name.
    pub(crate) async fn start(bots: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("broker-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        fs::create_dir_all(&directory).unwrap();
        let bots: Vec<BotAccount> =
            bots.iter().map(|name| BotAccount { name: name.parse().unwrap(), password: (*name).to_owned() }).collect();
        let configuration = broker_config::write(&directory, &bots, &runtimes()).unwrap();
        let server = serve(&configuration, &directory);
        let address = address_of(&server, &directory).await;
        Self { server, directory, address }
    }

    /// Signs in as `user`, with the inbox prefix of a service or the client's default for a bot.
    pub(crate) async fn connect(&self, user: &str) -> Session {
        let (sender, refusals) = mpsc::unbounded_channel();
        let mut options =
            ConnectOptions::with_user_and_password(user.to_owned(), user.to_owned()).event_callback(move |event| {
                let sender = sender.clone();
                async move {
                    if let Event::ServerError(error) = event {
                        // The receiver is dropped at the end of a test.
                        drop(sender.send(error.to_string()));
                    }
                }
            });
        if broker_config::SERVICE_USERS.contains(&user) {
            options = options.custom_inbox_prefix(format!("_INBOX_{user}"));
        }
        Session { client: options.connect(&self.address).await.unwrap(), user: user.to_owned(), refusals }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.server.kill();
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// A connection that records permission errors.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) user: String,
    refusals: mpsc::UnboundedReceiver<String>,
}

impl Session {
    /// Waits until the server has processed everything sent before (a flush only sends it), by provoking a last
    /// permission error.
    pub(crate) async fn wait_until_processed(&mut self) {
        self.client.publish("forbidden.subject", "".into()).await.unwrap();
        let refusal = self.refusal().await.expect("the server answers");
        assert!(refusal.contains("forbidden.subject"), "refused earlier: {refusal}");
    }

    /// Returns the next permission error. It is asynchronous, hence the timeout.
    pub(crate) async fn refusal(&mut self) -> Option<String> {
        tokio::time::timeout(Duration::from_secs(5), self.refusals.recv()).await.ok().flatten()
    }

    /// Returns the permission errors received so far.
    pub(crate) fn refusals(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.refusals.try_recv().ok()).collect()
    }
}

/// Checks the configuration with one bot whose account is modified by `change`; returns the server's error.
pub(crate) fn check_configuration(unique: &str, change: impl Fn(String) -> String) -> Result<(), String> {
    let unique = format!("configuration-{}-{unique}", std::process::id());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
    let bot = BotAccount { name: "demo_bot".parse().unwrap(), password: "demo_bot".to_owned() };
    let configuration = broker_config::write(&directory, std::slice::from_ref(&bot), &runtimes()).unwrap();
    fs::write(directory.join("bots/demo_bot.conf"), change(bot.account())).unwrap();
    let output = server(&configuration, &directory).arg("-t").output().unwrap();
    fs::remove_dir_all(&directory).unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn server(configuration: &Path, directory: &Path) -> Command {
    let environment = BrokerEnvironment {
        server_name: "test",
        listen: "127.0.0.1:-1",
        monitor_listen: "127.0.0.1:-1",
        store: &directory.join("store"),
        password: &str::to_owned,
    };
    let mut command = Command::new(nats_server_program());
    command.arg("--config").arg(configuration).envs(environment.variables());
    command
}

fn serve(configuration: &Path, directory: &Path) -> ChildGuard {
    let mut command = server(configuration, directory);
    command
        .arg("--ports_file_dir")
        .arg(directory)
        .arg("--log")
        .arg(directory.join("server.log"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    ChildGuard::spawn(&mut command)
}

/// Waits for the file in which the server announces its port.
async fn address_of(server: &ChildGuard, directory: &Path) -> String {
    let announcement = directory.join(format!("nats-server_{}.ports", server.id()));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let announced: Option<serde_json::Value> =
            fs::read(&announcement).ok().and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(ports) = announced {
            return ports["nats"][0].as_str().unwrap().to_owned();
        }
        assert!(tokio::time::Instant::now() < deadline, "the broker did not start; see {}", directory.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
