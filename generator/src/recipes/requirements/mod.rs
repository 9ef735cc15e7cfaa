//! Requirements that a goal states in words and a recipe claims by name in `provides`.

pub(crate) mod constraints;
pub(crate) mod relations;

use std::sync::LazyLock;

use crate::tokenize::{Word, stem};

/// A requirement's names and the phrases that state it.
struct RequirementEntry {
    requirement: Requirement,
    name: &'static str,
    lacking: &'static str,
    /// Words match by stem, or literally with a leading `=`. Without articles.
    stated_by: &'static [&'static str],
}

macro_rules! requirements {
    ($($requirement:ident, $name:literal, $lacking:literal, [$($phrase:literal),* $(,)?];)*) => {
        /// A quality that goals ask for. Its name is the one in `provides` of `recipe.toml`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Requirement {
            $($requirement,)*
        }

        const TABLE: &[RequirementEntry] = &[$(RequirementEntry {
            requirement: Requirement::$requirement,
            name: $name,
            lacking: $lacking,
            stated_by: &[$($phrase),*],
        },)*];
    };
}

requirements! {
    // Behaviour.
    ThreadSafe, "thread safety", "is not thread-safe", [
        "thread safe", "threadsafe", "multiple thread", "several thread", "many thread", "different thread",
        "all thread", "thread safety", "thread", "threading lock", "using threading lock", "concurrent", "concurrently",
        "concurrency", "lock", "lockfree", "mutex", "semaphore", "synchronized", "synchronised", "synchronization",
        "synchronisation", "race condition", "race free", "data race", "atomic", "atomically", "simultaneous",
        "simultaneously", "reentrant", "gil",
    ];
    Threads, "threads", "starts no threads", [
        "using thread", "use thread", "using multiple thread", "using several thread", "with multiple thread",
        "with thread", "with worker thread", "multi threaded", "multithreaded", "multi =threading", "multithreading",
        "=threading", "using =threading", "thread pool", "threadpool", "worker thread", "background thread", "parallel",
        "parallelism", "parallelize", "parallelise", "concurrent future", "threadpoolexecutor", "in background",
    ];
    Processes, "processes", "starts no processes", [
        "multiprocessing", "multi processing", "multiprocess", "multi process", "process pool", "processpoolexecutor",
        "subprocess", "all core", "multiple core", "multicore",
    ];
    Async, "async", "is not asynchronous", [
        "async", "asynchronous", "asynchronously", "asyncio", "await", "awaitable", "coroutine", "event loop",
        "nonblocking", "trio", "anyio", "twisted", "gevent",
    ];
    Distributed, "distribution", "works in one process only", [
        "distributed", "cluster", "multi node", "multiple server", "several server", "multiple machine",
        "across process", "multiple process", "across machine", "across server", "shared memory", "multi tenant",
        "sharded", "replicated",
    ];
    Persistence, "persistence", "keeps nothing on disk", [
        "persist", "persistent", "persistence", "on disk", "to disk", "disk based", "disk backed", "file backed",
        "durable", "survive restart", "write ahead log", "save to file", "saved to file", "save file", "stored in file",
    ];
    Immutable, "immutability", "is not immutable", ["immutable", "immutability", "=frozen", "read only", "readonly"];
    InPlace, "in-place work", "does not work in place", ["in place", "inplace"];
    Lazy, "lazy evaluation", "is not lazy", [
        "lazy", "lazily", "as generator", "using generator", "use generator", "using python generator",
        "generator function", "generator expression", "generator based", "with generator", "yield", "stream",
        "infinite",
    ];
    Iterable, "iteration protocol", "is not an iterator", ["iterator", "iterable", "dunder iter"];
    Configurable, "configurability", "cannot be configured in that way", [
        "configurable", "custom", "customizable", "customisable", "customized", "customised", "customize", "customise",
        "user defined", "adjustable", "pluggable", "extensible", "extendable",
    ];
    Variation, "a deviation from the usual form", "implements only the usual form", [
        "other than", "modified version", "nonstandard",
    ];
    Logging, "logging", "logs nothing", ["=logging", "=logger", "=loggers", "=logged", "=loguru", "=structlog"];
    Timezones, "time zones", "does not handle time zones", ["timezone", "time zone", "=utc", "daylight saving"];
    Encryption, "encryption", "encrypts nothing", ["=aes", "=encrypted", "=rsa", "fernet", "tls"];
    Telemetry, "metrics", "reports no metrics", ["=metrics", "prometheus", "opentelemetry", "tracing", "telemetry"];

    // Form of the code.
    Typed, "type hints", "has no type hints", [
        "type hint", "type hinted", "type annotation", "type annotated", "annotation", "annotated", "annotate",
        "=typed", "=typing", "fully typed", "strongly typed", "strictly typed", "statically typed", "static typing",
        "static type", "mypy", "pyright", "type safe", "type safety", "type checker", "typehint", "type signature",
    ];
    Generic, "generic types", "has no generic types", ["generic", "typevar", "type variable", "type parameter"];
    Class, "class", "is not a class", ["class", "object oriented", "object orientation", "=oop", "=oo", "classmethod"];
    Dataclass, "data class", "has no data class", ["dataclass", "data class"];
    Abstraction, "abstract base class", "has no abstract base class", [
        "abstract class", "abstract base class", "abstract base", "=abc", "=protocol", "mixin", "inheritance",
        "subclass", "subclassing", "polymorphism", "polymorphic", "metaclass", "strategy pattern", "factory pattern",
        "visitor pattern", "singleton", "dependency injection",
    ];
    NamedTuple, "named tuple", "has no named tuple", ["namedtuple", "named tuple", "typeddict", "typed dict"];
    Decorator, "decorator", "is not a decorator", ["decorator", "decorate", "decorated"];
    ContextManager, "context manager", "is not a context manager", [
        "context manager", "contextmanager", "context management", "with statement", "with block", "contextlib",
    ];
    Recursive, "recursion", "is not recursive", [
        "recursive", "recursively", "recursion", "recurse", "divide and conquer", "backtracking",
    ];
    Iterative, "iteration", "is not iterative", [
        "iterative", "iteratively", "using iteration", "with iteration", "for loop", "while loop", "using loop",
        "use loop", "with loop", "plain loop", "simple loop", "loop based", "loop",
    ];
    Memoized, "memoization", "does not memoize", [
        "memoization", "memoisation", "memoize", "memoise", "memoized", "memoised", "memoizing", "=memo",
    ];
    DynamicProgramming, "dynamic programming", "does no dynamic programming", [
        "dynamic programming", "=dp", "bottom up", "top down", "tabulation",
    ];
    Functional, "functional style", "is not in functional style", [
        "functional style", "functional programming", "purely functional", "pure function", "lambda", "monad",
        "currying", "list comprehension", "comprehension",
    ];
    OneLiner, "one line", "is longer than one line", [
        "one liner", "oneliner", "single line", "one line", "single expression", "one expression", "code golf",
    ];
    FromScratch, "own implementation", "relies on built-in functions", [
        "from scratch", "hand written", "handwritten", "hand rolled", "handrolled", "by hand", "manually",
    ];
    Builtins, "built-in functions", "does not rely on built-in functions", ["builtin", "using builtin"];
    RegexOnly, "a regular expression only", "needs more than a regular expression", [
        "regex only", "only regex", "only using regex", "using only regex", "using regex only", "just regex",
        "using just regex", "solely regex", "single regex", "one regex", "pure regex", "regular expression only",
        "only regular expression", "using only regular expression", "single regular expression",
        "one regular expression", "just regular expression", "purely regex", "regex alone", "regex based only",
    ];
    Regex, "regular expressions", "uses no regular expression", ["regex", "=regexp", "regular expression", "re module"];

    // Data structures.
    Stacks, "stacks", "is not built from stacks", [
        "two stack", "2 stack", "from stack", "out of stack", "made of stack", "by stack", "pair of stack",
        "using only stack",
    ];
    Queues, "queues", "is not built from queues", [
        "two queue", "2 queue", "from queue", "out of queue", "made of queue", "by queue", "pair of queue",
        "using only queue",
    ];
    Heap, "heap", "uses no heap", [];
    Deque, "deque", "uses no deque", [];
    LinkedNodes, "linked nodes", "has no linked nodes", [];
    ListBased, "list", "is not built on a list", [];
    Dictionary, "dictionary", "is not built on a dictionary", [];
    OrderedDictionary, "ordered dictionary", "uses no ordered dictionary", [];
    Sets, "set", "is not built on a set", [];

    // Time and space.
    ConstantTime, "constant time", "does not take constant time", ["bigoconstant", "constant time"];
    LogarithmicTime, "logarithmic time", "does not take logarithmic time", [
        "bigologarithmic", "logarithmic time", "log time", "logarithmic",
    ];
    LinearTime, "linear time", "does not take linear time", ["bigolinear", "linear time"];
    LinearithmicTime, "n log n time", "does not take n log n time", ["bigolinearithmic", "linearithmic"];
    OtherTime, "that time complexity", "does not promise that complexity", ["bigoother", "quadratic time", "amortized"];
    ConstantSpace, "constant space", "does not take constant space", [
        "bigoconstant space", "constant space", "constant memory", "bigoconstant extra space", "bigoconstant memory",
    ];

    // Environment.
    CommandLine, "command line", "has no command line", [
        "command line", "=cli", "argparse", "terminal", "console", "shell command", "=typer", "stdin", "standard input",
        "command",
    ];
    Interactive, "interactive input", "asks for no input", [
        "interactive", "interactively", "user input", "input from user", "input of user", "ask user", "prompt user",
        "prompt for", "prompt", "menu", "menu driven", "=repl", "read input", "keyboard",
    ];
    WebService, "web service", "is not a web service", [
        "rest api", "restful", "=rest", "http api", "web api", "api endpoint", "endpoint", "web server", "http server",
        "http service", "web service", "web app", "web application", "webapp", "website", "web page", "webpage",
        "server", "microservice", "middleware", "websocket", "graphql", "grpc", "webhook", "json api", "http",
    ];
    Gui, "graphical interface", "has no graphical interface", [
        "gui", "tkinter", "graphical", "desktop", "pyqt", "kivy", "pygame", "curses", "streamlit", "user interface",
        "=ui",
    ];
    Sqlite, "SQLite", "does not use SQLite", ["sqlite", "sqlite3"];
    Database, "database", "uses no database", ["database", "=sql", "=db"];
    OtherDatabase, "a database server", "uses no database server", [
        "postgres", "postgresql", "mysql", "mariadb", "mongodb", "mongo", "dynamodb", "cassandra", "sqlalchemy", "=orm",
        "peewee", "redis", "memcached", "elasticsearch", "duckdb",
    ];
    MessageBroker, "message broker", "uses no message broker", [
        "kafka", "rabbitmq", "celery", "message broker", "=sqs", "=nats", "zeromq", "mqtt",
    ];
    Framework, "framework", "uses no framework", [
        "flask", "django", "fastapi", "starlette", "aiohttp", "tornado", "bottle", "quart", "sanic", "react", "angular",
        "svelte", "=vue", "nextjs", "spring", "express", "framework",
    ];
    ThirdParty, "third-party libraries", "uses the standard library only", [
        "numpy", "pandas", "polars", "scipy", "sympy", "networkx", "matplotlib", "pydantic", "=attrs", "tenacity",
        "pyjwt", "authlib", "passlib", "bcrypt", "argon2", "cachetools", "sortedcontainers", "beautifulsoup", "httpx",
        "requests library", "third party library", "external library", "external package", "third party package",
        "pypi", "jsonschema", "tensorflow", "pytorch", "sklearn", "numba", "cython",
    ];
    Packaging, "packaging", "is not an installable package", [
        "pip", "pyproject", "setup py", "installable", "wheel", "docker", "dockerfile", "poetry", "conda",
    ];
    OtherPython, "another Python version", "needs Python 3.10 or newer", [
        "python2", "micropython", "circuitpython", "jython", "=pypy",
    ];

    // Tests and documentation.
    Unittest, "unittest", "is tested with pytest, not unittest", [
        "=unittest", "unittest test case", "testcase class", "xunit", "=nose",
    ];
    Doctest, "doctest", "has no doctests", ["doctest"];
    PropertyTests, "property-based tests", "has no property-based tests", [
        "property based test", "property based", "property test", "=hypothesis", "fuzz", "fuzzing", "fuzz test",
    ];
    Mocks, "mocks", "is tested without mocks", ["mock", "mocking", "monkeypatch", "fixture"];
    Benchmarks, "benchmarks", "has no benchmarks", [
        "benchmark", "performance test", "load test", "=timeit", "profiling",
    ];
    Tests, "tests", "has no tests", ["unit test", "unittests", "=pytest", "test", "testing", "test case", "test suite"];
    Documentation, "documentation", "has no documentation", ["documentation", "docstring", "comment", "documented"];
    Exceptions, "exceptions", "raises no exceptions", [
        "exception", "error handling", "raising", "validation of input", "input validation", "error checking",
    ];
    Imports, "imports", "imports nothing", ["import", "importing"];

    // Checked against the recipe; not claimed.
    Numbers, "those numbers", "is written for other numbers", [];
    Modules, "that module", "does not use that module", [];
    Part, "that division", "does not work part by part in that way", [];
    Standard, "that standard", "does not name that standard", [];
    Source, "that source", "does not start from that", [];
    Target, "that target", "does not convert to that", [];
    Result, "that result", "does not return that", [];
    Selection, "that selection", "does not select in that way", [];
    RuledOut, "leaving out what the goal rules out", "uses something that the goal excludes", [];
}

