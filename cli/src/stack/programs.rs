//! Where the programs are that the stack consists of.

use std::path::{Path, PathBuf};

use crate::env::{find_nats_server, find_program};

#[derive(Debug, thiserror::Error)]
#[error("{program} was not found {looked}. {remedy}")]
pub struct MissingProgram {
    program: &'static str,
    looked: String,
    remedy: &'static str,
}

/// Finds a service's program beside this very program.
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

/// The worker's program, which also reads recipes.
pub fn worker_program() -> Result<PathBuf, MissingProgram> {
    service("worker")
}

/// Every program of a stack, by path.
#[derive(Debug, Clone)]
pub struct Programs {
    pub nats_server: PathBuf,
    pub redis_server: PathBuf,
    pub api: PathBuf,
    pub worker: PathBuf,
    pub approver: PathBuf,
}

impl Programs {
    /// Looks on `PATH` and in `data`'s `bin` for the servers, beside this very program for the services.
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
