//! Parses the body of a submission.

use actix_web::http::Uri;
use domain::approval::MAX_RECIPE_CHARS;
use domain::ids::Digest;
use domain::workflow::{DEFAULT_TIMEOUT_SECONDS, Invocation, Mode, SecurityLevel, SubmissionOptions};
use serde_json::Value;
use service::webhook::is_public;
use url::{Host, Url};

use crate::executions::program_fields::{SubmittedFile, read_entry, read_files, read_invocation, read_stdin};
use crate::http::json_fields::{FieldReader, Object};
use crate::http::problem::Problem;

/// Bounds of a goal in characters, after trimming.
const MIN_GOAL_CHARS: usize = 3;
const MAX_GOAL_CHARS: usize = 10_000;

/// A validated submission; its code is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SubmitRequest {
    pub(crate) goal: String,
    pub(crate) code: Option<String>,
    pub(crate) files: Vec<SubmittedFile>,
    pub(crate) entry: Option<String>,
    pub(crate) stdin: Option<String>,
    pub(crate) invocation: Invocation,
    pub(crate) current_file: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) repo_url: Option<String>,
    pub(crate) options: SubmissionOptions,
    pub(crate) request_digest: Digest,
}

impl SubmitRequest {
    /// Parses a body; reports every wrong field together.
    ///
    /// `allow_private_webhooks` permits notifications to private addresses.
    pub(crate) fn parse(body: &Value, allow_private_webhooks: bool) -> Result<Self, Problem> {
        let root = FieldReader::body(body)?;
        let mut fields = FieldReader::default();
        let goal = read_goal(&mut fields, root);
        let context = fields.object(root, "context");
        let project = fields.object(context, "context.project_context");
        let preferences = fields.object(context, "context.execution_preferences");
        let options = fields.object(root, "options");
        // The one rule on blank code: an empty file where a name or a language comes with it, else absent.
        let is_named = ["current_file", "language"]
            .into_iter()
            .any(|name| project.get(name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty()));
        let code = fields.code_or_blank(project, "file_content")?.filter(|text| is_named || !text.trim().is_empty());
        let files = read_files(&mut fields, project)?;
        let stdin = read_stdin(&mut fields, preferences)?;
        let request = Self {
            goal,
            code,
            entry: read_entry(&mut fields, project, &files),
            files,
            stdin,
            invocation: read_invocation(&mut fields, preferences),
            current_file: fields.text(project, "current_file", 1_024),
            language: fields.text(project, "language", 64),
            repo_url: fields.text(project, "repo_url", 2_048),
            options: read_options(&mut fields, preferences, options, allow_private_webhooks),
            request_digest: Digest::of(&canonical(body)),
        };
        request.check_combination(&mut fields, project, preferences);
        fields.finish()?;
        Ok(request)
    }

    /// Reports fields that exclude each other.
    fn check_combination(&self, fields: &mut FieldReader, project: Object<'_>, preferences: Object<'_>) {
        if self.code.is_some() && !self.files.is_empty() {
            fields.wrong(project, "files", "must be left out if file_content is given");
        }
        // Files in a wrong form are code all the same; an empty list is none.
        let is_none = |files: &Value| files.as_array().is_some_and(Vec::is_empty);
        let has_code = self.code.is_some() || project.get("files").is_some_and(|files| !is_none(files));
        if has_code && self.options.recipe.is_some() {
            fields.wrong(preferences, "recipe", "must be left out if code is supplied");
        }
        let is_given = [
            ("stdin", self.stdin.is_some()),
            ("args", !self.invocation.args.is_empty()),
            ("env", !self.invocation.env.is_empty()),
        ];
        for (name, _) in is_given.into_iter().filter(|(_, is_given)| *is_given && !has_code) {
            fields.wrong(preferences, name, "is for the run of code that you supply, in file_content or files");
        }
    }
}

fn read_goal(fields: &mut FieldReader, root: Object<'_>) -> String {
    if root.get("goal").is_none() {
        fields.wrong(root, "goal", "is required");
    }
    // Whitespace around the goal is not counted.
    let Some(goal) = fields.text(root, "goal", usize::MAX) else { return String::new() };
    let goal = goal.trim();
    if !(MIN_GOAL_CHARS..=MAX_GOAL_CHARS).contains(&goal.chars().count()) {
        fields.wrong(root, "goal", "must be 3 to 10000 characters after trimming whitespace");
    }
    goal.to_owned()
}