/// Requirements that prose may mention in passing; only a title states them.
const VAGUE: &[Requirement] = &[
    Requirement::Part,
    Requirement::Source,
    Requirement::Target,
    Requirement::Result,
    Requirement::Selection,
    Requirement::Database,
    Requirement::WebService,
    Requirement::Iterable,
    Requirement::FromScratch,
    Requirement::Interactive,
];

/// Requirements that the catalogue's rules guarantee for every recipe.
const UNIVERSAL: &[Requirement] = &[Requirement::Tests, Requirement::Documentation, Requirement::Exceptions];

/// Data structures that are also topics; a goal requires one only if something is built with it.
const STRUCTURES: &[(Requirement, &[&str])] = &[
    (Requirement::Stacks, &["stack"]),
    (Requirement::Queues, &["queue"]),
    (Requirement::Heap, &["heap", "heapq", "binary heap", "min heap", "heap queue", "priority queue"]),
    (Requirement::Deque, &["deque", "collection deque", "double ended queue"]),
    (
        Requirement::LinkedNodes,
        &[
            "linked list",
            "linkedlist",
            "class for node",
            "doubly linked list",
            "singly linked list",
            "node",
            "node class",
            "pointer",
        ],
    ),
    (Requirement::ListBased, &["list", "array", "python list", "fixed size array", "dynamic array"]),
    (
        Requirement::Dictionary,
        &["dict", "dictionary", "hash map", "hashmap", "hash table", "hashtable", "nested dictionary", "nested dict"],
    ),
    (Requirement::OrderedDictionary, &["ordereddict", "ordered dict", "ordered dictionary", "collection ordereddict"]),
    (Requirement::Sets, &["set", "python set"]),
];

