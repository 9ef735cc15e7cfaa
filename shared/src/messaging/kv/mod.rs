//! Key-value buckets, their cached copies, and the records kept in them.

pub(in crate::messaging) mod bucket;
pub(in crate::messaging) mod cache;
pub(in crate::messaging) mod catalogues;
pub(in crate::messaging) mod charges;
