//! Maps codes of other tools to rules.
//!
//! Bandit: <https://bandit.readthedocs.io/en/latest/plugins/>. Ruff: <https://docs.astral.sh/ruff/rules/>; its `S`
//! rules use Bandit's numbers. gosec, which shares Bandit's comment: <https://github.com/securego/gosec>.

/// The tool that defines a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linter {
    /// Bandit and gosec.
    Bandit,
    /// Ruff, Flake8 and its plugins.
    Ruff,
}

/// Bandit's tests by number and name.
const BANDIT: &[(u16, &str, &[&str])] = &[
    (101, "assert_used", &["PY-ASSERT-CHECK"]),
    (102, "exec_used", &["PY-CODE-INJECTION"]),
    (103, "set_bad_file_permissions", &["PY-LOOSE-PERMISSIONS"]),
    (104, "hardcoded_bind_all_interfaces", &["PY-BIND-ALL-INTERFACES"]),
    (105, "hardcoded_password_string", SECRETS),
    (106, "hardcoded_password_funcarg", SECRETS),
    (107, "hardcoded_password_default", SECRETS),
    (108, "hardcoded_tmp_directory", &["PY-TEMP-PATH"]),
    (110, "try_except_pass", &["PY-EXCEPTION-SWALLOWED"]),
    (112, "try_except_continue", &["PY-EXCEPTION-SWALLOWED"]),
    (113, "request_without_timeout", &["PY-REQUEST-TIMEOUT"]),
    (201, "flask_debug_true", &["PY-DEBUG-ENABLED"]),
    (202, "tarfile_unsafe_members", &["PY-ARCHIVE-EXTRACT"]),
    (301, "pickle", DESERIALIZATION),
    (302, "marshal", DESERIALIZATION),
    (303, "md5", &["PY-WEAK-HASH"]),
    (304, "ciphers", &["PY-WEAK-CIPHER"]),
    (305, "cipher_modes", &["PY-WEAK-CIPHER"]),
    (306, "mktemp_q", &["PY-INSECURE-TEMPFILE"]),
    (307, "eval", &["PY-CODE-INJECTION"]),
    (308, "mark_safe", &["PY-XSS"]),
    (310, "urllib_urlopen", &["PY-SSRF"]),
    (311, "random", &["PY-WEAK-RANDOM"]),
    (312, "telnetlib", &["PY-CLEARTEXT-PROTOCOL"]),
    (313, "xml_bad_cElementTree", &["PY-XXE"]),
    (314, "xml_bad_ElementTree", &["PY-XXE"]),
    (315, "xml_bad_expatreader", &["PY-XXE"]),
    (316, "xml_bad_expatbuilder", &["PY-XXE"]),
    (317, "xml_bad_sax", &["PY-XXE"]),
    (318, "xml_bad_minidom", &["PY-XXE"]),
    (319, "xml_bad_pulldom", &["PY-XXE"]),
    (320, "xml_bad_etree", &["PY-XXE"]),
    (321, "ftplib", &["PY-CLEARTEXT-PROTOCOL"]),
    (323, "unverified_context", &["PY-INSECURE-TLS"]),
    (324, "hashlib_new_insecure_functions", &["PY-WEAK-HASH"]),
    (325, "tempnam", &["PY-INSECURE-TEMPFILE"]),
    (401, "import_telnetlib", &["PY-CLEARTEXT-PROTOCOL"]),
    (402, "import_ftplib", &["PY-CLEARTEXT-PROTOCOL"]),
    (413, "import_pycrypto", &["PY-WEAK-CIPHER"]),
    (501, "request_with_no_cert_validation", &["PY-INSECURE-TLS"]),
    (502, "ssl_with_bad_version", &["PY-WEAK-TLS-VERSION"]),
    (503, "ssl_with_bad_defaults", &["PY-WEAK-TLS-VERSION"]),
    (504, "ssl_with_no_version", &["PY-WEAK-TLS-VERSION"]),
    (505, "weak_cryptographic_key", &["PY-WEAK-CIPHER"]),
    (506, "yaml_load", &["PY-YAML-LOAD"]),
    (507, "ssh_no_host_key_verification", &["PY-SSH-HOST-KEY"]),
    (602, "subprocess_popen_with_shell_equals_true", COMMANDS),
    (603, "subprocess_without_shell_equals_true", &["PY-COMMAND-INJECTION"]),
    (604, "any_other_function_with_shell_equals_true", COMMANDS),
    (605, "start_process_with_a_shell", COMMANDS),
    (606, "start_process_with_no_shell", &["PY-COMMAND-INJECTION"]),
    (607, "start_process_with_partial_path", &["PY-COMMAND-INJECTION"]),
    (608, "hardcoded_sql_expressions", SQL),
    (609, "linux_commands_wildcard_injection", COMMANDS),
    (610, "django_extra_used", SQL),
    (611, "django_rawsql_used", SQL),
    (614, "pytorch_load", DESERIALIZATION),
    (701, "jinja2_autoescape_false", &["PY-AUTOESCAPE-OFF"]),
    (702, "use_of_mako_templates", &["PY-AUTOESCAPE-OFF"]),
    (703, "django_mark_safe", &["PY-XSS"]),
    (704, "markupsafe_markup_xss", &["PY-XSS"]),
];

