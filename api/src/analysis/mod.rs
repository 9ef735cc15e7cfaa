//! Interactive analysis: the call, and its response as suggestions or SARIF.

pub(crate) mod analyze;
pub(crate) mod sarif;
pub(crate) mod suggestions;
