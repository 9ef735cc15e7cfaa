//! The broker's configuration: the files of `nats/`, compiled in and expanded for each runtime, and the accounts of
//! bots from their template.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{RuntimeName, private_file};

const SERVER: &str = include_str!("../../../nats/server.conf");
const SECURE: &str = include_str!("../../../nats/secure.conf");
const CLUSTER: &str = include_str!("../../../nats/cluster.conf");
const SERVICES: &str = include_str!("../../../nats/services.conf");
const WORKERS: &str = include_str!("../../../nats/workers.conf");
const BOTS: &str = include_str!("../../../nats/bots.conf");
const BOT_TEMPLATE: &str = include_str!("../../../nats/bot.conf.template");

/// The queue whose lines in the committed files are repeated for every runtime.
const TEMPLATE_QUEUE: &str = "execute-python";

/// Users in the committed files. User names are unique per server, so no bot may have one of these.
pub const SERVICE_USERS: [&str; 5] = ["api", "approver", "cli", "worker", "sys"];

/// The user name of an approval bot, also its account name and a token of its subjects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BotName(String);

impl BotName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BotName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for BotName {
    type Err = InvalidBotName;

    fn from_str(name: &str) -> Result<Self, InvalidBotName> {
        let well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.len() <= 32
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !well_formed {
            return Err(InvalidBotName::Malformed);
        }
        if SERVICE_USERS.contains(&name) {
            return Err(InvalidBotName::Reserved);
        }
        Ok(Self(name.to_owned()))
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidBotName {
    #[error("a bot's name is 1 to 32 lower-case letters, digits and underscores, starting with a letter")]
    Malformed,
    #[error("this name is reserved for a service; choose another name")]
    Reserved,
}

/// The credentials of a bot.
#[derive(Clone)]
pub struct BotAccount {
    pub name: BotName,
    /// Hexadecimal, so that it needs no escaping in the broker's configuration.
    pub password: String,
}

impl BotAccount {
    /// Returns the configuration of the account.
    pub fn account(&self) -> String {
        BOT_TEMPLATE.replace("@BOT@", self.name.as_str()).replace("@PASSWORD@", &self.password)
    }
}

/// Writes the configuration into `directory` and returns the server's main file. Idempotent; files are replaced
/// atomically, so a server that reads them concurrently sees the old or the new one.
pub fn write(directory: &Path, bots: &[BotAccount], runtimes: &[RuntimeName]) -> io::Result<PathBuf> {
    let accounts = directory.join("bots");
    std::fs::create_dir_all(&accounts)?;
    let mut includes = BOTS.to_owned();
    for bot in bots {
        private_file::write(&accounts.join(format!("{}.conf", bot.name)), bot.account().as_bytes())?;
        includes.push_str(&format!("include \"bots/{}.conf\"\n", bot.name));
    }
    private_file::write(&directory.join("bots.conf"), includes.as_bytes())?;
    for (name, content) in [("services.conf", SERVICES), ("workers.conf", WORKERS)] {
        private_file::write(&directory.join(name), expand_runtimes(content, runtimes).as_bytes())?;
    }
    let server = directory.join("server.conf");
    private_file::write(&server, SERVER.as_bytes())?;
    Ok(server)
}

/// Writes the configuration for brokers outside `promptcraft up`: without secrets, with every way to run a node.
///
/// Keeps an existing `bots.conf` and the accounts that it includes. Idempotent.
pub fn write_for_operator(directory: &Path, runtimes: &[RuntimeName]) -> io::Result<()> {
    std::fs::create_dir_all(directory.join("bots"))?;
    let bots = directory.join("bots.conf");
    if !bots.exists() {
        replace_file(&bots, BOTS)?;
    }
    for (name, content) in [("services.conf", SERVICES), ("workers.conf", WORKERS)] {
        replace_file(&directory.join(name), &expand_runtimes(content, runtimes))?;
    }
    for (name, content) in [("server.conf", SERVER), ("secure.conf", SECURE), ("cluster.conf", CLUSTER)] {
        replace_file(&directory.join(name), content)?;
    }
    Ok(())
}

/// Replaces a file atomically: a node may be started from it at any moment.
fn replace_file(path: &Path, content: &str) -> io::Result<()> {
    let next = path.with_extension("conf.next");
    std::fs::write(&next, content)?;
    std::fs::rename(next, path)
}

/// Repeats each line with [`TEMPLATE_QUEUE`] for every runtime: the broker has no wildcard for a part of a token.
fn expand_runtimes(text: &str, runtimes: &[RuntimeName]) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        if line.contains(TEMPLATE_QUEUE) {
            whole.extend(
                runtimes.iter().map(|runtime| line.replace(TEMPLATE_QUEUE, &format!("execute-{runtime}")) + "\n"),
            );
        } else {
            whole.push_str(line);
            whole.push('\n');
        }
    }
    whole
}

/// The values of the variables in `nats/server.conf`.
pub struct BrokerEnvironment<'a> {
    pub server_name: &'a str,
    /// `host:port`; with port -1 the server chooses.
    pub listen: &'a str,
    pub monitor_listen: &'a str,
    pub store: &'a Path,
    /// Returns the password of a user of [`SERVICE_USERS`].
    pub password: &'a dyn Fn(&str) -> String,
}

impl BrokerEnvironment<'_> {
    /// Returns names and values. Values are quoted because the server parses them as configuration.
    pub fn variables(&self) -> Vec<(String, String)> {
        let quoted = |value: &str| format!("{value:?}");
        let mut environment = vec![
            ("NATS_SERVER_NAME".to_owned(), quoted(self.server_name)),
            ("NATS_LISTEN".to_owned(), quoted(self.listen)),
            ("NATS_MONITOR_LISTEN".to_owned(), quoted(self.monitor_listen)),
            ("NATS_STORE_DIR".to_owned(), quoted(&self.store.to_string_lossy())),
        ];
        for user in SERVICE_USERS {
            let name = format!("NATS_{}_PASSWORD", user.to_uppercase());
            environment.push((name, quoted(&(self.password)(user))));
        }
        environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<&str, InvalidBotName>) {
        assert_eq!(name.parse::<BotName>().as_ref().map(BotName::as_str), expected.as_ref().copied());
    }

    #[test]
    fn a_bot_name_is_one_safe_subject_token() {
        check("deploy_bot2", Ok("deploy_bot2"));
        check("", Err(InvalidBotName::Malformed));
        check("2bot", Err(InvalidBotName::Malformed));
        check("Deploy", Err(InvalidBotName::Malformed));
        check("a.b", Err(InvalidBotName::Malformed));
        check("*", Err(InvalidBotName::Malformed));
        check("a\"}", Err(InvalidBotName::Malformed));
        check(&"a".repeat(33), Err(InvalidBotName::Malformed));
        for user in SERVICE_USERS {
            check(user, Err(InvalidBotName::Reserved));
        }
    }
}
