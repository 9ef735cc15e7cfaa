//! Finds the programs of the stack.

use std::path::{Path, PathBuf};

use crate::env::{find_nats_server, find_program};

#[derive(Debug, thiserror::Error)]
#[error("{program} not found {looked}. {remedy}")]
pub struct MissingProgram {
    program: &'static str,
    looked: String,
    remedy: &'static str,
}

/// Finds a service's program in the directory of this program.
fn service(program: &'static str) -> Result<PathBuf, MissingProgram> {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new(".")).to_owned();
    let path = beside.join(program);
    path.is_file().then_some(path).ok_or_else(|| MissingProgram {
        program,
        looked: format!("in {}", beside.display()),
        remedy: "Build all programs together: cargo build --release",
    })
}

/// Finds the worker's program, which also reads recipes.
pub fn worker_program() -> Result<PathBuf, MissingProgram> {
    service("worker")
}

/// The paths of the programs of a stack.
#[derive(Debug, Clone)]
pub struct Programs {
    pub nats_server: PathBuf,
    pub redis_server: PathBuf,
    pub api: PathBuf,
    pub worker: PathBuf,
    pub approver: PathBuf,
}

impl Programs {
    /// Finds the servers on `PATH` or in `data`/bin, and the services in the directory of this program.
    pub fn find(data: &Path) -> Result<Self, MissingProgram> {
        let bin = data.join("bin");
        let missing = |program| MissingProgram {
            program,
            looked: format!("on PATH or in {}", bin.display()),
            remedy: "Install it with scripts/setup.sh",
        };
        Ok(Self {
            nats_server: find_nats_server(&bin).ok_or_else(|| missing("nats-server"))?,
            redis_server: find_program("redis-server", std::slice::from_ref(&bin))
                .ok_or_else(|| missing("redis-server"))?,
            api: service("api")?,
            worker: service("worker")?,
            approver: service("approver")?,
        })
    }
}
