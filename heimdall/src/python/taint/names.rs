//! Names of functions, methods and programs that are recognised on any object.

use super::call::Call;
use super::value::Value;

/// Returns true for functions and methods that execute their argument as SQL.
pub(crate) fn executes_query(name: &str) -> bool {
    matches!(
        name,
        "execute"
            | "executemany"
            | "executescript"
            | "raw"
            | "mogrify"
            | "execute_sql"
            | "exec_driver_sql"
            | "read_sql"
            | "read_sql_query"
            | "RawSQL"
    )
}

/// Returns the executed argument: the first, else a keyword with a typical name, else the first keyword.
pub(crate) fn query_of<'c>(call: &'c Call<'_>) -> Option<&'c Value> {
    const NAMES: &[&str] =
        &["query", "sql", "statement", "stmt", "operation", "raw_query", "text", "command", "clause", "sql_script"];
    let keyword = || NAMES.iter().find_map(|name| call.keyword(name));
    call.positional.first().or_else(keyword).or_else(|| call.named.first().map(|(_, value)| value))
}

/// Returns true for methods that run a query if they are given one.
pub(crate) fn may_run_query(name: &str) -> bool {
    matches!(
        name,
        "sql"
            | "query"
            | "fetch"
            | "fetchrow"
            | "fetchval"
            | "fetchone"
            | "fetchall"
            | "fetch_all"
            | "fetch_one"
            | "select"
            | "prepare"
            | "run"
            | "exec"
            | "run_query"
            | "execute_query"
            | "select_all"
            | "iterate"
            | "any"
    )
}

pub(crate) fn is_shell(program: &str) -> bool {
    matches!(
        program.rsplit('/').next(),
        Some("sh" | "bash" | "zsh" | "dash" | "ksh" | "cmd" | "cmd.exe" | "powershell")
    )
}

/// Returns true for functions and methods that resolve links and `..` in a path.
pub(crate) fn normalizes_path(name: &str) -> bool {
    matches!(name, "realpath" | "abspath" | "normpath" | "resolve")
}
