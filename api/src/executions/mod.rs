//! Workflows over HTTP: submit, list, read, follow and cancel.

pub(crate) mod artifact_contents;
pub(crate) mod artifacts;
pub(crate) mod batch;
pub(crate) mod cancel;
pub(crate) mod event_stream_quota;
pub(crate) mod events;
pub(crate) mod list;
pub(crate) mod live_output;
pub(crate) mod program_fields;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod submit_request;
pub(crate) mod views;
pub(crate) mod wait;
