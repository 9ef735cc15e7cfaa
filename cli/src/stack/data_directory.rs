//! The data directory of a stack and its lock.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use domain::identity::Secret;

use super::broker_config::{BotAccount, BotName};
use super::private_file;

#[derive(Debug, thiserror::Error)]
pub enum DataDirectoryError {
    #[error("cannot use {path} as data directory: {error}. Choose another with --data")]
    Unusable { path: String, error: io::Error },
    #[error(
        "a stack already runs on {path} (process {pid}). Stop it with Ctrl-C or `kill {pid}`, or choose another with \
         --data"
    )]
    InUse { path: String, pid: String },
}

/// The data directory. [`DataDirectory::open`] locks it for the lifetime of the value.
pub struct DataDirectory {
    root: PathBuf,
    _lock: Option<File>,
}

impl DataDirectory {
    /// Creates the directory if needed and locks it. The kernel releases the lock of a killed process.
    pub fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        let unusable = |error| DataDirectoryError::Unusable { path: path.display().to_string(), error };
        let lock = prepare(path).map_err(unusable)?;
        let root = path.canonicalize().map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(root.join("up.lock")).unwrap_or_default().trim().to_owned();
                return Err(DataDirectoryError::InUse { path: path.display().to_string(), pid });
            }
        }
        lock.set_len(0).and_then(|()| writeln!(&lock, "{}", std::process::id())).map_err(unusable)?;
        Ok(Self { root, _lock: Some(lock) })
    }

    /// Opens the directory without locking it, for commands that run beside a stack.
    pub fn open_unlocked(path: &Path) -> io::Result<Self> {
        Ok(Self { root: path.canonicalize()?, _lock: None })
    }

    /// Returns the process that holds the lock.
    pub fn lock_holder(path: &Path) -> Option<i32> {
        let mut lock = File::open(path.join("up.lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) | Err(TryLockError::Error(_)) => return None,
        }
        let mut pid = String::new();
        lock.read_to_string(&mut pid).ok()?;
        pid.trim().parse().ok()
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn nats(&self) -> PathBuf {
        self.root.join("nats")
    }

    pub fn redis(&self) -> PathBuf {
        self.root.join("redis")
    }

    pub fn sandbox(&self) -> PathBuf {
        self.root.join("sandbox")
    }

    /// The organization's own recipes, one directory each.
    pub fn recipes(&self) -> PathBuf {
        self.root.join("recipes")
    }

    pub fn log(&self, component: &str) -> PathBuf {
        self.root.join("logs").join(format!("{component}.log"))
    }

    /// Returns the file of a secret (32 random bytes in hexadecimal), created on first use.
    pub fn secret_file(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.root.join("secrets").join(name);
        if !path.exists() {
            private_file::write(&path, Secret::fresh().expose().as_bytes())?;
        }
        Ok(path)
    }

    /// Returns a secret, created on first use.
    pub fn stored_secret(&self, name: &str) -> io::Result<String> {
        let mut text = String::new();
        File::open(self.secret_file(name)?)?.read_to_string(&mut text)?;
        Ok(text.trim().to_owned())
    }

    /// Returns the bots of this directory, sorted by name.
    pub fn bots(&self) -> io::Result<Vec<BotAccount>> {
        let mut bots = Vec::new();
        for entry in fs::read_dir(self.root.join("secrets"))? {
            let file = entry?.file_name();
            let name = file.to_str().and_then(|file| file.strip_prefix("bot-")?.parse::<BotName>().ok());
            if let Some(name) = name {
                bots.push(self.bot(name)?);
            }
        }
        bots.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(bots)
    }

    /// Returns a bot, with a generated password if it is new.
    pub fn bot(&self, name: BotName) -> io::Result<BotAccount> {
        let password = self.stored_secret(&format!("bot-{name}"))?;
        Ok(BotAccount { name, password })
    }
}

fn prepare(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path)?;
    // All contain submitted data or credentials.
    for name in ["secrets", "logs", "redis", "nats", "jetstream"] {
        let directory = path.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    }
    fs::create_dir_all(path.join("recipes"))?;
    File::options().read(true).write(true).create(true).truncate(false).open(path.join("up.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("promptcraft-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        path
    }

    #[test]
    fn a_second_stack_on_the_same_directory_is_refused_with_the_pid_of_the_first() {
        let path = fresh("lock");
        let first = DataDirectory::open(&path).unwrap();
        let Err(DataDirectoryError::InUse { pid, .. }) = DataDirectory::open(&path) else {
            panic!("opened twice");
        };
        assert_eq!(pid, std::process::id().to_string());
        drop(first);
        DataDirectory::open(&path).expect("a lock dies with its holder");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_secret_is_created_once_and_private() {
        let path = fresh("secret");
        let data = DataDirectory::open(&path).unwrap();
        let secret = data.stored_secret("nats-api").unwrap();
        assert_eq!((secret.len(), &secret), (64, &data.stored_secret("nats-api").unwrap()));
        assert_ne!(secret, data.stored_secret("nats-worker").unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data.secret_file("nats-api").unwrap()), 0o600);
        for name in ["secrets", "logs", "redis", "nats", "jetstream"] {
            assert_eq!(mode(&path.join(name)), 0o700, "{name}");
        }
        fs::remove_dir_all(path).unwrap();
    }
}
