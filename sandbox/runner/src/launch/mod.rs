//! Starts bubblewrap on the host with reduced rights: own cgroup, unprivileged user, outer seccomp filter.
//!
//! A root that only its owner can reach, such as one below a closed home directory, is first bound to [`BOUND_ROOT`] in
//! a private mount namespace, which ends with the sandbox.
//!
//! A separate single-threaded program does this, because it happens between fork and exec, where the multi-threaded
//! worker may hardly do anything.

mod companion;

use std::fs;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::seccomp::allow_list;
use crate::sys;

/// Descriptor at which a runner finds the companion's samples; `--samples` opens it.
pub(crate) const SAMPLES_FD: i32 = 3;

/// Mount point of `--bind-root`; the folder exists on every system and is not used by jobs.
pub const BOUND_ROOT: &str = "/mnt";

#[derive(Debug, Default, PartialEq, Eq)]
struct LaunchOptions {
    cgroup_files: Vec<String>,
    samples: bool,
    bind_root: Option<String>,
    user: Option<u32>,
    program: String,
    arguments: Vec<String>,
}

/// Runs `[--cgroup FILE]... [--samples] [--bind-root DIR] [--user ID] -- BWRAP ARGUMENTS...`: executes bubblewrap.
///
/// `--samples` is for a sandbox without `/proc`: the companion measures the job from outside.
/// The filter descriptors are inserted before the given arguments. Returns on failure only.
pub fn launch(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let options = parse(arguments)?;
    sys::die_with_parent().map_err(|error| format!("cannot set the parent-death signal: {error}"))?;
    // The worker may have inherited open descriptors that must not be passed on.
    sys::close_on_exec_from(3).map_err(|error| format!("cannot mark inherited descriptors: {error}"))?;
    // Before joining the cgroup, where it would count as a process of the job, and while it may still signal every
    // process.
    start_companion(options.samples).map_err(|error| format!("cannot start the companion: {error}"))?;
    // This process has one thread, so a file for threads moves all of it.
    for file in &options.cgroup_files {
        fs::write(file, "0").map_err(|error| format!("cannot join {file}: {error}"))?;
    }
    if let Some(root) = &options.bind_root {
        sys::bind_mount_private(Path::new(root), Path::new(BOUND_ROOT))
            .map_err(|error| format!("cannot bind {root} to {BOUND_ROOT}: {error}"))?;
    }
    if let Some(user) = options.user {
        sys::become_user(user, user).map_err(|error| format!("cannot become user {user}: {error}"))?;
        // A change of user clears the parent-death signal.
        sys::die_with_parent().map_err(|error| format!("cannot set the parent-death signal: {error}"))?;
    }
    let filters = filter_files().map_err(|error| format!("cannot prepare the seccomp filter: {error}"))?;
    let mut command = Command::new(&options.program);
    for filter in &filters {
        command.arg("--add-seccomp-fd").arg(filter.as_raw_fd().to_string());
    }
    let error = command.args(&options.arguments).env_clear().exec();
    Err(format!("cannot start {}: {error}", options.program))
}

fn start_companion(samples: bool) -> std::io::Result<()> {
    if !samples {
        return companion::start(None);
    }
    let (reader, writer) = std::io::pipe()?;
    companion::start(Some(writer))?;
    sys::duplicate_onto(&reader, SAMPLES_FD)?;
    if reader.as_raw_fd() == SAMPLES_FD {
        // It stays open until bubblewrap is executed, and in it.
        std::mem::forget(reader);
    }
    // The runner cannot say that the kernel shall kill the job rather than the worker: it has no /proc for that.
    fs::write("/proc/self/oom_score_adj", "1000")
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<LaunchOptions, String> {
    const USAGE: &str = "usage: promptcraft-runner launch [--cgroup FILE]... [--samples] [--bind-root DIR] [--user ID] -- \
         BWRAP ARGUMENTS...";
    let mut options = LaunchOptions::default();
    loop {
        match (arguments.next().as_deref(), &mut arguments) {
            (Some("--cgroup"), rest) => options.cgroup_files.push(rest.next().ok_or(USAGE)?),
            (Some("--samples"), _) => options.samples = true,
            (Some("--bind-root"), rest) => options.bind_root = Some(rest.next().ok_or(USAGE)?),
            (Some("--user"), rest) => options.user = Some(rest.next().and_then(|id| id.parse().ok()).ok_or(USAGE)?),
            (Some("--"), rest) => {
                options.program = rest.next().ok_or(USAGE)?;
                options.arguments = rest.collect();
                return Ok(options);
            }
            _ => return Err(USAGE.into()),
        }
    }
}

fn filter_files() -> Result<Vec<fs::File>, String> {
    let programs = allow_list::bubblewrap_filters().map_err(|error| error.to_string())?;
    programs.iter().map(|program| filter_file(program).map_err(|error| error.to_string())).collect()
}

fn filter_file(program: &[seccompiler::sock_filter]) -> std::io::Result<fs::File> {
    let instruction = |it: &seccompiler::sock_filter| {
        let ([a, b], [c, d, e, f]) = (it.code.to_ne_bytes(), it.k.to_ne_bytes());
        [a, b, it.jt, it.jf, c, d, e, f]
    };
    let mut file = sys::anonymous_file(c"seccomp")?;
    // In one call: a filter has several hundred instructions.
    file.write_all(program.iter().flat_map(instruction).collect::<Vec<u8>>().as_slice())?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> impl Iterator<Item = String> {
        text.split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn arguments_are_read() {
        let options =
            parse(words("--cgroup /a --cgroup /b --samples --bind-root /r --user 65534 -- bwrap --x --user 1"))
                .expect("reads");
        let expected = LaunchOptions {
            cgroup_files: vec!["/a".into(), "/b".into()],
            samples: true,
            bind_root: Some("/r".into()),
            user: Some(65534),
            program: "bwrap".into(),
            arguments: ["--x", "--user", "1"].map(String::from).into(),
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn a_missing_program_or_an_unknown_word_is_an_error() {
        parse(words("--user 1 --")).expect_err("no program");
        parse(words("--user x -- bwrap")).expect_err("not a number");
        parse(words("bwrap")).expect_err("no separator");
    }
}
