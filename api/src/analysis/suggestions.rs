//! Findings as the suggestions and actions of the `/analyze` response.

use std::collections::{BTreeMap, BTreeSet};

use domain::analysis::{AnalysisReport, AnalysisType, Finding, FindingKind, Severity};
use domain::ids::Digest;
use serde_json::{Value, json};

/// The options of an analysis request: which findings to return, and with what detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnalyzeOptions {
    pub(crate) include_suggestions: bool,
    pub(crate) include_examples: bool,
    pub(crate) max_suggestions: usize,
    pub(crate) threshold: Severity,
}

pub(crate) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

pub(crate) const fn kind_name(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Security => "security",
        FindingKind::Performance => "performance",
        FindingKind::Style => "style",
        FindingKind::Architecture => "architecture",
    }
}

/// Returns the selected findings, by descending severity, then by line.
pub(crate) fn selected(report: &AnalysisReport, options: AnalyzeOptions) -> Vec<&Finding> {
    select(&report.findings, options)
}

/// Returns the findings that suppression comments accept, selected by the same options.
pub(crate) fn suppressed(report: &AnalysisReport, options: AnalyzeOptions) -> Vec<&Finding> {
    select(&report.suppressed, options)
}

fn select(findings: &[Finding], options: AnalyzeOptions) -> Vec<&Finding> {
    let mut selected: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity >= options.threshold || is_syntax(finding)).collect();
    selected.sort_by(|left, right| {
        (right.severity, left.line_start, &left.rule).cmp(&(left.severity, right.line_start, &right.rule))
    });
    selected.truncate(options.max_suggestions);
    selected
}

/// Returns whether the finding reports unparsable code. It is shown at every threshold, because it limits what else was
/// found.
fn is_syntax(finding: &Finding) -> bool {
    finding.rule.ends_with("-SYNTAX")
}

/// Returns the finding's id, which is stable between analyses also if other lines of the file change.
pub(crate) fn fingerprint(finding: &Finding) -> String {
    if !finding.fingerprint.is_empty() {
        return finding.fingerprint.clone();
    }
    // From a worker of an older build.
    let lines = format!("{}-{}", finding.line_start, finding.line_end);
    let parts = [finding.rule.as_str(), &lines, &finding.title, &finding.description];
    let digest = Digest::of_parts(parts.map(|part| ("", part.as_bytes()))).to_string();
    digest.chars().take(16).collect()
}

/// Returns the response's `data`.
pub(crate) fn response_data(report: &AnalysisReport, analysis_type: AnalysisType, options: AnalyzeOptions) -> Value {
    let selected = selected(report, options);
    let suggestions: Vec<Value> = selected.iter().map(|finding| suggestion(finding, options)).collect();
    let security = report.security_findings(Severity::Low);
    let vulnerabilities: Vec<Value> =
        security.clone().take(options.max_suggestions).map(|finding| suggestion(finding, options)).collect();
    let acted_on = selected.iter().filter(|finding| finding.severity >= Severity::Medium);
    let actions: Vec<Value> = acted_on.map(|finding| action(finding, options)).collect();
    json!({
        "analysis_summary": summary(report, selected.len()),
        "primary_agent": primary_agent(analysis_type),
        "confidence_score": (f64::from(report.confidence) * 1e4).round() / 1e4,
        "language": report.language,
        "suggestions": if options.include_suggestions { suggestions } else { Vec::new() },
        "security_analysis": {
            "overall_score": report.overall_score,
            "vulnerabilities": vulnerabilities,
            "compliance_status": compliance(security, is_not_analysed(report)),
        },
        "executable_actions": actions,
    })
}

/// Returns the agent that leads an analysis of this type.
pub(crate) const fn primary_agent(analysis_type: AnalysisType) -> &'static str {
    match analysis_type {
        AnalysisType::Security => "heimdall.security",
        AnalysisType::Performance => "heimdall.performance",
        AnalysisType::Architecture => "heimdall.architecture",
        AnalysisType::General => "heimdall.general",
    }
}

