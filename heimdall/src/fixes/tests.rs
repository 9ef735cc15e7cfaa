use crate::{AnalysisRequest, AnalysisType, FindingKind, Severity, Suppressions, analyze};

use super::apply_fixes;

fn grave(source: &str) -> Vec<(String, u32)> {
    let report = analyze(&AnalysisRequest {
        source,
        file_path: Some("a.py"),
        language: Some("python"),
        kind: AnalysisType::General,
        suppressions: Suppressions::Ignore,
        framework: None,
        dependencies: &[],
    });
    let grave =
        report.findings.into_iter().filter(|it| it.kind == FindingKind::Security && it.severity >= Severity::Medium);
    grave.map(|finding| (finding.rule, finding.line_start)).collect()
}

fn fixed(source: &str) -> String {
    let found = grave(source);
    assert!(!found.is_empty(), "nothing is found in {source}");
    let places: Vec<(&str, u32)> = found.iter().map(|(rule, line)| (rule.as_str(), *line)).collect();
    apply_fixes(source, &places)
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let fixed = fixed(source);
    assert_eq!(fixed, expected);
    assert_eq!(grave(&fixed), [], "{fixed}");
}

#[test]
fn a_lone_carriage_return_ends_a_line() {
    check("import os\ra = 1\ros.chmod('a', 0o777)\r", "import os\ra = 1\ros.chmod('a', 0o700)\r");
}

#[test]
fn unsafe_functions_are_replaced_by_safe_ones() {
    check(
        "import hashlib\nprint(hashlib.md5(b'a').hexdigest())\n",
        "import hashlib\nprint(hashlib.sha256(b'a').hexdigest())\n",
    );
    check(
        "\"\"\"Doc.\"\"\"\nimport yaml\n\ndef read(s):\n    return yaml.load(s, Loader=yaml.Loader)\n",
        "\"\"\"Doc.\"\"\"\nimport yaml\n\ndef read(s):\n    return yaml.safe_load(s)\n",
    );
    check("import os\nos.chmod('a', 0o777)\n", "import os\nos.chmod('a', 0o700)\n");
    check(
        "import random\n\ndef make_token():\n    return random.randint(0, 9)\n",
        "import secrets\nimport random\n\ndef make_token():\n    return secrets.SystemRandom().randint(0, 9)\n",
    );
    check(
        "import ssl\ncontext = ssl.create_default_context()\ncontext.check_hostname = False\ncontext.verify_mode = ssl.CERT_NONE\n",
        "import ssl\ncontext = ssl.create_default_context()\ncontext.check_hostname = True\ncontext.verify_mode = ssl.CERT_REQUIRED\n",
    );
    check(
        "import requests\nrequests.get('https://a.example', verify=False, timeout=3)\n",
        "import requests\nrequests.get('https://a.example', timeout=3)\n",
    );
    check(
        "import tarfile\n\ndef unpack(path):\n    with tarfile.open(path) as tar:\n        tar.extractall('out')\n",
        "import tarfile\n\ndef unpack(path):\n    with tarfile.open(path) as tar:\n        tar.extractall('out', filter=\"data\")\n",
    );
}

#[test]
fn values_in_queries_become_parameters() {
    for built in [
        "f\"SELECT a FROM t WHERE name = '{name}'\"",
        "\"SELECT a FROM t WHERE name = '\" + name + \"'\"",
        "\"SELECT a FROM t WHERE name = '%s'\" % name",
        "\"SELECT a FROM t WHERE name = '{}'\".format(name)",
    ] {
        let head = "import sqlite3\n\ndef find(db, name):\n";
        check(
            &format!("{head}    return db.execute({built}).fetchall()\n"),
            &format!("{head}    return db.execute(\"SELECT a FROM t WHERE name = ?\", (name,)).fetchall()\n"),
        );
        check(
            &format!("{head}    query = {built}\n    return db.execute(query).fetchall()\n"),
            &format!(
                "{head}    query = \"SELECT a FROM t WHERE name = ?\"\n    return db.execute(query, (name,)).fetchall()\n"
            ),
        );
    }
}

