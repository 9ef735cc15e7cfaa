use super::AcceptedFindings;
use super::directive::{Covers, Directive, parse};
use crate::findings::Findings;
use crate::{layout, rules};
use analysis_report::AnalysisType;

#[track_caller]
fn check(comment: &str, language: &str, expect: Option<Covers>) {
    let found: Vec<Directive> = parse(comment, language).into_iter().map(|(_, directive)| directive).collect();
    assert_eq!(found.first().map(|directive| directive.covers.clone()), expect, "{comment}");
    assert!(found.len() < 2, "{comment}");
}

fn rules(ids: &[&'static str]) -> Option<Covers> {
    Some(Covers::Rules(ids.iter().copied().collect()))
}

const SQL: &[&str] = &["PY-SQL-INJECTION", "GEN-SQL-INJECTION"];

#[test]
fn comments_of_other_tools_are_parsed_as_defined_by_the_tool() {
    for comment in ["# nosec", "#nosec", "# NOSEC: the value is a constant", "# reviewed # nosec - safe", "# nosemgrep"]
    {
        check(comment, "python", Some(Covers::Security));
    }
    for comment in ["# nosec B608", "# nosec: B608", "# nosec B608,B999 why", "# noqa: S608", "#noqa:E501,S608 # why"] {
        check(comment, "python", rules(SQL));
    }
    check("# nosec B608 B101", "python", rules(&["PY-SQL-INJECTION", "GEN-SQL-INJECTION", "PY-ASSERT-CHECK"]));
    check("# noqa", "python", Some(Covers::Everything));
    check("# type: ignore  # NOQA", "python", Some(Covers::Everything));
    for comment in ["# nosec B999", "# noqa: E501", "# noqa: some words", "# noqa E501", "# nosemgrep: a.b"] {
        check(comment, "python", rules(&[]));
    }
    for comment in [
        "# nosecurity",
        "# see nosec",
        "# ruff: noqa",
        "# noqa-like",
        "# no noqa",
        "# see https://x.org/#nosec",
        "# x.org//nosec",
    ] {
        check(comment, "python", None);
    }
    check("// #nosec G201", "go", rules(&["GEN-SQL-INJECTION"]));
    check("// noqa", "javascript", None);
}

#[test]
fn heimdall_comments_name_rules_in_brackets() {
    for comment in [
        "# heimdall: ignore[PY-SQL-INJECTION] reason",
        "#heimdall:ignore [py-sql-injection]",
        "// heimdall: ignore[PY-SQL-INJECTION, NO-SUCH-RULE]",
        "-- Heimdall: ignore(PY-SQL-INJECTION)",
        "/* heimdall: ignore PY-SQL-INJECTION */",
    ] {
        check(comment, "python", rules(&["PY-SQL-INJECTION"]));
    }
    check("<!-- heimdall: ignore the value is fixed -->", "html", Some(Covers::Everything));
    check("# heimdall: ignored", "python", None);
    check("# heimdall: ignore[]", "python", rules(&[]));
    let unknown = |comment| parse(comment, "python")[0].1.has_unknown_rule;
    assert!(unknown("# heimdall: ignore[PY-SQL]") && unknown("# heimdall: ignore[") && unknown("# heimdall: ignore[]"));
    assert!(unknown("# heimdall: ignore PY-COMAND-INJECTION typo") && !unknown("# heimdall: ignore PY-XSS why"));
    check("# heimdall: ignore PY-COMAND-INJECTION typo", "python", rules(&[]));
    check("# heimdall: ignore WIP: why", "python", Some(Covers::Everything));
    assert!(!unknown("# heimdall: ignore[PY-XSS PY-XXE]") && !unknown("# heimdall: ignore"));
}

#[test]
fn findings_about_the_analysis_cannot_be_accepted() {
    let source = "const a = 1; // heimdall: ignore\n";
    let mut findings = Findings::new(source);
    for rule in [&rules::NOT_ANALYSED, &rules::TOO_DEEP, &rules::TEXT_SYNTAX, &rules::DEPENDENCY, &rules::JS_EVAL] {
        findings.report_line(rule, 1, 1);
    }
    let layout = layout::read("javascript", source).unwrap();
    let accepted = AcceptedFindings::read(&layout, "javascript");
    let all = findings.into_sorted(AnalysisType::General);
    let covered: Vec<_> = all.iter().filter(|finding| accepted.covers(&layout, finding)).collect();
    assert_eq!(covered.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), ["JS-CODE-INJECTION"]);
}
