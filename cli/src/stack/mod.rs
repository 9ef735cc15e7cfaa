//! One machine's stack: a broker, a Redis, and the three services as child processes.

pub mod broker_files;
pub mod private_file;
