//! Compares the output and end of an attack with the expectation.

use std::collections::BTreeMap;

use sandbox::{IsolationLevel, JobResult, Outcome, SandboxError};

use crate::case::{Case, ExpectedEnd};

/// Returns every deviation.
pub(crate) fn judge(case: &Case, level: IsolationLevel, result: &JobResult, wall_ms: u64) -> Vec<String> {
    let mut wrong = check_end(&case.expect.end, result, wall_ms);
    let says_nothing = case.expect.end.stdout_hex.is_some() || case.expect.end.stdout_bytes.is_some();
    if !says_nothing && !case.expect.as_tests {
        let said = String::from_utf8_lossy(&result.stdout);
        wrong.extend(check_attempts(&case.expect.blocked, level, &said, result.exit_code.is_some()));
    }
    if !wrong.is_empty() {
        wrong.push(format!("stdout: {}", tail(&result.stdout)));
        wrong.push(format!("stderr: {}", tail(&result.stderr)));
    }
    wrong
}

/// Checks the rejection of an attack that must not start.
pub(crate) fn judge_refusal(code: &str, error: &SandboxError, secret_words: &[String]) -> Vec<String> {
    let text = error.to_string();
    let mut wrong = Vec::new();
    if error.code() != code || error.is_retryable() {
        wrong.push(format!("refused as {} instead of {code}: {text}", error.code()));
    }
    wrong.extend(secrets_in(secret_words, text.as_bytes()));
    wrong
}

/// Returns the secret words that occur in a result.
pub(crate) fn leaks(secret_words: &[String], result: &JobResult) -> Vec<String> {
    let tests = result.tests.iter().flatten();
    let messages: String = tests.map(|test| format!("{} {:?}\n", test.name, test.message)).collect();
    let files = result.output_files.iter().map(|file| file.content.as_slice());
    [result.stdout.as_slice(), &result.stderr, messages.as_bytes()]
        .into_iter()
        .chain(files)
        .flat_map(|text| secrets_in(secret_words, text))
        .collect()
}

fn secrets_in(secret_words: &[String], text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    secret_words
        .iter()
        .filter(|word| text.contains(*word))
        .map(|word| format!("the host's {word:?} came out"))
        .collect()
}

/// Each line is `BLOCKED name answer`, `ESCAPED name evidence` or `BROKEN name error`; other lines are ignored.
fn check_attempts(
    blocked: &BTreeMap<String, Vec<String>>,
    level: IsolationLevel,
    said: &str,
    ended_by_itself: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut made: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    if ended_by_itself && !said.starts_with("CONTROL ok\n") {
        wrong.push("the attack does not show that it works".into());
    }
    for line in said.lines() {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("BLOCKED"), Some(name), Some(answer)) => made.entry(name).or_default().push(answer),
            (Some("ESCAPED" | "BROKEN"), ..) => wrong.push(line.chars().take(300).collect()),
            _ => {}
        }
    }
    for (name, answers) in &made {
        let allowed = blocked.get(*name);
        for answer in answers {
            if !allowed.is_some_and(|allowed| allowed.iter().any(|one| one == answer)) {
                wrong.push(format!("{name} was answered {answer}, expected at {level:?} is {allowed:?}"));
            }
        }
    }
    let missing = blocked.keys().filter(|name| !made.contains_key(name.as_str()));
    // A killed attack may not have made every attempt.
    wrong.extend(missing.filter(|_| ended_by_itself).map(|name| format!("{name} was not tried")));
    wrong
}

fn check_end(end: &ExpectedEnd, result: &JobResult, wall_ms: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |good: bool, what: String| wrong.extend((!good).then_some(what));
    let (code, signal) = (result.exit_code, result.signal);
    check(
        end.outcome.contains(&result.outcome),
        format!("outcome {:?}, code {code:?}, signal {signal:?}", result.outcome),
    );
    // Otherwise an attack that fails before its first attempt would count as blocked.
    let must_succeed = result.outcome == Outcome::Exited && end.exit_code.is_empty();
    let codes = if must_succeed { &[0] } else { end.exit_code.as_slice() };
    check(codes.is_empty() || code.is_some_and(|code| codes.contains(&code)), format!("exit {code:?}"));
    check(end.signal.is_empty() || signal.is_some_and(|one| end.signal.contains(&one)), format!("signal {signal:?}"));
    check(result.truncated == end.truncated, format!("truncated: {}", result.truncated));
    if let Some(hex) = &end.stdout_hex {
        let said: String = result.stdout.iter().map(|byte| format!("{byte:02x}")).collect();
        check(said == *hex, format!("stdout is {said}"));
    }
    if let Some(bytes) = end.stdout_bytes {
        check(result.stdout.len() == bytes, format!("{} bytes of stdout", result.stdout.len()));
    }
    let files: Vec<&str> = result.output_files.iter().map(|file| file.path.as_str()).collect();
    match end.output_files_count {
        Some(count) => check(files.len() == count, format!("{} output files", files.len())),
        None if end.any_output_files => {}
        None => check(files == end.output_files, format!("output files: {files:?}, left out: {:?}", result.left_out)),
    }
    let took = result.usage.wall_ms;
    // Generous, because the machine may be busy; `make bench` measures the delay.
    let most = end.within_ms.unwrap_or(wall_ms + 500) + 10_000;
    check(took <= most, format!("took {took} ms, the limit is {most}"));
    let mib = result.usage.max_rss_bytes >> 20;
    check(end.memory_at_most_mib.is_none_or(|most| mib <= most), format!("{mib} MiB were charged"));
    let cpu_ms = result.usage.cpu_ms;
    check(end.cpu_at_most_ms.is_none_or(|most| cpu_ms <= most), format!("used {cpu_ms} ms of the processor"));
    let reported = result.tests.iter().flatten();
    let reported: BTreeMap<_, _> =
        reported.map(|test| (test.name.clone(), format!("{:?}", test.outcome).to_lowercase())).collect();
    check(reported == end.tests, format!("tests: {reported:?}"));
    wrong
}

fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let skip = text.chars().count().saturating_sub(3000);
    text.chars().skip(skip).collect::<String>().escape_debug().to_string().replace("\\n", "\n")
}
