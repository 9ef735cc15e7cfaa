//! Command injection.

use super::sink::{Sink, sink};
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::names::is_shell;
use crate::python::taint::value::{AbstractValue, TaintKinds, Value};
use crate::rules;
use analysis_report::Severity::{self, Critical, High, Medium};

pub(crate) static SINKS: &[Sink] = &[
    sink(
        &[
            "os.system",
            "os.popen",
            "os.popen2",
            "os.popen3",
            "os.popen4",
            "popen2.popen2",
            "commands.getoutput",
            "commands.getstatusoutput",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "asyncio.create_subprocess_shell",
            "pty.spawn",
        ],
        (0, "command"),
        TaintKinds::SHELL,
        &rules::COMMAND_INJECTION,
        Critical,
        Some(Medium),
    ),
    sink(
        &[
            "os.execl",
            "os.execle",
            "os.execlp",
            "os.execv",
            "os.execve",
            "os.execvp",
            "os.execvpe",
            "os.spawnl",
            "os.spawnlp",
            "os.spawnv",
            "os.spawnvp",
            "os.startfile",
            "asyncio.create_subprocess_exec",
        ],
        (0, "path"),
        TaintKinds::SHELL,
        &rules::COMMAND_INJECTION,
        High,
        None,
    ),
];

impl Interpreter<'_, '_, '_> {
    pub(crate) fn check_subprocess(&mut self, call: &Call<'_>) {
        let starts = matches!(
            call.symbol.as_str(),
            "subprocess.run"
                | "subprocess.call"
                | "subprocess.Popen"
                | "subprocess.check_output"
                | "subprocess.check_call"
        );
        let Some(command) = call.argument(0, "args").cloned().filter(|_| starts) else { return };
        let shell = call.keyword("shell").is_some_and(|shell| shell.truth() == Some(true));
        if shell {
            if command.is_constant() {
                self.findings.report(&rules::SHELL_TRUE, call.range);
            } else {
                let severities = (Severity::Critical, Some(Severity::Medium));
                self.report_flow(&rules::COMMAND_INJECTION, call.range, &command, TaintKinds::SHELL, severities);
            }
            return;
        }
        // Without a shell, only the program name is dangerous, or the command of an explicit shell.
        let program = match &command.content {
            AbstractValue::Sequence(items) => items.first().cloned(),
            _ => Some(command.clone()),
        };
        let by_hand = program.as_ref().and_then(Value::as_text).is_some_and(is_shell);
        let judged = if by_hand { Some(command) } else { program };
        if let Some(judged) = judged {
            let unknown = by_hand.then_some(Severity::Medium);
            self.report_flow(
                &rules::COMMAND_INJECTION,
                call.range,
                &judged,
                TaintKinds::SHELL,
                (Severity::High, unknown),
            );
        }
    }
}
