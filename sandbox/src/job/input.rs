//! The input of a job besides its files: arguments, environment and stdin.

use crate::error::SandboxError;

/// Maximum bytes of all arguments and variables; the kernel limits both together.
const MAX_WORDS_BYTES: usize = 256 << 10;
const MAX_STDIN_BYTES: usize = 4 << 20;

/// The input of a job besides its files.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct JobInput {
    /// Arguments of a script; a test runner gets none.
    pub args: Vec<String>,
    /// Variables in addition to the runtime's, which they override. The caller decides which names are permitted.
    pub env: Vec<(String, String)>,
    /// The whole content of stdin.
    pub stdin: Vec<u8>,
}

/// Prints sizes only, so that logs do not quote submitted content.
impl std::fmt::Debug for JobInput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (args, env, stdin) = (self.args.len(), self.env.len(), self.stdin.len());
        write!(formatter, "JobInput({args} arguments, {env} variables, {stdin} bytes of stdin)")
    }
}

impl JobInput {
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let rejected = |detail: &str| Err(SandboxError::fail("input_rejected", detail));
        let values = self.env.iter().map(|(_, value)| value);
        if self.args.iter().chain(values).any(|word| word.contains('\0')) {
            return rejected("an argument or a variable contains a NUL character");
        }
        if !self.env.iter().all(|(name, _)| is_name(name)) {
            return rejected("the name of a variable is not made of letters, digits and `_`");
        }
        let variables = self.env.iter().map(|(name, value)| name.len() + value.len());
        let words: usize = self.args.iter().map(String::len).chain(variables).sum();
        if words > MAX_WORDS_BYTES {
            return rejected("the arguments and variables are larger than 256 KiB");
        }
        if self.stdin.len() > MAX_STDIN_BYTES {
            return rejected("stdin is larger than 4 MiB");
        }
        Ok(())
    }
}

/// Shells export functions under other names.
fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_that_the_kernel_or_a_shell_would_read_otherwise_is_refused() {
        let args = |word: &str| JobInput { args: vec![word.to_owned()], ..JobInput::default() };
        let env = |name: &str, value: &str| JobInput { env: vec![(name.into(), value.into())], ..JobInput::default() };
        for input in [JobInput::default(), args("-c"), args(""), env("A_1", "x y=z"), env("_", "")] {
            input.check().expect("is accepted");
        }
        for input in [
            args("a\0b"),
            env("A", "\0"),
            env("", "x"),
            env("A=B", "x"),
            env("1A", "x"),
            env("BASH_FUNC_ls%%", "() { :; }"),
            args(&"x".repeat(MAX_WORDS_BYTES + 1)),
            JobInput { stdin: vec![0; MAX_STDIN_BYTES + 1], ..JobInput::default() },
        ] {
            assert_eq!(input.check().expect_err("is refused").code(), "input_rejected");
        }
        let secret = JobInput { stdin: b"secret".to_vec(), ..args("secret") };
        assert!(!format!("{secret:?}").contains("secret"));
    }
}
