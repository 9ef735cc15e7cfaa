use super::extract::ParameterValue;
use super::*;
use crate::types::{FilePurpose, SourceFile};

fn parameters() -> Vec<Parameter> {
    let text = r#"
[[parameters]]
name = "capacity"
description = "Maximum number of entries"
kind = "integer"
constant = "CAPACITY"
default = 128
min = 1
max = 1000
cues = ["capacity", "size", "entries"]
[[parameters]]
name = "ttl"
description = "Lifetime of an entry"
kind = "duration_seconds"
constant = "TTL_SECONDS"
default = 60.0
min = 1
max = 86400
cues = ["expire", "after", "ttl", "per"]
[[parameters]]
name = "class"
description = "Name of the class"
kind = "identifier"
identifier = "LruCache"
[[parameters]]
name = "digest"
description = "Hash function"
kind = "choice"
constant = "DIGEST"
default = "sha256"
choices = ["sha256", "sha512"]
cues = ["with"]
"#;
    let table: toml::Table = text.parse().expect("TOML");
    table["parameters"].clone().try_into().expect("parameters")
}

fn number(value: f64) -> ParameterValue {
    ParameterValue::Number(value)
}

fn text(value: &str) -> ParameterValue {
    ParameterValue::Text(value.to_owned())
}

#[track_caller]
fn check(goal: &str, expected: &[(usize, ParameterValue)], rest: &str) {
    let values = GoalTokens::of(goal).read(&parameters()).unwrap_or_default();
    assert_eq!((values.set.as_slice(), values.rest.as_str()), (expected, rest), "{goal}");
}

#[test]
fn values_are_read_beside_their_cues() {
    check("LRU cache of 500 entries", &[(0, number(500.0))], "LRU cache of entries");
    check("cache with capacity 1,000", &[(0, number(1_000.0))], "cache with capacity");
    check("cache (size=twenty) for 3 users", &[(0, number(20.0))], "cache size for 3 users");
    check("entries expire after 5 minutes", &[(1, number(300.0))], "entries expire after");
    check("ttl 30s", &[(1, number(30.0))], "ttl");
    check("once per minute", &[(1, number(60.0))], "once per");
    check("a class named UserCache.", &[(2, text("UserCache"))], "a class");
    check("call it user_cache, named cache", &[], "");
    check("a function called with two arguments", &[], "");
    check("hash with SHA-512", &[(3, text("sha512"))], "hash with");
    check("hash with sha 512 please", &[(3, text("sha512"))], "hash with please");
    check("top 10 of 20 users", &[], "");
    check(
        "cache of 10 entries that expire after an hour or after 2 hours",
        &[(0, number(10.0)), (1, number(7_200.0))],
        "cache of entries that expire after an hour or after",
    );
}

#[test]
fn a_value_that_is_not_allowed_is_noted_with_its_range() {
    let values = GoalTokens::of("cache of 5000 entries").read(&parameters()).expect("a value");
    assert_eq!((values.set.len(), values.out_of_range), (0, Some(0)));
    assert_eq!(parameters()[0].range(), "capacity is a whole number from 1 to 1000");
    assert_eq!(parameters()[1].range(), "ttl is from 1 to 86400 seconds");
    assert_eq!(GoalTokens::of("cache of 2.5 entries").read(&parameters()).expect("a value").out_of_range, Some(0));
}

#[test]
fn values_are_written_into_code_tests_and_page() {
    let file = |path: &str, content: &str, kind| SourceFile {
        path: path.to_owned(),
        content: content.to_owned(),
        kind,
        from_caller: false,
    };
    let code = "CAPACITY = 128  # entries\nTTL_SECONDS: float = 60.0\nDIGEST = \"sha256\"\nclass LruCache:\n    CAPACITY = 1\n";
    let files = [
        file("c.py", code, FilePurpose::Code),
        file("test_c.py", "from c import LruCache\nMyLruCache = 1\n", FilePurpose::Test),
    ];
    let goal = "a class named UserCache with SHA-512, 500 entries, expire after 2 minutes";
    let values = GoalTokens::of(goal).read(&parameters()).expect("values");
    let (written, page) = write(&parameters(), &values, &files, "# LruCache\n");
    assert_eq!(
        written[0].content,
        "CAPACITY = 500  # entries\nTTL_SECONDS: float = 120.0\nDIGEST = \"sha512\"\nclass UserCache:\n    CAPACITY = 1\n"
    );
    assert_eq!(written[1].content, "from c import UserCache\nMyLruCache = 1\n");
    assert!(page.starts_with("# UserCache\n\n## Parameters used\n"), "{page}");
    for row in ["| capacity | `500` |", "| ttl | `120 s` |", "| class | `UserCache` |", "| digest | `sha512` |"] {
        assert!(page.contains(row), "{row}: {page}");
    }
    let node = file("c.js", "const CAPACITY = 128;\n", FilePurpose::Code);
    assert_eq!(write(&parameters(), &values, &[node], "").0[0].content, "const CAPACITY = 500;\n");
}
