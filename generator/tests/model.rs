//! Tests the model client against an HTTP server on the loopback interface.
#![cfg(feature = "model")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use generator::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, Generator, GeneratorConfig,
    ModelConfig, OfferedRuntime, Origin, RoundFeedback,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Reads one request and returns its head and its JSON body.
async fn receive(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.expect("a readable request");
        assert_ne!(read, 0, "the request ended early");
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
            return (head.to_owned(), serde_json::from_str(body).expect("a JSON body"));
        }
    }
}

/// A server that sends these answers in turn and then repeats the last one. Records its requests.
struct Endpoint {
    address: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
    task: JoinHandle<()>,
}

impl Endpoint {
    async fn start(answers: &[(&'static str, String)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let (answers, seen) = (answers.to_vec(), requests.clone());
        #[expect(clippy::disallowed_methods, reason = "a test has no tracker; the task ends with the endpoint")]
        let task = tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let request = receive(&mut stream).await;
                seen.lock().expect("requests").push(request);
                let (status, body) = answers.get(number).or(answers.last()).expect("an answer");
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.expect("a writable answer");
                stream.write_all(body.as_bytes()).await.expect("a writable answer");
            }
        });
        Self { address, requests, task }
    }

    /// Returns the head and the body of each request so far.
    fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().expect("requests").clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn generator(base_url: &str, api_key: Option<&str>) -> Generator {
    let model = ModelConfig {
        base_url: base_url.to_owned(),
        model: "tiny".to_owned(),
        api_key: api_key.map(str::to_owned),
        timeout: Duration::from_secs(5),
        max_tokens: 500,
    };
    Generator::open(GeneratorConfig { model: Some(model), ..GeneratorConfig::default() }).expect("valid settings")
}

/// Returns a generator for every language that the model writes.
fn generator_for_all(endpoint: &Endpoint) -> Generator {
    let runtime = |(name, ending): (&str, &str)| OfferedRuntime {
        name: name.to_owned(),
        aliases: Vec::new(),
        endings: vec![ending.to_owned()],
        has_tests: true,
        ..OfferedRuntime::default()
    };
    let model = ModelConfig {
        base_url: endpoint.address.clone(),
        model: "tiny".to_owned(),
        api_key: None,
        timeout: Duration::from_secs(5),
        max_tokens: 500,
    };
    let runtimes = [("python", ".py"), ("node", ".js"), ("bash", ".sh")].map(runtime).to_vec();
    let config = GeneratorConfig { model: Some(model), runtimes, ..GeneratorConfig::default() };
    Generator::open(config).expect("valid settings")
}

