//! Alert rules and dashboards: valid, complete, and about metrics that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::{Scrape, Stack};

/// Labels that Prometheus adds, and of every histogram.
const ADDED_LABELS: [&str; 3] = ["job", "instance", "le"];
/// Families of other exporters, which alerts may use.
const FOREIGN: [&str; 3] = ["up", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("deploy/observability")
}

/// Returns whether promtool is installed; if not, the line that it prints fails a CI run.
fn has_promtool() -> bool {
    let is_there = Command::new("promtool").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        println!("SKIPPED: promtool is not installed (Debian's package prometheus), so no expression was judged");
    }
    is_there
}

/// Runs promtool with `input`.
///
/// # Panics
///
/// If it finds a mistake.
#[track_caller]
fn promtool(arguments: &[&str], input: &str) {
    use std::io::Write as _;
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(folder()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("promtool");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("promtool reads");
    let output = child.wait_with_output().expect("promtool");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {arguments:?}: {text}");
}

fn dashboards() -> Vec<(String, Value)> {
    let files = fs::read_dir(folder().join("grafana/dashboards")).expect("dashboards").flatten();
    let mut dashboards: Vec<_> = files
        .map(|file| {
            let text = fs::read_to_string(file.path()).expect("text");
            (file.file_name().to_string_lossy().into_owned(), serde_json::from_str(&text).expect("JSON"))
        })
        .collect();
    dashboards.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(dashboards.len() >= 3);
    dashboards
}

/// Returns every panel that shows something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row")
}

/// Returns the expressions of a panel.
fn expressions(panel: &Value) -> impl Iterator<Item = &str> {
    panel["targets"].as_array().expect("targets").iter().map(|target| target["expr"].as_str().expect("an expression"))
}

/// Returns each rule's alert and expression: the block of its `expr`. Rules may share an alert.
fn alerts() -> Vec<(String, String)> {
    let text = fs::read_to_string(folder().join("prometheus/alerts.yml")).expect("rules");
    let rules = text.split("- alert: ").skip(1).map(|rule| {
        let (name, rest) = rule.split_once('\n').expect("lines");
        let (_, rest) = rest.split_once("expr:").expect("an expression");
        let end =
            ["\n        for:", "\n        labels:"].iter().filter_map(|end| rest.find(end)).min().expect("an end");
        (name.to_owned(), rest[..end].trim_start_matches([' ', '|']).to_owned())
    });
    rules.collect()
}

/// A selector of an expression: its metric, and the labels and plain values that it asks for.
#[derive(Debug, PartialEq)]
struct Selector {
    name: String,
    matchers: Vec<(String, Option<String>)>,
}

const FUNCTIONS_AND_WORDS: &[&str] = &[
    "absent",
    "sum",
    "max",
    "min",
    "count",
    "by",
    "without",
    "on",
    "ignoring",
    "unless",
    "and",
    "or",
    "rate",
    "increase",
    "deriv",
    "changes",
    "histogram_quantile",
    "bool",
    "offset",
    "group_left",
    "group_right",
];

/// Returns the selectors of an expression that promtool accepts, and the labels by which it groups or joins.
fn read_expression(expression: &str) -> (Vec<Selector>, BTreeSet<String>) {
    let (mut selectors, mut grouping) = (Vec::new(), BTreeSet::new());
    let mut rest = expression;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '[') {
        rest = &rest[at..];
        if rest.starts_with('[') {
            rest = rest.split_once(']').map_or("", |(_, after)| after);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        match word {
            "by" | "on" | "without" | "ignoring" => {
                let (list, after) = rest.split_once(')').expect("a list");
                grouping.extend(list.trim_start_matches([' ', '(']).split(',').map(|label| label.trim().to_owned()));
                rest = after;
            }
            _ if FUNCTIONS_AND_WORDS.contains(&word) || word.starts_with(|c: char| c.is_ascii_digit()) => {}
            _ => {
                let matchers = match rest.strip_prefix('{') {
                    Some(body) => {
                        let (body, after) = body.split_once('}').expect("an end");
                        rest = after;
                        read_matchers(body)
                    }
                    None => Vec::new(),
                };
                selectors.push(Selector { name: word.to_owned(), matchers });
            }
        }
    }
    (selectors, grouping)
}