/// Words before the structure that something is built with.
const STRONG_MARKERS: &[&str] =
    &["using", "use", "uses", "via", "utilizing", "utilising", "employing", "leveraging", "atop"];
/// Participles before a structure with one more word between ("based on", "backed by", "built from").
const PARTICIPLES: &[&str] =
    &["based", "backed", "built", "implemented", "powered", "made", "composed", "constructed", "top"];
const LINKS: &[&str] = &["on", "by", "from", "with", "of", "upon", "in", "as"];
/// Words that mark a structure unless its name is a common word.
const WEAK_MARKERS: &[&str] = &["with", "from", "by"];
const COMMON_STRUCTURES: &[Requirement] =
    &[Requirement::Stacks, Requirement::Queues, Requirement::ListBased, Requirement::Dictionary, Requirement::Sets];
/// Words allowed between a marker and the structure.
const MODIFIERS: &[&str] = &[
    "two", "2", "one", "just", "only", "simple", "single", "plain", "both", "standard", "regular", "pair", "of",
    "fixed", "size", "internal",
];

impl Requirement {
    fn entry(self) -> &'static RequirementEntry {
        // The table has one row per variant, in order.
        &TABLE[self as usize]
    }

    /// Returns the requirement with a name in `provides`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.requirement)
    }

    /// Returns its name in `provides`.
    pub(crate) fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the predicate of a recipe that does not meet the requirement: "is not thread-safe".
    pub(crate) fn lacking(self) -> &'static str {
        self.entry().lacking
    }

    pub(crate) fn is_universal(self) -> bool {
        UNIVERSAL.contains(&self)
    }

    /// Returns whether prose may mention it in passing: "from town to town", "before it is in the database".
    pub(crate) fn is_vague(self) -> bool {
        VAGUE.contains(&self)
    }

    /// Returns the requirement that the exclusion of this one implies.
    pub(crate) fn opposite(self) -> Option<Self> {
        [(Self::Recursive, Self::Iterative), (Self::Iterative, Self::Recursive), (Self::Builtins, Self::FromScratch)]
            .into_iter()
            .find_map(|(ruled_out, required)| (ruled_out == self).then_some(required))
    }
}

