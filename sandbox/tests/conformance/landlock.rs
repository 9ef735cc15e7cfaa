//! A sandbox does not open if the kernel's Landlock ABI is below the minimum.

use sandbox::Backend;

use crate::support::{RUNTIME, config, shared};

#[test]
fn docker_does_not_open_below_the_minimum() {
    does_not_open_below_the_minimum(Backend::Docker);
}

#[test]
fn bubblewrap_does_not_open_below_the_minimum() {
    does_not_open_below_the_minimum(Backend::Bubblewrap);
}

#[track_caller]
fn does_not_open_below_the_minimum(backend: Backend) {
    if shared(backend).is_none() {
        return;
    }
    let mut own = config(backend);
    own.minimum_landlock_abi = 99;
    own.runtimes = vec!["python".into()];
    own.instance = format!("minimum-{}", std::process::id());
    let refused = RUNTIME.block_on(sandbox::open(own)).err().expect("no kernel offers that much");
    assert_eq!((refused.code(), refused.is_retryable()), ("landlock_unavailable", false), "{refused}");
}
