//! Positive controls: each wall's attack succeeds with that wall missing, and fails with it.
//!
//! The walls overlap, so an attack meets several. A control therefore leaves out the others that would stop its attack
//! in both of its runs, and the wall in question in one: what differs between the runs is that wall alone. The attacks
//! are those of `tests/attacks/cases/`; that they fail behind all walls is the attack suite's to show.

mod bubblewrap;
mod build;
#[path = "../attacks/case.rs"]
#[expect(dead_code, reason = "shared with the attack suite, which uses more of it")]
mod case;
mod docker;
#[path = "../attacks/host.rs"]
#[expect(dead_code, reason = "shared with the attack suite, which uses more of it")]
mod host;
mod stage;
#[path = "../conformance/support.rs"]
#[expect(dead_code, reason = "shared with the conformance suite, which uses more of it")]
mod support;

/// Whether the named attempt got through, from what an attack printed.
#[track_caller]
pub(crate) fn escaped(attempt: &str, said: &str) -> bool {
    let line = |word: &str| said.lines().any(|line| line.starts_with(&format!("{word} {attempt} ")));
    let (escaped, blocked) = (line("ESCAPED"), line("BLOCKED"));
    assert!(escaped || blocked, "{attempt} was not tried: {said}");
    escaped
}
