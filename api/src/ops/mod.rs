//! Calls for operators and tools: health, the OpenAPI document and its explorer.

pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod openapi;
