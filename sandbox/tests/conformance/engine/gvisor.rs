//! Jobs in gVisor containers, if the engine has gVisor.

use sandbox::{Backend, IsolationLevel, Outcome};

use crate::support::{RUNTIME, config, run, script, script_job, text};

async fn engine_has_gvisor() -> bool {
    let Ok(engine) = bollard::Docker::connect_with_local_defaults() else { return false };
    engine.info().await.is_ok_and(|info| info.runtimes.is_some_and(|runtimes| runtimes.contains_key("runsc")))
}

#[test]
fn jobs_run_on_gvisor() {
    if !RUNTIME.block_on(engine_has_gvisor()) {
        return println!("gVisor was not tried: the engine has no runtime called runsc, see README.md");
    }
    let mut own = config(Backend::Docker);
    own.docker_runtime = Some("runsc".into());
    own.runtimes = vec!["python".into()];
    own.instance = format!("gvisor-{}", std::process::id());
    // gVisor's kernel has no Landlock.
    own.minimum_landlock_abi = 0;
    RUNTIME.block_on(async {
        let sandbox = sandbox::open(own).await.expect("opens");
        let result = script(&*sandbox, "import os\nprint(os.uname().release, os.getuid())").await;
        assert_eq!((text(&result.stdout), result.exit_code), ("4.4.0 65534\n", Some(0)), "{result:?}");
        let fork = "import os\ntry: os.fork()\nexcept OSError as error: print(error.errno)\n";
        assert_eq!(text(&run(&*sandbox, script_job(IsolationLevel::Strict, fork)).await.stdout), "1\n");
        let mut endless = script_job(IsolationLevel::Standard, "while True: pass");
        endless.limits.wall = std::time::Duration::from_secs(1);
        assert_eq!(run(&*sandbox, endless).await.outcome, Outcome::TimedOut);
        sandbox.shutdown().await;
    });
}
