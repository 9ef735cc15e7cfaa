//! Suppression comments.

use heimdall::{AnalysisReport, AnalysisRequest, AnalysisType, Suppressions, analyze};

fn report(path: &str, source: &str, suppressions: Suppressions) -> AnalysisReport {
    let kind = AnalysisType::General;
    analyze(&AnalysisRequest {
        source,
        file_path: Some(path),
        language: None,
        kind,
        suppressions,
        framework: None,
        dependencies: &[],
    })
}

fn rules(findings: &[heimdall::Finding]) -> Vec<(&str, u32)> {
    findings.iter().map(|finding| (finding.rule.as_str(), finding.line_start)).collect()
}

/// Checks that accepted findings are reported separately, and normally where comments are ignored.
#[track_caller]
fn check(path: &str, source: &str, found: &[(&str, u32)], suppressed: &[(&str, u32)]) {
    let honored = report(path, source, Suppressions::Honor);
    assert_eq!(
        (rules(&honored.findings), rules(&honored.suppressed)),
        (found.to_vec(), suppressed.to_vec()),
        "{source}"
    );
    let ignored = report(path, source, Suppressions::Ignore);
    assert_eq!(ignored.suppressed, []);
    let all = |report: &AnalysisReport| {
        let mut all =
            rules(&report.findings).iter().map(|(rule, line)| ((*rule).to_owned(), *line)).collect::<Vec<_>>();
        all.extend(rules(&report.suppressed).iter().map(|(rule, line)| ((*rule).to_owned(), *line)));
        all.retain(|(rule, _)| rule != "SUPPRESSION-UNKNOWN-RULE");
        all.sort();
        all
    };
    assert_eq!(all(&ignored), all(&honored), "{source}");
}

const SQL: &str = "PY-SQL-INJECTION";

fn query(comment: &str) -> String {
    format!("def f(db, x):\n    db.execute('SELECT a FROM b WHERE c = ' + x)  {comment}\n")
}

#[test]
fn a_comment_accepts_what_it_names() {
    for comment in [
        "# nosec",
        "# nosec B608",
        "# nosec: B101, B608 the value is checked",
        "# noqa",
        "# noqa: S608",
        "# noqa: E501,S608",
        "# nosemgrep",
        "# heimdall: ignore[PY-SQL-INJECTION] the value is checked",
        "# heimdall: ignore[PY-XSS, PY-SQL-INJECTION]",
        "# heimdall: ignore the value is checked",
        "# type: ignore # nosec",
    ] {
        check("a.py", &query(comment), &[], &[(SQL, 2)]);
    }
    for comment in [
        "# nosec B602",
        "# nosec B999",
        "# noqa: E501",
        "# noqa: S602",
        "# heimdall: ignore[PY-XSS]",
        "# no",
        "# https://x.org/#nosec",
    ] {
        check("a.py", &query(comment), &[(SQL, 2)], &[]);
    }
}

#[test]
fn accepted_findings_do_not_lower_the_score() {
    let accepted = report("a.py", &query("# nosec"), Suppressions::Honor);
    assert_eq!(accepted.overall_score, 100);
    assert!(report("a.py", &query("# nosec"), Suppressions::Ignore).overall_score < 100);
}

#[test]
fn a_rule_that_does_not_exist_is_reported() {
    let typo = query("# heimdall: ignore PY-SQL-INJECTOIN why");
    check("a.py", &typo, &[(SQL, 2), ("SUPPRESSION-UNKNOWN-RULE", 2)], &[]);
    let source = query("# heimdall: ignore[PY-SQL-INJECTION, PY-SQL] why");
    check("a.py", &source, &[("SUPPRESSION-UNKNOWN-RULE", 2)], &[(SQL, 2)]);
}

#[test]
fn a_comment_covers_its_statement_only() {
    let over_lines = |first: &str, middle: &str, last: &str| {
        format!(
            "def f(db, x):\n    db.execute(  {first}\n        f'''SELECT a\n        FROM b WHERE c = {{x}}'''  {middle}\n    )  {last}\n    db.execute('SELECT ' + x)\n"
        )
    };
    for source in
        [over_lines("# nosec", "", ""), over_lines("", "# noqa: S608", ""), over_lines("", "", "# nosec B608")]
    {
        check("a.py", &source, &[(SQL, 6)], &[(SQL, 2)]);
    }
    let decorated = "@wraps(a)  # noqa: B006\ndef f(x=[]):\n    return x\n";
    check("a.py", decorated, &[], &[("PY-MUTABLE-DEFAULT", 2)]);
    let inside = "def f(x=[]):\n    return x  # noqa\n";
    check("a.py", inside, &[("PY-MUTABLE-DEFAULT", 1)], &[]);
}

