//! Syntax errors are reported with their line.

use heimdall::{AnalysisReport, AnalysisRequest, AnalysisType, Suppressions, analyze};

fn report(path: &str, source: &str) -> AnalysisReport {
    let kind = AnalysisType::Security;
    analyze(&AnalysisRequest {
        source,
        file_path: Some(path),
        language: None,
        kind,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &[],
    })
}

/// Returns the lines of syntax findings.
fn wrong_lines(report: &AnalysisReport) -> Vec<u32> {
    report
        .findings
        .iter()
        .filter(|finding| finding.rule.ends_with("-SYNTAX"))
        .map(|finding| finding.line_start)
        .collect()
}

const VALID: &[(&str, &str)] = &[
    ("a.py", "def f(x: int) -> int:\n    return x + 1\n"),
    (
        "a.js",
        "export const f = async (x) => {\n  for await (const y of x) console.log(`${y}`);\n};\nconst a = <b c={1}/>;\n",
    ),
    ("a.ts", "interface A<T> { readonly x?: T }\nconst y = <A<number>>{ x: 1 };\nexport type B = keyof A<string>;\n"),
    ("a.tsx", "const f = (props: { a: string }) => <b>{props.a as string}</b>;\n"),
    ("a.go", "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfor i := range 3 {\n\t\tfmt.Println(i)\n\t}\n}\n"),
    ("a.rs", "async fn f<'a>(x: &'a str) -> impl Iterator<Item = char> + use<'a> {\n    x.chars()\n}\n"),
    (
        "a.sh",
        "set -e # ö\nfor x in \"$@\"; do\n  case $x in -h) echo \"${x#-}\" ;; *) cat <<END\n$x\nEND\n  ;; esac\ndone\n",
    ),
];

const BROKEN: &[(&str, &str, u32)] = &[
    ("a.py", "x = 1\ndef f(:\n    pass\n", 2),
    ("a.js", "const a = 1;\nconst b = ;\nconst c = 2;\n", 2),
    ("a.ts", "const a: number = 1;\nconst b: = 2;\n", 2),
    ("a.tsx", "const a = 1;\nconst b = <b>{a</b>;\n", 2),
    ("a.go", "package main\n\nfunc main() {\n\tx := := 1\n}\n", 4),
    ("a.rs", "fn f() {}\nfn g( {\n}\n", 2),
    ("a.sh", "echo a\nif true; then\n  echo b\n", 3),
];

#[test]
fn valid_code_has_no_syntax_findings() {
    for (path, source) in VALID {
        let report = report(path, source);
        assert_eq!(wrong_lines(&report), [0; 0], "{path}");
        assert!(report.parsed, "{path}");
    }
}

#[test]
fn broken_code_has_a_syntax_finding_at_the_error() {
    for (path, source, line) in BROKEN {
        let report = report(path, source);
        assert_eq!(wrong_lines(&report), [*line], "{path}");
        assert!(!report.parsed, "{path}");
    }
}

#[test]
fn valid_parts_of_broken_code_are_analysed() {
    let report = report("a.js", "const b = ;\nconst password = \"hunter2-hunter2\";\n");
    let rules: Vec<_> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["GEN-HARDCODED-SECRET", "GEN-SYNTAX"]);
}

#[test]
fn languages_without_a_grammar_have_no_syntax_findings() {
    assert_eq!(wrong_lines(&report("a.rb", "def end end (")), [0; 0]);
}
