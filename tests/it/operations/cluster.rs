//! Three brokers with TLS and encrypted stores, from the shipped configuration, and a whole workflow on them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::{ChildGuard, RedisServer, nats_server_program};
use tests::{Client, eventually, program};
use tokio::time::Instant;

/// Time until the nodes have elected new leaders (4 to 9 s) and replicas are in sync again.
const ELECTIONS: Duration = Duration::from_secs(15);

const SERVICES: [&str; 5] = ["API", "APPROVER", "CLI", "WORKER", "SYS"];

struct Cluster {
    folder: PathBuf,
    brokers: Vec<ChildGuard>,
    clients: [u16; 3],
    monitors: [u16; 3],
    api: u16,
    redis: Option<RedisServer>,
    services: Vec<ChildGuard>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.services.clear();
        self.brokers.clear();
        if std::thread::panicking() {
            eprintln!("the cluster's folder is kept: {}", self.folder.display());
        } else {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

fn openssl(folder: &Path, words: &[&str]) {
    let output = Command::new("openssl").args(words).current_dir(folder).output().expect("openssl is installed");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Creates an authority, and a certificate for every node on this machine.
fn make_certificates(folder: &Path) {
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n";
    fs::write(folder.join("names"), names).expect("a file");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"];
    openssl(folder, &[&authority[..], &curve[..]].concat());
    let request = ["req", "-new", "-subj", "/CN=node", "-keyout", "node.key", "-out", "node.csr"];
    openssl(folder, &[&request[..], &curve[..]].concat());
    let sign = "x509 -req -days 2 -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out node.pem";
    openssl(folder, &sign.split(' ').collect::<Vec<_>>());
}

impl Cluster {
    async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("promptcraft-cluster-{}", std::process::id()));
        fs::create_dir_all(folder.join("nats")).expect("a folder");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("nats");
        for file in ["server.conf", "secure.conf", "cluster.conf", "services.conf", "workers.conf", "bots.conf"] {
            fs::copy(shipped.join(file), folder.join("nats").join(file)).expect("a shipped file");
        }
        make_certificates(&folder);
        let ports = service::ports::free(10).expect("free ports");
        let [api, a, b, c, d, e, f, g, h, i] = ports.try_into().expect("ten ports");
        let (clients, monitors, routes) = ([a, b, c], [d, e, f], [g, h, i]);
        let mut cluster =
            Self { folder, brokers: Vec::new(), clients, monitors, api, redis: None, services: Vec::new() };
        for node in 0..3 {
            let broker = cluster.broker(node, &routes);
            cluster.brokers.push(broker);
        }
        cluster
    }

    fn broker(&self, node: usize, routes: &[u16; 3]) -> ChildGuard {
        let quoted = |text: String| format!("{text:?}");
        let file = |name: &str| quoted(self.folder.join(name).display().to_string());
        let others = (0..3).filter(|other| *other != node).map(|other| routes[other]);
        let others: Vec<String> = others.map(|port| format!("\"nats-route://127.0.0.1:{port}\"")).collect();
        let mut command = Command::new(nats_server_program());
        command
            .arg("--config")
            .arg(self.folder.join("nats/cluster.conf"))
            .env("NATS_SERVER_NAME", quoted(format!("node-{node}")))
            .env("NATS_LISTEN", quoted(format!("127.0.0.1:{}", self.clients[node])))
            .env("NATS_MONITOR_LISTEN", quoted(format!("127.0.0.1:{}", self.monitors[node])))
            .env("NATS_STORE_DIR", file(&format!("store-{node}")))
            .env("NATS_CLUSTER_LISTEN", quoted(format!("127.0.0.1:{}", routes[node])))
            .env("NATS_ROUTES", format!("[{}]", others.join(",")))
            .env("NATS_STORE_KEY", quoted("a key of thirty-two bytes or more".to_owned()))
            .envs([
                ("NATS_TLS_CERT", file("node.pem")),
                ("NATS_TLS_KEY", file("node.key")),
                ("NATS_TLS_CA", file("ca.pem")),
            ])
            .envs(SERVICES.map(|user| (format!("NATS_{user}_PASSWORD"), quoted(user.to_lowercase()))));
        self.run(command, &format!("node-{node}"))
    }

    fn run(&self, mut command: Command, name: &str) -> ChildGuard {
        let log = fs::File::create(self.folder.join(format!("{name}.log"))).expect("a log");
        let errors = log.try_clone().expect("a log");
        ChildGuard::spawn(command.stdin(Stdio::null()).stdout(log).stderr(errors))
    }

    /// Returns one of our programs, signing in as `user`.
    fn ours(&self, name: &str, user: &str) -> Command {
        let list = |scheme: &str, ports: [u16; 3]| ports.map(|port| format!("{scheme}://127.0.0.1:{port}")).join(",");
        let mut command = Command::new(program(name));
        command
            .env("PROMPTCRAFT__NATS__URL", list("nats", self.clients))
            .env("PROMPTCRAFT__NATS__MONITOR_URL", list("http", self.monitors))
            .env("PROMPTCRAFT__NATS__USER", user)
            .env("PROMPTCRAFT__NATS__PASSWORD", user)
            .env("PROMPTCRAFT__NATS__TLS_CA_FILE", self.folder.join("ca.pem"))
            .env("PROMPTCRAFT__NATS__REPLICAS", "3");
        command
    }

    /// Runs the operator's tool until it succeeds, which may take until the nodes have elected a leader.
    async fn operate(&self, words: &[&str], input: &str) {
        self.operate_without(None, words, input).await;
    }

    /// Does the same without one setting.
    async fn operate_without(&self, forgotten: Option<&str>, words: &[&str], input: &str) {
        eventually("the operator's tool succeeds", Duration::from_secs(90), || async {
            let mut command = self.ours("promptcraft", "cli");
            if let Some(setting) = forgotten {
                command.env_remove(setting);
            }
            command.args(words).arg("--data").arg(self.folder.join("none")).stdin(Stdio::piped()).stdout(Stdio::null());
            let mut child = command.spawn().expect("promptcraft runs");
            drop(child.stdin.take().expect("an input").write_all(input.as_bytes()));
            child.wait().expect("it ends").success().then_some(())
        })
        .await;
    }

    async fn start_services(&mut self) -> Client {
        let redis = RedisServer::start().await;
        for name in ["approver", "worker", "api"] {
            let mut command = self.ours(name, name);
            command
                .env("PROMPTCRAFT__REDIS__URL", redis.url())
                .env("PROMPTCRAFT__API__LISTEN", format!("127.0.0.1:{}", self.api))
                .env("PROMPTCRAFT__API__METRICS_LISTEN", "127.0.0.1:0")
                .env("PROMPTCRAFT__LIMITS__PROFILE", "load")
                .env("PROMPTCRAFT__WEBHOOK__SIGNING_KEY", "a key of the test")
                .env("PROMPTCRAFT__SANDBOX__BACKEND", "bubblewrap")
                .env("PROMPTCRAFT__SANDBOX__ROOTS_DIR", roots());
            let service = self.run(command, name);
            self.services.push(service);
        }
        self.redis = Some(redis);
        let url = format!("http://127.0.0.1:{}", self.api);
        let client = Client::new(&url);
        eventually("the services are up", Duration::from_secs(60), || async {
            let health = reqwest::get(format!("{url}/health")).await;
            health.is_ok_and(|answer| answer.status().is_success()).then_some(())
        })
        .await;
        client.sign_in("alice", "a long password").await
    }

    /// Returns the node that leads the log.
    async fn leader(&self) -> usize {
        eventually("the log has a leader", Duration::from_secs(30), || async {
            for (node, monitor) in self.monitors.into_iter().enumerate() {
                let url = format!("http://127.0.0.1:{monitor}/jsz?streams=true&accounts=true&leader-only=true");
                let Ok(answer) = reqwest::get(url).await else { continue };
                if answer.text().await.unwrap_or_default().contains("\"name\": \"WORKFLOWS\"") {
                    return Some(node);
                }
            }
            None
        })
        .await
    }

    /// Returns whether any file of the stores contains `text`.
    fn stores_hold(&self, text: &str) -> bool {
        let mut folders: Vec<PathBuf> = (0..3).map(|node| self.folder.join(format!("store-{node}"))).collect();
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).contains(text) {
                    return true;
                }
            }
        }
        false
    }
}

