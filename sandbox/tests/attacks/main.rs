//! Runs every attack of `cases/` on both backends at every level, with the real engine and kernel.
//!
//! An attack is a folder with its code and the expected result. It prints each attempt and the kernel's answer. The
//! host offers targets (a secret file, listeners) and detects when one was reached. `ATTACKS=word` selects the cases
//! whose name contains the word.

#[path = "../controls/build.rs"]
mod build;
mod case;
mod host;
mod old_kernel;
mod run;
#[path = "../conformance/support.rs"]
#[expect(dead_code, reason = "shared with the conformance suite")]
mod support;

mod verdict;

use std::collections::BTreeSet;

use sandbox::Backend;

const FAMILIES: [&str; 12] = [
    "between_jobs",
    "filesystem",
    "job_files",
    "kernel",
    "network",
    "output",
    "output_files",
    "proc_and_sys",
    "process",
    "resources",
    "runner_protocol",
    "survivors",
];

#[test]
fn docker_withstands_every_attack() {
    run::all(Backend::Docker, None);
}

#[test]
fn bubblewrap_withstands_every_attack() {
    run::all(Backend::Bubblewrap, None);
}

#[test]
fn the_attacks_cover_every_family() {
    let cases = case::all();
    let families: BTreeSet<_> = cases.iter().map(|case| case.family.as_str()).collect();
    assert_eq!(families.into_iter().collect::<Vec<_>>(), FAMILIES);
    assert!(cases.len() >= 70, "{} attacks", cases.len());
}