const SECRETS: &[&str] = &["PY-HARDCODED-SECRET", "PY-SECRET-COMPARED", "PY-FLASK-SECRET-KEY", "GEN-HARDCODED-SECRET"];
const DESERIALIZATION: &[&str] = &["PY-UNSAFE-DESERIALIZATION"];
const COMMANDS: &[&str] = &["PY-COMMAND-INJECTION", "PY-SHELL-TRUE"];
const SQL: &[&str] = &["PY-SQL-INJECTION", "GEN-SQL-INJECTION"];

/// gosec's rules by code.
const GOSEC: &[(&str, &[&str])] = &[
    ("G101", &["GEN-HARDCODED-SECRET"]),
    ("G201", &["GEN-SQL-INJECTION"]),
    ("G202", &["GEN-SQL-INJECTION"]),
    ("G401", &["GEN-WEAK-HASH"]),
    ("G402", &["GEN-INSECURE-TLS"]),
    ("G501", &["GEN-WEAK-HASH"]),
    ("G505", &["GEN-WEAK-HASH"]),
];

/// Ruff's other rules by code.
const RUFF: &[(&str, &[&str])] = &[
    ("A001", &["PY-SHADOWED-BUILTIN"]),
    ("A002", &["PY-SHADOWED-BUILTIN"]),
    ("ASYNC210", &["PY-PERF-BLOCKING-IN-ASYNC"]),
    ("ASYNC220", &["PY-PERF-BLOCKING-IN-ASYNC"]),
    ("ASYNC221", &["PY-PERF-BLOCKING-IN-ASYNC"]),
    ("ASYNC222", &["PY-PERF-BLOCKING-IN-ASYNC"]),
    ("ASYNC251", &["PY-PERF-BLOCKING-IN-ASYNC"]),
    ("B006", &["PY-MUTABLE-DEFAULT"]),
    ("B008", &["PY-MUTABLE-DEFAULT"]),
    ("C419", &["PY-PERF-NEEDLESS-LIST"]),
    ("C901", &["PY-COMPLEX-FUNCTION"]),
    ("D101", &["PY-MISSING-DOCSTRING"]),
    ("D102", &["PY-MISSING-DOCSTRING"]),
    ("D103", &["PY-MISSING-DOCSTRING"]),
    ("E711", &["PY-COMPARE-NONE"]),
    ("E712", &["PY-COMPARE-BOOL"]),
    ("E721", &["PY-TYPE-COMPARED"]),
    ("E722", &["PY-BARE-EXCEPT"]),
    ("F403", &["PY-WILDCARD-IMPORT"]),
    ("G004", &["PY-LOG-INJECTION"]),
    ("PLC0415", &["PY-LOCAL-IMPORT"]),
    ("PLR0911", &["PY-COMPLEX-FUNCTION"]),
    ("PLR0912", &["PY-COMPLEX-FUNCTION"]),
    ("PLR0913", &["PY-TOO-MANY-PARAMETERS"]),
    ("PLR0915", &["PY-LONG-FUNCTION"]),
    ("PLR1702", &["PY-DEEP-NESTING"]),
    ("PLR0904", &["PY-GOD-CLASS"]),
    ("PLW0603", &["PY-GLOBAL-STATE"]),
    ("PERF401", &["PY-PERF-NEEDLESS-LIST"]),
    ("SIM115", &["PY-OPEN-WITHOUT-WITH"]),
    ("FURB192", &["PY-PERF-SORT-FOR-EXTREME"]),
];

/// Returns the rules that a code of another tool covers; empty for an unknown code.
pub(crate) fn rules_of(tool: Linter, code: &str) -> Vec<&'static str> {
    let code = code.to_ascii_uppercase();
    let numbered = |letter: char| code.strip_prefix(letter).and_then(|digits| digits.parse::<u16>().ok());
    let coded = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(known, _)| *known == code).map(|(_, rules)| *rules)
    };
    let bandit = |number: u16| BANDIT.iter().find(|(known, ..)| *known == number).map(|(.., rules)| *rules);
    let named = || BANDIT.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(&code)).map(|(.., rules)| *rules);
    let rules = match tool {
        Linter::Bandit => numbered('B').and_then(bandit).or_else(|| coded(GOSEC)).or_else(named),
        Linter::Ruff => numbered('S').and_then(bandit).or_else(|| coded(RUFF)),
    };
    rules.unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{BANDIT, GOSEC, Linter, RUFF, rules_of};

    #[test]
    fn every_rule_in_the_tables_exists() {
        let known: Vec<&str> = crate::rules::all().map(|rule| rule.id).collect();
        let named = BANDIT.iter().flat_map(|(.., rules)| *rules);
        let coded = GOSEC.iter().chain(RUFF).flat_map(|(_, rules)| *rules);
        for rule in named.chain(coded) {
            assert!(known.contains(rule), "{rule}");
        }
    }

    #[test]
    fn a_code_belongs_to_its_tool() {
        assert_eq!(rules_of(Linter::Bandit, "B608"), ["PY-SQL-INJECTION", "GEN-SQL-INJECTION"]);
        assert_eq!(rules_of(Linter::Bandit, "hardcoded_sql_expressions"), rules_of(Linter::Ruff, "S608"));
        for (tool, code) in [
            (Linter::Bandit, "S608"),
            (Linter::Ruff, "B608"),
            (Linter::Bandit, "B999"),
            (Linter::Ruff, "E501"),
            (Linter::Ruff, "S"),
        ] {
            assert!(rules_of(tool, code).is_empty(), "{code}");
        }
    }
}
