//! Names of signals.

/// Signal names on x86-64 and AArch64, starting at signal 1 (`signal(7)`).
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// Returns `signal 9 (SIGKILL)`; the number alone for a signal without a name.
pub fn signal_text(signal: i32) -> String {
    let name = usize::try_from(signal).ok().and_then(|number| NAMES.get(number.checked_sub(1)?));
    name.map_or_else(|| format!("signal {signal}"), |name| format!("signal {signal} ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_a_number_and_a_name() {
        for (signal, text) in [
            (6, "signal 6 (SIGABRT)"),
            (9, "signal 9 (SIGKILL)"),
            (31, "signal 31 (SIGSYS)"),
            (34, "signal 34"),
            (0, "signal 0"),
        ] {
            assert_eq!(signal_text(signal), text);
        }
    }
}
