//! Each fixture declares its expected findings line by line; other findings fail the test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use heimdall::{AnalysisReport, AnalysisRequest, AnalysisType, FindingKind, Severity, Suppressions, analyze};

type Expected = BTreeSet<(u32, String, String)>;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn report(path: &Path, source: &str) -> AnalysisReport {
    analyze(&AnalysisRequest {
        source,
        file_path: path.to_str(),
        language: None,
        kind: AnalysisType::General,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    })
}

/// Parses `# expect: RULE severity` at the end of lines.
fn expected(source: &str) -> Expected {
    let lines = source.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let (_, wanted) = line.split_once("expect: ")?;
            let (rule, severity) = wanted.trim().split_once(' ').expect("a rule and a severity");
            Some((u32::try_from(index + 1).expect("a short file"), rule.to_owned(), severity.to_owned()))
        })
        .collect()
}

fn found(report: &AnalysisReport, kinds: &[FindingKind]) -> Expected {
    let findings = report.findings.iter().filter(|finding| kinds.contains(&finding.kind));
    findings
        .map(|finding| {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            (finding.line_start, finding.rule.clone(), severity)
        })
        .collect()
}

#[track_caller]
fn check(name: &str, kinds: &[FindingKind], ignored: &[&str]) {
    let mut files = 0;
    for entry in std::fs::read_dir(folder(name)).expect("the fixture folder exists") {
        let path = entry.expect("a readable folder").path();
        let source = std::fs::read_to_string(&path).expect("a readable fixture");
        let mut found = found(&report(&path, &source), kinds);
        found.retain(|(_, rule, _)| !ignored.contains(&rule.as_str()));
        let expected = expected(&source);
        let missing: Vec<_> = expected.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&expected).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{}\nmissing: {missing:#?}\nsurplus: {surplus:#?}",
            path.display()
        );
        files += 1;
    }
    assert!(files > 0, "no fixtures in {name}");
}

#[test]
fn security_fixtures_have_the_expected_findings() {
    check("security", &[FindingKind::Security], &[]);
}

#[test]
fn safe_code_has_no_security_findings() {
    check("safe", &[FindingKind::Security], &[]);
}

#[test]
fn whole_applications_have_a_full_score_and_no_medium_findings() {
    for name in ["flask", "django", "fastapi"] {
        let path = folder("safe").join(format!("{name}_application.py"));
        let source = std::fs::read_to_string(&path).expect("a readable fixture");
        let report = report(&path, &source);
        let severe: Vec<_> = report.findings.iter().filter(|it| it.severity >= Severity::Medium).collect();
        assert!(report.overall_score == 100 && severe.is_empty(), "{name}: {} {severe:#?}", report.overall_score);
    }
}

#[test]
fn performance_fixtures_have_the_expected_findings() {
    check("performance", &[FindingKind::Performance], &[]);
}

#[test]
fn quality_fixtures_have_the_expected_findings() {
    check("quality", &[FindingKind::Style, FindingKind::Architecture], &["PY-MISSING-DOCSTRING"]);
}

#[test]
fn line_fixtures_have_the_expected_findings() {
    check("lines", &[FindingKind::Security], &[]);
}
