//! A real broker, a real Redis and the API itself in this process, all on free ports and gone when the test ends.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api::{Application, Config};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Settings;
use shared::identity::{PasswordHash, Role, SigningKey, User};
use shared::lifecycle::Lifecycle;
use shared::messaging::{Broker, BrokerSettings, Buckets, WorkflowLog, provision};
use tokio::time::{Instant, sleep};

pub(crate) const PASSWORD: &str = "a long password";

/// A child process that is killed and collected when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Broker, Redis and what is in them; APIs are started on it.
pub(crate) struct Stack {
    redis: Option<Server>,
    nats: Server,
    pub(crate) redis_port: u16,
    nats_port: u16,
    monitor_port: u16,
    dir: PathBuf,
    pub(crate) broker: Broker,
    pub(crate) log: WorkflowLog,
}

/// An API that serves; it is stopped when it is dropped.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) life: Lifecycle,
    pub(crate) client: reqwest::Client,
    pub(crate) running: tokio::task::JoinHandle<()>,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.life.stop();
    }
}

/// The broker's program: named by `NATS_SERVER`, in the path, or where `promptcraft` keeps it.
fn nats_server() -> PathBuf {
    let named = std::env::vars_os().find(|(name, _)| name == "NATS_SERVER").map(|(_, path)| PathBuf::from(path));
    let kept = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/bin/nats-server"));
    let path = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, path)| path).unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    named.into_iter().chain(in_path).chain([kept]).find(is_new_enough).unwrap_or_else(|| {
        panic!("these tests need nats-server 2.14 or later: put it into PATH or name it in NATS_SERVER")
    })
}

/// Returns whether this is a broker of version 2.14 or later.
fn is_new_enough(path: &PathBuf) -> bool {
    let Ok(output) = Command::new(path).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = text.rsplit('v').next().unwrap_or_default().split('.').map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (2, 14))
}

pub(crate) fn user(name: &str, role: Role) -> User {
    let password = Some(PasswordHash::of(PASSWORD).expect("a password"));
    User { demo: true, password, ..User::new(name.parse().expect("a user name"), role, Clock::system().now()) }
}

impl Stack {
    /// Starts broker and Redis, makes the streams, and adds ann and eve (developers), vic (viewer), bob (approver), root (admin).
    pub(crate) async fn start() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let dir = std::env::temp_dir().join(format!("promptcraft-api-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let free = shared::ports::free(3).expect("free ports");
        let (nats_port, monitor_port, redis_port) = (free[0], free[1], free[2]);
        let config = format!(
            "listen: 127.0.0.1:{nats_port}\nhttp: 127.0.0.1:{monitor_port}\nmax_payload: 8MB\n\
             jetstream {{ store_dir: \"{}\", sync_interval: always }}\n",
            dir.display()
        );
        std::fs::write(dir.join("nats.conf"), config).expect("a file");
        let nats = Command::new(nats_server()).arg("-c").arg(dir.join("nats.conf")).stderr(Stdio::null()).spawn();
        let nats = Server(nats.expect("nats-server starts"));
        let broker = connect(nats_port, monitor_port).await;
        let mut stack = Self {
            redis: None,
            nats,
            redis_port,
            nats_port,
            monitor_port,
            dir,
            log: WorkflowLog::new(&broker),
            broker,
        };
        stack.start_redis().await;
        provision(&stack.broker, 1, &["python".to_owned()]).await.expect("the streams are made");
        stack.seed().await;
        stack
    }

    async fn seed(&self) {
        let buckets = Buckets::new(&self.broker);
        let key = SigningKey::fresh(true, Clock::system().now());
        buckets.signing_keys().await.unwrap().put(&key.kid, &key).await.unwrap();
        for (name, role) in [
            ("ann", Role::Developer),
            ("eve", Role::Developer),
            ("vic", Role::Viewer),
            ("bob", Role::Approver),
            ("root", Role::Admin),
        ] {
            self.put_user(&user(name, role)).await;
        }
        self.put_user(&User { disabled: true, ..user("gone", Role::Developer) }).await;
        self.put_user(&User { bot: true, ..user("robot", Role::Approver) }).await;
    }

    /// Holds the broker still, or lets it go on.
    pub(crate) fn hold_broker(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.nats.0.id().to_string()]).status();
        assert!(status.expect("kill runs").success(), "the broker is there");
    }

    pub(crate) async fn put_user(&self, user: &User) {
        Buckets::new(&self.broker).users().await.unwrap().put(user.name.as_str(), user).await.unwrap();
    }

    pub(crate) async fn start_redis(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.redis_port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(&self.dir)
            .stdout(Stdio::null())
            .spawn();
        self.redis = Some(Server(child.expect("redis-server starts: install it or put it into PATH")));
        let address = ("127.0.0.1", self.redis_port);
        eventually("Redis listens", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    }

    /// Kills Redis with all that it holds.
    pub(crate) fn kill_redis(&mut self) {
        self.redis = None;
    }

    /// Sends one command to Redis, e.g. `FLUSHALL`.
    pub(crate) fn redis(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.redis_port.to_string()]).args(words).output();
        String::from_utf8_lossy(&output.expect("redis-cli runs").stdout).trim().to_owned()
    }

    /// The usual settings by dotted name.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("profile", "demo".to_owned()),
            ("nats.url", format!("nats://127.0.0.1:{}", self.nats_port)),
            ("nats.user", "api".to_owned()),
            ("nats.monitor_url", format!("http://127.0.0.1:{}", self.monitor_port)),
            ("redis.url", format!("redis://127.0.0.1:{}/0", self.redis_port)),
            ("api.listen", "127.0.0.1:0".to_owned()),
            ("api.metrics_listen", "127.0.0.1:0".to_owned()),
            ("limits.profile", "load".to_owned()),
        ]
    }

    pub(crate) fn settings(&self, more: &[(&str, &str)]) -> Settings {
        let base = self.pairs();
        let base = base.iter().map(|(name, value)| (*name, value.as_str()));
        Settings::from_pairs(base.chain(more.iter().copied()))
    }

    /// Starts an API; `more` settings cover the usual ones.
    pub(crate) async fn api(&self, more: &[(&str, &str)]) -> Api {
        let config = Config::read(self.settings(more)).expect("the settings are good");
        let life = Lifecycle::new();
        let application = Application::build(config, life.clone()).await.expect("the API starts");
        let (address, metrics) = (application.address(), application.metrics_address());
        #[expect(clippy::disallowed_methods, reason = "on the life's tracker its own drain would wait for itself")]
        let running = tokio::spawn(async {
            application.run_until_stopped().await.expect("the API serves");
        });
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
        Api { address, metrics, life, client, running }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.nats.0.kill().ok();
        std::fs::remove_dir_all(&self.dir).ok();
    }
}

