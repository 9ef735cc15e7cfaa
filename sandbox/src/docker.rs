//! Containers of a Docker engine; under construction, so that `Backend::Auto` means bubblewrap for now.
use crate::{Sandbox, config::SandboxConfig, error::SandboxError};
use std::sync::Arc;
pub(crate) struct DockerSandbox;
impl DockerSandbox {
    pub(crate) async fn open(_: &SandboxConfig) -> Result<Arc<dyn Sandbox>, SandboxError> {
        Err(SandboxError::fail("sandbox_unavailable", "the Docker backend is still being built; use bubblewrap"))
    }
}