/// Returns the leading agent and those of every kind of finding.
pub(crate) fn agents_consulted(report: &AnalysisReport, analysis_type: AnalysisType) -> BTreeSet<String> {
    let found = report.findings.iter().map(|finding| format!("heimdall.{}", kind_name(finding.kind)));
    found.chain([primary_agent(analysis_type).to_owned()]).collect()
}

fn suggestion(finding: &Finding, options: AnalyzeOptions) -> Value {
    let mut value = json!({
        "id": fingerprint(finding),
        "rule": finding.rule,
        "type": kind_name(finding.kind),
        "severity": severity_name(finding.severity),
        "line_start": finding.line_start,
        "line_end": finding.line_end,
        "title": finding.title,
        "description": finding.description,
        "recommendation": finding.recommendation,
        "references": finding.references,
        "confidence": (f64::from(finding.confidence) * 1e4).round() / 1e4,
    });
    if let Some(fix) = finding.example_fix.as_ref().filter(|_| options.include_examples) {
        value["example_fix"] = json!(fix);
    }
    value
}

fn action(finding: &Finding, options: AnalyzeOptions) -> Value {
    let duration = match finding.severity {
        Severity::Low => "5m",
        Severity::Medium => "10m",
        Severity::High => "20m",
        Severity::Critical => "30m",
    };
    let id = fingerprint(finding);
    let mut value = json!({
        "id": format!("fix-{id}"),
        "suggestion_id": id,
        "title": format!("Fix: {}", finding.title),
        "description": finding.recommendation,
        "estimated_duration": duration,
        "requires_approval": finding.severity >= Severity::High,
    });
    if let Some(fix) = finding.example_fix.as_ref().filter(|_| options.include_examples) {
        value["fix"] = json!(fix);
    }
    value
}

fn summary(report: &AnalysisReport, shown: usize) -> String {
    if is_not_analysed(report) {
        return NOT_ANALYSED.to_owned();
    }
    let found = counted(report, shown);
    // Do not echo the language's name: it is the caller's text.
    if report.language == "unknown" {
        return format!("The language is not supported; only rules for any text were applied: {found}.");
    }
    let is_broken = report.findings.iter().any(is_syntax);
    let syntax = if is_broken { " The code does not parse; what could be read was analysed." } else { "" };
    let depth = match report.language.as_str() {
        "python" | "javascript" | "typescript" | "go" | "rust" | "bash" => "",
        _ => " There are few rules for this language.",
    };
    format!("Analysed as {}: {found}.{syntax}{depth}", report.language)
}

/// The summary for a type of file without analysis rules.
const NOT_ANALYSED: &str = "Not analysed: neither the type of the file nor its text is of a language that can be \
    analysed; the score says nothing.";

/// Returns whether no tool was applied to the text.
pub(crate) fn is_not_analysed(report: &AnalysisReport) -> bool {
    report.tools.is_empty()
}