fn read_matchers(body: &str) -> Vec<(String, Option<String>)> {
    let pairs = body.split("\",").filter_map(|pair| pair.split_once('"'));
    pairs
        .map(|(label, value)| {
            let is_plain = label.trim_end().ends_with('=') && !label.contains('!');
            let name = label.trim().trim_end_matches(['=', '~', '!', ' ']).to_owned();
            (name, is_plain.then(|| value.trim_end_matches('"').to_owned()))
        })
        .collect()
}

#[test]
fn selectors_and_groupings_are_read() {
    let (selectors, grouping) = read_expression(
        "histogram_quantile(0.95, sum by (le, phase) (rate(a_bucket{job=~\"$job\", phase=\"x\"}[5m]))) > 1e3 unless on (lane) b",
    );
    let matchers = vec![("job".to_owned(), None), ("phase".to_owned(), Some("x".to_owned()))];
    assert_eq!(selectors.len(), 2, "{selectors:?}");
    assert_eq!(selectors[0], Selector { name: "a_bucket".to_owned(), matchers });
    assert_eq!(selectors[1].name, "b");
    assert_eq!(grouping.into_iter().collect::<Vec<_>>(), ["lane", "le", "phase"]);
}

#[test]
fn alerts_are_valid_tested_and_explained() {
    let runbook = fs::read_to_string(folder().join("../../docs/operations/runbook.md")).expect("a runbook");
    let tests = fs::read_to_string(folder().join("prometheus/tests/alerts.yml")).expect("tests");
    let rules = fs::read_to_string(folder().join("prometheus/alerts.yml")).expect("rules");
    let alerts = alerts();
    assert!(alerts.len() >= 12, "{alerts:?}");
    for (name, _) in &alerts {
        assert!(runbook.contains(&format!("\n## {name}\n")), "the runbook has no section {name}");
        let link = format!("runbook: docs/operations/runbook.md#{}\n", name.to_lowercase());
        assert!(rules.contains(&link), "{name} has no link to the runbook");
        for case in ["fires", "is silent"] {
            assert!(tests.contains(&format!("- name: {name} {case}\n")), "no test that {name} {case}");
        }
    }
    assert_eq!(rules.matches("summary: ").count(), alerts.len());
    if has_promtool() {
        promtool(&["check", "rules", "prometheus/alerts.yml"], "");
        promtool(&["test", "rules", "prometheus/tests/alerts.yml"], "");
    }
}

/// The rules of Grafana's dashboard-linter.
#[test]
fn dashboards_follow_the_rules() {
    let mut rules = Vec::new();
    for (file, dashboard) in dashboards() {
        let variables = dashboard["templating"]["list"].as_array().expect("variables");
        let variable = |name: &str| variables.iter().find(|variable| variable["name"] == name).expect("a variable");
        assert_eq!(variable("datasource")["type"], "datasource", "{file}");
        for name in ["job", "instance"] {
            let variable = variable(name);
            let facts =
                (&variable["datasource"]["uid"], &variable["multi"], &variable["allValue"], &variable["refresh"]);
            let reloads = &Value::from(2);
            assert_eq!(facts, (&"${datasource}".into(), &true.into(), &".+".into(), reloads), "{file}: {name}");
        }
        assert!(dashboard["title"].is_string() && dashboard["description"].is_string(), "{file}");
        assert_eq!(dashboard["editable"], false, "{file}");
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().filter(|title| !title.is_empty()).expect("a title");
            assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{file}: {title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{file}: {title} has no unit");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{file}: {title}");
            for expression in expressions(panel) {
                rules.push(check_expression(&format!("{file}: {title}"), expression));
            }
        }
        let text = dashboard.to_string();
        assert!(!text.contains("DS_PROMETHEUS"), "{file}: provisioning does not resolve it");
    }
    if has_promtool() {
        let path = std::env::temp_dir().join(format!("promptcraft-dashboards-{}.yml", std::process::id()));
        let rules: Vec<Value> = rules
            .iter()
            .enumerate()
            .map(|(number, expr)| serde_json::json!({"record": format!("expression:{number}"), "expr": expr}))
            .collect();
        let groups = serde_json::json!({"groups": [{"name": "dashboards", "rules": rules}]});
        fs::write(&path, groups.to_string()).expect("a file");
        promtool(&["check", "rules", path.to_str().expect("a path")], "");
        fs::remove_file(path).expect("removed");
    }
}