fn read_options(
    fields: &mut FieldReader,
    preferences: Object<'_>,
    options: Object<'_>,
    allow_private_webhooks: bool,
) -> SubmissionOptions {
    let levels = [
        ("strict", SecurityLevel::Strict),
        ("standard", SecurityLevel::Standard),
        ("permissive", SecurityLevel::Permissive),
    ];
    SubmissionOptions {
        mode: fields.choice(preferences, "mode", &Mode::ALL).unwrap_or_default(),
        recipe: fields.text(preferences, "recipe", MAX_RECIPE_CHARS).filter(|name| !name.trim().is_empty()),
        require_approval: fields.flag(preferences, "require_approval", true),
        max_iterations: fields.number(preferences, "max_iterations", (1, 10), 3),
        timeout_minutes: fields.number(preferences, "timeout_minutes", (1, 120), 30),
        timeout_seconds: fields.number(preferences, "timeout_seconds", (1, 7_200), DEFAULT_TIMEOUT_SECONDS),
        security_level: fields.choice(preferences, "security_level", &levels).unwrap_or_default(),
        enable_premium_search: fields.flag(preferences, "enable_premium_search", false),
        max_agents: fields.number(preferences, "max_agents", (1, 8), 1),
        include_artifacts: fields.flag(options, "include_artifacts", true),
        enable_human_loop: fields.flag(options, "enable_human_loop", true),
        notification_webhook: read_webhook(fields, options, allow_private_webhooks),
    }
}

/// Validates the form, and literal addresses. Host names are checked when the notification is sent.
fn read_webhook(fields: &mut FieldReader, options: Object<'_>, allow_private: bool) -> Option<String> {
    let address = fields.text(options, "notification_webhook", 2_048)?;
    if !is_web_address(&address) {
        let form = "must be an http or https address with a host and without a user name";
        fields.wrong(options, "notification_webhook", form);
    } else if !allow_private && is_private_address(&address) {
        fields.wrong(options, "notification_webhook", "must not lead to a private, local or reserved network");
    } else {
        return Some(address);
    }
    None
}

/// Parses the address as the sender will: `2130706433` and `0x7f000001` are IPv4 addresses.
fn is_private_address(address: &str) -> bool {
    let url = Url::parse(address);
    match url.as_ref().ok().and_then(Url::host) {
        Some(Host::Ipv4(ip)) => !is_public(ip.into()),
        Some(Host::Ipv6(ip)) => !is_public(ip.into()),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => true,
    }
}

fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    matches!(uri.scheme_str(), Some("http" | "https")) && has_host && !has_user
}

/// Serializes the body with sorted members, so that their order does not matter.
fn canonical(value: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let mut separator = b'{';
            for (name, value) in &members {
                text.push(separator);
                write_leaf(name, text);
                text.push(b':');
                write_canonical(value, text);
                separator = b',';
            }
            text.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
        }
        Value::Array(items) => {
            let mut separator = b'[';
            for item in items {
                text.push(separator);
                write_canonical(item, text);
                separator = b',';
            }
            text.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_leaf(value, text),
    }
}

