//! The permissions of each Redis user, on a real server with the configuration of `promptcraft up`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cli::env::find_program;
use cli::stack::{DataDirectory, Ports, Programs, StackConfig};
use read_model::{ReadModel, StepLeases};
use tokio::time::Instant;

struct Redis {
    server: Child,
    config: StackConfig,
}

impl Redis {
    async fn start(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("redis-{name}-{}", std::process::id()));
        let program = find_program("redis-server", &[]).expect("redis-server is missing: run scripts/setup.sh");
        let none = PathBuf::new;
        let config = StackConfig {
            data: DataDirectory::open(&path).unwrap(),
            ports: Ports::choose(0, 1).unwrap(),
            programs: Programs {
                nats_server: none(),
                redis_server: program.clone(),
                api: none(),
                worker: none(),
                approver: none(),
            },
            demo: false,
            backend: "auto".to_owned(),
        };
        config.redis_spec().unwrap();
        let configuration = config.data.redis().join("redis.conf");
        let server = Command::new(program).arg(configuration).stdout(Stdio::null()).spawn().unwrap();
        let redis = Self { server, config };
        let deadline = Instant::now() + Duration::from_secs(10);
        while redis.run_command("promptcraft", &["PING"]) != "PONG" {
            assert!(Instant::now() < deadline, "Redis did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        redis
    }

    /// Runs a command as `user`; returns the response.
    fn run_command(&self, user: &str, words: &[&str]) -> String {
        let password = self.config.data.stored_secret(&format!("redis-{user}")).unwrap();
        let output = Command::new("redis-cli")
            .args(["-p", &self.config.ports.redis.to_string(), "--no-auth-warning", "--user", user])
            .args(words)
            .env("REDISCLI_AUTH", password)
            .output();
        String::from_utf8_lossy(&output.expect("redis-cli runs").stdout).trim().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
        std::fs::remove_dir_all(self.config.data.root()).ok();
    }
}

#[tokio::test]
async fn a_worker_holds_step_leases() {
    let redis = Redis::start("turns").await;
    let view = ReadModel::open(&redis.config.redis_url("worker").unwrap()).unwrap();
    assert!(view.is_up().await);
    let leases = StepLeases::new(view, 1, Duration::from_secs(30));
    assert!(leases.hold("ann", "one").await);
    // Without Redis every step may run, so a refusal proves that Redis was asked.
    assert!(!leases.hold("ann", "two").await, "the limit is not kept");
    leases.release("ann", "one").await;
    assert!(leases.hold("ann", "two").await);
}

#[tokio::test]
async fn a_worker_can_do_nothing_else() {
    let redis = Redis::start("rights").await;
    let write = "return redis.call('HSET', KEYS[1], 'seq', '9')";
    for words in [
        vec!["HSET", "workflow:w1", "seq", "9"],
        vec!["EVAL", write, "1", "workflow:w1"],
        vec!["EVAL", write, "1", "steps:ann"],
        vec!["EVAL", "return redis.call('ZADD', 'list:*', 1, 'w1')", "0"],
        vec!["ZADD", "list:*", "1", "w1"],
        vec!["SET", "view:complete", "x"],
        vec!["SET", "rate:execute:ann", "0"],
        vec!["GET", "cache:x"],
        vec!["SCAN", "0"],
        vec!["FLUSHALL"],
        vec!["CONFIG", "GET", "*"],
        vec!["ACL", "LIST"],
        vec!["SCRIPT", "FLUSH"],
    ] {
        let answer = redis.run_command("worker", &words);
        let is_refused =
            ["NOPERM", "No permissions", "can't access", "can't run"].iter().any(|text| answer.contains(text));
        assert!(is_refused, "{words:?}: {answer}");
    }
    assert_eq!(redis.run_command("promptcraft", &["DBSIZE"]), "0", "nothing was written");
}

#[tokio::test]
async fn the_services_cannot_reconfigure_redis() {
    let redis = Redis::start("services").await;
    assert_eq!(redis.run_command("promptcraft", &["HSET", "workflow:w1", "seq", "9"]), "1");
    for words in [vec!["FLUSHALL"], vec!["CONFIG", "GET", "*"], vec!["KEYS", "*"], vec!["ACL", "LIST"]] {
        let answer = redis.run_command("promptcraft", &words);
        assert!(answer.contains("NOPERM"), "{words:?}: {answer}");
    }
}