async fn connect(port: u16, monitor_port: u16) -> Broker {
    let settings = BrokerSettings {
        url: format!("nats://127.0.0.1:{port}"),
        user: "tests".to_owned(),
        password: None,
        replicas: 1,
        strict: true,
        monitor_url: Some(format!("http://127.0.0.1:{monitor_port}")),
        tls_ca_file: None,
    };
    Broker::connect(&settings).await.expect("the broker answers")
}

impl Api {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(Method::from_bytes(method.as_bytes()).expect("a method"), self.url(path))
    }

    /// A pair of tokens.
    pub(crate) async fn sign_in(&self, name: &str) -> Value {
        let (status, body) = self.post("/auth/token", None, &json!({"username": name, "password": PASSWORD})).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// An access token.
    pub(crate) async fn token(&self, name: &str) -> String {
        self.sign_in(name).await["access_token"].as_str().expect("a token").to_owned()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        read(self.request("GET", path).bearer_auth(token).send().await.expect("an answer")).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let request = self.request("POST", path).body(body.to_string());
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        read(request.send().await.expect("an answer")).await
    }

    /// Submits a goal and gives the workflow's id.
    pub(crate) async fn submit(&self, token: &str) -> String {
        let (status, body) = self.post("/api/v3/execute", Some(token), &goal()).await;
        assert_eq!(status, 202, "{body}");
        body["data"]["workflow_id"].as_str().expect("an id").to_owned()
    }
}

pub(crate) fn goal() -> Value {
    json!({"goal": "Write a function that adds two numbers"})
}

/// Status and JSON body; a body that is no JSON reads as null. Every error is checked to be a problem document.
pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let kind =
        response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let id = response.headers().contains_key("x-request-id");
    let body: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).unwrap_or(Value::Null);
    assert!(id, "every answer has a request id");
    if status >= 400 && !body["services"].is_object() {
        assert_eq!(kind, "application/problem+json", "{status} {body}");
        assert_eq!(body["status"], status, "{body}");
        for member in ["type", "title", "detail", "instance"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {body}");
        }
    }
    (status, body)
}

/// Waits, at most 15 s, until `holds`; for what another process does in its own time.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(15);
    while !holds().await {
        assert!(Instant::now() < give_up, "not within 15 s: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
