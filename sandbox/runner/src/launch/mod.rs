//! Starts bubblewrap on the host with the rights it may have: own cgroup, plain user, outer seccomp filter.
//!
//! A root that only its owner can reach, such as one below a closed home directory, is first bound to a place that
//! everybody can reach, in a mount namespace of this process's own: it ends with the sandbox and is seen by no other.
//!
//! A separate small program does this because it must happen between fork and exec, where the many-threaded
//! worker may do next to nothing.

mod companion;

use std::fs;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::seccomp::allow_list;
use crate::sys;

/// Where `--bind-root` shows the root; every system has this folder, and nobody's programs need it here.
pub const BOUND_ROOT: &str = "/mnt";

#[derive(Debug, Default, PartialEq, Eq)]
struct LaunchOptions {
    cgroup_procs: Vec<String>,
    bind_root: Option<String>,
    user: Option<u32>,
    program: String,
    arguments: Vec<String>,
}

/// `[--cgroup-procs FILE]... [--bind-root DIR] [--user ID] -- BWRAP ARGUMENTS...`: becomes bubblewrap, or says why not.
///
/// The filter descriptors are put before the given arguments. Returns only on failure.
pub fn launch(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let options = parse(arguments)?;
    sys::die_with_parent().map_err(|error| format!("cannot bind to the worker's life: {error}"))?;
    // Whoever started the worker may have left it something open that is not to be handed on.
    sys::close_on_exec_from(3).map_err(|error| format!("cannot mark inherited descriptors: {error}"))?;
    // Before the cgroup, in which it would count as one of the job's, and while it may still kill anybody.
    companion::start().map_err(|error| format!("cannot start the companion: {error}"))?;
    for file in &options.cgroup_procs {
        fs::write(file, std::process::id().to_string()).map_err(|error| format!("cannot enter {file}: {error}"))?;
    }
    if let Some(root) = &options.bind_root {
        sys::bind_mount_private(Path::new(root), Path::new(BOUND_ROOT))
            .map_err(|error| format!("cannot bind {root} to {BOUND_ROOT}: {error}"))?;
    }
    if let Some(user) = options.user {
        sys::become_user(user, user).map_err(|error| format!("cannot become user {user}: {error}"))?;
        // A change of user takes the bond off.
        sys::die_with_parent().map_err(|error| format!("cannot bind to the worker's life: {error}"))?;
    }
    let filters = filter_files().map_err(|error| format!("cannot prepare the seccomp filter: {error}"))?;
    let mut command = Command::new(&options.program);
    for filter in &filters {
        command.arg("--add-seccomp-fd").arg(filter.as_raw_fd().to_string());
    }
    let error = command.args(&options.arguments).env_clear().exec();
    Err(format!("cannot start {}: {error}", options.program))
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<LaunchOptions, String> {
    const USAGE: &str =
        "usage: promptcraft-runner launch [--cgroup-procs FILE]... [--bind-root DIR] [--user ID] -- BWRAP ARGUMENTS...";
    let mut options = LaunchOptions::default();
    loop {
        match (arguments.next().as_deref(), &mut arguments) {
            (Some("--cgroup-procs"), rest) => options.cgroup_procs.push(rest.next().ok_or(USAGE)?),
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
    let mut file = sys::anonymous_file(c"seccomp")?;
    for instruction in program {
        file.write_all(&instruction.code.to_ne_bytes())?;
        file.write_all(&[instruction.jt, instruction.jf])?;
        file.write_all(&instruction.k.to_ne_bytes())?;
    }
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
            parse(words("--cgroup-procs /a --cgroup-procs /b --bind-root /r --user 65534 -- bwrap --x --user 1"))
                .expect("reads");
        let expected = LaunchOptions {
            cgroup_procs: vec!["/a".into(), "/b".into()],
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
