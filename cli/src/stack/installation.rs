//! The secrets and server configurations of an installation whose processes run apart, e.g. in containers.
//!
//! Each process has a folder of its own, so that it can be given its own secrets and no others. The folder `operator`
//! holds every secret and is the only one that must be kept: all others are written again from it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::broker_config::{self, BotName, SERVICE_USERS};
use super::data_directory::DataDirectory;
use super::{RuntimeName, private_file, redis_config};

/// Servers of an installation, as its processes reach them.
pub struct Servers<'a> {
    /// Host and port of Redis.
    pub redis: &'a str,
    /// Folder in which Redis keeps its data.
    pub redis_directory: &'a Path,
}

/// Writes the folders `operator`, `nats`, `redis`, `api`, `approver` and `worker` into `root`. Existing secrets and bots
/// are kept, so that it may run before each start.
pub fn write(root: &Path, bots: &[BotName], servers: &Servers<'_>) -> io::Result<()> {
    let operator = private_directory(&root.join("operator"))?;
    private_directory(&operator.join("secrets"))?;
    let secrets = DataDirectory::open_unlocked(&operator)?;
    for bot in bots {
        secrets.bot(bot.clone())?;
    }
    write_broker(&private_directory(&root.join("nats"))?, &secrets)?;
    write_redis(&private_directory(&root.join("redis"))?, &secrets, servers)?;
    for (process, redis_user) in [("api", "promptcraft"), ("approver", "promptcraft"), ("worker", "worker")] {
        let folder = private_directory(&root.join(process))?;
        write_service(&folder, &secrets, process, redis_user, servers.redis)?;
    }
    write_service(&operator, &secrets, "cli", "default", servers.redis)?;
    private_file::write(&root.join("approver/webhook-signing-key"), secrets.stored_secret("webhook")?.as_bytes())
}

/// Writes the configuration and `environment`, a file for a shell with the passwords that the configuration names.
fn write_broker(folder: &Path, secrets: &DataDirectory) -> io::Result<()> {
    broker_config::write(folder, &secrets.bots()?, &RuntimeName::all())?;
    let mut environment = String::new();
    for user in SERVICE_USERS.into_iter().chain(["route"]) {
        // The server parses the value as configuration, in which it needs double quotes.
        let (name, password) = (user.to_uppercase(), secrets.stored_secret(&format!("nats-{user}"))?);
        environment.push_str(&format!("NATS_{name}_PASSWORD='\"{password}\"'\n"));
    }
    private_file::write(&folder.join("environment"), environment.as_bytes())
}

fn write_redis(folder: &Path, secrets: &DataDirectory, servers: &Servers<'_>) -> io::Result<()> {
    let port = servers.redis.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| io::Error::other("the address of Redis has no port"))?;
    let password = |user: &str| secrets.stored_secret(&format!("redis-{user}"));
    let configuration = redis_config::render("0.0.0.0", port, servers.redis_directory, password)?;
    private_file::write(&folder.join("redis.conf"), configuration.as_bytes())?;
    private_file::write(&folder.join("password"), password("default")?.as_bytes())
}

fn write_service(folder: &Path, secrets: &DataDirectory, user: &str, redis_user: &str, redis: &str) -> io::Result<()> {
    private_file::write(&folder.join("nats-password"), secrets.stored_secret(&format!("nats-{user}"))?.as_bytes())?;
    let url = format!("redis://{redis_user}:{}@{redis}/0", secrets.stored_secret(&format!("redis-{redis_user}"))?);
    private_file::write(&folder.join("redis-url"), url.as_bytes())
}

/// Creates the directory unless it exists, e.g. as the mount point of a volume.
fn private_directory(path: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn files(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                files(&entry.path(), found);
            } else {
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
                found.insert(entry.path(), fs::read_to_string(entry.path()).unwrap());
            }
        }
    }

    fn all_files(root: &Path) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        files(root, &mut found);
        found
    }

    #[test]
    fn a_process_gets_its_own_secrets_only_and_a_second_call_keeps_them() {
        let root = std::env::temp_dir().join(format!("promptcraft-installation-{}", std::process::id()));
        drop(fs::remove_dir_all(&root));
        let servers = Servers { redis: "redis:6379", redis_directory: Path::new("/data") };
        write(&root, &["demo_bot".parse().unwrap()], &servers).unwrap();
        let first = all_files(&root);
        let secret = |name: &str| first[&root.join("operator/secrets").join(name)].clone();
        let folders_with = |secret: &str| {
            let holders = first.iter().filter(|(_, text)| text.contains(secret)).map(|(path, _)| path);
            let mut folders: Vec<_> =
                holders.map(|path| path.strip_prefix(&root).unwrap().iter().next().unwrap()).collect();
            folders.dedup();
            folders
        };
        assert_eq!(folders_with(&secret("nats-worker")), ["nats", "operator", "worker"]);
        assert_eq!(folders_with(&secret("nats-api")), ["api", "nats", "operator"]);
        assert_eq!(folders_with(&secret("nats-cli")), ["nats", "operator"]);
        assert_eq!(folders_with(&secret("redis-default")), ["operator", "redis"]);
        assert_eq!(folders_with(&secret("redis-promptcraft")), ["api", "approver", "operator", "redis"]);
        assert_eq!(folders_with(&secret("webhook")), ["approver", "operator"]);
        assert_eq!(folders_with(&secret("bot-demo_bot")), ["nats", "operator"]);

        for folder in ["nats", "redis", "api", "approver", "worker"] {
            fs::remove_dir_all(root.join(folder)).unwrap();
        }
        write(&root, &[], &servers).unwrap();
        assert_eq!(all_files(&root), first);
        fs::remove_dir_all(root).unwrap();
    }
}
