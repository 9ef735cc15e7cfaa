//! The stack on one machine: broker, Redis and the three services as child processes.
//!
//! [`Stack`] starts them in order, restarts failed ones, and stops them in reverse. It owns the processes and the data
//! directory and does not take part in the communication of the services.

pub mod broker_config;
mod data_directory;
pub mod installation;
mod lifecycle;
mod manifest;
mod ports;
pub mod private_file;
mod process_specs;
mod programs;
mod redis_config;
mod runtime_name;
pub(crate) mod seed;
mod status_display;
mod supervise;

pub use data_directory::{DataDirectory, DataDirectoryError};
pub use lifecycle::{Stack, StackError};
pub use manifest::{BotEntry, Manifest};
pub use ports::{PortError, Ports};
pub use process_specs::StackConfig;
pub use programs::{MissingProgram, Programs, worker_program};
pub use redis_config::WORKER_REDIS_ACL;
pub use runtime_name::{DEFAULT_RUNTIMES, InvalidRuntimeName, RUNTIMES, RuntimeName};
pub use seed::{DEMO_BOT, SeedError, SeedReport};
pub(crate) use status_display::StatusDisplay;
pub use supervise::ProcessEvent;