#[test]
fn a_query_whose_values_are_names_is_not_fixed() {
    for query in [
        "f\"SELECT a FROM {table}\"",
        "f\"SELECT a FROM '{table}'\"",
        "f\"SELECT a FROM t ORDER BY {column}\"",
        "f\"SELECT a FROM t ORDER BY a, {column}\"",
        "f\"SELECT a FROM t WHERE b LIKE '%{c}%'\"",
        "f\"SELECT a FROM t WHERE {column} = '{c}'\"",
        "\"SELECT a FROM t WHERE \" + c",
        "f\"SELECT a FROM t WHERE b = 1 AND {c}\"",
        "f\"SELECT a FROM t WHERE b = 1 OR {c}\"",
        "f\"SELECT a FROM t WHERE b IN ({c})\"",
        "f\"SELECT a FROM t WHERE b = {table}.a\"",
        "f\"SELECT a FROM t WHERE b = {c} (a)\"",
        "f\"UPDATE t SET {column} = '{c}'\"",
        "f\"SELECT {column} FROM t\"",
        "f\"SELECT a, {column} FROM t\"",
        "f\"INSERT INTO t ({column}) VALUES ('{c}')\"",
        "f\"INSERT INTO t (a, {column}) VALUES (1, 2)\"",
        "f\"INSERT INTO t ('{column}') VALUES (1)\"",
        "f\"INSERT INTO t VALUES (1) ON CONFLICT (a, {column}) DO NOTHING\"",
        "f\"PRAGMA user_version = {c}\"",
    ] {
        let source = format!("import sqlite3\n\ndef find(db, table, column, c):\n    return db.execute({query})\n");
        assert_eq!(fixed(&source), source);
    }
}

#[test]
fn every_value_position_takes_a_parameter() {
    for (query, expected) in [
        ("f\"SELECT a FROM t WHERE b >= {b} LIMIT {c}\"", "\"SELECT a FROM t WHERE b >= ? LIMIT ?\", (b, c)"),
        ("f\"SELECT a FROM t WHERE b IN ('{b}', '{c}')\"", "\"SELECT a FROM t WHERE b IN (?, ?)\", (b, c)"),
        ("f\"SELECT a FROM t WHERE b BETWEEN '{b}' AND '{c}'\"", "\"SELECT a FROM t WHERE b BETWEEN ? AND ?\", (b, c)"),
        ("f\"INSERT INTO t (a, b) VALUES ({b}, 1, '{c}')\"", "\"INSERT INTO t (a, b) VALUES (?, 1, ?)\", (b, c)"),
        ("f\"UPDATE t SET a = '{b}' WHERE b LIKE '{c}'\"", "\"UPDATE t SET a = ? WHERE b LIKE ?\", (b, c)"),
    ] {
        let source = |arguments: &str| format!("import sqlite3\n\ndef find(db, b, c):\n    db.execute({arguments})\n");
        check(&source(query), &source(expected));
    }
}

#[test]
fn command_lines_become_lists() {
    check(
        "import os\nimport sys\nos.system('ping -c 1 ' + sys.argv[1])\n",
        "import subprocess\nimport os\nimport sys\nsubprocess.run([\"ping\", \"-c\", \"1\", str(sys.argv[1])], check=False)\n",
    );
    check(
        "import subprocess\n\ndef show(name):\n    subprocess.run(f'ls -l {name}', shell=True, check=True)\n",
        "import subprocess\n\ndef show(name):\n    subprocess.run([\"ls\", \"-l\", str(name)], check=True)\n",
    );
    for piped in ["'cat ' + name + ' | sort'", "name + ' -l'", "f'cat {name} > out'"] {
        let source = format!("import os\n\ndef show(name):\n    os.system({piped})\n");
        assert_eq!(fixed(&source), source);
    }
}

#[test]
fn other_findings_are_not_fixed() {
    for source in [
        "import pickle\n\ndef read(data):\n    return pickle.loads(data)\n",
        "API_KEY = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'\nprint(API_KEY)\n",
        "import sys\nexec(sys.argv[1])\n",
        // `ast.literal_eval` does not evaluate expressions as `eval` does.
        "import sys\nprint(eval(sys.argv[1]))\n",
    ] {
        assert_eq!(fixed(source), source);
    }
}