/// Checks matchers and ranges; returns the expression without Grafana's variables.
fn check_expression(place: &str, expression: &str) -> String {
    let (selectors, _) = read_expression(expression);
    assert!(!selectors.is_empty(), "{place}: {expression}");
    for selector in &selectors {
        for label in ["job", "instance"] {
            let has = selector.matchers.iter().any(|(name, _)| name == label);
            assert!(has, "{place}: {} has no matcher of {label}", selector.name);
        }
        let is_counter = ["_total", "_bucket", "_count", "_sum"].iter().any(|end| selector.name.ends_with(end));
        let is_rated =
            ["rate(", "increase("].iter().any(|call| expression.contains(&format!("{call}{}", selector.name)));
        assert_eq!(is_counter, is_rated, "{place}: {expression}");
    }
    let rates = expression.matches("rate(").count();
    assert_eq!(expression.matches("[$__rate_interval]").count(), rates, "{place}: {expression}");
    expression.replace("$__rate_interval", "5m").replace("$__range", "1h")
}

#[tokio::test]
async fn alerts_and_dashboards_name_metrics_and_labels_that_are_scraped() {
    let stack = Stack::start().await;
    let client = stack.developer().await;
    let id = client.run("print(1)\n").await;
    client.until(&id, "completed").await;
    let mut scrapes = Vec::new();
    for pointer in ["/api_metrics_url", "/worker_metrics_urls/0", "/approver_metrics_url"] {
        scrapes.push(Scrape::of(&stack, pointer).await);
    }
    let dashboards = dashboards();
    let of_dashboards = dashboards.iter().flat_map(|(file, dashboard)| {
        panels(dashboard).flat_map(move |panel| expressions(panel).map(move |text| (file.clone(), text.to_owned())))
    });
    let mut used = BTreeSet::new();
    for (place, expression) in of_dashboards.chain(alerts()) {
        let (selectors, grouping) = read_expression(&expression);
        let mut labels = BTreeSet::from(ADDED_LABELS.map(str::to_owned));
        for selector in selectors.iter().filter(|selector| !FOREIGN.contains(&selector.name.as_str())) {
            let found = check_selector(&place, selector, &scrapes);
            labels.extend(found);
            used.insert(family_of(&selector.name).to_owned());
        }
        let is_foreign = selectors.iter().any(|selector| FOREIGN.contains(&selector.name.as_str()));
        assert!(is_foreign || grouping.is_subset(&labels), "{place}: {grouping:?} of {labels:?} in {expression}");
    }
    // Every family is on a dashboard or in an alert.
    let all: BTreeSet<String> = service::telemetry::Family::all().iter().map(|family| family.name.to_owned()).collect();
    let unused: Vec<&String> = all.difference(&used).collect();
    assert!(unused.is_empty(), "no dashboard shows {unused:?}");
    if has_promtool() {
        scrapes.iter().for_each(|scrape| promtool(&["check", "metrics"], &scrape.text));
    }
}

fn family_of(name: &str) -> &str {
    let ends = ["_bucket", "_count", "_sum"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Checks that a process exports what a selector names; returns the labels of the family.
fn check_selector(place: &str, selector: &Selector, scrapes: &[Scrape]) -> BTreeSet<String> {
    let name = &selector.name;
    let of_family = scrapes.iter().filter_map(|scrape| Some((scrape, scrape.families().remove(family_of(name))?)));
    let of_family: Vec<(&Scrape, BTreeSet<String>)> = of_family.collect();
    assert!(!of_family.is_empty(), "{place}: no process exports {name}");
    let labels: BTreeSet<String> = of_family.iter().flat_map(|(_, labels)| labels.iter().cloned()).collect();
    for (label, value) in selector.matchers.iter().filter(|(label, _)| !ADDED_LABELS.contains(&label.as_str())) {
        assert!(labels.contains(label), "{place}: {name} has no label {label}");
        let Some(value) = value else { continue };
        let is_known = of_family.iter().any(|(scrape, _)| scrape.values(name, label).contains(value));
        assert!(is_known, "{place}: no series of {name} has {label}={value}");
    }
    labels
}
