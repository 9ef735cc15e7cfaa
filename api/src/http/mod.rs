//! Reading requests and writing responses, for all handlers.

pub(crate) mod body;
pub(crate) mod client_address;
pub(crate) mod etag;
pub(crate) mod hosts;
pub(crate) mod idempotency;
pub(crate) mod json_fields;
pub(crate) mod pagination;
pub(crate) mod problem;
pub(crate) mod rate_limit_headers;
pub(crate) mod request_context;
