//! Findings as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use domain::analysis::{AnalysisReport, Finding, Severity};
use serde_json::{Value, json};

use crate::analysis::suggestions::{
    AnalyzeOptions, fingerprint, is_not_analysed, kind_name, selected, severity_name, suppressed,
};

/// The media type of SARIF.
pub(crate) const MEDIA_TYPE: &str = "application/sarif+json";

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Returns the log of one run over one file.
pub(crate) fn log(report: &AnalysisReport, options: AnalyzeOptions, file_path: Option<&str>) -> Value {
    let lists = if options.include_suggestions {
        [selected(report, options), suppressed(report, options)]
    } else {
        [Vec::new(), Vec::new()]
    };
    let mut rules: Vec<&Finding> = Vec::new();
    for finding in lists.iter().flatten() {
        if !rules.iter().any(|known| known.rule == finding.rule) {
            rules.push(finding);
        }
    }
    let uri = relative_uri(file_path.unwrap_or("submitted-file"));
    let index = |finding: &Finding| rules.iter().position(|known| known.rule == finding.rule).unwrap_or(0);
    // If one result has the member, all must have it (3.27.23).
    let states = [json!([]), json!([{"kind": "inSource"}])];
    let results: Vec<Value> = lists
        .iter()
        .zip(&states)
        .flat_map(|(findings, state)| findings.iter().map(move |finding| (finding, state)))
        .map(|(finding, state)| result(finding, index(finding), &uri, state))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "heimdall",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "artifacts": [{"location": {"uri": uri}, "sourceLanguage": report.language}],
            "results": results,
            "invocations": [invocation(report)],
        }],
    })
}

fn invocation(report: &AnalysisReport) -> Value {
    let mut invocation = json!({"executionSuccessful": true});
    if is_not_analysed(report) {
        let note = json!({"level": "note", "message": {"text": "The file is of a type that is not analysed."}});
        invocation["toolExecutionNotifications"] = json!([note]);
    }
    invocation
}

fn rule(finding: &Finding) -> Value {
    let mut rule = json!({
        "id": finding.rule,
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": finding.description},
        "help": {"text": finding.recommendation},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {"tags": tags(finding), "security-severity": security_severity(finding.severity)},
    });
    if let Some(address) = finding.references.iter().find(|reference| reference.starts_with("https://")) {
        rule["helpUri"] = json!(address);
    }
    rule
}

fn tags(finding: &Finding) -> Vec<String> {
    let weaknesses = finding.references.iter().filter(|reference| reference.starts_with("CWE-"));
    let mut tags = vec![kind_name(finding.kind).to_owned()];
    tags.extend(weaknesses.map(|name| format!("external/cwe/{}", name.to_ascii_lowercase())));
    tags.dedup();
    tags
}

fn result(finding: &Finding, rule_index: usize, uri: &str, suppressions: &Value) -> Value {
    let start = finding.line_start.max(1);
    json!({
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": level(finding.severity),
        "message": {"text": format!("{} {}", finding.description, finding.recommendation)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri, "index": 0},
            "region": {"startLine": start, "endLine": finding.line_end.max(start)},
        }}],
        "partialFingerprints": {"heimdallFinding/v2": fingerprint(finding)},
        "suppressions": suppressions,
        "properties": {"severity": severity_name(finding.severity), "confidence": f64::from(finding.confidence)},
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

/// Severity on the scale of code hosts: critical from 9.0, high from 7.0, medium from 4.0.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "2.0",
        Severity::Medium => "5.0",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}

/// Converts a path to a relative reference (RFC 3986): escapes everything but unreserved characters and `/`.
fn relative_uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches('/').replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    if uri.is_empty() { "submitted-file".to_owned() } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::suggestions::tests::report;

    #[test]
    fn a_log_has_one_rule_for_each_kind_of_result() {
        let options = AnalyzeOptions {
            include_suggestions: true,
            include_examples: true,
            max_suggestions: 50,
            threshold: Severity::Low,
        };
        insta::assert_json_snapshot!(log(&report(), options, Some("src/my file.py")));
    }

    #[test]
    fn a_path_becomes_a_relative_reference() {
        for (path, uri) in [
            ("a/b.py", "a/b.py"),
            ("/etc/x y.py", "etc/x%20y.py"),
            ("C:\\a\\b.py", "C%3A/a/b.py"),
            ("", "submitted-file"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(relative_uri(path), uri);
        }
    }
}
