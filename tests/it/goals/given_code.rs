//! Work on the caller's Python code without a language model: a result is delivered only if running it proved it, and
//! refused with the reason otherwise.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Client, Options, Stack};

const SUMS: &str = "\"\"\"Sums.\"\"\"\nimport random\n\n\ndef add(a, b):\n    \"\"\"Add.\n\n    >>> add(1, 2)\n    3\n    \"\"\"\n    return a + b\n\n\ndef divide(a: float, b: float) -> float:\n    if b == 0:\n        raise ValueError(\"b is zero\")\n    return a / b\n\n\ndef roll():\n    return random.randint(1, 6)\n\n\nclass Account:\n    def __init__(self, owner: str):\n        self.owner = owner\n        self.balance = 0\n\n    def deposit(self, amount: int):\n        self.balance += amount\n";

async fn stack() -> Stack {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    Stack::start_with(options.with("limits.profile", "load")).await
}

/// Submits a file with a goal, without approval, and returns the workflow's end.
async fn end_of(client: &Client, goal: &str, mode: &str, file: &str, code: &str) -> Value {
    let preferences = json!({"require_approval": false, "mode": mode});
    let project = json!({"file_content": code, "current_file": file, "language": "python"});
    let context = json!({"project_context": project, "execution_preferences": preferences});
    let id = client.execute(&json!({"goal": goal, "context": context})).await;
    tests::eventually("an end", Duration::from_secs(180), || async {
        let state = client.status(&id).await;
        matches!(state["status"].as_str(), Some("completed" | "failed")).then_some(state)
    })
    .await
}

#[track_caller]
fn made(end: &Value, action: &str) -> String {
    assert_eq!((&end["status"], &end["action"]), (&json!("completed"), &json!(action)), "{end:#}");
    let results = &end["artifacts"]["test_results"];
    assert_eq!(results["success_rate"], 1.0, "{results:#}");
    end["artifacts"]["generated_code"].as_str().expect("code").to_owned()
}

#[track_caller]
fn refused(end: &Value, reason: &str) {
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("failed"), &json!("no_generator")), "{end:#}");
    let hint = end["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains(reason), "{reason}: {hint}");
    assert_eq!(end["artifacts"]["generated_code"].as_str().unwrap_or_default(), "", "{end:#}");
}

#[track_caller]
fn says(end: &Value, expected: &str) {
    let documentation = end["artifacts"]["documentation"].as_str().expect("documentation");
    assert!(documentation.contains(expected), "{expected}: {documentation}");
}

