//! Calls for operators and tools: health, runtimes, the OpenAPI document and its explorer.

pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod openapi;
pub(crate) mod runtimes;
