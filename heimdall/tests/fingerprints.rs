//! Fingerprints do not change when other parts of the file are edited.

use std::collections::BTreeSet;

use heimdall::{AnalysisRequest, AnalysisType, Suppressions, analyze};

/// Returns the rules and fingerprints of the security findings.
fn fingerprints(path: &str, source: &str) -> BTreeSet<(String, String)> {
    let request = AnalysisRequest {
        source,
        file_path: Some(path),
        language: None,
        kind: AnalysisType::Security,
        suppressions: Suppressions::Honor,
        framework: None,
        dependencies: &["pycrypto".to_owned()],
    };
    let report = analyze(&request);
    let all: Vec<_> = report.findings.into_iter().chain(report.suppressed).collect();
    let distinct: BTreeSet<_> = all.iter().map(|finding| (finding.rule.clone(), finding.fingerprint.clone())).collect();
    assert_eq!(distinct.len(), all.len(), "each finding has its own: {all:?}");
    assert!(distinct.iter().all(|(_, print)| print.len() == 16));
    distinct
}

const PYTHON: &str = "import os, hashlib
from flask import request


def first(db, name):
    db.execute('SELECT ' + name)
    db.execute('SELECT ' + name)


class Second:
    def first(self, db, name):
        db.execute('SELECT ' + name)
        os.system(
            'ls ' +
            request.args['a'],
        )


print(hashlib.md5(b'a'))
";

#[test]
fn an_edit_of_other_lines_keeps_fingerprints() {
    let before = fingerprints("a.py", PYTHON);
    assert_eq!(before.len(), 6);
    for (old, new) in [
        ("import os", "# a comment\n\nx = 1\nimport os"),
        ("\n\nclass", "\n\ndef other(db):\n    db.execute('SELECT 1')\n\n\nclass"),
        ("print(", "x = 2\nprint("),
        ("b'a'))\n", "b'a'))\nx = 3\n"),
        ("md5(b'a'))", "md5( b'a' )) # nosec"),
        ("    db.execute('SELECT ' + name)\n\n", "    db.execute('SELECT ' + name)\n    x = 1\n\n"),
        ("import os, hashlib", "import hashlib, os"),
    ] {
        let edited = PYTHON.replacen(old, new, 1);
        assert_ne!(edited, PYTHON);
        assert_eq!(fingerprints("a.py", &edited), before, "{old:?} -> {new:?}");
    }
    let in_a_block = PYTHON.replace("print(", "if os:\n    print(");
    assert_eq!(fingerprints("a.py", &in_a_block), before, "indentation");
    let windows = PYTHON.replace('\n', "\r\n");
    assert_eq!(fingerprints("a.py", &windows), before, "line ends");
}

#[test]
fn an_edit_of_the_code_changes_its_fingerprint() {
    let before = fingerprints("a.py", PYTHON);
    let changed =
        |old: &str, new: &str| fingerprints("a.py", &PYTHON.replacen(old, new, 1)).intersection(&before).count();
    assert_eq!(changed("md5(b'a')", "md5(b'b')"), 5);
    assert_eq!(changed("class Second", "class Third"), 4, "findings of other definitions stay");
    assert_eq!(changed("    db.execute('SELECT ' + name)\n", ""), 5);
}

#[test]
fn other_languages_have_fingerprints() {
    let script = "eval(a);\nf(b);\n\n  eval(a);\neval(c);\n";
    let before = fingerprints("a.js", script);
    assert_eq!(before.len(), 3);
    for edited in
        [format!("// a\n\n{script}"), script.replace("f(b)", "g(b);\nh()"), script.replace("  eval", "\teval")]
    {
        assert_eq!(fingerprints("a.js", &edited), before, "{edited}");
    }
}

#[test]
fn comments_do_not_change_fingerprints() {
    for (path, code) in [
        ("a.js", "eval(a);  // why\nf();\n"),
        ("a.js", "eval(a); /* nosec */\nf();\n"),
        ("a.go", "package a\n\nvar b = md5.New() // #nosec G401\n"),
        ("a.sh", "curl a | sh # ö\n"),
        ("a.c", "strcpy(a, b); /* c */\n"),
    ] {
        let at = code.find(['#', '/']).expect("a comment");
        let end = at + code[at..].find('\n').expect("a line end");
        let without = format!("{}{}", &code[..at], &code[end..]);
        assert_eq!(fingerprints(path, code).len(), 1, "{code}");
        assert_eq!(fingerprints(path, code), fingerprints(path, &without), "{code}");
    }
}

#[test]
fn fingerprints_do_not_depend_on_the_severity() {
    let guarded = "import os\ndef f(a):\n    os.system('ls ' + a)\n";
    let outside = "import os\na = input()\ndef f(a=a):\n    os.system('ls ' + a)\n";
    assert_eq!(fingerprints("a.py", guarded), fingerprints("a.py", outside));
}