/// One word of a phrase.
#[derive(Debug)]
enum Piece {
    Stem(String),
    Text(&'static str),
}

impl Piece {
    fn of(word: &'static str) -> Self {
        word.strip_prefix('=').map_or_else(|| Self::Stem(stem(word)), Self::Text)
    }

    fn matches(&self, word: &Word) -> bool {
        match self {
            Self::Stem(stem) => word.stem == *stem,
            Self::Text(text) => word.text == *text,
        }
    }
}

type Phrases = Vec<(Requirement, Vec<Piece>)>;

fn compile(rows: impl Iterator<Item = (Requirement, &'static [&'static str])>) -> Phrases {
    let phrase = |text: &&'static str| text.split(' ').map(Piece::of).collect::<Vec<_>>();
    let mut phrases: Phrases =
        rows.flat_map(|(requirement, texts)| texts.iter().map(move |text| (requirement, phrase(text)))).collect();
    // Longest first: "data class" does not mean a class, and "using threads" is more than thread safety.
    phrases.sort_by_key(|(_, phrase)| std::cmp::Reverse(phrase.len()));
    phrases
}

static STATED: LazyLock<Phrases> =
    LazyLock::new(|| compile(TABLE.iter().map(|entry| (entry.requirement, entry.stated_by))));
static BUILT_WITH: LazyLock<Phrases> = LazyLock::new(|| compile(STRUCTURES.iter().copied()));

