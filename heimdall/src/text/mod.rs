//! Line-based rules for languages without their own analysis.
//!
//! Comments (`layout`) are removed first. Beyond comments and quotes the rules ignore syntax, so their findings have a
//! lower confidence. Languages with a grammar also get a syntax check.

mod javascript;
mod multiline_queries;
mod queries;
pub(crate) mod secrets;
mod shell;
pub(crate) mod syntax;

use std::borrow::Cow;

use crate::findings::Findings;
use crate::language::UNKNOWN;
use crate::layout::{self, Layout};
use crate::metadata::AnalysisMetadata;
use crate::rules;

use source_text::grammar;
use syntax::SyntaxVerdict;

/// Analyses a text of any language.
pub(crate) fn analyze(language: &'static str, findings: &mut Findings<'_>) -> AnalysisMetadata {
    secrets::report_known_formats(findings);
    let source = findings.source();
    let layout = layout::read(language, source);
    check_lines(language, layout.as_ref(), findings);
    // A parser that was stopped would be stopped again.
    let is_stopped = layout.is_none() && grammar::is_known(language);
    let verdict = if is_stopped { SyntaxVerdict::Unknown } else { syntax::check(language, findings) };
    if let Some(layout) = layout.filter(|_| language != "python") {
        findings.set_layout(layout);
    }
    let (parsed, confidence) = match verdict {
        SyntaxVerdict::Valid => (true, 0.4),
        SyntaxVerdict::Broken => (false, 0.3),
        SyntaxVerdict::Unknown if language == UNKNOWN => (false, 0.1),
        SyntaxVerdict::Unknown => (false, 0.3),
    };
    AnalysisMetadata { parsed, confidence, tools: vec!["heimdall", "heimdall-lines"] }
}

/// Languages that are not executed.
const DATA_LANGUAGES: &[&str] = &["markdown", "json", "yaml", "toml", "css"];

/// Maximum length of an analysed line, in bytes. Longer lines are data or minified code.
const MAX_LINE_BYTES: usize = 4_000;

/// Maximum bytes read to follow expressions over lines, as a multiple of the text. Each line may start an expression.
const MAX_READ_FACTOR: usize = 8;

/// Applies the rules to each line of code. Without a layout no comments are removed.
fn check_lines(language: &str, layout: Option<&Layout>, findings: &mut Findings<'_>) {
    let source = findings.source();
    let code = layout.map_or(Cow::Borrowed(source), |layout| Cow::Owned(layout.code(source)));
    let mut lines: Vec<String> = code.lines().map(collapse_whitespace).collect();
    mark_method_names(&mut lines);
    if !DATA_LANGUAGES.contains(&language) {
        report_queries(language, &lines, code.len(), findings);
    }
    // The report on unparsed Python already says that it is incomplete.
    if !DATA_LANGUAGES.contains(&language) && language != "python" {
        report_long_lines(&lines, findings);
    }
    let mut before = "";
    for (number, line) in (1..).zip(&lines).filter(|(_, line)| is_short_enough(line)) {
        secrets::check(line, number, findings);
        check_common(line, number, findings);
        match language {
            "javascript" | "typescript" | "html" | "php" => javascript::check(before, line, number, findings),
            "bash" | "zsh" | "ksh" | "dockerfile" => shell::check(line, number, findings),
            "rust" if line.contains("unsafe {") => findings.report_line(&rules::RUST_UNSAFE, number, number),
            "c" | "cpp" => check_unbounded_copies(line, number, findings),
            _ => {}
        }
        before = line;
    }
}

/// Trims a line and collapses its whitespace.
fn collapse_whitespace(line: &str) -> String {
    let mut spaced = String::with_capacity(line.len());
    for word in line.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// Prefixes a method name with a period if the period ends the previous line.
fn mark_method_names(lines: &mut [String]) {
    let mut is_method = false;
    for line in lines.iter_mut().filter(|line| !line.is_empty()) {
        if is_method && line.starts_with(|c: char| c.is_alphabetic()) {
            line.insert(0, '.');
        }
        is_method = line.ends_with('.');
    }
}

/// Returns true if the rules read the line.
fn is_short_enough(line: &str) -> bool {
    !line.is_empty() && line.len() <= MAX_LINE_BYTES
}

/// Reports lines of code that exceed `MAX_LINE_BYTES`.
fn report_long_lines(lines: &[String], findings: &mut Findings<'_>) {
    let mut long = (1..).zip(lines).filter(|(_, line)| line.len() > MAX_LINE_BYTES);
    if let Some((first, _)) = long.next() {
        let note = match long.count() {
            0 => format!("The line is longer than {MAX_LINE_BYTES} bytes."),
            more => format!("This line and {more} more are longer than {MAX_LINE_BYTES} bytes."),
        };
        findings.report_line_with_note(&rules::NOT_ANALYSED, first, note);
    }
}

/// Reports queries joined with values, on one line or several.
fn report_queries(language: &str, lines: &[String], length: usize, findings: &mut Findings<'_>) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut verbs = multiline_queries::NextVerb::default();
    let mut read_budget = MAX_READ_FACTOR * length;
    let is_found = |line: &str| is_short_enough(line) && queries::joins_query(line);
    for (at, line) in lines.iter().copied().enumerate() {
        let over = if is_found(line) {
            1
        } else if is_short_enough(line)
            && verbs.is_near(&lines, at)
            && let Some(over) = multiline_queries::joined_query(language, &lines[at..], &mut read_budget)
            && !lines[at..at + over].iter().any(|line| is_found(line))
        {
            over
        } else {
            continue;
        };
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        findings.report_line(&rules::TEXT_SQL_INJECTION, number(at + 1), number(at + over));
    }
}

fn check_common(code: &str, number: u32, findings: &mut Findings<'_>) {
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

fn check_unbounded_copies(code: &str, number: u32, findings: &mut Findings<'_>) {
    let code = code.replace(" (", "(");
    for function in ["strcpy(", "strcat(", "gets(", "sprintf("] {
        let called = code
            .match_indices(function)
            .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        if called {
            findings.report_line(&rules::C_UNBOUNDED, number, number);
        }
    }
}
