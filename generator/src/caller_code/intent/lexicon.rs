//! Words by which a goal says what it wants.

/// Verbs that ask for a run.
pub(super) const RUN: &[&str] = &[
    "run", "execute", "try", "print", "check", "evaluate", "start", "launch", "analyse", "analyze", "scan", "rerun",
    "measure", "time", "exec", "excute", "exectue", "rnu", "runn",
];
/// Verbs that ask for a run only together with what a run shows, such as its output.
pub(super) const SHOW: &[&str] = &[
    "show", "tell", "give", "display", "report", "see", "look", "observe", "verify", "confirm", "ensure", "sure",
    "get", "send",
];
/// Things that a run shows.
pub(super) const SHOWN: &[&str] = &[
    "output", "outputs", "stdout", "stderr", "result", "results", "prints", "print", "printed", "runs", "run",
    "works", "work", "happens", "exits", "exit", "executes", "returns", "ran", "running", "working", "comes",
];
/// Nouns that a run does not answer, whatever the verb in front of them.
pub(super) const JUDGEMENTS: &[&str] = &[
    "complexity", "quality", "design", "architecture", "readability", "efficiency", "purpose", "meaning",
    "difference", "explanation", "summary", "overview", "walkthrough", "reason", "reasons", "cause", "style",
    "review", "grammar", "spelling", "maintainability", "conventions", "pep8",
];
/// Tools that a run of the code does not start.
pub(super) const TOOLS: &[&str] = &[
    "black", "isort", "mypy", "pyright", "flake8", "ruff", "pylint", "bandit", "eslint", "prettier", "linter", "lint",
    "formatter", "coverage", "profiler", "cprofile", "debugger", "pdb", "tox", "nox", "cargo", "npm", "semgrep",
    "sonar", "shellcheck", "codemod", "autopep8", "yapf", "pyupgrade", "2to3", "tsc", "webpack", "docker",
];
/// Verbs that ask for other code than what was supplied.
pub(super) const CHANGE: &[&str] = &[
    "fix", "repair", "refactor", "refactorise", "refactorize", "rewrite", "optimise", "optimize", "translate",
    "convert", "port", "rename", "remove", "delete", "replace", "simplify", "clean", "cleanup", "improve", "format",
    "reformat", "extract", "inline", "move", "split", "merge", "speed", "turn", "make", "migrate", "update",
    "upgrade", "downgrade", "extend", "enhance", "modify", "change", "edit", "adapt", "adjust", "adopt", "transform",
    "restructure", "reorganise", "reorganize", "reorder", "modernise", "modernize", "parallelise", "parallelize",
    "vectorise", "vectorize", "minify", "obfuscate", "deobfuscate", "beautify", "prettify", "lint", "annotate",
    "type", "implement", "complete", "finish", "continue", "support", "handle", "harden", "secure", "sanitise",
    "sanitize", "validate", "wrap", "unwrap", "reduce", "shorten", "expand", "generalise", "generalize",
    "parametrise", "parametrize", "parameterise", "parameterize", "deduplicate", "dedupe", "decouple", "encapsulate",
    "abstract", "switch", "swap", "use", "apply", "introduce", "enable", "disable", "avoid", "eliminate", "drop",
    "strip", "undo", "revert", "patch", "resolve", "solve", "correct", "debug", "tweak", "polish", "tidy",
    "streamline", "consolidate", "combine", "integrate", "embed", "insert", "append", "prepend", "add", "include",
    "put", "set", "cache", "memoise", "memoize", "async", "asyncify", "containerise", "containerize", "package",
    "deploy", "publish", "commit", "push", "install", "save", "store", "send", "email", "mail", "upload", "download",
    "schedule", "compile", "transpile", "bundle", "decompile", "reverse", "substitute", "localise", "localize",
    "internationalise", "internationalize", "redesign", "rework", "redo", "profile", "benchmark", "plot", "draw",
    "visualise", "visualize", "deprecate", "mock", "stub", "trim", "normalise", "normalize", "unify", "rearrange",
    "flatten", "log", "instrument",
];
/// Verbs that mean a change only with an object behind them ("Correct output is expected").
pub(super) const CHANGE_SOMETHING: &[&str] = &[
    "debug", "correct", "patch", "complete", "format", "type", "log", "time", "cache", "package", "abstract",
    "reverse", "secure", "clean", "async", "profile", "benchmark", "support", "use", "set", "store", "mail", "email",
    "design", "comment", "test", "lint", "mock", "cover", "question",
];
/// Words that make a verb of the word in front of them.
pub(super) const OBJECTS: &[&str] = &[
    "the", "this", "that", "these", "those", "it", "its", "my", "our", "their", "your", "any", "all", "every",
    "everything", "whatever", "what", "a", "an", "some", "more", "each", "error", "errors", "bug", "bugs", "mistake",
    "mistakes", "issue", "issues", "code", "up", "out", "for", "to", "with", "into", "as", "them", "numpy", "me",
    "us", "type",
];
/// Verbs that ask for words about the code.
pub(super) const EXPLAIN: &[&str] = &[
    "explain", "describe", "summarise", "summarize", "review", "audit", "critique", "criticise", "criticize", "rate",
    "assess", "compare", "discuss", "walk", "clarify", "understand", "teach", "find", "identify", "locate", "detect",
    "list", "count", "estimate", "diagnose", "investigate", "inspect", "examine", "study", "outline", "elaborate",
    "interpret", "determine", "calculate", "comment", "suggest", "recommend", "advise", "name", "spot", "highlight",
    "point", "trace", "paraphrase", "grade", "judge", "question", "consider", "think", "guess", "predict", "prove",
    "answer",
];
/// Words that begin a question.
pub(super) const QUESTIONS: &[&str] = &[
    "what", "whats", "why", "how", "hows", "when", "where", "wheres", "which", "who", "whose", "is", "are", "does",
    "do", "did", "was", "has", "have", "would", "isnt", "doesnt", "will", "should", "any",
];
pub(super) const DOCUMENT: &[&str] = &["document"];
pub(super) const DOC_NOUNS: &[&str] = &["documentation", "docs"];
/// Verbs of making; what they ask for is said by their object.
pub(super) const MAKE: &[&str] = &[
    "write", "create", "generate", "produce", "provide", "build", "develop", "design", "draft", "compose", "code",
    "program", "craft", "prepare",
];
pub(super) const MAKE_OR_CHANGE: &[&str] = &["add", "make", "implement", "include", "supply"];
/// Words that point at the code that came with the goal.
pub(super) const POINTERS: &[&str] = &[
    "this", "it", "its", "these", "attached", "existing", "above", "below", "following", "supplied", "provided",
    "mine", "here", "them",
];
pub(super) const NEGATIONS: &[&str] = &["not", "dont", "never", "without", "no", "nothing", "none", "cannot", "cant"];
/// Words after which a verb is a command.
pub(super) const LEADS: &[&str] = &[
    "and", "then", "please", "you", "also", "just", "first", "or", "now", "simply", "only", "kindly", "lets",
    "automatically", "finally", "afterwards", "pls", "plz", "ahead", "but", "quickly", "gently", "next", "again",
    "me", "so", "help",
];
/// Words after which "to" leads to a command ("I want you to run this").
pub(super) const WISHES: &[&str] = &[
    "you", "want", "like", "need", "love", "wish", "trying", "try", "going", "have", "able", "as",
];
/// Words that begin a remark and no command ("Run this, it uses threads").
pub(super) const REMARKS: &[&str] = &["it", "its", "i", "im", "he", "she", "they", "there", "because", "since"];

