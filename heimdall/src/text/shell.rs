//! Rules for shell scripts and Dockerfile commands.

use crate::findings::Findings;
use crate::rules;

const INTERPRETERS: &[&str] = &["sh", "bash", "zsh", "python", "python3", "perl", "node", "ruby", "sudo"];

pub(crate) fn check(code: &str, number: u32, findings: &mut Findings<'_>) {
    let mut parts = code.split('|');
    let mut downloads = false;
    for part in &mut parts {
        let mut words = part.split_whitespace();
        let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        if downloads && INTERPRETERS.contains(&program) {
            findings.report_line(&rules::SHELL_PIPE, number, number);
        }
        downloads |= part.split_whitespace().any(|word| matches!(word, "curl" | "wget"));
    }
    let evaluates = code.split([';', '&', '|']).any(|command| {
        command.trim_start().strip_prefix("eval ").is_some_and(|text| text.contains('$') || text.contains('`'))
    });
    if evaluates {
        findings.report_line(&rules::SHELL_EVAL, number, number);
    }
}
