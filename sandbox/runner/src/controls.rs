//! Positive controls: a program behind selected restrictions only, to show that an attack succeeds if one is missing.
//!
//! Compiled for tests only (feature `positive-controls`, a separate binary): the program that runs jobs has no switch
//! that disables a restriction. The restrictions are built by the same functions as a job's.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::protocol::{self, FileFrame, JOB_DIR, Walls};
use crate::seccomp::{allow_list, deny_list};
use crate::{child, landlock_rules, sys, work_files};

/// The restrictions to apply and the program to start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Control {
    pub argv: Vec<String>,
    pub files: Vec<FileFrame>,
    /// Writes the files without checking their paths.
    pub unchecked_files: bool,
    /// Options of the work directory's tmpfs; `None` if the host has prepared the directory.
    pub work_options: Option<String>,
    /// Mounts the work directory without noexec.
    pub executable_work: bool,
    pub drop_capabilities: bool,
    pub outer_seccomp: bool,
    pub inner_seccomp: bool,
    /// Newest Landlock ABI to use; `None` for no Landlock.
    pub landlock: Option<u32>,
    pub file_bytes: Option<u64>,
    /// Applies the limits that are equal for every job, such as the one on open files.
    pub fixed_limits: bool,
    pub walls: Walls,
}

/// Reads a [`Control`] from stdin and executes its program; returns on failure only.
pub fn control() -> Result<(), String> {
    let control = protocol::read_frame::<Control>(&mut std::io::stdin().lock()).map_err(|error| error.to_string())?;
    let control = control.ok_or("stdin contains no control frame")?;
    let failed = |what: &'static str| move |error: std::io::Error| format!("cannot {what}: {error}");
    if let Some(options) = &control.work_options {
        sys::mount_work(options, control.executable_work).map_err(failed("mount the work directory"))?;
    }
    work_files::make_directories().map_err(|refused| refused.detail)?;
    if control.unchecked_files {
        work_files::write_unchecked(&control.files).map_err(|error| error.to_string())?;
    } else {
        work_files::write_all(&control.files).map_err(|refused| refused.detail)?;
    }
    if control.drop_capabilities {
        sys::drop_capabilities().map_err(failed("drop capabilities"))?;
    }
    if let Some(bytes) = control.file_bytes {
        sys::set_limit(libc::RLIMIT_FSIZE, bytes, 0).map_err(failed("limit files"))?;
    }
    if control.fixed_limits {
        child::set_fixed_limits().map_err(failed("set the fixed limits"))?;
    }
    sys::set_no_new_privileges().map_err(failed("set no_new_privs"))?;
    if let Some(newest) = control.landlock {
        landlock_rules::restrict_up_to(&control.walls, newest).map_err(|error| error.to_string())?;
    }
    if control.inner_seccomp {
        apply(&deny_list::build(&control.walls)?)?;
    }
    if control.outer_seccomp {
        apply(&allow_list::bubblewrap_filters().map_err(|error| error.to_string())?)?;
    }
    let (program, arguments) = control.argv.split_first().ok_or("argv is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(JOB_DIR).stdin(Stdio::null()).env("HOME", "/work/tmp");
    Err(format!("cannot start {program}: {}", command.exec()))
}

fn apply(filters: &[seccompiler::BpfProgram]) -> Result<(), String> {
    filters.iter().try_for_each(|filter| seccompiler::apply_filter(filter).map_err(|error| error.to_string()))
}
