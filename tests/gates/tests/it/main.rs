//! Gates against broken subjects.

mod missing_tools;
mod open_api;
