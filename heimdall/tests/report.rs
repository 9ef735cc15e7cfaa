//! Form of a report, and the effect of the request's fields.

use heimdall::{AnalysisReport, AnalysisRequest, AnalysisType, FindingKind, Severity, Suppressions, analyze};

const SOURCE: &str = "import sqlite3


def find(connection, user_id):
    return connection.execute(f\"SELECT * FROM users WHERE id = {user_id}\")


def add(item, target=[]):
    for known in range(len(target)):
        print(known)
    target.append(item)
";

fn report(kind: AnalysisType) -> AnalysisReport {
    analyze(&AnalysisRequest {
        source: SOURCE,
        file_path: None,
        language: None,
        kind,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    })
}

#[test]
fn one_whole_report() {
    insta::assert_json_snapshot!(report(AnalysisType::General));
}

#[test]
fn the_kind_selects_but_never_hides_security() {
    for (kind, expected) in [
        (AnalysisType::Security, vec![FindingKind::Security]),
        (AnalysisType::Performance, vec![FindingKind::Security, FindingKind::Performance]),
        (AnalysisType::Architecture, vec![FindingKind::Security, FindingKind::Style]),
        (AnalysisType::General, vec![FindingKind::Security, FindingKind::Performance, FindingKind::Style]),
    ] {
        let mut kinds: Vec<_> = report(kind).findings.iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds, expected, "{kind:?}");
    }
}

#[test]
fn findings_are_sorted_by_severity() {
    let source = "x = random.random()\nos.system(input())\nhashlib.md5(b'')\n";
    let source = format!("import os, random, hashlib\n{source}");
    let request = AnalysisRequest {
        source: &source,
        file_path: None,
        language: None,
        kind: AnalysisType::Security,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    };
    let severities: Vec<_> = analyze(&request).findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Medium, Severity::Low]);
}

#[test]
fn sql_injection_is_described_as_the_contract_requires() {
    let report = report(AnalysisType::Performance);
    let finding = &report.findings[0];
    assert_eq!(finding.rule, "PY-SQL-INJECTION");
    assert_eq!(finding.kind, FindingKind::Security);
    assert!(finding.description.contains("SQL injection"));
    assert_eq!(finding.line_start, 5);
    assert_eq!(report.overall_score, 90);
}

#[test]
fn sql_in_a_python_string_is_analysed_as_python() {
    let source = "uid = input()\ncur.execute(f\"\"\"\n    SELECT a\n    FROM b WHERE c = {uid}\n\"\"\")\n";
    let kind = AnalysisType::Security;
    let report = analyze(&AnalysisRequest {
        source,
        file_path: None,
        language: None,
        kind,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    });
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.rule.as_str(), finding.severity)).collect();
    assert_eq!(found, [("PY-SQL-INJECTION", Severity::High)]);
}

#[test]
fn framework_and_dependencies_have_an_effect() {
    let source = "import os\n\ndef handle(event, context):\n    os.system(event['name'])\n";
    let dependencies = ["pycrypto==2.6.1".to_owned()];
    let run = |framework, dependencies| {
        let request = AnalysisRequest {
            source,
            file_path: None,
            language: None,
            kind: AnalysisType::Security,
            suppressions: Suppressions::Honor,
            framework,
            dependencies,
        };
        analyze(&request).findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(run(None, &[]), [("PY-COMMAND-INJECTION".to_owned(), Severity::Medium)]);
    assert_eq!(run(Some("aws-lambda"), &[]), [("PY-COMMAND-INJECTION".to_owned(), Severity::Critical)]);
    assert!(run(None, &dependencies).contains(&("PY-DEPENDENCY-ABANDONED".to_owned(), Severity::Medium)));
}

#[test]
fn a_report_survives_json() {
    let report = report(AnalysisType::General);
    let json = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<AnalysisReport>(&json).expect("the same report"), report);
}

fn python(source: &str) -> AnalysisReport {
    let language = Some("python");
    analyze(&AnalysisRequest {
        source,
        file_path: None,
        language,
        kind: AnalysisType::General,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    })
}

#[test]
fn findings_that_decide_the_risk_are_never_truncated() {
    let mut source = "import os, time\nasync def wait():\n".to_owned();
    source.push_str(&"    time.sleep(1)\n".repeat(2_500));
    source.push_str("    os.system('ls ' + input())\n");
    let padded = python(&source).findings;
    assert!(padded.iter().filter(|finding| finding.kind == FindingKind::Performance).count() > 1_000);
    assert!(padded.iter().any(|finding| finding.kind == FindingKind::Security && finding.severity >= Severity::High));
    source.push_str(&format!("x = {}1{}\n", "(".repeat(15_000), ")".repeat(15_000)));
    let deep = python(&source).findings;
    assert!(deep.iter().any(|finding| finding.rule.starts_with("SOURCE-")), "{:?}", deep.first());
}
