//! Arguments and environment that a caller supplies for the run of their code, and the rules for names of variables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::artifacts::RunCommand;
use super::submission::Submission;

/// Maximum arguments of a run.
pub const MAX_ARGS: usize = 64;
/// Maximum variables of a run.
pub const MAX_VARIABLES: usize = 64;
/// Maximum size of all arguments, and of all variables with their names.
pub const MAX_WORDS_BYTES: usize = 64 << 10;
/// Maximum size of stdin.
pub const MAX_STDIN_BYTES: usize = 1 << 20;
const MAX_NAME_BYTES: usize = 256;

/// Arguments and variables of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
}

impl Invocation {
    /// Returns true if there is neither an argument nor a variable.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty() && self.env.is_empty()
    }
}

/// Arguments that people see, and the characters of each.
const SHOWN_ARGS: usize = 16;
const SHOWN_ARG_CHARS: usize = 100;

/// A run as people see it who decide on it: values of variables may be secret, so only their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunInput {
    pub command: String,
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub stdin_bytes: u64,
    /// True if arguments or variables are shortened or left out here.
    pub is_shortened: bool,
}

impl RunInput {
    pub(super) fn of(command: &RunCommand, submission: &Submission) -> Self {
        let text = submission.invocation.as_ref().map(|content| content.inline.as_deref());
        let invocation: Option<Invocation> = match text {
            None => Some(Invocation::default()),
            Some(text) => text.and_then(|text| serde_json::from_str(text).ok()),
        };
        let is_known = invocation.is_some();
        let Invocation { args, env } = invocation.unwrap_or_default();
        let is_long = args.len() > SHOWN_ARGS || args.iter().any(|arg| arg.chars().count() > SHOWN_ARG_CHARS);
        Self {
            command: command.to_string(),
            args: args.iter().take(SHOWN_ARGS).map(|arg| arg.chars().take(SHOWN_ARG_CHARS).collect()).collect(),
            env: env.into_keys().collect(),
            stdin_bytes: submission.stdin.as_ref().map_or(0, |stdin| stdin.size_bytes),
            is_shortened: is_long || !is_known,
        }
    }
}

/// Variables that decide which code is loaded before the caller's, or in its place. The sandbox prepares the interpreter
/// before the code: it reports tests, flushes output and confines what may be executed, and a variable must not replace
/// that. Each entry is a name, or with `*` the beginning of names.
const REFUSED: &[(&str, &str)] = &[
    // The dynamic linker and the C library.
    ("LD_*", LOADER),
    ("DYLD_*", LOADER),
    ("GLIBC_TUNABLES", LOADER),
    ("GCONV_PATH", LOADER),
    ("LOCPATH", LOADER),
    ("NLSPATH", LOADER),
    ("HOSTALIASES", LOADER),
    ("OPENSSL_*", LOADER),
    // Programs, and the folders in which the sandbox keeps its own files.
    ("PATH", PLACES),
    ("HOME", PLACES),
    ("TMPDIR", PLACES),
    ("PWD", PLACES),
    ("OLDPWD", PLACES),
    ("PROMPTCRAFT*", PLACES),
    // Shells.
    ("BASH_*", STARTUP),
    ("BASHOPTS", STARTUP),
    ("SHELLOPTS", STARTUP),
    ("ENV", STARTUP),
    ("IFS", STARTUP),
    ("CDPATH", STARTUP),
    ("GLOBIGNORE", STARTUP),
    ("EXECIGNORE", STARTUP),
    ("FUNCNEST", STARTUP),
    ("POSIXLY_CORRECT", STARTUP),
    ("PROMPT_COMMAND", STARTUP),
    ("PS4", STARTUP),
    ("ZDOTDIR", STARTUP),
    ("AWKPATH", LOADER),
    ("AWKLIBPATH", LOADER),
    // Interpreters. Their harmless settings are in `PERMITTED`.
    ("PYTHON*", STARTUP),
    ("PYTEST_*", STARTUP),
    ("COVERAGE_*", STARTUP),
    ("NODE_*", STARTUP),
    ("LUA_*", STARTUP),
    ("SQLITE_*", STARTUP),
    ("RUBY*", STARTUP),
    ("GEM_*", STARTUP),
    ("BUNDLE_*", STARTUP),
    ("PERL*", STARTUP),
    ("PHP*", STARTUP),
    ("CLASSPATH", LOADER),
    ("JAVA_*", STARTUP),
    ("JDK_JAVA_OPTIONS", STARTUP),
    ("_JAVA_OPTIONS", STARTUP),
    // Compilers.
    ("GCC_*", LOADER),
    ("COMPILER_PATH", LOADER),
    ("LIBRARY_PATH", LOADER),
    ("CPATH", LOADER),
    ("C_INCLUDE_PATH", LOADER),
    ("CPLUS_INCLUDE_PATH", LOADER),
    ("COLLECT_*", LOADER),
    ("GOFLAGS", STARTUP),
    ("GODEBUG", STARTUP),
    ("GOPATH", LOADER),
    ("GOROOT", LOADER),
    ("GOTOOLDIR", LOADER),
    ("GOENV", STARTUP),
    ("CGO_*", STARTUP),
    ("RUSTC*", STARTUP),
    ("CARGO*", STARTUP),
];

