//! `promptcraft`, the tool of users and operators: it talks to a running installation over HTTP, prepares a broker, and
//! runs the whole stack on one machine.
//!
//! It starts the other processes as programs and shares no code with them but [`shared`]. Start reading at
//! [`commands::Command`]; `promptcraft up` lives in [`stack`].

pub mod api;
mod archive;
mod board;
pub mod commands;
pub mod config;
pub mod follow;
mod operator;
pub mod screen;
pub mod stack;
pub mod suggestions;
