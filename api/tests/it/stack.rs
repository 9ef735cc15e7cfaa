//! A real broker, a real Redis and the API itself in this process, all on free ports and stopped when the test ends.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use api::{Application, Config};
use domain::identity::{Role, SigningKey, User};
use messaging::{Broker, BrokerSettings, Buckets, WorkflowLog, provision};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use service::clock::Clock;
use service::config::Settings;
use service::lifecycle::Lifecycle;
use test_support::{NatsServer, RedisServer};
use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) const PASSWORD: &str = "a long password";

/// Broker, Redis and what is in them; APIs are started on it.
pub(crate) struct Stack {
    redis: Option<RedisServer>,
    nats: NatsServer,
    pub(crate) redis_port: u16,
    redis_url: String,
    pub(crate) broker: Broker,
    pub(crate) log: WorkflowLog,
    _permit: SemaphorePermit<'static>,
}

/// Maximum stacks at the same time in one process.
const MAX_STACKS: u32 = 64;
static STACKS: Semaphore = Semaphore::const_new(MAX_STACKS as usize);

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

pub(crate) fn user(name: &str, role: Role) -> User {
    let password = Some(service::password::hash(PASSWORD).expect("a password"));
    User { demo: true, password, ..User::new(name.parse().expect("a user name"), role, Clock::system().now()) }
}

impl Stack {
    /// Starts broker and Redis, makes the streams, and adds ann and eve (developers), vic (viewer), bob (approver), root (admin).
    pub(crate) async fn start() -> Self {
        Self::start_with(STACKS.acquire().await.expect("never closed")).await
    }

    /// Starts the same while no other test of this process has a stack, for tests that measure the whole process. Tests that run
    /// by nextest are alone in their process anyway.
    pub(crate) async fn start_alone() -> Self {
        Self::start_with(STACKS.acquire_many(MAX_STACKS).await.expect("never closed")).await
    }

    async fn start_with(permit: SemaphorePermit<'static>) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let nats = NatsServer::start();
        let broker = connect(&nats).await;
        let redis = RedisServer::start().await;
        let (redis_port, redis_url) = (redis.port(), redis.url());
        let log = WorkflowLog::new(&broker);
        let stack = Self { redis: Some(redis), nats, redis_port, redis_url, broker, log, _permit: permit };
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
        let status = Command::new("kill").args([signal, &self.nats.process_id().to_string()]).status();
        assert!(status.expect("kill runs").success(), "the broker is there");
    }

    pub(crate) async fn put_user(&self, user: &User) {
        Buckets::new(&self.broker).users().await.unwrap().put(user.name.as_str(), user).await.unwrap();
    }

    /// Starts Redis again, empty and on the same port.
    pub(crate) async fn start_redis(&mut self) {
        self.redis = Some(RedisServer::start_on(self.redis_port).await);
    }

    /// Kills Redis with all that it holds.
    pub(crate) fn kill_redis(&mut self) {
        self.redis = None;
    }

    /// Sends one command to Redis, e.g. `FLUSHALL`.
    pub(crate) fn redis(&self, words: &[&str]) -> String {
        self.redis.as_ref().expect("Redis runs").command(words)
    }

    /// The usual settings by dotted name.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("profile", "demo".to_owned()),
            ("nats.url", self.nats.url()),
            ("nats.user", "api".to_owned()),
            ("nats.monitor_url", self.nats.monitor_url()),
            ("redis.url", self.redis_url.clone()),
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

async fn connect(nats: &NatsServer) -> Broker {
    let settings = BrokerSettings {
        url: nats.url(),
        user: "tests".to_owned(),
        password: None,
        replicas: 1,
        strict: true,
        monitor_url: Some(nats.monitor_url()),
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