/// A requirement and the range of words that state it.
pub(crate) struct Mention {
    pub(crate) requirement: Requirement,
    pub(crate) at: std::ops::Range<usize>,
}

fn matched(phrases: &Phrases, words: &[Word], at: usize) -> Option<(Requirement, usize)> {
    let fits = |phrase: &[Piece]| {
        let window = words.get(at..at + phrase.len());
        window.is_some_and(|window| {
            window
                .iter()
                .zip(phrase)
                .enumerate()
                .all(|(index, (word, piece))| piece.matches(word) && (index == 0 || !word.starts_clause))
        })
    };
    phrases.iter().find(|(_, phrase)| fits(phrase)).map(|(requirement, phrase)| (*requirement, phrase.len()))
}

/// Finds the requirements that words without articles state; the longest phrase takes precedence.
pub(crate) fn stated(words: &[Word]) -> Vec<Mention> {
    statements(words, structure_at)
}

/// Finds the requirements that words after a negation state; a structure needs no marker there.
pub(crate) fn stated_after_negation(words: &[Word]) -> Vec<Mention> {
    statements(words, |words, at| matched(&BUILT_WITH, words, at))
}

fn statements(words: &[Word], means: impl Fn(&[Word], usize) -> Option<(Requirement, usize)>) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if calls_over_http(words, at) {
            at += 1;
            continue;
        }
        let means = means(words, at);
        let (step, statement) = match (matched(&STATED, words, at), means) {
            (Some((requirement, length)), means) if means.is_none() || length > 1 => (length, Some(requirement)),
            (_, Some((requirement, length))) => (length, Some(requirement)),
            _ => (1, None),
        };
        found.extend(statement.map(|requirement| Mention { requirement, at: at..at + step }));
        at += step;
    }
    found
}

/// Returns whether "HTTP" at a word names what a caller sends ("a flaky HTTP call"), which takes no web service.
fn calls_over_http(words: &[Word], at: usize) -> bool {
    let next = words.get(at + 1).map_or("", |word| word.stem.as_str());
    words[at].text == "http" && matches!(next, "call" | "request" | "error" | "failur" | "failure")
}

