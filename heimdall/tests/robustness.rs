//! Every text gets a report: no panic, no abort, no endless loop, and no source text in the report.

use std::time::Duration;

use heimdall::{AnalysisReport, AnalysisRequest, AnalysisType, MAX_SOURCE_BYTES, Suppressions, all_rules, analyze};
use proptest::prelude::*;

fn python(source: &str) -> AnalysisReport {
    request(source, Some("python"))
}

fn request(source: &str, language: Option<&str>) -> AnalysisReport {
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

#[track_caller]
fn has(report: &AnalysisReport, rule: &str) -> bool {
    report.findings.iter().any(|finding| finding.rule == rule)
}

/// Returns texts nested `depth` levels deep, one for each recursive construct of the grammar.
fn nested(depth: usize) -> Vec<String> {
    let stairs: String = (0..depth.min(1_200)).map(|level| format!("{}if x:\n", " ".repeat(level))).collect();
    vec![
        "(".repeat(depth),
        format!("x = {}1{}", "(".repeat(depth), ")".repeat(depth)),
        format!("x = {}1{}", "[".repeat(depth), "]".repeat(depth)),
        format!("x = {}1{}", "{1: ".repeat(depth), "}".repeat(depth)),
        format!("x = {}1", "-".repeat(depth)),
        format!("x = 1{}", " + 1".repeat(depth)),
        format!("x = 1{}", " and (1 or 1".repeat(depth)),
        format!("x = {}1", "not ".repeat(depth)),
        format!("x = {}1", "lambda a, b: ".repeat(depth)),
        format!("x = {}1{}", "(lambda a: ".repeat(depth), ")(x)".repeat(depth)),
        format!("x = {}x{}", "map(lambda a: a, ".repeat(depth), ")".repeat(depth)),
        format!("x = y{}", ".a".repeat(depth)),
        format!("x = y{}", "()".repeat(depth)),
        format!("x = y{}", "[0]".repeat(depth)),
        format!("x = {}1", "1 if 1 else ".repeat(depth)),
        format!("x = 2{}", " ** 2".repeat(depth)),
        format!("x = {}1{}", "f(".repeat(depth), ")".repeat(depth)),
        format!("x = {}1{}", "f'{".repeat(depth), "}'".repeat(depth)),
        format!("{}pass", "if x: ".repeat(depth)),
        format!("{}x: pass", "class A(lambda: ".repeat(depth)),
        format!("match x:\n case {}1{}: pass", "[".repeat(depth), "]".repeat(depth)),
        format!("x: {}int{}", "list[".repeat(depth), "]".repeat(depth)),
        format!("if x: pass\n{}", "elif x: pass\n".repeat(depth)),
        format!("async def f():\n  {}x", "await ".repeat(depth)),
        stairs,
    ]
}

#[test]
fn deep_nesting_gets_a_report() {
    for depth in [10, 200, 1_500, 11_000, 60_000] {
        for text in nested(depth) {
            python(&text);
        }
    }
}

/// The slowest known texts for the tree-sitter parsers. Without a limit the first takes a minute for each of two
/// grammars.
#[test]
fn texts_that_slow_down_a_grammar_get_a_report() {
    let slow = [("typescript", "a<b<c,"), ("bash", "<a>"), ("bash", "fn f() {"), ("go", "x => "), ("rust", "\"")];
    for (language, piece) in slow {
        assert!(!request(&piece.repeat(500_000 / piece.len()), Some(language)).parsed, "{language} {piece}");
    }
}

/// Bash's grammar indexes a table by the character after a brace; an index outside of it may crash.
#[test]
fn any_character_can_follow_a_brace() {
    for c in (0..=0x10_FFFF).step_by(0x101).filter_map(char::from_u32) {
        request(&format!("{{{c}\n{{1..{c}\n"), Some("bash"));
    }
}

/// Deep nesting on a thread with a small stack.
#[test]
fn deep_nesting_does_not_use_the_callers_stack() {
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    let handle = thread
        .spawn(|| {
            request(&"({[".repeat(30_000), Some("javascript"));
            nested(5_000).into_iter().map(|text| python(&text)).collect::<Vec<_>>().len()
        })
        .expect("a thread");
    assert_eq!(handle.join().expect("no panic"), nested(1).len());
}

#[test]
fn too_deep_text_gets_line_based_rules() {
    let report = python(&format!("x = {}1\npassword = \"hunter2-hunter2\"\n", "-".repeat(100_000)));
    assert!(!report.parsed);
    assert!(has(&report, "SOURCE-TOO-DEEP"));
    assert!(has(&report, "GEN-HARDCODED-SECRET"));
}

#[test]
fn too_large_text_is_rejected() {
    let report = python(&"x = 1\n".repeat(MAX_SOURCE_BYTES / 6 + 1));
    assert!(has(&report, "SOURCE-TOO-LARGE"));
    assert_eq!(report.confidence, 0.0);
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

/// Texts of maximum size for which naive algorithms are quadratic or exponential.
#[test]
fn large_texts_stay_within_the_step_budget() {
    let branches: String = (0..20_000).map(|n| format!("if a{n}:\n    b{n} = input()\n")).collect();
    let chain: String = std::iter::once("if a:\n    x = 1\n".to_owned())
        .chain((0..20_000).map(|n| format!("elif a{n} == 1:\n    x = {n}\n")))
        .collect();
    let calls: String = (0..300)
        .map(|n| format!("def f{n}(x):\n    return {}\n", vec![format!("f{}(x)", n + 1); 20].join(" + ")))
        .collect();
    let loops: String = (0..60).map(|level| format!("{}for a{level} in b:\n", " ".repeat(level))).collect::<String>()
        + &" ".repeat(60)
        + "x = x + y\n";
    for text in [branches, chain, calls, loops, "x = [".to_owned() + &"1, ".repeat(300_000) + "]"] {
        let elapsed = time(|| python(&text));
        // A debug build usually takes half a second; quadratic code takes minutes.
        assert!(elapsed < Duration::from_secs(20), "{elapsed:?} for {}", &text[..20]);
    }
}

/// Values that contain themselves twice, repeatedly, and are compared at a branch: 2^40 values if each were tracked.
#[test]
fn shared_values_are_not_compared_repeatedly() {
    let doubled = "a = [1]\nb = [1]\n".to_owned() + &"a = [a, a]\nb = [b, b]\n".repeat(40);
    let returned = "a = lambda: 1\nb = lambda: 1\n".to_owned()
        + &"a = lambda a=a: {'a': a, 'b': a}\na = [a, a]\nb = lambda: {'a': b, 'b': b}\nb = [b, b]\n".repeat(40);
    for text in [doubled, returned] {
        let elapsed = time(|| python(&(text + "if c:\n    a = b\nfor d in a, b:\n    d = a\n")));
        assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    }
}

/// Lines that each start an expression which seems to continue.
#[test]
fn unterminated_expressions_take_linear_time() {
    for piece in ["=\n", "db.query(\n", "a = `\n", "a = 'select ' +\n", "return (\"select \" + `${b},\n"] {
        // For quadratic code an eighth of the maximum already takes minutes.
        let text = piece.repeat(MAX_SOURCE_BYTES / 8 / piece.len()) + "select a";
        let elapsed = time(|| request(&text, Some("php")));
        assert!(elapsed < Duration::from_secs(60), "{elapsed:?} for {piece:?}");
    }
}

/// Texts that repeatedly open comments and strings.
#[test]
fn comments_take_linear_time() {
    let pieces =
        ["/**/", "/*", "R\"(", "<<-A\n", "# noqa ", "#\n", "{//\n", "'", "\"", "nosec #", "// heimdall: ignore[a,"];
    for piece in pieces {
        for language in ["python", "php", "ruby", "cpp", "sql", "go"] {
            let text = piece.repeat(MAX_SOURCE_BYTES / 8 / piece.len()) + "\nmd5.New()\n";
            let elapsed = time(|| request(&text, Some(language)));
            assert!(elapsed < Duration::from_secs(20), "{elapsed:?} for {piece:?} in {language}");
        }
    }
}

#[test]
fn unusual_encodings_are_analysed() {
    for source in ["\u{feff}eval(input())\n", "\r\n\teval(input())\r\n", "   eval(input())", "x = 1\reval(input())\r"] {
        let report = python(source);
        assert!(has(&report, "PY-CODE-INJECTION"), "{source:?}");
        let line = if source.starts_with(['\r', 'x']) { 2 } else { 1 };
        assert_eq!(report.findings[0].line_start, line, "{source:?}");
    }
    let report = python("x\0= 1\neval(input())");
    assert!(has(&report, "PY-SYNTAX") && has(&report, "PY-CODE-INJECTION") && !report.parsed);
}

#[test]
fn broken_code_is_analysed_as_far_as_possible() {
    let report = python("def f(:\n    pass\n\nx = = 2\neval(input())\n");
    assert!(!report.parsed);
    assert!(has(&report, "PY-SYNTAX"));
    let evaluated = report.findings.iter().find(|finding| finding.rule == "PY-CODE-INJECTION").expect("found");
    assert_eq!(evaluated.line_start, 5);
}

#[test]
fn reports_do_not_quote_the_source() {
    const MARK: &str = "zqxjk";
    let source = r#"
import os, zqxjk_module
from flask import request
zqxjk_password = "zqxjk-0123456789"
async def zqxjk_function(zqxjk_a, zqxjk_b=[], *, request):
    """zqxjk"""
    global zqxjk_global
    zqxjk_c = request.args["zqxjk"]
    db.execute(f"SELECT zqxjk FROM zqxjk WHERE zqxjk = {zqxjk_c}")
    os.system("zqxjk " + zqxjk_c)
    for zqxjk_d in range(len(zqxjk_a)):
        for zqxjk_e in range(len(zqxjk_a)):
            zqxjk_c += "zqxjk"
    time.sleep(zqxjk)
    except zqxjk zqxjk:
zqxjk = f"{zqxjk!zqxjk}"
'zqxjk
async zqxjk
x = zqxjk, None zqxjk
class = zqxjk.zqxjk.class
lambda zqxjk, zqxjk=, *: zqxjk
"#;
    let shell = "curl zqxjk | sh\nzqxjk_password='zqxjk-0123456789'\neval $zqxjk\n";
    let script = "const zqxjkToken = 'zqxjk-0123456789';\neval(zqxjk);\ndb.query('SELECT zqxjk' + zqxjk);\n";
    for (source, language) in [(source, "python"), (shell, "bash"), (script, "javascript")] {
        let report = request(source, Some(language));
        assert!(report.findings.len() > 2, "{language}");
        let json = serde_json::to_string(&report).expect("a report is JSON");
        assert!(!json.to_lowercase().contains(MARK), "{json}");
    }
}

#[test]
fn every_reported_rule_is_in_the_catalogue() {
    let report = python("import os\nos.system(input())\nx = (");
    for finding in report.findings {
        assert!(all_rules().any(|rule| rule.id == finding.rule), "{}", finding.rule);
    }
}

/// Lines of valid syntax, so that random texts get past the first token.
fn line() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "if x:",
        "else:",
        "elif x == 'a':",
        "for a in b:",
        "while True:",
        "try:",
        "except E as e:",
        "finally:",
        "with a as b:",
        "def f(x, *y, z=[], **w):",
        "class A(B):",
        "async def g():",
        "match x:",
        "case [a, *b]:",
        "case {'k': v}:",
        "return x",
        "yield x",
        "x = request.args['a']",
        "x, *y = y",
        "x += f'{x!r:>{y}}'",
        "del x",
        "global x",
        "import os as o",
        "from a import *",
        "o.system(x)",
        "db.execute('a' + x)",
        "x[1:2] = x.pop(0)",
        "d['k'] = x",
        "lambda: (yield)",
        "assert x",
        "raise E from e",
        "break",
        "x = [a for a in b if (c := a)]",
        "@app.route('/')",
        "x.append(x)",
        "self.x = x",
        "(",
        ")",
        "'''",
        "\\",
        "\t",
        "f'{",
        "}",
        "é = 'ß'",
        "x = -x ** 2 // 0 % 0",
        "x = 1 << 9999",
        "x = [x, x]",
        "x = lambda y, *z: f'SELECT {y}{x}'",
        "x = map(x, [o.execute, *y])",
        "yield from x",
        "for x, y in {'a': x}.items():",
        "o = x.execute",
        "o(*x, **y)",
    ]);
    (0_usize..6, pieces).prop_map(|(indent, piece)| format!("{}{piece}\n", "  ".repeat(indent)))
}

