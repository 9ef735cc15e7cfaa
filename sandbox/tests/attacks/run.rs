//! Runs attacks concurrently and collects deviations.
//!
//! `ATTACKS_JSON` names an existing folder for one file of results for each set of roots and backend.

use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use sandbox::{Backend, Command, IsolationLevel, Job, JobFile, JobInput, Limits, Owner, Sandbox};
use serde::Serialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::case::{self, Case, SecondJob};
use crate::host::{self, Host};
use crate::old_kernel;
use crate::support::{RUNTIME, config, engine_answers, is_default, variable};
use crate::verdict;

/// Maximum concurrent attacks per backend; both backends run at the same time.
const MAX_CONCURRENT: usize = 3;

/// Default time limit of an attack; none needs more than a fraction of it.
const DEFAULT_WALL_LIMIT: Duration = Duration::from_secs(20);

/// Runs every attack on one backend, with the usual roots or with those of a test.
#[track_caller]
pub(crate) fn all(backend: Backend, roots: Option<&Path>) {
    let set = set_name(backend, roots);
    if backend == Backend::Docker && !engine_answers() {
        publish(&set, &[], Some("no Docker engine answers"));
        assert!(variable("CI").as_deref() != Some("true"), "no Docker engine answers, and CI must test with one");
        return eprintln!("SKIPPED: attacks on the docker sandbox: no engine answers");
    }
    if cfg!(not(target_arch = "x86_64")) {
        publish(&set, &[], Some("call numbers are those of x86-64"));
        return eprintln!("SKIPPED: attacks: their call numbers are those of x86-64");
    }
    let mut own = config(backend);
    own.roots_dir = roots.map_or(own.roots_dir, Path::to_owned);
    own.instance = format!("attacks-{}-{}", std::process::id(), roots.map_or("now", |_| "old"));
    own.pool_size = MAX_CONCURRENT;
    if roots.is_some() {
        own.runtimes = vec!["python".into()];
    }
    let wrong = RUNTIME.block_on(async {
        let sandbox = sandbox::open(own).await.expect("opens the sandbox");
        let landlock = sandbox.health().await.landlock_abi;
        assert!(roots.is_none() || landlock == old_kernel::LANDLOCK, "the roots offer Landlock {landlock}");
        let runs = every_attack(&*sandbox, roots.is_some()).await;
        sandbox.shutdown().await;
        publish(&set, &runs, None);
        runs.into_iter().filter_map(|run| run.wrong).collect::<Vec<_>>()
    });
    assert!(wrong.is_empty(), "{} attacks went wrong on {backend:?}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Returns the name of a set of attacks: the backend, and the Landlock ABI of other roots than the usual ones.
fn set_name(backend: Backend, roots: Option<&Path>) -> String {
    let landlock = roots.map(|_| format!("-landlock-{}", old_kernel::LANDLOCK)).unwrap_or_default();
    format!("{backend:?}{landlock}").to_lowercase()
}

/// One attack at one level.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    case: String,
    level: IsolationLevel,
    /// The deviations as text.
    wrong: Option<String>,
    /// True where the sandbox has no runtime for the attack.
    skipped: bool,
}

/// Writes the results to the folder that `ATTACKS_JSON` names. With a reason, the whole set was skipped.
fn publish(set: &str, runs: &[Run], skipped: Option<&str>) {
    let Some(folder) = variable("ATTACKS_JSON") else { return };
    let file = Path::new(&folder).join(format!("{set}.json"));
    let text = serde_json::json!({"set": set, "skipped": skipped, "runs": runs}).to_string();
    std::fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Returns one result per attack and level. With `only_offered`, attacks without a runtime are left out; those of a
/// runtime that is not built by default always are.
pub(crate) async fn every_attack(sandbox: &dyn Sandbox, only_offered: bool) -> Vec<Run> {
    let (host, chosen) = (Host::open(), variable("ATTACKS").unwrap_or_default());
    let mut cases = case::all();
    if sandbox.health().await.detail.contains("no /proc in jobs") {
        eprintln!("These jobs have no /proc");
        cases.iter_mut().for_each(Case::expect_no_proc);
    }
    let offered = sandbox.runtimes();
    let chosen: Vec<_> = cases
        .iter()
        .filter(|case| case.title().contains(&chosen))
        .filter(|case| offered.contains(&case.expect.runtime) || !only_offered && is_default(&case.expect.runtime))
        .flat_map(|case| case.expect.levels.iter().map(move |level| (case, *level)))
        .collect();
    let (host, offered) = (&host, &offered);
    let runs: Vec<_> = stream::iter(&chosen)
        .map(|(case, level)| async move {
            let skipped = !offered.contains(&case.expect.runtime);
            let wrong = if skipped { None } else { Box::pin(attack(sandbox, host, case, *level)).await };
            Run { case: case.title(), level: *level, wrong, skipped }
        })
        .buffer_unordered(MAX_CONCURRENT)
        .collect()
        .await;
    let wrong = runs.iter().filter(|run| run.wrong.is_some()).count();
    eprintln!("{} runs of attacks, {wrong} went wrong", runs.iter().filter(|run| !run.skipped).count());
    runs
}

async fn attack(sandbox: &dyn Sandbox, host: &Host, case: &Case, level: IsolationLevel) -> Option<String> {
    let mut wrong = match case.expect.look {
        None => one(sandbox, host, case, level, case.script(), "attacker").await,
        Some(SecondJob::Afterwards) => {
            let mut wrong = one(sandbox, host, case, level, "leave.py", "victim").await;
            wrong.extend(one(sandbox, host, case, level, "attack.py", "victim").await);
            wrong.extend(one(sandbox, host, case, level, "attack.py", "attacker").await);
            wrong
        }
        Some(SecondJob::Meanwhile) => {
            let victim = one(sandbox, host, case, level, "leave.py", "victim");
            let (mut wrong, more) = tokio::join!(victim, one(sandbox, host, case, level, "attack.py", "attacker"));
            wrong.extend(more);
            wrong
        }
    };
    if host.was_connected() {
        wrong.push("a client connected to a listener of the host".into());
    }
    let (title, tries, walls) = (case.title(), &case.expect.tries, &case.expect.stopped_by);
    (!wrong.is_empty()).then(|| format!("--- {title} ({level:?})\n    {tries} {walls:?}\n    {}", wrong.join("\n    ")))
}

/// Runs one script of the attack.
async fn one(
    sandbox: &dyn Sandbox,
    host: &Host,
    case: &Case,
    level: IsolationLevel,
    script: &str,
    owner: &str,
) -> Vec<String> {
    let id = Uuid::new_v4().simple().to_string();
    let marker = format!("atk{}", &id[..12]);
    let job = job(case, level, script, owner, &host.attacker_knowledge(level, &marker).to_string());
    let wall_ms = u64::try_from(job.limits.wall.as_millis()).expect("is short");
    let cancel = CancellationToken::new();
    let cancelling = async {
        if case.expect.cancelled {
            while !host::is_running(&marker) {
                sleep(Duration::from_millis(5)).await;
            }
            cancel.cancel();
        }
    };
    let again = job.clone();
    let mut run = std::pin::pin!(sandbox.run(job, cancel.clone()));
    // An attack may end before the host sees it run; then nothing is cancelled.
    let ended = tokio::select! {
        ended = &mut run => ended,
        () = cancelling => run.await,
    };
    // An attack may break a reused container; like a worker, the test retries with another one.
    let ended = match ended {
        Err(error) if error.is_retryable() => {
            eprintln!("{} ({level:?}) is tried again: {error}", case.title());
            sandbox.run(again, cancel.clone()).await
        }
        ended => ended,
    };
    let secret_words = host.secret_words();
    let mut wrong = match (&case.expect.refused, ended) {
        (None, Ok(result)) if script == "leave.py" => {
            let wrong = verdict::leaks(&secret_words, &result);
            if wrong.is_empty() && result.exit_code != Some(0) {
                vec![format!("the victim broke: {result:?}")]
            } else {
                wrong
            }
        }
        (None, Ok(result)) => {
            let mut wrong = verdict::judge(case, level, &result, wall_ms);
            wrong.extend(verdict::leaks(&secret_words, &result));
            wrong
        }
        (Some(code), Err(error)) => verdict::judge_refusal(code, &error, &secret_words),
        (None, Err(error)) => vec![format!("the sandbox could not run it: {error}")],
        (Some(code), Ok(result)) => vec![format!("ran instead of being refused as {code}: {result:?}")],
    };
    if host::outlives(&marker).await {
        wrong.push("a process is still running one second after the end".into());
    }
    wrong
}

fn job(case: &Case, level: IsolationLevel, script: &str, owner: &str, known: &str) -> Job {
    let expect = &case.expect;
    let evidence = match expect.runtime.as_str() {
        "bash" => "evidence.sh",
        "c" => "evidence.h",
        _ => "evidence.py",
    };
    let shared = std::fs::read(case::folder().join(evidence)).expect("the attacks share it");
    let files = case.files.iter().map(|(path, content)| (path.clone(), content.clone()));
    let more = expect.more_files.iter().map(|file| (file.path.repeat(file.path_repeated), file.content.clone().into()));
    let shared = [(evidence.to_owned(), shared), ("host.json".to_owned(), known.into())];
    let files = files.chain(more).chain(shared).map(|(path, content)| JobFile { path, content }).collect();
    let command = if expect.as_tests { Command::Tests } else { Command::Script { path: script.into() } };
    let change = &expect.limits;
    let mut limits = Limits::for_level(level, change.wall_ms.map_or(DEFAULT_WALL_LIMIT, Duration::from_millis));
    limits.cpu = change.cpu_ms.map_or(limits.cpu, Duration::from_millis);
    limits.memory_bytes = change.memory_mib.map_or(limits.memory_bytes, |mib| mib << 20);
    limits.disk_bytes = change.disk_mib.map_or(limits.disk_bytes, |mib| mib << 20).min(limits.memory_bytes / 3);
    limits.output_bytes = change.output_bytes.unwrap_or(limits.output_bytes);
    let input = JobInput {
        args: expect.args.clone(),
        env: expect.env.clone().into_iter().collect(),
        stdin: expect.stdin.clone().into(),
    };
    let (owner, runtime) = (Owner::new(owner), expect.runtime.clone());
    Job { owner, level, runtime, command, files, input, limits, live_output: None }
}
