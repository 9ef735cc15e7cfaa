//! User commands of `promptcraft`, and their output.

use std::fs;

use insta::assert_snapshot;
use tests::{Options, Seen, Stack, Terminal, steady};

const UNSERVED: &str = "Make me a sandwich with extra cheese";

#[tokio::test]
async fn a_user_gets_by_with_the_program() {
    let stack = Stack::start().await;
    fs::write(stack.directory().join("hello.py"), "print('hello')\n").expect("a file");
    let terminal = Terminal::new(&stack);
    assert_snapshot!(terminal.run(&["list"]).well(), @r#"No workflows. Start one: promptcraft run "Write an LRU cache with tests" --watch"#);
    assert_snapshot!(terminal.run(&["inbox"]).well(), @"No pending approvals.");
    who_signs_in(&stack);
    what_is_wrong_is_said(&terminal);
    a_goal_is_followed_to_its_end(&terminal);
    a_result_waits_for_its_decision(&terminal);
    a_result_is_sent_back_or_rejected(&terminal);
    a_goal_that_nothing_serves_asks_for_help(&terminal);
    running_code_is_cancelled(&stack).await;
    a_list_has_a_line_for_each(&terminal);
    code_that_fails_fails_the_command(&terminal);
}

/// Prints a line at once and one after half a second, and leaves files whose names a URL or a terminal would misread.
const PLOT: &str = concat!(
    "import os, time\nprint('early', flush=True)\ntime.sleep(0.5)\nprint('late', end='')\nos.makedirs('outputs/a b')\n",
    "for name in ('a b/50%.txt', 'c#d?.txt', '\\u202egnp.exe'): open('outputs/' + name, 'w').write(name)\n",
);

#[tokio::test]
async fn output_is_shown_while_code_runs_and_its_files_are_saved() {
    let stack = Stack::start_with(Options { backend: "bubblewrap", ..Options::default() }).await;
    fs::write(stack.directory().join("plot.py"), PLOT).expect("a file");
    let terminal = Terminal::new(&stack);
    let seen = terminal.run(&["run", "plot.py", "--no-approval", "--watch", "--outputs", "results"]);
    let lines: Vec<&str> = seen.well().lines().map(str::trim).collect();
    let at =
        |wanted: &str| lines.iter().position(|line| *line == wanted).unwrap_or_else(|| panic!("{wanted}: {seen:?}"));
    let ended = lines.iter().position(|line| line.starts_with("completed ")).expect("an end");
    assert!(at("| early") < ended && at("| late") > 0, "{seen:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("| ")).count(), 2, "each line once: {seen:?}");
    assert!(!seen.well().contains('\u{202e}'), "{seen:?}");
    for name in ["a b/50%.txt", "c#d?.txt", "\u{202e}gnp.exe"] {
        let saved = fs::read_to_string(stack.directory().join("results").join(name)).expect("is saved");
        assert_eq!(saved, name);
    }
    let id = lines[ended].split(' ').nth(1).expect("an id").to_owned();
    assert!(terminal.run(&["outputs", &id]).well().contains("outputs/c#d?.txt  8 bytes"));
    let again = || terminal.run(&["outputs", &id, "--to", "results"]);
    assert!(again().well().contains("unchanged results/c#d?.txt\n"), "equal content is no failure");
    fs::write(stack.directory().join("results/a b/50%.txt"), "own").expect("a file");
    fs::remove_file(stack.directory().join("results/c#d?.txt")).expect("is removed");
    again().refused(1, "cannot save a b/50%.txt: results/a b/50%.txt exists with other content, and is kept");
    assert_eq!(fs::read_to_string(stack.directory().join("results/a b/50%.txt")).expect("a file"), "own");
    assert!(stack.directory().join("results/c#d?.txt").exists(), "the others are saved");
    let kept = terminal.run(&["run", "plot.py", "--no-approval", "--outputs", "results"]);
    kept.refused(1, "The run itself succeeded");
}

/// Writes a program to `name` in the terminal's folder, and runs it with `words`.
fn run_program(terminal: &Terminal, name: &str, text: &str, words: &[&str]) -> Seen {
    fs::write(terminal.directory().join(name), text).expect("a file");
    terminal.run(&[&["run", name, "--no-approval"], words].concat())
}

const ROWS: &str = "import time\nprint('computing', flush=True)\ntime.sleep(1)\nfor i in range(60): print('row', i)\n";

#[tokio::test]
async fn the_output_of_given_code_is_printed_whole() {
    let options = Options { backend: "bubblewrap", ..Options::default() };
    let stack = Stack::start_with(options.with("limits.profile", "load")).await;
    let terminal = Terminal::new(&stack);
    let expected: Vec<String> =
        std::iter::once("computing".into()).chain((0..60).map(|i| format!("row {i}"))).collect();
    let printed = |seen: &Seen| -> Vec<String> {
        seen.out.lines().filter_map(|line| line.trim().split_once("| ")).map(|(_, line)| line.to_owned()).collect()
    };
    let watched = run_program(&terminal, "rows.py", ROWS, &["--watch"]);
    assert_eq!(printed(&watched), expected, "each line once: {watched:?}");
    let id = watched.out.lines().find_map(|line| line.strip_prefix("accepted ")).expect("an id").to_owned();
    assert_eq!(printed(&terminal.run(&["status", &id])), expected);
    assert_eq!(printed(&terminal.run(&["run", "rows.py", "--no-approval", "--wait"])), expected);

    let long = run_program(&terminal, "long.py", "print('x' * (1 << 21))\n", &["--wait"]);
    assert!(long.well().contains("  The output is cut: the service kept the first 1.0 MiB of stdout.\n"), "{long:?}");
    let hint = run_program(&terminal, "hint.py", "import flask\n", &["--wait"]);
    assert!(hint.out.contains("  the runtime python has no module flask"), "{hint:?}");
    let colour = run_program(&terminal, "colour.py", "print('\\x1b[31mred\\x1b[0m 1\\r2')\n", &["--wait"]);
    assert!(colour.well().contains("  | red 1\n  | 2\n"), "{colour:?}");
    let none = run_program(&terminal, "none.py", "print(1)\n", &["--outputs", "results"]);
    assert!(none.well().ends_with("no files in outputs\n"), "{none:?}");

    let tests = "import sys\nfor i in range(60): print(i, file=sys.stderr)\n";
    let documented = run_program(&terminal, "many.py", tests, &["--mode", "document", "--wait"]);
    assert!(documented.out.contains(" --full)\n"), "{documented:?}");
    let id = documented.out.split_whitespace().nth(1).expect("an id").to_owned();
    assert_eq!(printed(&terminal.run(&["status", &id, "--full"])).len(), 60);
}

#[tokio::test]
async fn a_command_says_what_it_leaves_and_what_it_waits_for() {
    let options = Options { backend: "bubblewrap", ..Options::default() }.with("limits.profile", "standard");
    let stack = Stack::start_with(options.with("limits.execute", "3/10")).await;
    let terminal = Terminal::new(&stack);
    let data = stack.directory().display().to_string();
    fs::write(stack.directory().join("slow.py"), "import time\ntime.sleep(60)\n").expect("a file");
    for progress in ["--watch", "--wait"] {
        let words = format!("promptcraft run slow.py --no-approval {progress} --data '{data}'");
        let stopped = terminal.shell(&format!("timeout --preserve-status -s INT 3 {words}"));
        assert_eq!(stopped.code, 130, "{stopped:?}");
        let id = stopped.err.split_whitespace().next().expect("an id");
        assert_eq!(stopped.err.trim(), format!("{id} still runs; promptcraft cancel {id}"));
        terminal.run(&["cancel", id]).well();
    }

    fs::write(stack.directory().join("data.bin"), b"\xff\x00").expect("a file");
    terminal.run(&["run", "slow.py", "data.bin"]).refused(1, "data.bin is not UTF-8 text; only UTF-8 text can be sent");
    let mut submitted = (0..12).map(|_| terminal.run(&["run", "slow.py"]));
    let delayed = submitted.find(|seen| !seen.err.is_empty()).expect("the rate limit was not reached");
    assert_eq!(delayed.well().trim().len(), 36, "{delayed:?}");
    assert!(delayed.err.starts_with("The rate limit is reached; trying again in "), "{delayed:?}");
}

#[tokio::test]
async fn following_outlives_the_token_and_the_api() {
    let stack = Stack::start_with(Options::default().with("auth.access_ttl", "2s")).await;
    fs::write(stack.directory().join("slow.py"), "import time\ntime.sleep(6)\nprint('slept')\n").expect("a file");
    let terminal = Terminal::new(&stack);
    let words = ["run", "Run this script please", "--file", "slow.py", "--no-approval", "--watch"];
    let seen = terminal.run(&words);
    assert!(seen.well().contains("slept"), "{seen:?}");

    let followed = std::thread::scope(|scope| {
        let following = scope.spawn(|| terminal.run(&words));
        while stack.interpreters_below("worker-1") == 0 {
            assert!(!following.is_finished(), "it ended before it was seen to run");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        stack.kill("api");
        following.join().expect("no panic")
    });
    assert!(followed.well().contains("slept"), "{followed:?}");
}

fn who_signs_in(stack: &Stack) {
    let url = stack.url();
    let terminal = Terminal::new(stack);
    let answer = terminal.shell(&format!(
        "eval \"$(promptcraft login --url {url} --user test_user --password test_pass)\"; promptcraft list --url {url}"
    ));
    assert!(answer.well().starts_with("No workflows."), "{answer:?}");
    assert_eq!(answer.err, "The token expires in 15 minutes.\n");
    let named = |words: &[&str]| terminal.run_elsewhere(&[&["list", "--url", url], words].concat());
    named(&["--user", "test_user", "--password", "wrong"]).refused(1, "error: Invalid credentials (HTTP 401)\n");
    named(&["--user", "test_user"]).refused(1, "no password for test_user. Set PROMPTCRAFT_PASSWORD");
    named(&[]).refused(1, "no credentials. Set PROMPTCRAFT_TOKEN");
    terminal.clone().with("PROMPTCRAFT_TOKEN", "old").run(&["list"]).refused(1, "Sign in again: eval");
    let nobody = ["list", "--url", "http://127.0.0.1:1", "--user", "a", "--password", "b"];
    terminal.run_elsewhere(&nobody).refused(1, "Start a stack with `promptcraft up`");
    let environment = terminal.clone().with("PROMPTCRAFT_URL", url).with("PROMPTCRAFT_USER", "approver");
    environment.with("PROMPTCRAFT_PASSWORD", "approver_pass").run_elsewhere(&["inbox"]).well();
}

fn what_is_wrong_is_said(terminal: &Terminal) {
    let file = ["run", "Run this script please", "--file", "missing.py"];
    terminal.run(&file).refused(1, "cannot read missing.py: No such file");
    terminal.run(&["run", "xy"]).refused(1, "goal: must be 3 to 10000 characters after trimming whitespace");
    terminal.run(&["list", "--status", "done"]).refused(1, "must be one of created, running, waiting_approval");
    let unknown = "018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3";
    for words in
        [["status", "nonsense"], ["status", unknown], ["approve", unknown], ["reject", unknown], ["cancel", unknown]]
    {
        terminal.run(&words).refused(1, "Workflow not found, or you do not have access to it. (HTTP 404)");
    }
    terminal.run(&["analyse", "hello.py"]).refused(2, "a similar subcommand exists: 'analyze'");
}

fn a_goal_is_followed_to_its_end(terminal: &Terminal) {
    let piped = terminal.run(&["run", "Write an LRU cache with tests", "--no-approval", "--watch"]);
    let shown = piped.well();
    let progress: Vec<&str> = shown.lines().filter(|line| line.contains("/5 ")).collect();
    assert_eq!(progress.last(), Some(&"5/5 completed"), "{shown}");
    assert!(progress.is_sorted(), "progress decreased: {progress:?}");
    assert!(shown.contains("class LRUCache") && shown.contains("15 of 15 tests passed"), "{shown}");
    assert!(!shown.contains('\x1b'), "escape codes in a pipe: {shown}");

    fs::write(terminal.directory().join("slow.py"), "import time\ntime.sleep(1)\nprint('slept')\n").expect("a file");
    let words = ["run", "Run this script please", "--file", "slow.py", "--no-approval", "--watch"];
    let live = terminal.type_at(&words, "");
    let shown = live.well();
    assert!(shown.contains('─') && shown.contains("/5 "), "a bar: {shown}");
    assert!(shown.contains("\x1b[32mcompleted\x1b[0m") && shown.contains("slept"), "then the result: {shown}");
    assert!(!shown.contains("\x1b[1A"), "the bar keeps to its line: {shown}");
    let dull = terminal.clone().with("NO_COLOR", "1").type_at(&words, "");
    assert!(!dull.well().contains("\x1b[32m"), "{dull:?}");
}

/// Submits `hello.py`; only the id is printed.
fn submit(terminal: &Terminal) -> String {
    terminal.run(&["run", "Run this script please", "--file", "hello.py"]).well().trim_end().to_owned()
}

/// Returns the output about a settled workflow, without the progress before.
fn rested(seen: &Seen) -> String {
    let result: Vec<&str> = seen
        .out
        .lines()
        .skip_while(|line| line.starts_with(|first: char| first.is_ascii_digit()) || line.starts_with("accepted "))
        .collect();
    steady(&result.join("\n"))
}

fn a_result_waits_for_its_decision(terminal: &Terminal) {
    let id = submit(terminal);
    let parked = terminal.run(&["status", &id, "--watch"]);
    parked.waits();
    assert_snapshot!(rested(&parked), @r"
    waiting_approval ID Run this script please
      ran, python VERSION
      exit code 0, no tests
      | hello
      took SO LONG
      May this result (the caller's own code) be released? Ran the given code: exit code 0, no tests.
      risk: low
      expires: TIME
      command: run hello.py
      promptcraft approve ID or promptcraft reject ID
    ");
    assert_snapshot!(steady(terminal.run(&["inbox"]).well()), @r"
    ID Run this script please
      May this result (the caller's own code) be released? Ran the given code: exit code 0, no tests.
      risk: low
      expires: TIME
      command: run hello.py

    To see all of one: promptcraft status WORKFLOW
    To decide: promptcraft approve WORKFLOW or promptcraft reject WORKFLOW
    ");
    let approve = ["approve", &id];
    terminal.run(&approve).refused(1, "no terminal to confirm on: pass --digest DIGEST or --yes");
    terminal.run(&[&approve[..], &["--digest", "00"]].concat()).refused(1, "does not match the parked content");
    let stranger = terminal.clone().with("PROMPTCRAFT_USER", "stress_user").with("PROMPTCRAFT_PASSWORD", "stress_pass");
    stranger.run(&[&approve[..], &["--yes"]].concat()).refused(1, "Workflow not found");
    let hesitant = terminal.type_at(&approve, "n\n");
    assert!(hesitant.code == 1 && hesitant.out.contains("Approve? [y/N]"), "{hesitant:?}");
    assert!(hesitant.out.contains("no decision was sent"), "{hesitant:?}");
    assert!(terminal.run(&["status", &id]).well().starts_with("waiting_approval"));
    let agreed = terminal.type_at(&approve, "y\n");
    assert!(agreed.well().contains("the workflow has ended. (completed)"), "{agreed:?}");
    terminal.run(&approve).refused(1, "has no pending approval; its status is completed");
    terminal.run(&["cancel", &id]).refused(1, "has already ended; nothing was cancelled");
    assert_snapshot!(steady(terminal.run(&["status", &id]).well()), @r"
    completed ID Run this script please
      ran, python VERSION
      exit code 0, no tests
      | hello
      took SO LONG
    ");
    let json = terminal.run(&["status", &id, "--json"]);
    let document: serde_json::Value = serde_json::from_str(json.well()).expect("JSON");
    assert_eq!((&document["workflow_id"], &document["status"]), (&id.into(), &"completed".into()));
}

fn a_result_is_sent_back_or_rejected(terminal: &Terminal) {
    let goal = "Write a slugify function with tests";
    let id = terminal.run(&["run", goal]).well().trim_end().to_owned();
    let parked = terminal.run(&["status", &id, "--watch"]);
    let last = parked.waits().lines().last().expect("lines");
    assert_eq!(
        last,
        format!("  promptcraft approve {id}   or   promptcraft reject {id}"),
        "the next command is the last line"
    );
    let again = ["reject", &id, "--request-changes", "--comment", "keep umlauts", "--yes"];
    assert!(terminal.run(&again).well().contains("the workflow goes on. (running)"));
    let second = terminal.run(&["status", &id, "--watch"]);
    let asked = "  Changes were requested: \"keep umlauts\". They cannot be made: no language model is configured.";
    assert!(second.waits().contains(asked), "{second:?}");
    let last = second.out.lines().last().expect("lines");
    assert!(last.contains("--file CODE (or --recipe NAME)   or   promptcraft reject"), "{second:?}");
    assert!(terminal.run(&["reject", &id, "--comment", "no", "--yes"]).well().contains("(failed)"));
    let failed = terminal.run(&["status", &id, "--watch"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.out.contains("  rejected: An approver rejected the result, saying \"no\"."), "{failed:?}");
}

fn a_goal_that_nothing_serves_asks_for_help(terminal: &Terminal) {
    let alone = terminal.run(&["run", UNSERVED, "--no-approval", "--watch"]);
    assert_eq!(alone.code, 1, "{alone:?}");
    assert!(
        alone.out.contains("  no_generator: No generator can serve this goal.\n  No recipe fits the goal."),
        "{alone:?}"
    );

    let parked = terminal.run(&["run", UNSERVED, "--watch"]);
    let id = parked.waits().split_whitespace().nth(1).expect("an id").to_owned();
    assert!(parked.out.contains(&format!("promptcraft approve {id} --file CODE (or --recipe NAME)")), "{parked:?}");
    terminal.run(&["approve", &id, "--yes"]).refused(1, "pass --file CODE or --recipe NAME, or reject it");
    let helped = terminal.run(&["approve", &id, "--file", "hello.py", "--yes"]);
    assert!(helped.well().contains("goes on. (running)"), "{helped:?}");
    let second = terminal.run(&["status", &id, "--watch"]);
    assert!(second.waits().contains("  | hello\n"), "{second:?}");
    terminal
        .run(&["approve", &id, "--recipe", "lru-cache", "--yes"])
        .refused(1, "a recipe or code is accepted for needs_input only");
    assert_eq!(terminal.run(&["cancel", &id]).well(), format!("cancelled {id}\n"));
    assert_eq!(terminal.run(&["cancel", &id]).well(), format!("cancelled {id}\n"), "again is no error");
}

async fn running_code_is_cancelled(stack: &Stack) {
    let terminal = Terminal::new(stack);
    fs::write(stack.directory().join("long.py"), tests::long_program(600)).expect("a file");
    let submitted = terminal.run(&["run", "Run this script please", "--file", "long.py"]);
    let id = submitted.well().trim_end();
    tests::eventually("the code runs", std::time::Duration::from_secs(60), || async {
        terminal.run(&["status", id]).well().starts_with("running").then_some(())
    })
    .await;
    terminal.run(&["cancel", id]).well();
    let ended = terminal.run(&["status", id, "--watch"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.out.contains("\ncancelled "), "{ended:?}");
}

fn code_that_fails_fails_the_command(terminal: &Terminal) {
    let run = |name: &str, text: &str, goal: &str| {
        fs::write(terminal.directory().join(name), text).expect("a file");
        terminal.run(&["run", goal, "--file", name, "--no-approval", "--watch"])
    };
    let failed = run(
        "fails.py",
        "import sys\nprint('out')\nprint('why', file=sys.stderr)\nsys.exit(3)\n",
        "Run this script please",
    );
    assert_eq!(failed.code, 1, "{failed:?}");
    assert_snapshot!(rested(&failed), @r"
    completed ID Run this script please
      ran, python VERSION
      exit code 3, no tests
      | out
      stderr | why
      took SO LONG
    ");
    fs::write(terminal.directory().join("endless.py"), "print('begun', flush=True)\nwhile True: pass\n")
        .expect("a file");
    let words = ["run", "Run this script please", "--file", "endless.py", "--no-approval", "--watch"];
    let endless = terminal.run(&[&words[..], &["--timeout", "2"]].concat());
    assert_eq!(endless.code, 1, "{endless:?}");
    assert!(endless.out.contains("  timed out, no tests\n"), "{endless:?}");
    assert!(endless.out.contains("(timeout_seconds") && endless.out.contains("  | begun\n"), "{endless:?}");
    let tests = run("sums.py", "def test_sum():\n    assert 1 + 1 == 3\n", "Run the tests");
    assert_eq!(tests.code, 1, "{tests:?}");
    assert!(
        tests.out.contains("  tested, python 3") && tests.out.contains("  0 of 1 tests passed, exit code 1\n"),
        "{tests:?}"
    );
    assert!(
        tests.out.contains("  test_sums.py::test_sum: test_sums.py:2: AssertionError: assert (1 + 1) == 3"),
        "{tests:?}"
    );
    let wish =
        terminal.run(&["run", "Fix this code", "--mode", "run", "--file", "hello.py", "--no-approval", "--watch"]);
    assert!(wish.well().contains("  ran, python 3"), "{wish:?}");
}

fn a_list_has_a_line_for_each(terminal: &Terminal) {
    let goal = format!("Run this\n\nscript {}", "and print what it prints ".repeat(4));
    terminal.run(&["run", &goal, "--file", "hello.py", "--no-approval", "--watch"]).well();
    assert_snapshot!(steady(terminal.run(&["list"]).well()), @r"
    WORKFLOW STATUS CREATED GOAL
    ID completed TIME Run this script and print what it prints and print what it …
    ID cancelled TIME Run this script please
    ID cancelled TIME Make me a sandwich with extra cheese
    ID failed TIME Make me a sandwich with extra cheese
    ID failed TIME Write a slugify function with tests
    ID completed TIME Run this script please
    ID completed TIME Run this script please
    ID completed TIME Run this script please
    ID completed TIME Write an LRU cache with tests
    ");
    let some = terminal.run(&["list", "--status", "cancelled", "--limit", "1"]);
    assert_snapshot!(steady(some.well()), @r"
    WORKFLOW STATUS CREATED GOAL
    ID cancelled TIME Run this script please

    There are older workflows: raise --limit (up to 100) or filter with --status
    ");
}