/// Pieces of queries in a language with line-based rules.
fn script() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "db.query(",
        "const q = ",
        "return ",
        "`",
        "'",
        "\"",
        "SELECT a ",
        "${b}",
        " + c",
        ", ",
        ")",
        "(",
        "{",
        "}",
        ";",
        "\\",
        "//",
        "/*",
        "é",
        "\n",
        "\r\n",
        "\n  ",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_gets_a_report(text in "\\PC{0,400}", language in prop::sample::select(vec!["python", "javascript", "bash", "sql", "c", "cpp", "csharp", "php", "ruby", "yaml", "html"])) {
        let report = request(&text, Some(language));
        prop_assert!(report.overall_score <= 100);
    }

    #[test]
    fn arbitrary_bytes_get_a_report(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let lines = u32::try_from(text.len() + 1).expect("short");
        for finding in request(&text, None).findings {
            prop_assert!(finding.line_start >= 1 && finding.line_start <= finding.line_end && finding.line_end <= lines);
        }
    }

    #[test]
    fn almost_python_gets_the_same_report_twice(lines in prop::collection::vec(line(), 0..40)) {
        let text = lines.concat();
        let report = python(&text);
        prop_assert_eq!(&report, &python(&text));
        let count = u32::try_from(text.lines().count().max(1)).expect("short");
        for finding in &report.findings {
            prop_assert!(finding.line_end <= count + 1, "{:?}", finding);
        }
    }

    #[test]
    fn queries_over_lines_end_within_the_text(text in script(), language in prop::sample::select(vec!["javascript", "go", "rust", "php"])) {
        let report = request(&text, Some(language));
        prop_assert_eq!(&report, &request(&text, Some(language)));
        let count = u32::try_from(text.lines().count()).expect("short");
        for finding in report.findings.iter().filter(|finding| finding.rule == "GEN-SQL-INJECTION") {
            prop_assert!(finding.line_start <= finding.line_end && finding.line_end <= count, "{:?}", finding);
        }
    }

    #[test]
    fn shared_indentation_changes_nothing(indent in "[ \t]{1,8}", lines in prop::collection::vec("[a-z]{1,5} = (input|eval)\\([a-z]{0,3}\\)", 1..8)) {
        let plain = lines.join("\n");
        let indented: Vec<String> = lines.iter().map(|line| format!("{indent}{line}")).collect();
        prop_assert_eq!(python(&plain), python(&indented.join("\n")));
    }
}