#[test]
fn a_heimdall_comment_covers_the_statement_below() {
    let above = |comment: &str, between: &str| {
        format!(
            "def f(db, x):\n    {comment}\n{between}    db.execute(\n        'SELECT ' + x)\n    db.execute('SELECT ' + x)\n"
        )
    };
    check("a.py", &above("# heimdall: ignore[PY-SQL-INJECTION]", ""), &[(SQL, 5)], &[(SQL, 3)]);
    check("a.py", &above("# heimdall: ignore why", "    # and why\n"), &[(SQL, 6)], &[(SQL, 4)]);
    for (comment, between, lines) in
        [("# heimdall: ignore", "\n", [4, 6]), ("# nosec", "", [3, 5]), ("# noqa", "", [3, 5])]
    {
        check("a.py", &above(comment, between), &[(SQL, lines[0]), (SQL, lines[1])], &[]);
    }
}

#[test]
fn text_in_strings_is_not_a_comment() {
    let python = "def f(db, x):\n    db.execute('SELECT \"# nosec\" ' + x)\n    db.execute(f'''SELECT # nosec\n    {x} # noqa\n''')\n";
    check("a.py", python, &[(SQL, 2), (SQL, 3)], &[]);
    let script = "const a = `// heimdall: ignore`; eval(b)\nconst c = \"/* nosec */\"; eval(d)\nconst e = /\\/\\/ nosec/; eval(g)\n";
    check("a.js", script, &[("JS-CODE-INJECTION", 1), ("JS-CODE-INJECTION", 2), ("JS-CODE-INJECTION", 3)], &[]);
    let java = "String a = \"// heimdall: ignore\" + MessageDigest.getInstance(\"MD5\");\nString b = \"\"\"\n  // nosec\n  getInstance(\"MD5\") \"\"\";\n";
    check("a.java", java, &[("GEN-WEAK-HASH", 1), ("GEN-WEAK-HASH", 4)], &[]);
}

#[test]
fn other_languages_have_their_own_comments() {
    const EVAL: &str = "JS-CODE-INJECTION";
    check("a.js", "eval(a); // heimdall: ignore[JS-CODE-INJECTION] why\neval(b);\n", &[(EVAL, 2)], &[(EVAL, 1)]);
    check(
        "a.ts",
        "function f(a: string) {\n  // heimdall: ignore\n  eval(a);\n  eval(a);\n}\n",
        &[(EVAL, 4)],
        &[(EVAL, 3)],
    );
    check("a.js", "f(\n  eval(a),\n  b,\n); /* nosec */\n", &[], &[(EVAL, 2)]);
    check("a.js", "function f(a = eval(b)) {\n  // heimdall: ignore\n  g(); // nosec\n}\n", &[(EVAL, 1)], &[]);
    const HASH: &str = "GEN-WEAK-HASH";
    check(
        "a.go",
        "package a\n\nvar b = md5.New() // #nosec G401\nvar c = md5.New() // #nosec G101\n",
        &[(HASH, 4)],
        &[(HASH, 3)],
    );
    check(
        "a.go",
        "package a\n\n// #nosec G401 -- why\nvar b = md5.New()\n\n//nosec\nvar c = md5.New()\nvar d = md5.New()\n",
        &[(HASH, 8)],
        &[(HASH, 4), (HASH, 7)],
    );
    check("a.rs", "fn f() {\n    // heimdall: ignore[RS-UNSAFE]\n    unsafe { g() }\n}\n", &[], &[("RS-UNSAFE", 3)]);
    check(
        "a.sh",
        "curl a | sh # heimdall: ignore[SH-DOWNLOAD-AND-RUN]\ncurl a | sh\n",
        &[("SH-DOWNLOAD-AND-RUN", 2)],
        &[("SH-DOWNLOAD-AND-RUN", 1)],
    );
    check("A.java", "var a = b(\n  getInstance(\"MD5\")\n); // heimdall: ignore\n", &[], &[(HASH, 2)]);
    check(
        "a.c",
        "/* heimdall: ignore[C-UNBOUNDED-COPY] */\nstrcpy(a, b);\nstrcpy(a, b);\n",
        &[("C-UNBOUNDED-COPY", 3)],
        &[("C-UNBOUNDED-COPY", 2)],
    );
    let secret = "INSERT INTO a VALUES ('AKIAIOSFODNN7ABCDEFG')";
    check(
        "a.sql",
        &format!("{secret}; -- heimdall: ignore why\n{secret};\n"),
        &[("GEN-HARDCODED-SECRET", 2)],
        &[("GEN-HARDCODED-SECRET", 1)],
    );
}

#[test]
fn a_comment_does_not_hide_that_code_was_not_analysed() {
    let deep = format!("x = {}1{}  # noqa\n", "(".repeat(13_000), ")".repeat(13_000));
    check("a.py", &deep, &[("SOURCE-TOO-DEEP", 1)], &[]);
    check("a.py", "x = = 1  # noqa\n", &[("PY-SYNTAX", 1)], &[]);
}