fn counted(report: &AnalysisReport, shown: usize) -> String {
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let levels = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let counts: Vec<String> = levels
        .into_iter()
        .map(|severity| (count(severity), severity_name(severity)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let suppressed = match report.suppressed.len() {
        0 => String::new(),
        count => format!(", {count} suppressed by comments"),
    };
    match report.findings.len() {
        0 => format!("nothing was found{suppressed}"),
        1 => format!("1 finding ({}), {shown} shown{suppressed}", counts.join(", ")),
        many => format!("{many} findings ({}), {shown} shown{suppressed}", counts.join(", ")),
    }
}

/// Maps the findings to the OWASP Top 10 of 2021, by MITRE's mapping of weaknesses to its categories
/// (<https://cwe.mitre.org/data/definitions/1344.html>). The status says that no finding is not a certificate.
fn compliance<'f>(security: impl Iterator<Item = &'f Finding>, is_not_analysed: bool) -> Value {
    let mut categories: BTreeMap<&str, u32> = BTreeMap::new();
    let mut weaknesses = BTreeSet::new();
    for finding in security {
        // A weakness is often referenced twice, by name and by address.
        let cwes: BTreeSet<u32> = finding.references.iter().filter_map(|reference| cwe_number(reference)).collect();
        for number in cwes {
            weaknesses.insert(number);
            *categories.entry(owasp_category(number)).or_insert(0) += 1;
        }
    }
    let status = match weaknesses.is_empty() {
        true if is_not_analysed => "not_analysed",
        true => "no_known_issue",
        false => "issues_found",
    };
    json!({
        "owasp_top_10_2021": {"status": status, "categories": categories},
        "cwe": weaknesses.iter().map(|number| format!("CWE-{number}")).collect::<Vec<_>>(),
        "note": "By what static analysis can see; not a certificate.",
    })
}

fn cwe_number(reference: &str) -> Option<u32> {
    let (_, rest) =
        reference.rsplit_once("CWE-").or_else(|| reference.rsplit_once("cwe.mitre.org/data/definitions/"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn owasp_category(cwe: u32) -> &'static str {
    match cwe {
        22 | 23 | 35 | 59 | 200 | 276 | 284 | 285 | 352 | 377 | 425 | 601 | 639 | 668 | 862 | 863 => {
            "A01:2021 Broken Access Control"
        }
        261 | 296 | 310 | 319 | 321..=331 | 335..=338 | 340 | 347 | 757 | 759..=760 | 780 | 916 => {
            "A02:2021 Cryptographic Failures"
        }
        20 | 74..=80 | 83 | 87..=91 | 93..=99 | 113 | 116 | 138 | 184 | 470 | 564 | 610 | 643 | 644 | 652 | 917 => {
            "A03:2021 Injection"
        }
        73 | 209 | 256 | 257 | 266 | 269 | 311..=316 | 419 | 434 | 444 | 451 | 501 | 522 | 602 | 656 | 840 => {
            "A04:2021 Insecure Design"
        }
        2 | 11 | 13 | 15 | 16 | 260 | 489 | 520 | 526 | 541 | 547 | 611 | 614 | 756 | 776 | 942 | 1004 => {
            "A05:2021 Security Misconfiguration"
        }
        937 | 1035 | 1104 => "A06:2021 Vulnerable and Outdated Components",
        255 | 259 | 287 | 288 | 290 | 294 | 295 | 297 | 300 | 302..=307 | 346 | 384 | 521 | 613 | 620 | 640 | 798 => {
            "A07:2021 Identification and Authentication Failures"
        }
        345 | 353 | 426 | 494 | 502 | 565 | 784 | 829 | 830 | 915 => "A08:2021 Software and Data Integrity Failures",
        117 | 223 | 532 | 778 => "A09:2021 Security Logging and Monitoring Failures",
        918 => "A10:2021 Server-Side Request Forgery",
        _ => "outside the Top 10",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn finding(rule: &str, severity: Severity, line: u32) -> Finding {
        Finding {
            rule: rule.to_owned(),
            kind: FindingKind::Security,
            severity,
            file: None,
            line_start: line,
            line_end: line,
            title: format!("Title of {rule}"),
            description: "SQL injection: a query is built from a value.".to_owned(),
            recommendation: "Use parameters.".to_owned(),
            example_fix: Some("cursor.execute(query, (value,))".to_owned()),
            references: vec!["https://cwe.mitre.org/data/definitions/89.html".to_owned(), "CWE-89".to_owned()],
            confidence: 0.9,
            fingerprint: String::new(),
        }
    }

    pub(crate) fn report() -> AnalysisReport {
        let style = Finding { kind: FindingKind::Style, references: Vec::new(), ..finding("E501", Severity::Low, 1) };
        AnalysisReport {
            language: "python".to_owned(),
            parsed: true,
            overall_score: 40,
            confidence: 0.9,
            findings: vec![style, finding("sql", Severity::Medium, 9), finding("sql", Severity::High, 4)],
            suppressed: vec![Finding {
                fingerprint: "00112233aabbccdd".to_owned(),
                ..finding("xss", Severity::High, 7)
            }],
            tools: vec!["heimdall".to_owned()],
        }
    }

    const OPTIONS: AnalyzeOptions = AnalyzeOptions {
        include_suggestions: true,
        include_examples: true,
        max_suggestions: 50,
        threshold: Severity::Medium,
    };

    #[test]
    fn the_worst_comes_first_and_each_from_medium_on_has_an_action() {
        let data = response_data(&report(), AnalysisType::Security, OPTIONS);
        insta::assert_json_snapshot!(data);
        let ids = |name: &str, key: &str| -> Vec<Value> {
            data[name].as_array().unwrap().iter().map(|item| item[key].clone()).collect()
        };
        assert_eq!(ids("suggestions", "id"), ids("executable_actions", "suggestion_id"));
    }

    #[test]
    fn options_are_honored() {
        let low = AnalyzeOptions { threshold: Severity::Low, max_suggestions: 2, ..OPTIONS };
        assert_eq!(selected(&report(), low).len(), 2);
        assert_eq!(selected(&report(), AnalyzeOptions { threshold: Severity::High, ..OPTIONS }).len(), 1);
        let none =
            response_data(&report(), AnalysisType::General, AnalyzeOptions { include_suggestions: false, ..OPTIONS });
        assert_eq!(none["suggestions"], json!([]));
        assert_eq!(none["executable_actions"].as_array().unwrap().len(), 2);
        let bare =
            response_data(&report(), AnalysisType::General, AnalyzeOptions { include_examples: false, ..OPTIONS });
        assert!(!bare.to_string().contains("cursor.execute"));
    }

    #[test]
    fn an_id_is_the_fingerprint_of_the_analyser() {
        let named = Finding { fingerprint: "00112233aabbccdd".to_owned(), ..finding("sql", Severity::High, 4) };
        assert_eq!(fingerprint(&named), "00112233aabbccdd");
        assert_eq!(fingerprint(&Finding { line_start: 9, line_end: 9, ..named.clone() }), fingerprint(&named));
        let unnamed = finding("sql", Severity::High, 4);
        assert_ne!(fingerprint(&unnamed), fingerprint(&finding("sql", Severity::High, 5)));
    }

    #[test]
    fn text_without_analysis_is_reported_as_such() {
        let nothing = AnalysisReport { tools: Vec::new(), findings: Vec::new(), suppressed: Vec::new(), ..report() };
        assert!(summary(&nothing, 0).starts_with("Not analysed: "));
        let status = |report: &AnalysisReport| {
            let data = response_data(report, AnalysisType::Security, OPTIONS);
            data["security_analysis"]["compliance_status"]["owasp_top_10_2021"]["status"].clone()
        };
        assert_eq!(status(&nothing), "not_analysed");
        assert_eq!(status(&AnalysisReport { tools: report().tools, ..nothing.clone() }), "no_known_issue");
        let few = AnalysisReport { language: "java".to_owned(), findings: Vec::new(), ..report() };
        assert_eq!(
            summary(&few, 0),
            "Analysed as java: nothing was found, 1 suppressed by comments. There are few rules for this language."
        );
    }

    #[test]
    fn a_weakness_is_read_from_a_name_or_an_address() {
        assert_eq!(cwe_number("CWE-89: SQL Injection"), Some(89));
        assert_eq!(cwe_number("https://cwe.mitre.org/data/definitions/78.html"), Some(78));
        assert_eq!(cwe_number("https://docs.python.org/3/"), None);
    }
}
