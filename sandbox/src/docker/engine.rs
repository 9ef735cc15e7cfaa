//! The connection to a Docker engine, and the settings that all its containers share.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, ListContainersOptionsBuilder,
    ListImagesOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::time::timeout;

use crate::background_tasks::BackgroundTasks;
use crate::config::SandboxConfig;
use crate::docker::container_spec::ContainerSpec;
use crate::docker::reaper::{LABEL, WorkerIdentity};
use crate::docker::seccomp_profile::seccomp_profile;
use crate::docker::watchdog::Watchdog;
use crate::error::SandboxError;
use crate::runtime;
use crate::runtime::roots::{self, RUNNER_NAME};

const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// Timeout for a simple request; a slower engine counts as unavailable.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// Timeout of other requests, such as a start on a busy machine.
const REQUEST_TIMEOUT_SECONDS: u64 = 30;

pub(crate) struct Engine {
    pub(crate) docker: Docker,
    pub(crate) background: BackgroundTasks,
    worker: WorkerIdentity,
    images: HashMap<String, String>,
    seccomp_profile: String,
    runtime: Option<String>,
    watchdog: Option<Watchdog>,
}

impl Engine {
    pub(crate) async fn connect(config: &SandboxConfig, background: BackgroundTasks) -> Result<Self, SandboxError> {
        let host = config.docker_host.as_deref().unwrap_or(DEFAULT_HOST);
        let connected = if host.starts_with("unix://") || host.starts_with('/') {
            Docker::connect_with_unix(host, REQUEST_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        } else {
            Docker::connect_with_http(host, REQUEST_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        };
        let docker = connected.map_err(|error| unavailable(host, &error))?;
        let docker = timeout(RESPONSE_TIMEOUT, docker.negotiate_version())
            .await
            .map_err(|_| unavailable(host, &"no response within 3 s"))?
            .map_err(|error| unavailable(host, &error))?;
        let worker = WorkerIdentity::current(&config.instance)
            .map_err(|error| SandboxError::fail("sandbox_unavailable", format!("cannot read /proc: {error}")))?;
        let seccomp_profile = seccomp_profile();
        let watchdog = start_watchdog(config, host);
        let runtime = config.docker_runtime.clone();
        let mut engine =
            Self { docker, background, worker, images: HashMap::new(), seccomp_profile, runtime, watchdog };
        for runtime in &config.runtimes {
            let image = engine.find_image(config, runtime).await?;
            engine.images.insert(runtime.clone(), image);
        }
        for tool in runtime::tool_names() {
            if let Ok(image) = engine.find_image(config, tool).await {
                engine.images.insert(tool.to_owned(), image);
            }
        }
        Ok(engine)
    }

    /// Returns whether there is an image for this runtime.
    pub(crate) fn offers(&self, runtime: &str) -> bool {
        self.images.contains_key(runtime)
    }

    /// Returns the image recorded beside the roots if the engine has it, else the newest image of that name.
    async fn find_image(&self, config: &SandboxConfig, runtime: &str) -> Result<String, SandboxError> {
        if let Some(image) = roots::recorded_image(&config.roots_dir, runtime)
            && self.docker.inspect_image(&image).await.is_ok()
        {
            return Ok(image);
        }
        let name = format!("promptcraft-sandbox-{runtime}");
        let filters = HashMap::from([("reference", vec![name.as_str()])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let images = self.docker.list_images(Some(options)).await.map_err(|error| engine_failed(&error))?;
        images.into_iter().max_by_key(|image| image.created).map(|image| image.id).ok_or_else(|| {
            SandboxError::fail(
                "root_missing",
                format!("image {name} is missing; run as root: sandbox/build-root.sh OUT_DIR {runtime}"),
            )
        })
    }

    pub(crate) async fn ping(&self) -> Result<(), SandboxError> {
        match timeout(RESPONSE_TIMEOUT, self.docker.ping()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(engine_failed(&error)),
            Err(_) => Err(SandboxError::retry("sandbox_unavailable", "the Docker engine does not respond")),
        }
    }

    /// Removes containers whose worker has ended. Logs errors only, because jobs can run nevertheless.
    pub(crate) async fn reap_orphans(&self) {
        let filters = HashMap::from([("label", vec![LABEL])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let found = match self.docker.list_containers(Some(options)).await {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%error, "Failed to list containers of ended workers"),
        };
        for container in found {
            let labels = container.labels.unwrap_or_default();
            let running = container.state.is_some_and(|state| state.to_string() == "running");
            if let Some(id) = container.id
                && self.worker.is_orphan(&labels, running)
            {
                tracing::info!(sandbox.container = %id, "Removing the container of an ended worker");
                self.remove(&id).await;
            }
        }
    }

    pub(crate) fn create_body(&self, spec: &ContainerSpec) -> Result<ContainerCreateBody, SandboxError> {
        let image = self.images.get(&spec.runtime).ok_or_else(roots::unknown_runtime)?;
        Ok(spec.create_body(image, self.runtime.as_deref(), &self.seccomp_profile, self.worker.labels()))
    }

    /// Creates, attaches, then starts, so that no output of the runner is lost.
    pub(crate) async fn start(
        &self,
        name: &str,
        body: ContainerCreateBody,
    ) -> Result<bollard::container::AttachContainerResults, Error> {
        if let Some(watchdog) = &self.watchdog {
            watchdog.register(name);
        }
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        self.docker.create_container(Some(options), body).await?;
        let options = AttachContainerOptionsBuilder::new().stdin(true).stdout(true).stderr(true).stream(true).build();
        let attached = self.docker.attach_container(name, Some(options)).await?;
        self.docker.start_container(name, None::<StartContainerOptions>).await?;
        Ok(attached)
    }

    /// Kills and removes a container; one that is already removed or being removed is not an error.
    pub(crate) async fn remove(&self, name: &str) {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(name, Some(options)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => self.untrack(name),
            Err(error) => tracing::error!(sandbox.container = name, %error, "Failed to remove a container"),
        }
    }

    /// Unregisters a container that is removed or will remove itself.
    pub(crate) fn untrack(&self, name: &str) {
        if let Some(watchdog) = &self.watchdog {
            watchdog.unregister(name);
        }
    }

    /// Returns the restrictions that are weaker than possible, for people; empty if there are none.
    pub(crate) fn weakness(&self) -> String {
        match self.watchdog {
            Some(_) => String::new(),
            None => {
                "no watchdog: containers that a killed worker was creating remain until the next worker starts".into()
            }
        }
    }

    /// Returns a unique container name that contains the instance name.
    pub(crate) fn container_name(&self) -> String {
        format!("promptcraft-{}-{}", self.worker.instance(), uuid::Uuid::new_v4().simple())
    }
}

/// Starts the watchdog, which supports local engines only and runs the runner program of this host.
fn start_watchdog(config: &SandboxConfig, host: &str) -> Option<Watchdog> {
    let socket = Path::new(host.strip_prefix("unix://").unwrap_or(host));
    let in_root = || Some(config.roots_dir.join(config.runtimes.first()?).join("rootfs").join(RUNNER_NAME));
    let runner = config.runner_path.clone().or_else(in_root)?;
    if !socket.is_absolute() {
        return None;
    }
    match Watchdog::start(&runner, socket) {
        Ok(watchdog) => Some(watchdog),
        Err(error) => {
            tracing::warn!(%error, "No watchdog: a killed worker's containers remain until the next start");
            None
        }
    }
}

pub(crate) fn engine_failed(error: &Error) -> SandboxError {
    SandboxError::retry("sandbox_unavailable", format!("Docker engine error: {error}"))
}

fn unavailable(host: &str, error: &dyn std::fmt::Display) -> SandboxError {
    SandboxError::retry(
        "sandbox_unavailable",
        format!("Docker engine at {host} is unavailable ({error}); start it or set sandbox.backend to bubblewrap"),
    )
}