/// Nouns for tests; any of them near a verb of running asks for the tests to be run.
pub(super) const TESTS: &[&str] = &[
    "tests", "testcases", "testcase", "specs", "unittests", "testsuite", "doctests", "doctest", "testing",
];
/// Programs that run tests.
pub(super) const RUNNERS: &[&str] = &[
    "pytest", "unittest", "unittests", "doctest", "doctests", "nose", "jest", "mocha", "bats", "vitest", "jasmine",
];
/// Nouns that make tests of the word "test" in front of them.
pub(super) const TEST_HEADS: &[&str] = &["case", "cases", "suite", "suites"];
/// Nouns that a leading "test" only qualifies ("test plan").
pub(super) const TEST_PLANS: &[&str] = &[
    "plan", "plans", "coverage", "data", "strategy", "report", "fixtures", "fixture", "harness", "doubles", "driver",
];
pub(super) const TEST_MODIFIERS: &[&str] = &[
    "a", "an", "the", "some", "more", "unit", "pytest", "unittest", "integration", "regression", "comprehensive",
    "thorough", "good", "full", "set", "of", "missing", "automated", "edge", "case", "new", "complete", "proper",
    "extensive", "python", "jest", "mocha", "additional", "few", "better", "property", "based", "simple", "basic",
    "all", "its", "negative", "positive", "example", "real", "my", "these",
];
pub(super) const DOC_MODIFIERS: &[&str] = &[
    "a", "an", "the", "some", "more", "markdown", "api", "good", "full", "complete", "missing", "proper",
    "comprehensive", "technical", "reference",
];

