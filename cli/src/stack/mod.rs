//! One machine's stack: a broker, a Redis, and the three services as child processes.
//!
//! [`Stack`] starts them in order, restarts what dies, and ends them in reverse. It owns the processes and the data directory
//! and knows nothing of what the services say to each other.

pub mod broker_files;
mod child;
mod data_directory;
mod lane;
mod log_rotation;
mod manifest;
mod ports;
pub mod private_file;
mod probe;
mod programs;
mod recipe;
mod running;
mod seed;
mod supervise;

pub use data_directory::{DataDirectory, DataDirectoryError};
pub use lane::{BadLane, Lane, RUNTIMES};
pub use manifest::{Bot as ManifestBot, Manifest};
pub use ports::{PortError, Ports};
pub use programs::{MissingProgram, Programs, worker_program};
pub use recipe::{Recipe, WORKER_RIGHTS};
pub use running::{Stack, StackError};
pub use seed::{DEMO_BOT, SeedError, Seeded};
pub use supervise::Event;