/// Runs tests under plain pytest beside the file that they test, outside of the sandbox; `None` without pytest.
fn passes_outside(name: &str, code: &str, tests: &str) -> Option<bool> {
    let python = option_env!("RECIPE_PYTHON").unwrap_or("python3");
    let has_pytest = Command::new(python).args(["-c", "import pytest"]).output().is_ok_and(|run| run.status.success());
    if !has_pytest {
        eprintln!("SKIPPED: passes_outside: {python} has no pytest");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("promptcraft-given-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |file: &str, text: &str| std::fs::write(Path::new(&folder).join(file), text).expect("is written");
    write(&format!("{name}.py"), code);
    write(&format!("test_{name}.py"), tests);
    let run = Command::new(python).args(["-m", "pytest", "-q"]).current_dir(&folder).output().expect("pytest runs");
    std::fs::remove_dir_all(&folder).expect("is removed");
    Some(run.status.success())
}

#[tokio::test]
async fn tests_record_what_the_code_does_and_notice_a_change() {
    let stack = stack().await;
    let client = stack.developer().await;
    let end = end_of(&client, "Write unit tests for this module", "auto", "sums.py", SUMS).await;
    let tests = made(&end, "tests_written");
    assert!(tests.contains("from sums import") && tests.contains("pytest.raises(ValueError)"), "{tests}");
    assert!(tests.contains("account.balance ==") && !tests.contains("def add(a, b)"), "{tests}");
    let documentation = end["artifacts"]["documentation"].as_str().expect("documentation");
    assert!(documentation.contains("`roll`: it depends on random numbers"), "{documentation}");
    assert_ne!(passes_outside("sums", SUMS, &tests), Some(false));
    for (from, to) in [("a + b", "a - b"), ("b == 0", "b == 1"), ("+= amount", "-= amount")] {
        assert_ne!(passes_outside("sums", &SUMS.replace(from, to), &tests), Some(true), "{from} -> {to}");
    }
    let one = end_of(&client, "Please add tests for the divide function", "auto", "sums.py", SUMS).await;
    let tests = made(&one, "tests_written");
    assert!(tests.contains("divide(") && !tests.contains("Account"), "{tests}");
    let by_mode = end_of(&client, "Whatever you can do for me", "write_tests", "sums.py", SUMS).await;
    made(&by_mode, "tests_written");
}

/// Code whose tests are hard to write, and texts that they must contain.
const HARD: &[(&str, &str, &str)] = &[
    ("twice", "def area(r):\n    return r\n\n\ndef area(r: int):\n    return 3 * r * r\n", "area("),
    ("small", "class counter:\n    def __init__(self, start: int):\n        self.value = start\n", "= counter("),
    (
        "dog",
        "class Dog:\n    def __init__(self, name: str):\n        self.name = name\n        print('made', name)\n",
        "capsys.readouterr().out == \"made",
    ),
    ("in_place", "def put_in_order(items: list[int]):\n    items.sort()\n", "argument == [1, 2, 3]"),
    ("people", "class User:\n    def __init__(self, id: int):\n        self.id = id\n", "user.id =="),
    (
        "barrier",
        "class Gate:\n    def __init__(self):\n        self.locked = True\n\n    def open(self):\n        if not self.locked:\n            self.locked = False\n        return 1\n",
        "gate.open() == 1\n    assert gate.locked is True",
    ),
    (
        "shared_state",
        "items = []\n\n\ndef register(name: str):\n    if not name:\n        raise ValueError('x')\n    items.append(name)\n\n\ndef total():\n    return len(items) + 1\n",
        "register",
    ),
];

#[tokio::test]
async fn one_unsuitable_definition_takes_no_tests_from_the_others() {
    let stack = stack().await;
    let client = stack.developer().await;
    for (name, code, expected) in HARD {
        let code = format!("{code}\n\ndef add(a: int, b: int):\n    return a + b\n");
        let end = end_of(&client, "Write unit tests for this", "auto", &format!("{name}.py"), &code).await;
        let tests = made(&end, "tests_written");
        assert!(tests.contains("add(0, 0) == 0") && tests.contains(expected), "{name}: {tests}");
        assert_ne!(passes_outside(name, &code, &tests), Some(false), "{name}: {tests}");
    }
    // Dictionaries are equal in any order, so no test notices this change.
    let ordered = "def tidy(d: dict[str, int]):\n    return dict(sorted(d.items(), reverse=False))\n";
    let end = end_of(&client, "Write unit tests for this", "auto", "ordered.py", ordered).await;
    made(&end, "tests_written");
    says(&end, "| `tidy` | 1 of 2 |");
}

/// Code for which no meaningful test can be written, and the reason.
const WITHOUT_TESTS: &[(&str, &str)] = &[
    ("def save(path):\n    with open(path, 'w') as file:\n        file.write('x')\n", "save: it opens files"),
    ("import time\n\n\ndef stamp():\n    return time.time()\n", "stamp: it depends on the clock"),
    (
        "count = 0\n\n\ndef following():\n    global count\n    count += 1\n    return count\n",
        "returns different results",
    ),
    ("def nothing(a):\n    pass\n", "nothing: it returns nothing"),
    ("def ask():\n    return input()\n", "ask: it reads input"),
    ("print('hello')\n", "no public function or class"),
    ("import requests\n\n\ndef add(a, b):\n    return a + b\n", "module requests is not installed"),
    ("def broken(:\n", "not valid Python (line 1)"),
    (
        "def save(path):\n    \"\"\"Save.\n\n    >>> x = 1\n    \"\"\"\n    open(path, 'w').write('x')\n",
        "save: it opens files",
    ),
    ("import os\n\n\ndef home():\n    return os.path.expanduser('~')\n", "home: it depends on the environment"),
    ("import sys\n\n\ndef system():\n    return sys.platform\n", "system: it depends on the machine"),
    (
        "from datetime import datetime\n\n\ndef day(n: int):\n    return str(datetime.fromtimestamp(n))\n",
        "day: it depends on the time zone",
    ),
    ("def rows(n: int):\n    print('x' * 3000)\n    return n\n", "rows: it prints more than 2000 characters"),
];

#[tokio::test]
async fn tests_that_would_say_nothing_are_not_delivered() {
    let stack = stack().await;
    let client = stack.developer().await;
    for (code, reason) in WITHOUT_TESTS {
        refused(&end_of(&client, "Write unit tests for this code", "auto", "given.py", code).await, reason);
    }
    for goal in ["Write tests for add and roll", "Write tests for roll"] {
        refused(&end_of(&client, goal, "auto", "sums.py", SUMS).await, "roll: it depends on random numbers");
    }
    for goal in
        ["Add tests for the edge case of empty input", "Write tests with 100% coverage", "Write tests and rename add"]
    {
        refused(&end_of(&client, goal, "auto", "sums.py", SUMS).await, "language model");
    }
}

#[tokio::test]
async fn code_is_cleaned_up_without_changing_what_it_does() {
    let stack = stack().await;
    let client = stack.developer().await;
    let untidy = "import sys,os\nimport json\ndef  add( a,b ):\n  return a+b\nprint( json.dumps(add(1,2)) )\n";
    let end = end_of(&client, "Clean up this code", "auto", "sums.py", untidy).await;
    let cleaned = "import json\n\n\ndef add(a, b):\n    return a + b\n\n\nprint(json.dumps(add(1, 2)))\n";
    assert_eq!(made(&end, "changed"), cleaned);
    assert_eq!(end["artifacts"]["test_results"]["stdout"], "3\n", "{end:#}");
    let id = end["workflow_id"].as_str().expect("an id");
    let diff = client.get(&format!("/api/v3/execute/{id}/artifacts/files/changes.diff")).await;
    assert!(diff.text.starts_with("--- a/sums.py\n+++ b/sums.py\n"), "{}", diff.text);
    assert!(diff.text.contains("-import sys,os\n"), "{}", diff.text);
    says(&end, "It prints the same");

    let imports = end_of(&client, "Sort the imports and remove unused ones", "auto", "sums.py", untidy).await;
    assert!(made(&imports, "changed").starts_with("import json\n\n\ndef  add( a,b ):"), "{imports:#}");

    let tested = format!("import os\n{}\n\ndef test_add():\n    assert add(1, 2) == 3\n", "def add(a,b): return a+b");
    let end = end_of(&client, "Format this file with black", "change", "test_sums.py", &tested).await;
    assert!(made(&end, "changed").contains("def add(a, b):\n    return a + b\n"), "{end:#}");
    assert_eq!(end["artifacts"]["test_results"]["tests"][0]["name"], "test_sums.py::test_add", "{end:#}");

    // No test can show that code works which only writes files.
    let saves = "import os\nimport json\ndef save(path, d):\n  with open(path, 'w') as file:\n    file.write( json.dumps(d) )\n";
    let end = end_of(&client, "Clean up this code", "auto", "saves.py", saves).await;
    made(&end, "changed");
    says(&end, "no results that could be compared");
}

#[tokio::test]
async fn what_cannot_be_cleaned_up_is_refused() {
    let stack = stack().await;
    let client = stack.developer().await;
    let untidy = "import sys,os\ndef  add( a,b ):\n  return a+b\nprint( add(1,2) )\n";
    let cleaned = "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n";
    let failing = "import os\ndef add(a,b): return a+b\n\ndef test_add():\n    assert add(1, 2) == 4\n";
    let skipped = failing.replace("def test_add", "import pytest\n@pytest.mark.skip\ndef test_add");
    let by_text = "import math\n\n\ndef calculate(text):\n    return eval(text)\n";
    for (goal, mode, code, reason) in [
        ("Clean up this code", "auto", cleaned, "nothing to change"),
        ("Format this file", "auto", failing, "tests fail without the change"),
        ("Format this file", "auto", skipped.as_str(), "tests are skipped"),
        ("Remove unused imports", "auto", by_text, "uses eval, which may use any import"),
        ("Modernize this", "auto", "def is_one(a):\n    return a is 1\n", "nothing to change"),
        ("Format this", "auto", "name = input( 'Name? ' )\n", "reads input"),
        ("Format this", "auto", "def broken(:\n", "not valid Python"),
        ("Refactor this code", "auto", untidy, "language model"),
        ("Clean up this code and make it faster", "auto", untidy, "language model"),
        ("Make it better", "change", untidy, "language model"),
    ] {
        refused(&end_of(&client, goal, mode, "test_sums.py", code).await, reason);
    }
}

#[tokio::test]
async fn security_findings_are_fixed_where_every_one_has_a_mechanical_fix() {
    let stack = stack().await;
    let client = stack.developer().await;
    let find = "import sqlite3\n\n\ndef find(db, name):\n    return db.execute(f\"SELECT a FROM t WHERE name = '{name}'\").fetchall()\n\n\ndb = sqlite3.connect(':memory:')\ndb.execute('CREATE TABLE t(a, name)')\ndb.execute(\"INSERT INTO t VALUES (1, 'Ada')\")\nprint(find(db, 'Ada'))\n";
    let end = end_of(&client, "Fix the security problems in this code", "auto", "find.py", find).await;
    assert!(made(&end, "changed").contains("db.execute(\"SELECT a FROM t WHERE name = ?\", (name,))"), "{end:#}");
    assert_eq!(end["artifacts"]["test_results"]["stdout"], "[(1,)]\n", "{end:#}");
    assert_eq!(end["metrics"]["security_issues_found"], 0, "{end:#}");

    let both = format!("import hashlib\n{find}print(len(hashlib.md5(b'a').hexdigest()))\n");
    let end = end_of(&client, "Fix the SQL injection", "auto", "both.py", &both).await;
    assert!(made(&end, "changed").contains("hashlib.md5(b'a')"), "{end:#}");
    says(&end, "stay: PY-WEAK-HASH");
    says(&end, "its results were not compared");
    let end = end_of(&client, "Fix the security issues", "auto", "both.py", &both).await;
    assert!(made(&end, "changed").contains("hashlib.sha256(b'a')"), "{end:#}");
    says(&end, "Digests change");
}

#[tokio::test]
async fn what_has_no_mechanical_fix_is_refused() {
    let stack = stack().await;
    let client = stack.developer().await;
    let find = "import sqlite3\n\n\ndef find(db, column, name):\n    return db.execute(f\"SELECT a FROM t WHERE {column} = '{name}'\")\n";
    let digest = "import hashlib\n\n\ndef digest(text):\n    return hashlib.md5(text.encode()).hexdigest()\n\n\ndef test_digest():\n    assert len(digest('a')) == 32\n";
    for (goal, code, reason) in [
        (
            "Make this secure",
            "import pickle\n\n\ndef read(data):\n    return pickle.loads(data)\n",
            "PY-UNSAFE-DESERIALIZATION",
        ),
        ("Fix the security issues", "print('hello')\n", "nothing to fix"),
        ("Make this secure", "import sys\n\n\ndef run():\n    return eval(sys.argv[1])\n", "PY-CODE-INJECTION"),
        ("Fix the SQL injection", find, "PY-SQL-INJECTION"),
        ("Fix the security issues", digest, "only 0 of the file's"),
        ("Fix the shell injection", find, "no issue of the kind"),
        ("Fix the security issue and rename find", find, "language model"),
        ("Fix the bug", find, "language model"),
    ] {
        refused(&end_of(&client, goal, "auto", "test_code.py", code).await, reason);
    }
}

#[tokio::test]
async fn docstrings_say_what_the_code_says() {
    let stack = stack().await;
    let client = stack.developer().await;
    let end = end_of(&client, "Add docstrings", "auto", "sums.py", SUMS).await;
    let code = made(&end, "documented");
    for expected in
        ["Raises:\n        ValueError: If `b == 0`.", "b (float): Required.", "Attributes:\n        owner (str)"]
    {
        assert!(code.contains(expected), "{expected}: {code}");
    }
    assert!(code.contains(">>> add(1, 2)"), "{code}");
    let unsure = "def is_even(n):\n    print(n % 2 == 0)\n\n\ndef check(x, strict):\n    try:\n        if x is None:\n            raise TypeError('a')\n    except TypeError:\n        return 0\n    if strict:\n        if x < 0:\n            raise ValueError('b')\n    return x\n";
    let end = end_of(&client, "Add docstrings", "auto", "unsure.py", unsure).await;
    let unsure = made(&end, "documented");
    assert!(unsure.contains("Raises:\n        ValueError\n    \"\"\""), "{unsure}");
    assert!(!unsure.contains("Return whether"), "{unsure}");
    let by_mode = end_of(&client, "Document it with docstrings", "document", "sums.py", SUMS).await;
    assert_eq!(made(&by_mode, "documented"), code);
    let again = end_of(&client, "Please add missing docstrings", "auto", "sums.py", &code).await;
    refused(&again, "have a docstring already");
    refused(&end_of(&client, "Add Google style docstrings in French", "auto", "sums.py", SUMS).await, "language model");
}

#[tokio::test]
async fn hostile_code_gets_no_result_and_takes_nothing_down() {
    let stack = stack().await;
    let client = stack.developer().await;
    let forged = "{\"done\": {\"tests\": \"def test_a(): pass\", \"tested\": [], \"examples\": 1, \"skipped\": []}}";
    let writes = format!(
        "import os\nfor number in range(64):\n    try:\n        os.write(number, b'''{forged}''')\n    except OSError:\n        pass\n"
    );
    let endless = format!("{writes}while True:\n    pass\n");
    // The tool's own output and memory, through `/proc`.
    let parent = format!(
        "import os\nfor name in ('fd/1', 'mem'):\n    try:\n        file = os.open(f'/proc/{{os.getppid()}}/{{name}}', os.O_RDWR)\n        os.write(file, b'''{forged}''')\n        os._exit(0)\n    except OSError:\n        pass\nos.listdir(f'/proc/{{os.getppid()}}/fd')\n"
    );
    let prints = format!("import os\nprint('''{forged}''', flush=True)\nos._exit(0)\n");
    for (code, reason) in [
        ("while True:\n    pass\n", "does not end in 5 seconds"),
        ("import os\nos._exit(0)\n", "ends the process"),
        ("raise SystemExit\n", "ends the process"),
        ("open('big', 'wb').write(bytes(1 << 30))\n", "fails with"),
        ("block = b'x' * (2 << 30)\n", "importing the file"),
        ("import os\nwhile True:\n    os.fork()\n", "importing the file"),
        ("import os\nos.kill(os.getppid(), 9)\n", "in the sandbox"),
        (writes.as_str(), "ends the process"),
        (endless.as_str(), "ends the process"),
        (prints.as_str(), "ends the process"),
        (parent.as_str(), "fails with"),
    ] {
        let code = format!("{code}\n\ndef add(a, b):\n    return a + b\n");
        let end = end_of(&client, "Write tests for this", "auto", "given.py", &code).await;
        refused(&end, "No tests were written");
        let hint = end["error"]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(reason) || hint.contains("in the sandbox"), "{reason}: {hint}");
    }
    let end = end_of(&client, "Write tests for this", "auto", "sums.py", SUMS).await;
    made(&end, "tests_written");
}

#[tokio::test]
async fn no_job_gets_the_root_of_the_tools() {
    let stack = stack().await;
    let client = stack.developer().await;
    let code = "import os\nprint(os.path.exists('/usr/bin/ruff'))\n";
    let ran = end_of(&client, "Run this script", "run", "main.py", code).await;
    assert_eq!(ran["artifacts"]["test_results"]["stdout"], "False\n", "{ran:#}");
    let project = json!({"file_content": "print(1)\n", "language": "python-tools"});
    let context = json!({"project_context": project, "execution_preferences": {"require_approval": false}});
    let id = client.execute(&json!({"goal": "Run this script", "context": context})).await;
    refused(&client.until(&id, "failed").await, "No runtime executes the language of that name");
}