/// Returns the structure that starts at a word if the words around it mark it as required.
fn structure_at(words: &[Word], at: usize) -> Option<(Requirement, usize)> {
    let (requirement, length) = matched(&BUILT_WITH, words, at)?;
    let text = |index: usize| words.get(index).map_or("", |word| word.text.as_str());
    let behind = text(at + length);
    let compound = matches!(behind, "based" | "backed" | "powered") && !words[at + length].starts_clause;
    let strength = marker_before(words, at);
    let marked = match strength {
        MarkerStrength::Strong => true,
        MarkerStrength::Weak => !COMMON_STRUCTURES.contains(&requirement),
        MarkerStrength::None => false,
    };
    (compound || marked).then_some((requirement, length))
}

enum MarkerStrength {
    Strong,
    Weak,
    None,
}

/// Finds the marker before a structure, past modifiers and earlier members of a list ("using a dict and a list").
fn marker_before(words: &[Word], at: usize) -> MarkerStrength {
    let text = |index: usize| words[index].text.as_str();
    let mut end = at;
    while let Some(before) = end.checked_sub(1).filter(|_| !words[end].starts_clause) {
        if STRONG_MARKERS.contains(&text(before)) {
            return MarkerStrength::Strong;
        }
        // "On top of a stack" builds on it; "the top of a stack" is a part of it.
        let is_built = |index: usize| text(index) != "top" || index.checked_sub(1).is_some_and(|on| text(on) == "on");
        let participle =
            before.checked_sub(1).is_some_and(|index| PARTICIPLES.contains(&text(index)) && is_built(index));
        if LINKS.contains(&text(before)) && participle {
            return MarkerStrength::Strong;
        }
        if WEAK_MARKERS.contains(&text(before)) {
            return MarkerStrength::Weak;
        }
        let joined = matches!(text(before), "and" | "plus" | "or");
        let member = (1..=3).find(|length| {
            let start = before.checked_sub(*length);
            joined
                && start
                    .is_some_and(|start| matched(&BUILT_WITH, words, start).is_some_and(|(_, found)| found == *length))
        });
        match member {
            Some(length) => end = before - length,
            None if MODIFIERS.contains(&text(before)) => end = before,
            None => return MarkerStrength::None,
        }
    }
    MarkerStrength::None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenize::words;

    #[test]
    fn the_table_is_in_the_order_of_the_variants_and_names_are_unique() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.requirement as usize, index, "{}", entry.name);
            assert_eq!(Requirement::named(entry.name), Some(entry.requirement), "{}", entry.name);
            assert_eq!(entry.requirement.name(), entry.name);
        }
        assert_eq!(Requirement::named("magic"), None);
    }

    #[test]
    fn no_phrase_states_two_requirements() {
        let mut texts: Vec<_> = TABLE.iter().flat_map(|entry| entry.stated_by).collect();
        texts.sort_unstable();
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
    }

    #[track_caller]
    fn check(text: &str, expected: &[Requirement]) {
        let found: Vec<_> = stated(&words(text)).into_iter().map(|statement| statement.requirement).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn requirements_are_found_in_all_their_forms() {
        use Requirement as R;
        for text in
            ["thread-safe", "threadsafe", "thread safety", "with locks", "concurrent use", "from several threads"]
        {
            check(text, &[R::ThreadSafe]);
        }
        for text in ["using threads", "multi-threaded", "multithreading", "in parallel"] {
            check(text, &[R::Threads]);
        }
        for text in ["async", "asyncio", "coroutines", "non blocking awaitable"] {
            check(text, &[R::Async]);
        }
        for text in ["type hints", "type-annotated", "typed", "annotations"] {
            check(text, &[R::Typed]);
        }
        check("data class", &[R::Dataclass]);
        check("unittest", &[R::Unittest]);
        check("as a hint about class", &[R::Class]);
        check("type", &[]);
    }

    #[test]
    fn a_structure_is_a_means_only_where_something_is_built_with_it() {
        use Requirement as R;
        check("queue using two stacks", &[R::Stacks]);
        check("queue built from stacks", &[R::Stacks]);
        check("queue using stack and stack", &[R::Stacks, R::Stacks]);
        check("heap-based priority queue", &[R::Heap]);
        check("cache using dict and doubly linked list", &[R::Dictionary, R::LinkedNodes]);
        check("priority queue with binary heap", &[R::Heap]);
        check("stack and queue with list", &[]);
        check("sort list", &[]);
    }
}
