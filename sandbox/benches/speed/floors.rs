//! Floors: the same work on this machine without a sandbox, or with a minimal container.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptionsBuilder, RemoveContainerOptions, StartContainerOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt;
use tokio::process::Command;
use tokio::time::Instant;

use crate::workload::{per_second, roots};

const CLIENTS: usize = 4;

/// The distribution's Python, as in the sandbox; the first one on PATH may be a slower wrapper.
const PYTHON: &str = "/usr/bin/python3";

/// Measures one plain process in milliseconds.
pub(crate) fn plain_python() -> f64 {
    let began = Instant::now();
    let status =
        std::process::Command::new(PYTHON).args(["-I", "-S", "-c", "print('hello')"]).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "python3 runs");
    began.elapsed().as_secs_f64() * 1e3
}

pub(crate) async fn plain_python_rate(span: Duration) -> f64 {
    rate(span, async || {
        let status = Command::new(PYTHON).args(["-I", "-S", "-c", "print('hello')"]).stdout(Stdio::null()).status();
        assert!(status.await.is_ok_and(|status| status.success()), "python3 runs");
    })
    .await
}

pub(crate) async fn engine_answers() -> bool {
    match Docker::connect_with_local_defaults() {
        Ok(docker) => docker.ping().await.is_ok(),
        Err(_) => false,
    }
}

/// Runs the same job in a new container with minimal isolation, through the same API.
pub(crate) async fn bare_docker_rate(span: Duration) -> f64 {
    let docker = Docker::connect_with_local_defaults().expect("the engine");
    let docker = docker.negotiate_version().await.expect("the engine answers");
    let image = std::fs::read_to_string(roots().join("python/image")).expect("the image is noted");
    rate(span, async || {
        let body = ContainerCreateBody {
            image: Some(image.trim().to_owned()),
            entrypoint: Some(["/usr/bin/python3", "-I", "-S", "-c", "print('hello')"].map(String::from).into()),
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let id = docker.create_container(None::<CreateContainerOptions>, body).await.expect("is created").id;
        docker.start_container(&id, None::<StartContainerOptions>).await.expect("starts");
        let mut ended = docker.wait_container(&id, None::<WaitContainerOptions>);
        assert!(ended.next().await.is_some_and(|end| end.is_ok()), "the job succeeds");
        docker.remove_container(&id, None::<RemoveContainerOptions>).await.expect("is removed");
    })
    .await
}

async fn rate(span: Duration, once: impl AsyncFn()) -> f64 {
    let began = Instant::now();
    let client = async || {
        let mut done = 0;
        while began.elapsed() < span {
            once().await;
            done += 1;
        }
        done
    };
    let done: usize = futures_util::future::join_all((0..CLIENTS).map(|_| client())).await.into_iter().sum();
    per_second(done, began.elapsed())
}

/// Returns the mean memory of the containers of an instance, from their cgroups.
pub(crate) async fn cgroup_memory(instance: &str) -> Option<f64> {
    let docker = Docker::connect_with_local_defaults().ok()?;
    let docker = docker.negotiate_version().await.ok()?;
    let label = format!("promptcraft.instance={instance}");
    let filters = HashMap::from([("label", vec![label.as_str()])]);
    let options = ListContainersOptionsBuilder::new().filters(&filters).build();
    let containers = docker.list_containers(Some(options)).await.ok()?;
    let mut held = Vec::new();
    for id in containers.into_iter().filter_map(|container| container.id) {
        let places = [
            format!("/sys/fs/cgroup/memory/docker/{id}/memory.usage_in_bytes"),
            format!("/sys/fs/cgroup/system.slice/docker-{id}.scope/memory.current"),
            format!("/sys/fs/cgroup/docker/{id}/memory.current"),
        ];
        let text = places.iter().find_map(|place| std::fs::read_to_string(place).ok())?;
        held.push(text.trim().parse::<f64>().ok()?);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let count = held.len() as f64;
    (count > 0.0).then(|| held.iter().sum::<f64>() / count)
}
