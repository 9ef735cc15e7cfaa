//! Key-value buckets, their cached copies, and the records kept in them.

pub(crate) mod bucket;
pub(crate) mod cache;
pub(crate) mod catalogues;
pub(crate) mod charges;
