//! Words by which a goal asks for work on given code that tools do.

/// Words that any wish about given code may come with.
pub(super) const PLAIN: &[&str] = &[
    "please", "pls", "kindly", "can", "could", "would", "you", "i", "want", "need", "like", "id", "to", "me", "us",
    "my", "our", "the", "this", "that", "these", "those", "a", "an", "some", "all", "any", "every", "each", "its",
    "it", "of", "for", "in", "on", "from", "and", "code", "script", "file", "module", "function", "functions",
    "class", "classes", "method", "methods", "program", "snippet", "python", "py", "here", "attached", "given",
    "following", "below", "above", "now", "just", "hi", "hello", "hey", "thanks", "thank", "source", "whole",
    "entire", "existing", "is", "there", "are", "with", "so", "them",
];
/// Verbs of making something new.
pub(super) const MAKING: &[&str] = &[
    "write", "add", "create", "generate", "make", "give", "provide", "produce", "build", "need", "want", "cover",
    "include", "insert", "put",
];
/// Nouns for tests.
pub(super) const TEST_NOUNS: &[&str] = &[
    "tests", "test", "testcases", "testcase", "unittests", "suite",
];
/// Words that a wish for tests may come with.
pub(super) const TEST_WORDS: &[&str] = &[
    "unit", "case", "cases", "pytest", "automated", "good", "basic", "simple", "proper", "missing", "comprehensive",
    "thorough", "public", "using", "also", "too",
];
/// Nouns for docstrings.
pub(super) const DOCSTRING_NOUNS: &[&str] = &[
    "docstring", "docstrings", "doc",
];
/// Words that a wish for docstrings may come with.
pub(super) const DOCSTRING_WORDS: &[&str] = &[
    "document", "strings", "string", "missing", "where", "they", "lacks", "lack", "without", "public", "proper",
    "good",
];
/// Words of a wish for clean-up.
pub(super) const CLEAN_WORDS: &[&str] = &[
    "warnings", "warning", "errors", "linting",
    "clean", "cleanup", "up", "tidy", "format", "reformat", "autoformat", "formatting", "formatted", "prettify",
    "beautify", "black", "ruff", "isort", "lint", "pep8", "pep", "8", "style", "sort", "sorted", "order",
    "organize", "organise", "import", "imports", "remove", "delete", "drop", "unused", "unneeded", "unnecessary",
    "ones", "one", "names", "modernize", "modernise", "pyupgrade", "syntax", "run", "apply", "use", "using", "fix",
    "according", "conform", "compliant", "comply", "indentation", "whitespace", "make", "get", "rid", "be", "not",
    "used",
];
/// Words that ask for another layout.
pub(super) const LAYOUT: &[&str] = &[
    "format", "reformat", "autoformat", "formatting", "formatted", "prettify", "beautify", "black", "pep8", "pep",
    "indentation", "whitespace", "style",
];
/// Imports, or a word in their place.
pub(super) const IMPORTS: &[&str] = &[
    "import", "imports", "ones", "one",
];
/// Words for what nothing uses.
pub(super) const UNUSED: &[&str] = &[
    "unused", "unneeded", "unnecessary", "used",
];
/// Parts of a program that no tool removes, sorts or makes.
pub(super) const DEFINITIONS: &[&str] = &[
    "function", "functions", "class", "classes", "method", "methods", "code", "script", "file", "module", "program",
    "snippet", "source",
];
/// Words between a verb and its object.
pub(super) const ARTICLES: &[&str] = &[
    "the", "this", "that", "these", "those", "a", "an", "some", "all", "any", "every", "each", "my", "our", "its",
    "me", "us", "existing", "python",
];
/// Words that a goal may say beside a mode, which says what to do.
pub(super) const MODE_WORDS: &[&str] = &[
    "whatever", "do", "useful", "possible", "everything", "go", "ahead",
];
/// Words that make a wish one about security.
pub(super) const SECURITY_NOUNS: &[&str] = &[
    "security", "vulnerability", "vulnerabilities", "secure", "insecure", "harden",
];
/// Nouns for what is to be fixed, that mean security by themselves.
pub(super) const VULNERABILITIES: &[&str] = &[
    "vulnerability", "vulnerabilities",
];
/// Nouns for what is to be fixed, that "security" has to qualify.
pub(super) const SECURITY_ISSUES: &[&str] = &[
    "issue", "issues", "problem", "problems", "hole", "holes", "flaw", "flaws", "finding", "findings", "bug", "bugs",
    "risk", "risks", "weakness", "weaknesses",
];
/// Verbs of fixing.
pub(super) const SECURITY_VERBS: &[&str] = &[
    "fix", "repair", "resolve", "remove", "eliminate", "patch", "secure", "harden", "make", "correct", "close",
    "address",
];
/// Words that a wish about security may come with.
pub(super) const SECURITY_WORDS: &[&str] = &[
    "issue", "issues", "problem", "problems", "hole", "holes", "flaw", "flaws", "finding", "findings", "bug",
    "bugs", "risk", "risks", "weakness", "weaknesses", "more", "found", "reported", "heimdall", "against", "parts",
];
/// Nouns for injections.
pub(super) const INJECTIONS: &[&str] = &[
    "injection", "injections",
];
/// Words for injected text.
pub(super) const INJECTED: &[&str] = &[
    "sql", "command", "shell",
];
