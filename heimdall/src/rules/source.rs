use super::rule::rules;

rules! {
    SYNTAX = "PY-SYNTAX" Style Medium 1.0
        title "Syntax error"
        what "Python cannot parse this code."
        fix "Correct the syntax. The parts that could be parsed were analysed."
        see ["https://docs.python.org/3/reference/grammar.html"];
    TEXT_SYNTAX = "GEN-SYNTAX" Style Medium 0.8
        title "Syntax error"
        what "The text cannot be parsed from this line on."
        fix "Correct the syntax. The parts that could be parsed were analysed."
        see [];
    TOO_LARGE = "SOURCE-TOO-LARGE" Style Medium 1.0
        title "Source too large"
        what "The text exceeds the maximum size, so it was not analysed."
        fix "Split the file, or analyse its parts separately."
        see [];
    TOO_DEEP = "SOURCE-TOO-DEEP" Architecture Medium 1.0
        title "Nesting too deep"
        what "Expressions or blocks exceed the maximum nesting depth, so only line-based rules were applied."
        fix "Build the structure step by step, or load it as data."
        see [];
    NOT_ANALYSED = "SOURCE-NOT-ANALYSED" Style Medium 1.0
        title "Analysis incomplete"
        what "The analysis stopped before the end of the text; findings may be missing."
        fix "Split the file and analyse its parts, and report the case as a bug."
        see [];
    UNKNOWN_SUPPRESSION = "SUPPRESSION-UNKNOWN-RULE" Style Low 1.0
        title "Suppression of an unknown rule"
        what "The comment names a rule that does not exist, or its list is malformed; that part has no effect."
        fix "Use the rule ids of the report, in brackets and separated by commas."
        see [];
    TEXT_SQL_INJECTION = "GEN-SQL-INJECTION" Security Medium 0.6
        title "SQL query built from text"
        what "A query seems to be built by joining text; a value in it can change the query itself (SQL injection)."
        fix "Keep the query a constant with placeholders and pass the values separately."
        example "db.query(\"SELECT name FROM users WHERE id = ?\", [id])"
        see ["CWE-89"];
    TEXT_SECRET = "GEN-HARDCODED-SECRET" Security High 0.6
        title "Secret in the source"
        what "A password, key or token seems to be written into the code."
        fix "Read it from the environment or a secret store, and replace the one that was exposed."
        see ["CWE-798"];
    JS_EVAL = "JS-CODE-INJECTION" Security High 0.6
        title "Data executed as code"
        what "Text that is not a constant seems to be evaluated as code."
        fix "Parse data with JSON.parse, and choose functions from a table."
        example "const value = JSON.parse(text)"
        see ["CWE-95"];
    JS_HTML = "JS-UNSAFE-HTML" Security Medium 0.6
        title "Text inserted as page markup"
        what "A value that is not a constant is inserted as markup and can contain script (cross-site scripting)."
        fix "Set textContent, or sanitise the markup."
        example "element.textContent = text"
        see ["CWE-79"];
    JS_COMMAND = "JS-COMMAND-INJECTION" Security High 0.6
        title "Shell command built from data"
        what "A shell command line seems to contain data."
        fix "Use execFile or spawn with a list of arguments."
        example "execFile(\"ping\", [host])"
        see ["CWE-78"];
    TEXT_WEAK_HASH = "GEN-WEAK-HASH" Security Medium 0.5
        title "Weak hash function"
        what "MD5 or SHA-1 seems to be used; neither is collision resistant."
        fix "Use SHA-256 or better, and a password hash for passwords."
        see ["CWE-328"];
    TEXT_INSECURE_TLS = "GEN-INSECURE-TLS" Security High 0.7
        title "Certificate verification disabled"
        what "The peer's certificate does not seem to be verified."
        fix "Enable verification, and add a private certificate authority to the trust store instead."
        see ["CWE-295"];
    SHELL_PIPE = "SH-DOWNLOAD-AND-RUN" Security High 0.8
        title "Download executed without a check"
        what "A download is piped into an interpreter, so an attacker who controls the server or the network can run code here."
        fix "Download to a file, verify its digest or signature, then run it."
        see ["CWE-494"];
    SHELL_EVAL = "SH-EVAL" Security Medium 0.6
        title "Shell text evaluated"
        what "Text with variables is evaluated as shell code."
        fix "Use arrays and call the command directly."
        see ["CWE-78"];
    RUST_UNSAFE = "RS-UNSAFE" Security Low 0.5
        title "Unsafe block"
        what "The compiler does not check memory safety inside an unsafe block."
        fix "Use a safe interface, or document why the block is sound."
        see ["CWE-119"];
    C_UNBOUNDED = "C-UNBOUNDED-COPY" Security High 0.7
        title "Copy without a bound"
        what "The function writes all of its input, even if the target is smaller."
        fix "Use a variant that takes the size of the target."
        see ["CWE-120"];
}
