//! Rules for JavaScript: code and markup built from data.

use crate::findings::Findings;
use crate::rules;

/// Checks a line. A call or assignment may be split, so its target can be at the end of the previous line.
pub(crate) fn check(before: &str, line: &str, number: u32, findings: &mut Findings<'_>) {
    let line = line.replace(" (", "(");
    if line.starts_with(['(', '=']) {
        check_code(&format!("{before}{line}"), number, findings);
    } else {
        check_code(&line, number, findings);
    }
}

fn check_code(code: &str, number: u32, findings: &mut Findings<'_>) {
    if calls_with_data(code, "eval(")
        || calls_with_data(code, "new Function(")
        || calls_with_data(code, "runInNewContext(")
    {
        findings.report_line(&rules::JS_EVAL, number, number);
    }
    let markup = [".innerHTML =", ".innerHTML=", ".outerHTML =", ".innerHTML +="]
        .iter()
        .any(|sink| code.split_once(sink).is_some_and(|(_, value)| !is_constant(value)));
    if markup
        || calls_with_data(code, "document.write(")
        || calls_with_data(code, "insertAdjacentHTML(")
        || code.contains("dangerouslySetInnerHTML")
    {
        findings.report_line(&rules::JS_HTML, number, number);
    }
    let command = ["exec(", "execSync(", "child_process.exec("]
        .iter()
        .any(|call| argument(code, call).is_some_and(|value| is_shell_call(code, call) && is_joined(value)));
    if command {
        findings.report_line(&rules::JS_COMMAND, number, number);
    }
}

/// Returns true unless the method belongs to another object, such as `exec` of a regular expression or a query.
fn is_shell_call(code: &str, call: &str) -> bool {
    code.find(call).is_some_and(|at| {
        let before = &code[..at];
        !before.ends_with('.')
            || before.ends_with("child_process.")
            || before.ends_with("cp.")
            || before.ends_with("shell.")
    })
}

fn calls_with_data(code: &str, call: &str) -> bool {
    let Some(at) = code.find(call) else { return false };
    let part_of_name = code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    !part_of_name
        && argument(code, call).is_some_and(|value| !value.trim_start().starts_with(')') && !is_constant(value))
}

fn argument<'c>(code: &'c str, call: &str) -> Option<&'c str> {
    code.split_once(call).map(|(_, rest)| rest)
}

/// Returns true for a single literal without concatenation.
fn is_constant(value: &str) -> bool {
    let value = value.trim_start();
    value.starts_with(['"', '\'', '`']) && !is_joined(value)
}

fn is_joined(value: &str) -> bool {
    ["\" +", "' +", "` +", "\"+", "'+", "+ \"", "+ '"].iter().any(|joint| value.contains(joint)) || value.contains("${")
}
