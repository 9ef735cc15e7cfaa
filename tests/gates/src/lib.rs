//! The quality gates: each measures the product and compares the figures with its targets.
//!
//! A gate runs a harness of this repository and reads its JSON, or starts a stack and measures it over HTTP. A figure that
//! could not be measured fails its gate. Start reading at [`gate`], then a file of `gates`.

pub mod check;
pub mod command;
pub mod gate;
pub mod gates;
pub mod report;