/// Returns the findings with suppressions ignored, as for a workflow.
fn untrusted(path: &str, source: &str) -> Vec<(String, u32)> {
    let report = analyze(&AnalysisRequest {
        source,
        file_path: Some(path),
        language: None,
        kind: AnalysisType::Security,
        suppressions: Suppressions::Ignore,
        framework: None,
        dependencies: &[],
    });
    report.findings.into_iter().map(|finding| (finding.rule, finding.line_start)).collect()
}

#[test]
fn code_does_not_count_as_a_comment() {
    let eval = |line| vec![("JS-CODE-INJECTION".to_owned(), line)];
    for (source, line) in [
        ("/**/eval(a);\n", 1),
        ("/* b */ eval(a);\n", 1),
        ("const y = 2\n  * eval(a);\n", 2),
        ("eval/* b */(a);\n", 1),
        ("eval /* b\n c */ (a);\n", 2),
        ("eval(a); // b\n", 1),
        ("x = `\n// ${eval(a)}`;\n", 2),
        ("// a\u{2028}eval(a);\n", 1),
    ] {
        assert_eq!(untrusted("a.js", source), eval(line), "{source}");
    }
    for source in ["// eval(a)\n", "/*\neval(a)\n*/\n", "f(); // eval(a)\n", "f(/* eval(a) */);\n"] {
        assert_eq!(untrusted("a.js", source), [], "{source}");
    }
    let query = "package a\n\nfunc f() {\n\t/* b */ db.Query(\"SELECT a \" + n) // c\n}\n";
    assert_eq!(untrusted("a.go", query), [("GEN-SQL-INJECTION".to_owned(), 4)]);
}

#[test]
fn skipped_lines_of_code_are_reported() {
    let (comment, text) = (format!("//{}", "x".repeat(5_000)), format!("'{}'", "x".repeat(5_000)));
    assert_eq!(untrusted("a.js", &format!("eval(a); {comment}\n")), [("JS-CODE-INJECTION".to_owned(), 1)]);
    let skipped = |line| vec![("SOURCE-NOT-ANALYSED".to_owned(), line)];
    assert_eq!(untrusted("a.js", &format!("f();\ng({text}); eval(a);\ng({text});\n")), skipped(2));
    assert_eq!(untrusted("a.sh", &format!("echo {text}; eval \"$1\"\n")), skipped(1));
    assert_eq!(untrusted("a.json", &format!("[\"{text}\"]\n")), []);
}