/// Settings of interpreters that load nothing and do not change which tests count. `PYTHONOPTIMIZE` is not one of them,
/// because it removes `assert`.
const PERMITTED: &[&str] = &[
    "NODE_DEBUG",
    "NODE_ENV",
    "PYTHONASYNCIODEBUG",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONFAULTHANDLER",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
];

const LOADER: &str = "is refused: it decides which libraries or modules are loaded";
const PLACES: &str = "is refused: the sandbox sets it";
const STARTUP: &str = "is refused: it changes how the interpreter starts";

/// Returns the problem of a variable's name, or `None` if a caller may set it.
pub fn variable_problem(name: &str) -> Option<&'static str> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain || name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Some("must be made of letters, digits and _, and must not start with a digit");
    }
    if name.len() > MAX_NAME_BYTES {
        return Some("must be at most 256 bytes");
    }
    let fits = |pattern: &str| pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start));
    if PERMITTED.iter().any(|pattern| fits(pattern)) {
        return None;
    }
    REFUSED.iter().find(|(pattern, _)| fits(pattern)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_variable_that_steers_a_loader_is_refused() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHONHOME",
            "PYTHONOPTIMIZE",
            "PYTHONWARNINGS",
            "PYTEST_ADDOPTS",
            "PYTEST_PLUGINS",
            "NODE_OPTIONS",
            "NODE_PATH",
            "BASH_ENV",
            "ENV",
            "SHELLOPTS",
            "POSIXLY_CORRECT",
            "FUNCNEST",
            "EXECIGNORE",
            "PATH",
            "HOME",
            "PROMPTCRAFT_WAIT",
            "LUA_INIT",
            "LUA_INIT_5_4",
            "PERL5OPT",
            "RUBYOPT",
            "JAVA_TOOL_OPTIONS",
            "GCONV_PATH",
            "AWKLIBPATH",
        ] {
            let reason = variable_problem(name).unwrap_or_default();
            assert!(reason.starts_with("is refused"), "{name}: {reason}");
        }
        for name in ["", "A=B", "1A", "A-B", "A B", "BASH_FUNC_ls%%", "É", "A\0"] {
            assert!(variable_problem(name).is_some_and(|reason| reason.starts_with("must be made")), "{name:?}");
        }
        for name in
            ["DEBUG", "API_KEY", "NODE_ENV", "LANG", "TZ", "_", "a1", "PYTHONUNBUFFERED", "NO_COLOR", "LDAP_URL"]
        {
            assert_eq!(variable_problem(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_of_a_loader_passes(rest in "[A-Za-z0-9_]{0,12}") {
            for start in ["LD_", "BASH_", "PYTEST_", "PROMPTCRAFT_"] {
                prop_assert!(variable_problem(&format!("{start}{rest}")).is_some(), "{}{}", start, rest);
            }
        }

        #[test]
        fn an_accepted_name_is_an_identifier(name in ".{0,8}") {
            if variable_problem(&name).is_none() {
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
                prop_assert!(!name.is_empty());
            }
        }
    }
}
