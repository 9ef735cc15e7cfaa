//! The program `promptcraft`, run like from a shell.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::stack::{Stack, program};

/// The result of a command.
#[derive(Debug)]
pub struct Seen {
    /// The exit code.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Seen {
    /// Checks that the command succeeded and returns its output.
    ///
    /// # Panics
    ///
    /// If it failed.
    #[track_caller]
    pub fn well(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.out
    }

    /// Checks that the command ended because its workflow waits for a decision, and returns its output.
    ///
    /// # Panics
    ///
    /// If it ended otherwise.
    #[track_caller]
    pub fn waits(&self) -> &str {
        assert_eq!(self.code, 8, "{self:?}");
        &self.out
    }

    /// Checks that the command failed with this exit code and one line on standard error that contains `why`.
    ///
    /// # Panics
    ///
    /// If it ended otherwise.
    #[track_caller]
    pub fn refused(&self, code: i32, why: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.err.matches(why).count(), 1, "said once: {why}; but: {self:?}");
    }
}

/// A shell in the data directory of a stack, without `PROMPTCRAFT_*` variables.
#[derive(Clone)]
pub struct Terminal<'s> {
    stack: &'s Stack,
    environment: Vec<(&'static str, String)>,
}

impl<'s> Terminal<'s> {
    pub fn new(stack: &'s Stack) -> Self {
        Self { stack, environment: Vec::new() }
    }

    /// Returns the shell's directory.
    pub fn directory(&self) -> &Path {
        self.stack.directory()
    }

    /// Returns the same shell with one more variable.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs `promptcraft` on the stack, with its output piped and an empty input.
    pub fn run(&self, words: &[&str]) -> Seen {
        self.run_with_input(words, "")
    }

    /// Runs `promptcraft` on the stack, with its output piped and this input.
    pub fn run_with_input(&self, words: &[&str], input: &str) -> Seen {
        let mut command = Command::new(program("promptcraft"));
        command.args(words).arg("--data").arg(self.stack.directory());
        self.finish(command, input)
    }

    /// Runs `promptcraft` with exactly these words, with its output piped and an empty input.
    pub fn run_elsewhere(&self, words: &[&str]) -> Seen {
        let mut command = Command::new(program("promptcraft"));
        command.args(words);
        self.finish(command, "")
    }

    /// Runs a line of shell script, with `promptcraft` on its path.
    pub fn shell(&self, script: &str) -> Seen {
        let mut command = Command::new("sh");
        let programs = program("promptcraft").parent().expect("a folder").to_owned();
        let path = std::env::join_paths([programs.as_path(), "/usr/bin".as_ref(), "/bin".as_ref()]);
        command.args(["-ec", script]).env("PATH", path.expect("a path"));
        self.finish(command, "")
    }

    /// Runs `promptcraft` on the stack in a pseudo-terminal of 80 columns, with this input. `out` is everything that it
    /// shows.
    pub fn type_at(&self, words: &[&str], typed: &str) -> Seen {
        let own = program("promptcraft").display().to_string();
        let data = self.stack.directory().display().to_string();
        let words = [own.as_str()].into_iter().chain(words.iter().copied()).chain(["--data", &data]);
        let quoted: Vec<String> = words.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let mut command = Command::new("script");
        command.args(["-qec", &format!("stty cols 80 rows 24; {}", quoted.join(" ")), "/dev/null"]);
        self.finish(command, typed)
    }

    fn finish(&self, mut command: Command, input: &str) -> Seen {
        for name in ["URL", "USER", "PASSWORD", "TOKEN"] {
            command.env_remove(format!("PROMPTCRAFT_{name}"));
        }
        command.env("TERM", "xterm").env_remove("NO_COLOR").envs(self.environment.iter().cloned());
        let piped = command.current_dir(self.stack.directory()).stdin(Stdio::piped());
        let mut child = piped.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        // A program that reads nothing may have ended already.
        drop(child.stdin.take().expect("an input").write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Seen { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// Replaces the words that differ from run to run: UUIDs, times, versions, digests and durations. Columns are one space
/// apart.
pub fn steady(shown: &str) -> String {
    let lines = shown.lines().map(|line| {
        if line.trim_start().starts_with("took ") {
            return "  took SO LONG".to_owned();
        }
        let words = line.split(' ').filter(|word| !word.is_empty()).map(|word| match word {
            word if is_id(word) => "ID",
            word if is_time(word) => "TIME",
            word if is_version(word) => "VERSION",
            word if word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) => "DIGEST",
            word => word,
        });
        let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
        format!("{indent}{}", words.collect::<Vec<_>>().join(" "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_id(word: &str) -> bool {
    word.len() == 36 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_version(word: &str) -> bool {
    word.split('.').count() == 3 && word.split('.').all(|part| part.parse::<u32>().is_ok())
}

fn is_time(word: &str) -> bool {
    let dashes = word.bytes().filter(|byte| *byte == b'-').count();
    let stamp = word.ends_with('Z') && word.contains('T');
    word.starts_with("20") && dashes == 2 && (stamp || word.len() == 10)
}