fn completion(content: &str) -> String {
    json!({"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}], "usage": {"total_tokens": 321}}).to_string()
}

fn request(goal: &str, code: Option<&str>) -> GenerateRequest {
    GenerateRequest { goal: goal.to_owned(), code: code.map(str::to_owned), round: 1, ..GenerateRequest::default() }
}

async fn answer(status: &'static str, body: String, request: &GenerateRequest) -> Result<Generation, GenerateError> {
    let endpoint = Endpoint::start(&[(status, body)]).await;
    generator(&endpoint.address, None).generate(request).await
}

const ROCKET: &str = "Build me a rocket guidance system";
const TWO_FILES: &str = "Here:\n```python name=rocket.py\ndef fly():\n    return 1\n```\n```python name=test_rocket.py\nfrom rocket import fly\n\n\ndef test_fly():\n    assert fly() == 1\n```\n";

/// Returns a structured reply with these files.
fn solution(files: &[(&str, &str)]) -> String {
    let kind = |path: &str| if path.contains("test") { "test" } else { "code" };
    let files = files.iter().map(|(path, content)| json!({"path": path, "content": content, "kind": kind(path)}));
    let files: Vec<Value> = files.collect();
    completion(&json!({"plan": ["Write it", "Test it"], "files": files, "notes": "Mind the fuel."}).to_string())
}

const ROCKET_FILES: &[(&str, &str)] = &[
    ("rocket.py", "def fly():\n    return 1\n"),
    ("test_rocket.py", "from rocket import fly\n\n\ndef test_fly():\n    assert fly() == 1\n"),
];

#[tokio::test]
async fn a_goal_without_a_recipe_goes_to_the_model() {
    let endpoint = Endpoint::start(&[("200 OK", solution(ROCKET_FILES))]).await;
    let request = GenerateRequest { max_tokens: Some(600), ..request(ROCKET, None) };
    let generation = generator(&endpoint.address, Some("the-key")).generate(&request).await.expect("served");
    let (head, body) = endpoint.requests().remove(0);
    let signed = head.to_ascii_lowercase().contains("authorization: bearer the-key");
    assert!(head.starts_with("POST /v1/chat/completions ") && signed, "{head}");
    assert_eq!((&body["model"], &body["stream"]), (&json!("tiny"), &json!(false)));
    // Prompt and reply share one budget.
    assert_eq!(body["max_tokens"], json!(600 - request.prompt_tokens.count()));
    let format = &body["response_format"];
    assert_eq!((&format["type"], &format["json_schema"]["strict"]), (&json!("json_schema"), &json!(true)));
    assert!(body["messages"][1]["content"].as_str().is_some_and(|text| text.contains(ROCKET)));
    assert_eq!(generation.origin, Origin::Model { name: "tiny".to_owned() });
    assert_eq!((generation.run, generation.tokens, generation.repairable), (EntryPoint::Tests, 321, true));
    let kinds: Vec<_> = generation.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
    assert_eq!(kinds, [("rocket.py", FilePurpose::Code), ("test_rocket.py", FilePurpose::Test)]);
    for part in ["`fly`", "## Plan\n\n1. Write it\n2. Test it\n", "## Notes\n\nMind the fuel.\n"] {
        assert!(generation.documentation.contains(part), "{}", generation.documentation);
    }
}

#[tokio::test]
async fn an_endpoint_that_rejects_the_schema_is_asked_for_fenced_blocks_from_then_on() {
    for status in ["400 Bad Request", "422 Unprocessable Entity"] {
        let rejection = json!({"error": {"message": "response_format is not supported"}}).to_string();
        let endpoint = Endpoint::start(&[(status, rejection), ("200 OK", completion(TWO_FILES))]).await;
        let generator = generator(&endpoint.address, None);
        for _ in 0..2 {
            let generation = generator.generate(&request(ROCKET, None)).await.expect("served");
            assert_eq!((generation.files.len(), generation.tokens), (2, 321));
        }
        let formats: Vec<bool> =
            endpoint.requests().iter().map(|(_, body)| body.get("response_format").is_some()).collect();
        assert_eq!(formats, [true, false, false], "{status}");
    }
}

#[tokio::test]
async fn an_endpoint_that_ignores_the_schema_is_asked_for_fenced_blocks_from_then_on() {
    // Prose with files is used; other prose costs a second call.
    for (first, calls, tokens) in [(TWO_FILES, 1, 321), ("I would write a module.", 2, 642)] {
        let endpoint = Endpoint::start(&[("200 OK", completion(first)), ("200 OK", completion(TWO_FILES))]).await;
        let generator = generator(&endpoint.address, None);
        let generation = generator.generate(&request(ROCKET, None)).await.expect("served");
        assert_eq!((endpoint.requests().len(), generation.tokens), (calls, tokens), "{first}");
        generator.generate(&request(ROCKET, None)).await.expect("served");
        let last = endpoint.requests().pop().expect("a request").1;
        assert!(last.get("response_format").is_none(), "{last}");
    }
}

#[tokio::test]
async fn a_rejection_with_another_reason_is_reported_and_not_remembered() {
    let rejection = || ("400 Bad Request", json!({"error": {"message": "too long"}}).to_string());
    let endpoint = Endpoint::start(&[rejection(), rejection(), ("200 OK", solution(ROCKET_FILES))]).await;
    let generator = generator(&endpoint.address, None);
    let (kind, code, _) = outcome(generator.generate(&request(ROCKET, None)).await);
    assert_eq!((kind, code), ("fail", "generator_rejected"));
    generator.generate(&request(ROCKET, None)).await.expect("served");
    assert!(endpoint.requests()[2].1.get("response_format").is_some());
}

#[tokio::test]
async fn an_endpoint_that_wants_its_limit_under_another_name_gets_it_there() {
    let message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
    let rejection = json!({"error": {"message": message}}).to_string();
    let endpoint = Endpoint::start(&[("400 Bad Request", rejection), ("200 OK", solution(ROCKET_FILES))]).await;
    let generator = generator(&endpoint.address, None);
    for _ in 0..2 {
        generator.generate(&request(ROCKET, None)).await.expect("served");
    }
    let limits: Vec<_> = endpoint
        .requests()
        .iter()
        .map(|(_, body)| (body["max_tokens"].as_u64(), body["max_completion_tokens"].as_u64()))
        .collect();
    assert_eq!(limits, [(Some(500), None), (None, Some(500)), (None, Some(500))]);
    assert!(endpoint.requests()[2].1.get("response_format").is_some());
}

#[tokio::test]
async fn the_name_of_the_limit_is_remembered_only_where_the_endpoint_took_it() {
    let message = "max_completion_tokens and max_tokens are both too large";
    let rejection = || ("400 Bad Request", json!({"error": {"message": message}}).to_string());
    // Four rejections: under both names, in both forms.
    let answers = [rejection(), rejection(), rejection(), rejection(), ("200 OK", solution(ROCKET_FILES))];
    let endpoint = Endpoint::start(&answers).await;
    let generator = generator(&endpoint.address, None);
    let (kind, code, _) = outcome(generator.generate(&request(ROCKET, None)).await);
    assert_eq!((kind, code), ("fail", "generator_rejected"));
    generator.generate(&request(ROCKET, None)).await.expect("served");
    let last = endpoint.requests().pop().expect("a request").1;
    assert_eq!((&last["max_tokens"], last.get("max_completion_tokens")), (&json!(500), None), "{last}");
}

#[tokio::test]
async fn tokens_of_a_call_before_a_passing_fault_are_named_with_the_delay() {
    let limited = ("429 Too Many Requests\r\nretry-after: 7", "{}".to_owned());
    let endpoint = Endpoint::start(&[("200 OK", completion("I would write a module.")), limited]).await;
    let refused = generator(&endpoint.address, None).generate(&request(ROCKET, None)).await;
    let Err(GenerateError::Retry { tokens, may_have_cost, after, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!((tokens, may_have_cost, after), (321, true, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_may_have_cost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
    for partial in ["", "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"] {
        let breaks = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            receive(&mut stream).await;
            stream.write_all(partial.as_bytes()).await.expect("a writable answer");
        };
        let (generator, request) = (generator(&address, None), request(ROCKET, None));
        let (broken, ()) = tokio::join!(generator.generate(&request), breaks);
        assert!(matches!(broken, Err(GenerateError::Retry { may_have_cost: true, .. })), "{partial}: {broken:?}");
        assert_eq!(outcome(broken).1, "generator_unavailable");
    }
}

#[tokio::test]
async fn a_delay_that_the_endpoint_asks_for_is_passed_on() {
    for (status, delay) in [
        ("429 Too Many Requests\r\nretry-after: 7", Some(7)),
        ("503 Service Unavailable\r\nretry-after: 86400", Some(120)),
        ("429 Too Many Requests\r\nretry-after: soon", None),
        ("429 Too Many Requests", None),
    ] {
        let refused = answer(status, "{}".to_owned(), &request(ROCKET, None)).await;
        let Err(GenerateError::Retry { after, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(after, delay.map(Duration::from_secs), "{status}");
    }
}

#[tokio::test]
async fn javascript_is_written_where_a_goal_asks_for_it() {
    let files = [
        ("rocket.js", "module.exports = { fly: () => 1 };\n"),
        ("rocket.test.js", "require('node:assert').equal(require('./rocket.js').fly(), 1);\n"),
    ];
    let endpoint = Endpoint::start(&[("200 OK", solution(&files))]).await;
    let generator = generator_for_all(&endpoint);
    let by_goal = request("Build me a rocket guidance system in JavaScript", None);
    let by_name = GenerateRequest { language: Some("node".to_owned()), ..request(ROCKET, None) };
    for request in [by_goal, by_name] {
        let generation = generator.generate(&request).await.expect("served");
        let kinds: Vec<_> = generation.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
        assert_eq!(kinds, [("rocket.js", FilePurpose::Code), ("rocket.test.js", FilePurpose::Test)]);
        assert_eq!((generation.runtime.as_str(), &generation.run), ("node", &EntryPoint::Tests));
    }
    assert!(endpoint.requests()[0].1["messages"][0]["content"].as_str().is_some_and(|text| text.contains("node:test")));
    let rust = generator.generate(&request("Build me a rocket guidance system in Rust", None)).await;
    assert!(matches!(rust, Err(GenerateError::NoGenerator { .. })), "{rust:?}");
}

#[tokio::test]
async fn a_recipe_wins_over_the_model_and_no_key_is_made_up() {
    let endpoint = Endpoint::start(&[("200 OK", completion(TWO_FILES))]).await;
    let generator = generator(&endpoint.address, None);
    let goal = "Create a JWT authentication function with tests";
    let served = generator.generate(&request(goal, None)).await.expect("served");
    assert!(matches!(served.origin, Origin::Recipe { .. }) && endpoint.requests().is_empty());
    generator.generate(&request(ROCKET, None)).await.expect("served");
    let (head, _) = endpoint.requests().remove(0);
    assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
}

#[tokio::test]
async fn fixing_replaces_the_callers_file_and_shows_the_model_what_failed() {
    let feedback = RoundFeedback {
        failed_tests: vec![("test_x".to_owned(), "assert 1 == 2".to_owned())],
        findings: vec!["app.py, line 3: weak hash".to_owned()],
        ..RoundFeedback::default()
    };
    let fix = GenerateRequest {
        feedback: Some(feedback),
        round: 2,
        current_file: Some("app.py".to_owned()),
        ..request("Fix this code", Some("prin(1)\n"))
    };
    let endpoint = Endpoint::start(&[("200 OK", completion("```python\nprint(1)\n```"))]).await;
    let generation = generator(&endpoint.address, None).generate(&fix).await.expect("served");
    let (_, body) = endpoint.requests().remove(0);
    let prompt = body["messages"][1]["content"].as_str().expect("text");
    for part in ["prin(1)", "test_x", "assert 1 == 2", "line 3: weak hash"] {
        assert!(prompt.contains(part), "{prompt}");
    }
    assert_eq!(generation.run, EntryPoint::Script { path: "app.py".to_owned() });
    assert_eq!((generation.files[0].content.as_str(), generation.files[0].from_caller), ("print(1)\n", false));
    let expected = "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-prin(1)\n+print(1)\n";
    assert_eq!(generation.changes.as_deref(), Some(expected));
    let documentation = &generation.documentation;
    assert!(documentation.contains("## Changes") && !documentation.contains("prin(1)"), "{documentation}");
}

#[tokio::test]
async fn tests_of_the_callers_file_stay_and_run() {
    let given = "def add(a, b):\n    return a - b\n\n\ndef test_add():\n    assert add(1, 2) == 3\n";
    let fix = || GenerateRequest { current_file: Some("sums.py".to_owned()), ..request("Fix this code", Some(given)) };
    let fixed = given.replace("a - b", "a + b");
    let generation = answer("200 OK", solution(&[("sums.py", &fixed)]), &fix()).await.expect("served");
    let paths: Vec<_> = generation.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((paths, generation.run), (vec!["sums.py", "test_of_sums.py"], EntryPoint::Tests));
    for hostile in [
        "def add(a, b):\n    return a + b\n".to_owned(),
        fixed.replace("assert add(1, 2) == 3", "assert True"),
        fixed.replace("def test_add", "import pytest\n\n\n@pytest.mark.skip\ndef test_add"),
    ] {
        let (kind, code, message) = outcome(answer("200 OK", solution(&[("sums.py", &hostile)]), &fix()).await);
        assert_eq!((kind, code), ("fail", "generator_invalid_reply"), "{message}");
        assert!(message.contains("tests of the caller's file"), "{message}");
    }
}

#[tokio::test]
async fn tests_of_a_javascript_or_bash_file_stay_as_well() {
    let script = "const test = require('node:test');\nconst assert = require('node:assert');\ntest('adds', () => assert.equal(1 + 2, 4));\n";
    let shell = "test_add() {\n  [ $((1 + 2)) -eq 4 ]\n}\n";
    for (path, given, fixed, hostile) in [
        (
            "sums.test.js",
            script,
            script.replace('4', "3"),
            [script.replace("'adds'", "'other'"), script.replace("assert.equal(1 + 2, 4)", "{}")],
        ),
        (
            "test_sums.sh",
            shell,
            shell.replace('4', "3"),
            ["echo passed\n".to_owned(), "test_add() { true; }\n".to_owned()],
        ),
    ] {
        let fix = GenerateRequest { current_file: Some(path.to_owned()), ..request("Fix this code", Some(given)) };
        let endpoint = Endpoint::start(&[("200 OK", solution(&[(path, &fixed)]))]).await;
        let generation = generator_for_all(&endpoint).generate(&fix).await.expect("served");
        assert_eq!((generation.files[0].content.as_str(), generation.run), (fixed.as_str(), EntryPoint::Tests));
        for hostile in hostile {
            let endpoint = Endpoint::start(&[("200 OK", solution(&[(path, &hostile)]))]).await;
            let (_, code, message) = outcome(generator_for_all(&endpoint).generate(&fix).await);
            assert_eq!(code, "generator_invalid_reply", "{message}");
            assert!(message.contains("tests of the caller's file"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_plan_that_quotes_the_callers_file_is_left_out() {
    let code = "def settle(secret_total):\n    return   secret_total * 2\n";
    let document = json!({
        "plan": ["Keep return secret_total * 2", "First\n    return   secret_total * 2\nthen test"],
        "files": [{"path": "app.py", "content": "def settle(total):\n    return total * 3\n", "kind": "code"}],
        "notes": "It triples. `def settle(secret_total):` is gone.\nNever negative.",
    });
    let fix = GenerateRequest { current_file: Some("app.py".to_owned()), ..request("Fix this code", Some(code)) };
    let generation = answer("200 OK", completion(&document.to_string()), &fix).await.expect("served");
    let documentation = &generation.documentation;
    assert!(
        documentation.contains("1. First then test\n") && documentation.contains("Never negative."),
        "{documentation}"
    );
    assert!(!documentation.contains("secret_total"), "{documentation}");
}

#[tokio::test]
async fn a_changed_file_of_tests_is_code_that_the_test_runner_runs() {
    let fix =
        GenerateRequest { current_file: Some("test_app.py".to_owned()), ..request("Fix this code", Some("prin(1)")) };
    let reply = completion("```python name=test_app.py\nprint(1)\n```");
    let generation = answer("200 OK", reply, &fix).await.expect("served");
    let files: Vec<_> = generation.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
    assert_eq!((files, generation.run), (vec![("test_app.py", FilePurpose::Code)], EntryPoint::Tests));
}

#[tokio::test]
async fn tests_are_added_and_the_callers_file_stays() {
    let reply = "```python name=main.py\nraise SystemExit\n```\n```python name=test_main.py\nfrom main import x\n```";
    let generation =
        answer("200 OK", completion(reply), &request("Write tests for this", Some("x = 1\n"))).await.expect("served");
    let files: Vec<_> =
        generation.files.iter().map(|file| (file.path.as_str(), file.content.as_str(), file.from_caller)).collect();
    assert_eq!(files, [("main.py", "x = 1\n", true), ("test_main.py", "from main import x\n", false)]);
    assert_eq!(generation.run, EntryPoint::Tests);
}

#[tokio::test]
async fn an_explanation_leaves_out_what_quotes_the_callers_file() {
    let code = "def settle(secret_total):\n    return secret_total * 2\n";
    let reply = "The function doubles its argument.\n\nSee `def settle(secret_total):`.\n```python\nx = 1\n```\nIt never fails.\n";
    let explain = GenerateRequest { language: Some("python".to_owned()), ..request("Explain this code", Some(code)) };
    let generation = answer("200 OK", completion(reply), &explain).await.expect("served");
    assert_eq!(generation.documentation, "The function doubles its argument.\n\nIt never fails.\n");
    assert_eq!((generation.action, generation.repairable), (GenerationAction::Explained, false));
    assert_eq!(
        (generation.files[0].from_caller, &generation.run),
        (true, &EntryPoint::Script { path: "main.py".to_owned() })
    );
}

#[tokio::test]
async fn a_reviewers_comment_reaches_the_model_even_for_a_recipe() {
    let feedback = RoundFeedback { comment: Some("shorter names".to_owned()), ..RoundFeedback::default() };
    let goal = "Create a JWT authentication function with tests";
    let generation =
        answer("200 OK", completion(TWO_FILES), &GenerateRequest { feedback: Some(feedback), ..request(goal, None) })
            .await
            .expect("served");
    assert!(matches!(generation.origin, Origin::Model { .. }));
}

#[track_caller]
fn outcome(result: Result<Generation, GenerateError>) -> (&'static str, &'static str, String) {
    match result {
        Err(GenerateError::Retry { code, message, .. }) => ("retry", code, message),
        Err(GenerateError::Fail { code, message, .. }) => ("fail", code, message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn failures_say_whether_to_try_again_and_never_quote_the_answer() {
    let html = || "<html>SECRET</html>".to_owned();
    let problem = || json!({"error": {"message": "SECRET"}}).to_string();
    let cut = json!({"choices": [{"message": {"content": "```python\nx"}, "finish_reason": "length"}]}).to_string();
    for (status, body, expected) in [
        ("429 Too Many Requests", problem(), ("retry", "generator_rate_limited")),
        ("429 Too Many Requests", html(), ("retry", "generator_rate_limited")),
        ("500 Internal Server Error", html(), ("retry", "generator_unavailable")),
        ("503 Service Unavailable", problem(), ("retry", "generator_unavailable")),
        ("401 Unauthorized", problem(), ("fail", "generator_unauthorized")),
        ("404 Not Found", html(), ("fail", "generator_rejected")),
        ("200 OK", html(), ("fail", "generator_invalid_reply")),
        ("200 OK", "{}".to_owned(), ("fail", "generator_invalid_reply")),
        ("200 OK", json!({"choices": []}).to_string(), ("fail", "generator_invalid_reply")),
        ("200 OK", completion(""), ("fail", "generator_invalid_reply")),
        ("200 OK", completion("SECRET prose without files"), ("fail", "generator_invalid_reply")),
        ("200 OK", completion("```python name=../SECRET.py\nx\n```"), ("fail", "generator_invalid_reply")),
        ("200 OK", solution(&[("../SECRET.py", "x = 1")]), ("fail", "generator_invalid_reply")),
        ("200 OK", solution(&[("a.py", "x = 1"), ("/SECRET.py", "x = 1")]), ("fail", "generator_invalid_reply")),
        ("200 OK", solution(&[("a.py", "x = 1"), ("conftest.py", "x = 1")]), ("fail", "generator_invalid_reply")),
        ("200 OK", solution(&[("test_only.py", "x = 1")]), ("fail", "generator_invalid_reply")),
        ("302 Found\r\nlocation: http://127.0.0.1:1/SECRET", html(), ("fail", "generator_rejected")),
        ("200 OK", completion("```python name=test_only.py\nx\n```"), ("fail", "generator_invalid_reply")),
        ("200 OK", cut, ("fail", "generator_invalid_reply")),
    ] {
        let (kind, code, message) = outcome(answer(status, body.clone(), &request(ROCKET, None)).await);
        assert_eq!((kind, code), expected, "{status} {body}");
        assert!(!message.contains("SECRET") && !message.contains("rocket"), "{message}");
    }
}

#[tokio::test]
async fn a_reply_that_is_of_no_use_was_paid_for_all_the_same() {
    let of = |finish: &str, content: &str, usage: Value| {
        let choice = json!({"message": {"content": content}, "finish_reason": finish});
        json!({"choices": [choice], "usage": usage}).to_string()
    };
    let counted = json!({"total_tokens": 321});
    for (body, expected) in [
        (of("length", "```python\nx", counted.clone()), 321..=321),
        (of("stop", "", counted.clone()), 321..=321),
        // The second request asks for fenced blocks.
        (of("stop", "prose", counted), 642..=642),
        (of("length", "```python\nx", json!({"prompt_tokens": 300, "completion_tokens": 33})), 333..=333),
        (of("length", "```python\nx", json!({"total_tokens": null})), 1..=600),
        (of("length", &"x".repeat(40_000), Value::Null), 10_000..=12_000),
    ] {
        let refused = answer("200 OK", body.clone(), &request(ROCKET, None)).await;
        let Err(GenerateError::Fail { tokens, .. }) = refused else { panic!("{refused:?}") };
        assert!(expected.contains(&tokens), "{tokens}");
    }
    let refused = answer("401 Unauthorized", "{}".to_owned(), &request(ROCKET, None)).await;
    assert!(matches!(refused, Err(GenerateError::Fail { tokens: 0, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_refused_connection_and_a_timeout_are_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let silent = ModelConfig {
        base_url: format!("http://{address}/v1"),
        model: "tiny".to_owned(),
        api_key: None,
        timeout: Duration::from_millis(200),
        max_tokens: 10,
    };
    let generator =
        Generator::open(GeneratorConfig { model: Some(silent), ..GeneratorConfig::default() }).expect("valid settings");
    let unanswered = generator.generate(&request(ROCKET, None)).await;
    assert!(matches!(unanswered, Err(GenerateError::Retry { may_have_cost: true, .. })), "{unanswered:?}");
    assert_eq!(outcome(unanswered).1, "generator_timeout");
    drop(listener);
    let (kind, code, _) = outcome(generator.generate(&request(ROCKET, None)).await);
    assert_eq!((kind, code), ("retry", "generator_unavailable"));
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_was_asked_nothing() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    // Connections are not accepted; once the backlog is full, the kernel drops further ones.
    let mut queued = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        queued.push(stream.expect("a place in the queue"));
    }
    let away = ModelConfig {
        base_url: format!("http://{address}/v1"),
        model: "tiny".to_owned(),
        api_key: None,
        timeout: Duration::from_secs(2),
        max_tokens: 10,
    };
    let generator =
        Generator::open(GeneratorConfig { model: Some(away), ..GeneratorConfig::default() }).expect("valid settings");
    let unreached = generator.generate(&request(ROCKET, None)).await;
    assert!(matches!(unreached, Err(GenerateError::Retry { may_have_cost: false, .. })), "{unreached:?}");
}

#[tokio::test]
async fn a_call_that_is_not_heard_out_leaves_what_its_prompt_took() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let (generator, request) = (generator(&address, None), request(ROCKET, None));
    assert_eq!(request.prompt_tokens.count(), 0);
    let asked = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        receive(&mut stream).await.1
    };
    let body = tokio::select! {
        answer = generator.generate(&request) => panic!("{answer:?}"),
        body = asked => body,
    };
    let messages = body["messages"].as_array().expect("messages");
    let bytes: usize = messages.iter().map(|message| message["content"].as_str().expect("text").len()).sum();
    assert_eq!(request.prompt_tokens.count(), bytes.div_ceil(4) as u64);
}

#[tokio::test]
async fn a_spent_budget_asks_nobody() {
    let generator = generator("http://127.0.0.1:1/v1", None);
    let (kind, code, _) =
        outcome(generator.generate(&GenerateRequest { max_tokens: Some(0), ..request(ROCKET, None) }).await);
    assert_eq!((kind, code), ("fail", "budget_exceeded"));
}

#[test]
fn settings_that_cannot_work_are_refused_and_the_key_is_never_shown() {
    let good = ModelConfig {
        base_url: "https://example.com/v1".to_owned(),
        model: "tiny".to_owned(),
        api_key: Some("SECRET".to_owned()),
        timeout: Duration::from_secs(1),
        max_tokens: 1,
    };
    assert!(!format!("{good:?}").contains("SECRET"));
    let open =
        |model: ModelConfig| Generator::open(GeneratorConfig { model: Some(model), ..GeneratorConfig::default() });
    open(good.clone()).expect("valid settings");
    for bad in [
        ModelConfig { base_url: "example.com".to_owned(), ..good.clone() },
        ModelConfig { base_url: "ftp://example.com".to_owned(), ..good.clone() },
        ModelConfig { model: " ".to_owned(), ..good.clone() },
        ModelConfig { max_tokens: 0, ..good.clone() },
        ModelConfig { timeout: Duration::ZERO, ..good.clone() },
        ModelConfig { api_key: Some("SECRET\n".to_owned()), ..good.clone() },
    ] {
        let error = open(bad).expect_err("refused").to_string();
        assert!(error.starts_with("model settings: ") && !error.contains("SECRET"), "{error}");
    }
}