/// Things that a goal may ask for as new ("I need a script that ...").
pub(super) const NEW_THINGS: &[&str] = &[
    "script", "program", "function", "class", "module", "library", "tool", "app",
];

/// Words of a goal that leaves it at a run.
pub(super) const RUN_WORDS: &[&str] = &[
    "run", "rerun", "execute", "exec", "excute", "exectue", "rnu", "runn", "try", "print", "prints", "printed",
    "check", "evaluate", "start", "launch", "analyse", "analyze", "scan", "measure", "time", "test", "show", "shows",
    "tell", "give", "display", "report", "return", "returns", "see", "look", "observe", "verify", "confirm", "ensure",
    "sure", "make", "let", "know", "get", "send", "copy", "use", "call", "a", "an", "the", "this", "that", "it",
    "its", "these", "those", "them", "they", "theyre", "my", "our", "your", "all", "any", "every", "each", "one",
    "of", "for", "in", "on", "to", "with", "from", "at", "as", "by", "into", "via", "under", "using", "and", "or",
    "but", "then", "so", "also", "if", "when", "while", "until", "after", "first", "now", "again", "once", "right",
    "away", "just", "only", "simply", "quickly", "kindly", "still", "here", "there", "not", "please", "pls", "plz",
    "thanks", "thank", "you", "hi", "hey", "could", "can", "would", "will", "be", "kind", "want", "need", "like",
    "id", "i", "im", "we", "love", "possible", "ok", "okay", "ahead", "me", "us", "mine", "is", "are", "do", "does",
    "has", "code", "script", "file", "program", "snippet", "module", "function", "class", "method", "expression",
    "thing", "app", "application", "main", "source", "attached", "following", "given", "supplied", "provided",
    "uploaded", "below", "above", "current", "latest", "same", "full", "complete", "whole", "entire", "final",
    "exact", "actual", "raw", "sandbox", "output", "outputs", "stdout", "stderr", "result", "results", "outcome",
    "console", "log", "logs", "logged", "exit", "codes", "what", "whats", "whatever", "which", "happens", "comes",
    "out", "back", "answer", "work", "works", "working", "running", "runs", "ran", "executes", "finishes", "ends",
    "end", "done", "completion", "finish", "nothing", "else", "tests", "testing", "testcase", "testcases", "unit",
    "integration", "spec", "specs", "suite", "suites", "testsuite", "case", "cases", "pass", "passes", "passing",
    "green", "fail", "fails", "failing", "failed", "succeed", "succeeds", "many", "how", "status", "count", "counts",
    "number", "summary", "overview", "pytest", "unittest", "unittests", "doctest", "doctests", "nose", "jest",
    "mocha", "bats", "vitest", "jasmine", "m", "v", "verbose", "python", "thx", "exactly", "existing", "paste",
    "cleanly", "whether", "exits", "unchanged", "untouched", "executed", "have", "lot", "query", "queries",
    "statement", "statements", "simulation", "benchmark", "experiment", "demo", "job", "timings", "timing", "numbers",
    "everything", "writes", "failures", "failure", "red", "included", "post", "q",
];

/// Things that the analysis of every run looks for.
pub(super) const SCANNED: &[&str] = &[
    "security", "secure", "vulnerabilities", "vulnerability", "issues", "problems", "errors", "error", "safety",
];

