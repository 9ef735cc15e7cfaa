use super::{Layout, Statement, read};

#[test]
fn a_line_belongs_to_the_innermost_statement() {
    let statement = |first, last| Statement::new(first, last, [0; 32]);
    let layout = Layout::new(Vec::new(), vec![statement(1, 6), statement(2, 3), statement(3, 3), statement(5, 5)]);
    let owners: Vec<_> = (1..=7).map(|line| layout.owner(line)).collect();
    assert_eq!(owners, [Some(0), Some(1), Some(2), Some(0), Some(3), Some(0), None]);
    assert_eq!(layout.beginning_at(3).collect::<Vec<_>>(), [2]);
    assert_eq!(layout.ending_at(3).collect::<Vec<_>>(), [2, 1]);
}

#[track_caller]
fn check_code(language: &str, source: &str, code: &str) {
    assert_eq!(read(language, source).map(|layout| layout.code(source)).as_deref(), Some(code), "{source}");
}

#[test]
fn comments_are_removed_and_lines_kept() {
    let script = "a;/* b\n */c // d\n'//e'\n`/* ${f} */`;\n/[/*]/ // g";
    check_code("javascript", script, "a;\nc \n'//e'\n`/* ${f} */`;\n/[/*]/ ");
    check_code("javascript", "let/**/a = 1", "let a = 1");
    check_code("go", "package a // b\n/* c */ var d = `// e`\n", "package a \n var d = `// e`\n");
    check_code("bash", "a # ö\nö '# b' # ö\necho a#b $# ${#a} # c\n", "a \nö '# b' \necho a#b $# ${#a} \n");
    check_code("rust", "/* a /* b */ c */ fn d() {} // e\n", " fn d() {} \n");
    check_code("c", "a(); // b\n/* c */ d(\"// e\");", "a(); \n d(\"// e\");");
    check_code("python", "a = '#b' # c\n'''\n# d\n'''\n", "a = '#b' \n'''\n# d\n'''\n");
}

#[test]
fn executable_text_is_not_a_comment() {
    for (language, source) in [
        ("javascript", "a <!--b; eval(c)\n"),
        ("javascript", "a = <b>/* {eval(c)} */</b>;\n"),
        ("javascript", "a = = 1\nb = `\n// ${eval(c)}`\n"),
        ("bash", "cat <<END\n# $(a)\nEND\n"),
        ("sql", "/*!50000 SELECT 1 */;"),
        ("html", "<script>a = '<!--'; eval(b); c = '-->'</script>"),
        ("dockerfile", "RUN a \"\\\n # b\"; c\n"),
    ] {
        check_code(language, source, source);
    }
    check_code("javascript", "// a\u{2028}eval(b)\n", "\u{2028}eval(b)\n");
    check_code("javascript", "// a\reval(b)\n", "\reval(b)\n");
    check_code("php", "<?php // a ?> b <?php c(); #[D] e()\n", "<?php ?> b <?php c(); #[D] e()\n");
    check_code("php", "a//b <?php c() ?>\n", "a<?php c() ?>\n");
    check_code("java", "/* \\u002a/ a(); /* */", "\\u002a/ a(); /* */");
    check_code("html", "<!--><script>a()</script><!-- b -->", "<script>a()</script>");
}
