//! Positive controls: each attack succeeds without the restriction that stops it, and fails with it.
//!
//! The restrictions overlap, so several stop an attack. Both runs of a control omit the others, and one run has the
//! restriction in question: it is the only difference. The attacks are those of `tests/attacks/cases/`; the attack
//! suite shows that they fail behind all restrictions.

mod bubblewrap;
mod build;
#[path = "../attacks/case.rs"]
#[expect(dead_code, reason = "shared with the attack suite")]
mod case;
mod docker;
#[path = "../attacks/host.rs"]
#[expect(dead_code, reason = "shared with the attack suite")]
mod host;
mod stage;
#[path = "../conformance/support.rs"]
#[expect(dead_code, reason = "shared with the conformance suite")]
mod support;

/// Returns whether the named attempt succeeded, from the output of an attack.
#[track_caller]
pub(crate) fn escaped(attempt: &str, said: &str) -> bool {
    let line = |word: &str| said.lines().any(|line| line.starts_with(&format!("{word} {attempt} ")));
    let (escaped, blocked) = (line("ESCAPED"), line("BLOCKED"));
    assert!(escaped || blocked, "{attempt} was not tried: {said}");
    escaped
}