/// Nouns for programs, which other words may qualify.
pub(super) const PROGRAMS: &[&str] = &[
    "script", "file", "program", "code", "module", "snippet", "job", "demo", "benchmark", "experiment", "simulation",
    "example", "tests", "test",
];

/// Adjectives that ask for other code.
pub(super) const COMPARATIVES: &[&str] = &[
    "faster", "better", "cleaner", "shorter", "simpler", "newer", "async", "asynchronous", "parallel", "typed",
    "secure", "safe", "iterative", "recursive", "functional", "idiomatic", "new",
];

/// Words of a title, which asks for nothing.
pub(super) const TITLE_WORDS: &[&str] = &[
    "this", "my", "the", "here", "heres", "is", "its", "code", "script", "file", "program", "snippet", "demo",
    "example", "sample", "test", "task", "job", "workflow", "iteration", "request", "user", "number", "no", "nr",
    "concurrent", "stress", "load", "performance", "sandbox", "security", "isolation", "integration", "smoke",
    "durability", "health", "latency", "throughput", "batch", "round", "step", "case", "check", "hello", "world",
    "first", "second", "third", "main",
];

/// Words of a request for an outline of the code.
pub(super) const DOCUMENT_WORDS: &[&str] = &[
    "document", "documentation", "docs", "write", "create", "generate", "produce", "provide", "make", "give", "add",
    "a", "an", "the", "this", "that", "it", "its", "these", "my", "our", "some", "good", "full", "complete", "proper",
    "technical", "api", "markdown", "in", "reference", "of", "for", "code", "script", "file", "program", "snippet",
    "module", "function", "functions", "class", "classes", "method", "methods", "please", "pls", "and", "run",
    "execute", "you", "could", "can", "would", "me", "us", "now", "just", "all", "attached", "following", "given",
    "here",
];

/// Words that make a wish of a remark.
pub(super) const MODALS: &[&str] = &[
    "should", "must", "need", "needs", "want", "wants", "wish", "would", "could", "like", "prefer", "instead",
    "supposed", "id", "rather", "expect", "hope", "better", "please",
];

/// Words that a goal may say are not wanted.
pub(super) const DENIED: &[&str] = &[
    "change", "changes", "changing", "modify", "modifying", "modification", "modifications", "edit", "editing",
    "edits", "fix", "fixing", "touch", "touching", "alter", "altering", "explain", "explanation", "explanations",
    "explaining", "refactor", "refactoring", "rewrite", "rewriting", "improve", "improving", "optimise", "optimize",
    "format", "formatting", "add", "adding", "remove", "comment", "comments", "commenting", "run", "pytest",
    "unittest", "tests", "testing", "analyse", "analysis", "worry", "repair", "correct", "translate", "translating",
    "install", "ask", "asking", "wait", "arguments", "approval", "errors", "error", "crashing", "problems",
    "anything", "documentation", "suggestions", "advice", "review", "changed", "edited", "touched", "modified",
    "write",
];

/// Verbs of running in other languages.
pub(super) const FOREIGN_RUN: &[&str] = &[
    "führe", "führ", "ausführen", "starte", "starten", "laufen", "ejecuta", "ejecute", "ejecutar", "corre", "correr",
    "exécute", "exécutez", "exécuter", "lance", "lancez", "lancer", "esegui", "eseguire", "avvia", "executa",
    "executar", "rode", "rodar", "voer", "uitvoeren", "draai", "запусти", "запустите", "выполни", "выполните",
    "uruchom", "wykonaj",
];

