//! CRLF injection: log entries and mail headers.

use super::sink::{Sink, sink};
use crate::python::taint::call::Call;
use crate::python::taint::interpreter::Interpreter;
use crate::python::taint::value::{TaintKinds, Value};
use crate::rules;
use analysis_report::Severity::Medium;

pub(crate) static SINKS: &[Sink] = &[sink(
    &["smtplib.SMTP().sendmail", "smtplib.SMTP_SSL().sendmail"],
    (2, "msg"),
    TaintKinds::MAIL,
    &rules::HEADER_INJECTION,
    Medium,
    None,
)];

impl Interpreter<'_, '_, '_> {
    /// Checks a log message with external data. Arguments of a constant message are harmless.
    pub(crate) fn check_log(&mut self, call: &Call<'_>, receiver: &Value) {
        let Some(message) = call.positional.first().filter(|message| message.tainted.intersects(TaintKinds::LOG))
        else {
            return;
        };
        if is_logger(receiver.symbol()) && !message.derived_from_request {
            self.findings.report(&rules::LOG_INJECTION, call.range);
        }
    }
}

/// Matches `logging`, `app.logger`, `self.log` and `getLogger()`, but not `login` or `catalog`.
fn is_logger(symbol: &str) -> bool {
    let symbol = symbol.to_ascii_lowercase();
    let mut parts = symbol.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| matches!(part, "log" | "logs" | "logging" | "loguru" | "structlog") || part.ends_with("logger"))
}