fn write_leaf(leaf: &impl serde::Serialize, text: &mut Vec<u8>) {
    serde_json::to_writer(text, leaf).expect("writing JSON to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn check(body: Value, wrong: &[&str]) {
        let named: Vec<String> = match SubmitRequest::parse(&body, false) {
            Ok(_) => Vec::new(),
            Err(problem) => {
                assert_eq!(problem.status(), 422, "{body}");
                let document = problem.document();
                document["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect()
            }
        };
        assert_eq!(named, wrong, "{body}");
    }

    #[test]
    fn submissions_are_validated() {
        let goal = "Write a function that adds";
        check(json!({"goal": goal}), &[]);
        check(json!({"goal": goal, "unknown": [1, {"x": null}], "context": null, "options": null}), &[]);
        check(json!([]), &["body"]);
        check(json!("text"), &["body"]);
        check(json!({}), &["goal"]);
        check(json!({"goal": null}), &["goal"]);
        check(json!({"goal": 7}), &["goal"]);
        check(json!({"goal": "   xy   "}), &["goal"]);
        check(json!({"goal": format!("  {}  ", "x".repeat(3))}), &[]);
        check(json!({"goal": "排序列"}), &[]);
        check(json!({"goal": format!("  {}  ", "é".repeat(10_000))}), &[]);
        check(json!({"goal": format!("{}{goal}", " \n".repeat(20_000))}), &[]);
        check(json!({"goal": "x".repeat(10_001)}), &["goal"]);
        check(json!({"goal": "ten or more \u{0}"}), &["goal"]);
        let preferences = |value: Value| json!({"goal": goal, "context": {"execution_preferences": value}});
        let at = |name: &str| format!("context.execution_preferences.{name}");
        for (name, good, bad) in [
            (
                "max_iterations",
                vec![json!(1), json!(10), json!(3.0)],
                vec![json!(0), json!(11), json!("3"), json!(2.5), json!(-1), json!(true)],
            ),
            ("timeout_minutes", vec![json!(1), json!(120)], vec![json!(0), json!(121)]),
            ("timeout_seconds", vec![json!(1), json!(7200)], vec![json!(0), json!(7201), json!("60"), json!(1.5)]),
            ("max_agents", vec![json!(1), json!(8)], vec![json!(0), json!(9), json!(1e300)]),
            ("security_level", vec![json!("strict"), json!("permissive")], vec![json!("none"), json!(1)]),
            ("require_approval", vec![json!(false)], vec![json!("false"), json!(0)]),
            ("recipe", vec![json!("lru-cache"), json!(" ")], vec![json!(1), json!("x".repeat(65))]),
            ("mode", vec![json!("auto"), json!("write_tests")], vec![json!("fix"), json!(""), json!(1)]),
        ] {
            good.into_iter().for_each(|value| check(preferences(json!({name: value})), &[]));
            bad.into_iter().for_each(|value| check(preferences(json!({name: value})), &[&at(name)]));
        }
        let both = json!({"project_context": {"file_content": "x"}, "execution_preferences": {"recipe": "lru-cache"}});
        check(json!({"goal": goal, "context": both}), &[&at("recipe")]);
        let no_files = json!({"project_context": {"files": []}, "execution_preferences": {"stdin": "x"}});
        check(json!({"goal": goal, "context": no_files}), &["context.execution_preferences.stdin"]);
        check(json!({"goal": goal, "context": 3, "options": []}), &["context", "options"]);
    }

    #[test]
    fn blank_code_counts_as_sent_where_a_name_or_a_language_comes_with_it() {
        let (blanks, names) = ([None, Some(""), Some(" \n")], [None, Some(""), Some(" "), Some("x.py")]);
        let languages = [None, Some(""), Some("\t"), Some("bash")];
        for code in blanks.into_iter().chain([Some("x = 1")]) {
            for (name, language) in names.iter().flat_map(|name| languages.map(|language| (name, language))) {
                let project = json!({"file_content": code, "current_file": name, "language": language});
                let body = json!({"goal": "Run this", "context": {"project_context": project}});
                let is_named = *name == Some("x.py") || language == Some("bash");
                let expected = code.filter(|code| *code == "x = 1" || is_named);
                assert_eq!(SubmitRequest::parse(&body, false).unwrap().code.as_deref(), expected, "{body}");
            }
        }
    }

    #[test]
    fn a_webhook_is_a_plain_web_address() {
        for (address, good) in [
            ("https://example.org/hook?x=1", true),
            ("http://127.0.0.1:9000/", true),
            ("http://[::1]/x", true),
            ("ftp://example.org", false),
            ("https://user:pass@example.org/", false),
            ("https:///x", false),
            ("/relative", false),
            ("javascript:alert(1)", false),
            ("https://exa mple.org", false),
            ("", false),
        ] {
            assert_eq!(is_web_address(address), good, "{address}");
        }
    }

    #[test]
    fn a_webhook_at_a_private_address_is_refused() {
        for (address, inside) in [
            ("http://127.0.0.1:9000/", true),
            ("http://[::1]/x", true),
            ("http://169.254.169.254/latest", true),
            ("http://LOCALHOST:1/", true),
            ("http://2130706433/", true),
            ("http://0x7f000001:80/x", true),
            ("http://0177.1/", true),
            ("http://foo.localhost/", true),
            ("https://example.org/hook", false),
            ("https://8.8.8.8/", false),
        ] {
            assert_eq!(is_private_address(address), inside, "{address}");
            let body = json!({"goal": "Write a function", "options": {"notification_webhook": address}});
            assert_eq!(SubmitRequest::parse(&body, false).is_err(), inside, "{address}");
            assert!(SubmitRequest::parse(&body, true).is_ok(), "{address}");
        }
    }

    #[test]
    fn the_order_of_members_makes_no_other_request() {
        let digest =
            |text: &str| SubmitRequest::parse(&serde_json::from_str(text).unwrap(), false).unwrap().request_digest;
        let one = digest(r#"{"goal": "Write a function", "options": {"a": 1, "b": [1, 2]}}"#);
        assert_eq!(one, digest(r#"{"options": {"b":[1,2],"a":1},"goal":"Write a function"}"#));
        assert_ne!(one, digest(r#"{"options": {"b":[2,1],"a":1},"goal":"Write a function"}"#));
        assert_ne!(one, digest(r#"{"goal":"Write a function"}"#));
        let odd = json!({"b": [], "a": {}, "\"": ["é\n", 1.5, null, {"y": true, "x": [[], {}]}]});
        let written = r#"{"\"":["é\n",1.5,null,{"x":[[],{}],"y":true}],"a":{},"b":[]}"#;
        assert_eq!(String::from_utf8(canonical(&odd)).unwrap(), written);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let names = prop::sample::select(vec![
            "goal",
            "context",
            "project_context",
            "execution_preferences",
            "options",
            "file_content",
            "language",
            "max_iterations",
            "require_approval",
            "security_level",
            "notification_webhook",
            "x",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic_or_repeat_it(body in any_json(), mark in "[a-z]{12}") {
            let mut body = body;
            if let Some(members) = body.as_object_mut() {
                members.insert("options".to_owned(), json!({"notification_webhook": mark, "include_artifacts": mark}));
            }
            if let Err(problem) = SubmitRequest::parse(&body, false) {
                prop_assert!(!problem.document().to_string().contains(&mark));
            } else {
                prop_assert!(false, "two fields are wrong");
            }
        }
    }
}
