//! The connection from the broker's client to the broker: a relay in this process, on loopback, that repairs input
//! which the client cannot read (decision 0036).

pub(in crate::messaging) mod broker;
pub(in crate::messaging) mod broker_clock;
mod dial;
mod frames;
mod header_block;
mod relay;

pub(super) use header_block::HeaderBlock;
pub(super) use relay::Relay;
