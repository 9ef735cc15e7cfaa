//! Reading requests and writing responses, independent of what they are about.

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
