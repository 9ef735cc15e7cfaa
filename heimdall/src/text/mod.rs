//! Line by line rules for every language that has no analysis of its own.
//!
//! They know nothing of syntax beyond comments and quotes, so what they report is marked as less certain. Where there is a grammar, a
//! parser says whether the text is of its language at all.

mod javascript;
mod queries;
pub(crate) mod secrets;
mod shell;
mod spans;
pub(crate) mod syntax;

use crate::Outcome;
use crate::findings::Findings;
use crate::language::UNKNOWN;
use crate::rules;

use syntax::Verdict;

/// Looks at a text of any language.
pub(crate) fn analyze(language: &'static str, findings: &mut Findings<'_>) -> Outcome {
    secrets::report_known_formats(findings);
    let source = findings.source();
    if !matches!(language, "markdown" | "json" | "yaml" | "toml" | "css") {
        report_queries(language, source, findings);
    }
    let mut number = 0;
    for line in source.lines() {
        number += 1;
        let code = line.trim();
        if code.is_empty() || is_comment(language, code) || code.len() > MAX_LINE {
            continue;
        }
        secrets::check(code, number, findings);
        common(code, number, findings);
        match language {
            "javascript" | "typescript" | "html" | "php" => javascript::check(code, number, findings),
            "bash" | "dockerfile" => shell::check(code, number, findings),
            "rust" if code.contains("unsafe {") => findings.report_line(&rules::RUST_UNSAFE, number, number),
            "c" | "cpp" => unbounded(code, number, findings),
            _ => {}
        }
    }
    let (parsed, confidence) = match syntax::check(language, findings) {
        Verdict::Valid => (true, 0.4),
        Verdict::Broken => (false, 0.3),
        Verdict::Unknown if language == UNKNOWN => (false, 0.1),
        Verdict::Unknown => (false, 0.3),
    };
    Outcome { parsed, confidence, tools: vec!["heimdall", "heimdall-lines"] }
}

/// Longer lines are data or minified code.
const MAX_LINE: usize = 4_000;

/// So many times as much as there is of a text is read to follow what goes over several lines: each line may begin an expression.
const FOLLOWED: usize = 8;

/// Reports queries that are joined with values, on one line or over several.
fn report_queries(language: &str, source: &str, findings: &mut Findings<'_>) {
    let lines: Vec<&str> = source.lines().collect();
    let mut verbs = spans::Verbs::default();
    let mut room = FOLLOWED * source.len();
    let is_code = |line: &str| !line.is_empty() && !is_comment(language, line) && line.len() <= MAX_LINE;
    let is_found = |line: &str| is_code(line) && queries::is_found(line);
    for (at, line) in lines.iter().map(|line| line.trim()).enumerate() {
        let over = if is_found(line) {
            1
        } else if is_code(line)
            && verbs.are_near(&lines, at)
            && let Some(over) = spans::joined_query(language, &lines[at..], &mut room)
            && !lines[at..at + over].iter().any(|line| is_found(line.trim()))
        {
            over
        } else {
            continue;
        };
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        findings.report_line(&rules::TEXT_SQL_INJECTION, number(at + 1), number(at + over));
    }
}

fn is_comment(language: &str, code: &str) -> bool {
    match language {
        "python" | "bash" | "ruby" | "yaml" | "toml" | "dockerfile" => code.starts_with('#'),
        "sql" => code.starts_with("--"),
        "html" | "markdown" => code.starts_with("<!--"),
        _ => code.starts_with("//") || code.starts_with('*') || code.starts_with("/*"),
    }
}

fn common(code: &str, number: u32, findings: &mut Findings<'_>) {
    const TLS_OFF: &[&str] = &[
        "InsecureSkipVerify: true",
        "InsecureSkipVerify = true",
        "rejectUnauthorized: false",
        "NODE_TLS_REJECT_UNAUTHORIZED",
        "danger_accept_invalid_certs(true)",
        "CURLOPT_SSL_VERIFYPEER, false",
        "verify=False",
        "TrustAllCerts",
        "curl -k ",
        "curl --insecure",
        "wget --no-check-certificate",
    ];
    const WEAK_HASHES: &[&str] = &[
        "createHash('md5'",
        "createHash(\"md5\"",
        "createHash('sha1'",
        "createHash(\"sha1\"",
        "md5.New()",
        "md5.Sum(",
        "sha1.New()",
        "sha1.Sum(",
        "getInstance(\"MD5\")",
        "getInstance(\"SHA-1\")",
        "MD5.Create()",
        "SHA1.Create()",
        "Md5::new()",
        "Sha1::new()",
    ];
    if TLS_OFF.iter().any(|pattern| code.contains(pattern)) {
        findings.report_line(&rules::TEXT_INSECURE_TLS, number, number);
    }
    if WEAK_HASHES.iter().any(|pattern| code.contains(pattern)) {
        findings.report_line(&rules::TEXT_WEAK_HASH, number, number);
    }
}

fn unbounded(code: &str, number: u32, findings: &mut Findings<'_>) {
    for function in ["strcpy(", "strcat(", "gets(", "sprintf("] {
        let called = code
            .match_indices(function)
            .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        if called {
            findings.report_line(&rules::C_UNBOUNDED, number, number);
        }
    }
}
