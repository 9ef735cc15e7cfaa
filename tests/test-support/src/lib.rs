//! Servers and waiting, for the tests of every crate.
//!
//! A server listens on free ports of the loopback interface, keeps its data in its own temporary folder, and is killed when it
//! is dropped. Start reading at [`NatsServer`]. The whole stack, as `promptcraft up` starts it, is `tests::Stack`.
//!
//! Unit tests of `shared` use this crate as well, so no signature here has a type of `shared`: those tests would see it twice.

mod child_guard;
mod nats_server;
mod redis_server;
mod wait;

pub use child_guard::ChildGuard;
pub use nats_server::{NatsServer, nats_server_program};
pub use redis_server::RedisServer;
pub use wait::{eventually, wait_until};

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Creates an empty folder under the system's temporary folder, whose name begins with `promptcraft-<topic>`.
///
/// # Panics
/// If the folder cannot be created.
#[must_use]
pub fn temporary_folder(topic: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("promptcraft-{topic}-{}-{number}", std::process::id()));
    // Left by an earlier process of the same id.
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    folder
}
