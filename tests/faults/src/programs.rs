//! Paths of the programs of a cluster.

use std::path::{Path, PathBuf};

use crate::cluster::root;

/// The programs of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterPrograms {
    pub(crate) promptcraft: PathBuf,
    pub(crate) nats_server: PathBuf,
    pub(crate) redis_server: PathBuf,
    /// api, worker and approver with failpoints.
    pub(crate) instrumented: PathBuf,
    /// The sandbox's root file systems.
    pub(crate) roots: PathBuf,
}

impl ClusterPrograms {
    /// Finds them beside this program and where `make` puts them.
    ///
    /// # Errors
    ///
    /// Names what is missing and the script to run.
    pub(crate) fn find() -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let instrumented = own
            .ancestors()
            .map(|folder| folder.join("instrumented"))
            .find(|folder| folder.join("worker").is_file())
            .ok_or("there are no instrumented programs: run scripts/instrument.sh")?;
        let promptcraft = instrumented.with_file_name("promptcraft");
        let missing = |name: &str| format!("{name} is missing: run scripts/setup.sh as root");
        let nats_server = cli::env::find_nats_server(&root().join("data/bin")).ok_or_else(|| missing("nats-server"))?;
        let redis_server = cli::env::find_program("redis-server", &[PathBuf::from("/usr/sbin")]);
        #[expect(
            clippy::disallowed_methods,
            reason = "the harness has no settings of its own but where the roots were built"
        )]
        let roots = std::env::var("SANDBOX_ROOTS").map_or_else(|_| root().join("target/sandbox-roots"), PathBuf::from);
        if !roots.join("python").is_dir() {
            return Err(format!("{} holds no sandbox roots: run sandbox/build-root.sh", roots.display()));
        }
        Ok(Self {
            promptcraft,
            nats_server,
            redis_server: redis_server.ok_or_else(|| missing("redis-server"))?,
            instrumented,
            roots,
        })
    }

    /// Returns the path of an instrumented program.
    pub(crate) fn instrumented(&self, name: &str) -> String {
        Path::new(&self.instrumented).join(name).display().to_string()
    }
}