fn roots() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness has no settings of its own but where the roots were built"
    )]
    let named = std::env::var("SANDBOX_ROOTS").map(PathBuf::from);
    named.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/sandbox-roots"))
}

#[tokio::test]
async fn three_nodes_serve_encrypted_and_go_on_without_their_leader() {
    if Command::new("openssl").arg("version").output().is_err() {
        return println!("SKIPPED: openssl is not installed, so no cluster with TLS was tried");
    }
    let mut cluster = Cluster::start().await;
    cluster.operate(&["admin", "provision", "--runtimes", "python"], "").await;
    // Without the setting the replicas must stay: fewer would remove copies of accepted work, and no service would
    // start.
    cluster
        .operate_without(Some("PROMPTCRAFT__NATS__REPLICAS"), &["admin", "provision", "--runtimes", "python"], "")
        .await;
    cluster.operate(&["admin", "keys", "rotate"], "").await;
    cluster.operate(&["admin", "user", "add", "alice"], "a long password\n").await;
    let client = cluster.start_services().await;
    let first = client.run("print('over three nodes')\n").await;
    let done = client.until(&first, "completed").await;
    assert_eq!(done["artifacts"]["test_results"]["stdout"], "over three nodes\n");

    let leader = cluster.leader().await;
    cluster.brokers[leader].kill();
    let killed = Instant::now();
    let second = eventually("a submission is accepted", Duration::from_secs(30), || async {
        let answer = client.post("/api/v3/execute", &tests::run_request("print('over two')\n", false)).await;
        (answer.status == 202).then(|| answer.json()["data"]["workflow_id"].as_str().expect("an id").to_owned())
    })
    .await;
    // The API returns 503 until the nodes have elected the leaders of the buckets for authentication.
    for (id, printed) in [(second.as_str(), "over two\n"), (first.as_str(), "over three nodes\n")] {
        let done = eventually("it is completed", Duration::from_secs(60), || async {
            let answer = client.get(&format!("/api/v3/execute/status/{id}")).await;
            let is_shut = answer.status == 503 && killed.elapsed() < ELECTIONS;
            assert!(answer.status == 200 || is_shut, "{}", answer.text);
            let data = answer.json()["data"].clone();
            (data["status"] == "completed").then_some(data)
        })
        .await;
        assert_eq!(done["artifacts"]["test_results"]["stdout"], printed);
    }

    let mut plain = cluster.ours("promptcraft", "cli");
    plain
        .env_remove("PROMPTCRAFT__NATS__TLS_CA_FILE")
        .args(["admin", "user", "list", "--data"])
        .arg(cluster.folder.join("none"));
    assert!(!plain.output().expect("promptcraft runs").status.success(), "a client without the authority was accepted");
    for text in ["alice", &first, &second] {
        assert!(!cluster.stores_hold(text), "{text} can be read on disk");
    }
}