/// Words of a run in other languages.
pub(super) const FOREIGN_WORDS: &[&str] = &[
    "diesen", "dieses", "diese", "den", "das", "die", "der", "code", "skript", "programm", "datei", "bitte", "mal",
    "und", "zeig", "zeige", "mir", "ausgabe", "ergebnis", "einfach", "nur", "aus", "an", "jetzt", "gib", "es", "im",
    "sandkasten", "alle", "este", "esta", "esto", "el", "la", "los", "las", "código", "script", "programa", "archivo",
    "por", "favor", "y", "muestra", "muéstrame", "salida", "resultado", "me", "ce", "cet", "cette", "le", "les",
    "programme", "fichier", "sil", "vous", "te", "plaît", "et", "montre", "moi", "affiche", "sortie", "résultat",
    "questo", "questa", "il", "lo", "codice", "programma", "file", "per", "e", "mostra", "mostrami", "output",
    "risultato", "i", "esse", "isto", "o", "a", "os", "as", "arquivo", "mostre", "saída", "deze", "dit", "de", "het",
    "alstublieft", "en", "toon", "uitvoer", "этот", "эту", "код", "скрипт", "программу", "файл", "пожалуйста", "и",
    "покажи", "покажите", "вывод", "результат", "ten", "kod", "plik", "proszę", "pokaż", "wynik", "python", "toda",
    "todos", "tous", "favore", "puedes", "puede", "podrías", "pode", "podes", "puoi", "peux", "pouvez", "kannst",
    "könntest", "können", "sie", "du", "dis", "sils", "passent", "dime", "si", "pasan", "deste", "neste", "durch",
    "todas", "als",
];

/// Verbs of documenting in other languages.
pub(super) const FOREIGN_DOCUMENT: &[&str] = &["dokumentiere", "dokumentieren", "documenta", "documente", "documentez"];

/// Verbs of writing in other languages.
pub(super) const FOREIGN_WRITE: &[&str] = &[
    "schreibe", "schreib", "erstelle", "generiere", "escribe", "crea", "genera", "écris", "écrivez", "scrivi",
    "escreva",
];

/// Verbs of laying code out in other languages.
pub(super) const FOREIGN_FORMAT: &[&str] = &["formatiere", "formatieren", "formatea", "formatez", "formatta"];

/// Words that a wish for tests in another language may come with.
pub(super) const FOREIGN_FOR: &[&str] = &["für", "unit", "unittests", "para", "pour", "per", "unitarias", "unitaires"];

/// Nouns for tests in other languages.
pub(super) const FOREIGN_TESTS: &[&str] = &["tests", "test", "testfälle", "pruebas", "testes", "тесты", "testy"];

/// Words in other languages that deny the word behind them.
pub(super) const FOREIGN_NEGATIONS: &[&str] = &[
    "nicht", "nichts", "kein", "keine", "ohne", "sin", "no", "nada", "sans", "pas", "rien", "ne", "senza", "non",
    "sem", "não", "zonder", "niet", "niets", "без", "не",
];

/// Marks of a run in scripts without blanks.
pub(super) const CJK_RUN: &[&str] = &["运行", "執行", "执行", "跑", "実行", "실행"];

/// Marks of tests in scripts without blanks.
pub(super) const CJK_TESTS: &[&str] = &["测试", "測試", "テスト", "테스트"];

/// Marks of what is not wanted in scripts without blanks.
pub(super) const CJK_DENIALS: &[&str] = &["不要", "不需", "无需", "別"];

/// Marks that a run may come with in scripts without blanks.
pub(super) const CJK_WORDS: &[&str] = &[
    "一下", "这段", "這段", "这个", "這個", "此", "代码", "代碼", "程序", "程式", "脚本", "腳本", "文件", "档案", "请", "請", "帮我", "幫我", "并", "並",
    "显示", "顯示", "输出", "輸出", "结果", "結果", "给我", "給我", "看看", "告诉我", "把", "的", "和", "所有", "この", "その", "コード", "プログラム",
    "スクリプト", "ファイル", "を", "して", "ください", "下さい", "し", "て", "出力", "表示", "見せ", "の", "이", "코드", "프로그램", "를", "을", "해", "줘",
    "주세요", "결과", "보여", "하고", "是否", "全部", "通过", "通過", "教えて", "教え", "くれ", "ます", "か",
];

/// Words that make tests those that are there already.
pub(super) const DEFINITE: &[&str] = &[
    "the", "my", "our", "its", "these", "those", "all", "result", "results", "whether", "that", "if", "how", "many",
    "which", "any",
];

/// Words that speak of the code that came with a goal.
pub(super) const GIVEN: &[&str] = &[
    "this", "these", "attached", "given", "existing", "above", "below", "following", "supplied", "provided", "mine",
    "my", "our", "here",
];

/// Nouns for code that came with a goal.
pub(super) const CODE_NOUNS: &[&str] = &[
    "code", "script", "file", "function", "class", "module", "method", "program", "snippet", "loop", "variable",
];
