//! Recognises secrets by the name they are bound to and by known formats.

use crate::findings::Findings;
use crate::rules;

/// Returns true if a name suggests a secret value.
pub(crate) fn is_secret_name(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "apikey",
        "api_key",
        "access_key",
        "private_key",
        "secret_key",
        "auth_key",
        "encryption_key",
        "credential",
        "credentials",
        "client_secret",
        "signing_key",
    ];
    const HARMLESS_ENDS: &[&str] = &[
        "_url",
        "_uri",
        "_name",
        "_field",
        "_path",
        "_file",
        "_header",
        "_type",
        "_id",
        "_prefix",
        "_regex",
        "_pattern",
        "_label",
        "_length",
        "_len",
        "_count",
        "_ttl",
        "_expiry",
        "_timeout",
        "_column",
        "_env",
        "_var",
        "_hash",
        "_endpoint",
        "_param",
        "_hint",
        "_error",
        "_message",
        "_help",
        "_title",
        "_placeholder",
        "_algorithm",
        "_key_id",
    ];
    let name = snake(name);
    if HARMLESS_ENDS.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    let padded = format!("_{name}_");
    WORDS.iter().any(|word| padded.contains(&format!("_{word}_")))
}

/// Normalizes `apiKey`, `API-KEY` and `api_key` to one name.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for c in name.chars().take(MAX_NAME) {
        if c.is_uppercase() && lower_before {
            snake.push('_');
        }
        lower_before = c.is_lowercase();
        snake.push(if c == '-' || c == '.' { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}

/// Returns true if a text is a placeholder, or too plain to be a secret.
pub(crate) fn is_placeholder(name: &str, text: &str) -> bool {
    const HOLDERS: &[&str] = &[
        "your",
        "example",
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "xxxx",
        "todo",
        "dummy",
        "redacted",
        "insert",
        "replace",
        "fake",
        "none",
        "null",
        "****",
        "env",
    ];
    let lower = text.trim().to_ascii_lowercase();
    let is_variable_name = text.len() > 3
        && text.contains('_')
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    lower.len() < 3
        || lower.contains(char::is_whitespace)
        || lower.starts_with(['<', '$', '{', '%', '/', '.'])
        || lower.contains("${")
        || lower.contains("{{")
        || is_identifier(text.trim()) && !is_password(name)
        || HOLDERS.iter().any(|holder| lower.starts_with(holder))
        || is_variable_name
        || snake(name).contains(&lower) && lower.len() > 3
        || matches!(
            lower.as_str(),
            "bearer" | "basic" | "password" | "token" | "secret" | "text" | "string" | "true" | "false"
        )
}

/// Returns true if the name is that of a password, which may consist of plain words.
fn is_password(name: &str) -> bool {
    let name = snake(name);
    ["password", "passwd", "passphrase", "pwd"].iter().any(|end| name.ends_with(end))
}

/// Returns true for short words without digits, joined as in names and paths. Secrets are often long rows of letters.
fn is_identifier(text: &str) -> bool {
    const MAX_WORD: usize = 16;
    const MAX_NAME_LENGTH: usize = 60;
    if text.len() > MAX_NAME_LENGTH || !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let mut words = text.split(['_', '.', '/', '-', ':']);
    let is_short = |word: &str| {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
        (1..=MAX_WORD).contains(&word.len()) && word.len() - rest.len() <= 1 && is_camel(rest)
    };
    words.all(is_short)
}

/// Returns true for camel-case words, each with at least two lower-case letters.
fn is_camel(text: &str) -> bool {
    let mut small = 2;
    for c in text.chars() {
        match c {
            'a'..='z' => small += 1,
            'A'..='Z' if small >= 2 => small = 0,
            _ => return false,
        }
    }
    small >= 2
}

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 80;

/// Reports `name = "..."`, `name: '...'` and `NAME="..."` in any language.
pub(crate) fn check(code: &str, number: u32, findings: &mut Findings<'_>) {
    let Some(quote_at) = code.find(['"', '\'', '`']) else { return };
    for (at, quote) in code[quote_at..].char_indices().filter(|(_, c)| matches!(c, '"' | '\'' | '`')) {
        let before = code[..quote_at + at].trim_end();
        let rest = &code[quote_at + at + 1..];
        let Some(end) = rest.find(quote) else { continue };
        let Some(target) = before.strip_suffix(['=', ':']) else { continue };
        let target = target.trim_end().trim_end_matches(':').trim_end_matches(['"', '\'', ']']);
        let name: String = target
            .chars()
            .rev()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            .take(MAX_NAME)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        // In `let token: string = "..."` the name precedes the type.
        let typed = target.rsplit_once(':').map(|(before, _)| last_word(before));
        let secret = [Some(name.as_str()), typed].into_iter().flatten().find(|name| is_secret_name(name));
        if let Some(name) = secret
            && !is_placeholder(name, &rest[..end])
        {
            findings.report_line(&rules::TEXT_SECRET, number, number);
            return;
        }
    }
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    text.get(start..).unwrap_or_default()
}

/// A prefix, the minimum characters after it, and the allowed characters.
type Format = (&'static str, usize, fn(char) -> bool);

/// Formats of secrets that are recognised under any name.
const FORMATS: &[Format] = &[
    ("AKIA", 16, |c| c.is_ascii_uppercase() || c.is_ascii_digit()),
    ("ghp_", 36, |c| c.is_ascii_alphanumeric()),
    ("gho_", 36, |c| c.is_ascii_alphanumeric()),
    ("github_pat_", 40, |c| c.is_ascii_alphanumeric() || c == '_'),
    ("glpat-", 20, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
    ("sk_live_", 20, |c| c.is_ascii_alphanumeric()),
    ("xoxb-", 20, |c| c.is_ascii_alphanumeric() || c == '-'),
    ("AIza", 35, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
    ("-----BEGIN RSA PRIVATE KEY", 5, |c| c == '-'),
    ("-----BEGIN PRIVATE KEY", 5, |c| c == '-'),
    ("-----BEGIN EC PRIVATE KEY", 5, |c| c == '-'),
    ("-----BEGIN OPENSSH PRIVATE KEY", 5, |c| c == '-'),
];

/// Reports keys of known formats anywhere in the text, also in comments.
pub(crate) fn report_known_formats(findings: &mut Findings<'_>) {
    let source = findings.source();
    for format in FORMATS.iter().filter(|(prefix, ..)| source.contains(prefix)) {
        let mut number = 0;
        for line in source.lines() {
            number += 1;
            if holds(line, format) {
                findings.report_line(&rules::TEXT_SECRET, number, number);
            }
        }
    }
}

fn holds(line: &str, (prefix, length, allowed): &Format) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        let mut after = line[at + prefix.len()..].chars().take(*length);
        let begins = !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        begins && after.clone().count() == *length && after.all(allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_placeholder, is_secret_name};

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in ["password", "DB_PASSWORD", "apiKey", "api-key", "auth_token", "clientSecret", "user_pwd"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["token_url", "password_field", "tokenizer", "secretary", "key", "password_hash", "author"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn placeholders_are_not_secrets() {
        for text in ["", "x", "your-password", "changeme", "${DB}", "enter it here", "DB_PASSWORD", "token"] {
            assert!(is_placeholder("token", text), "{text}");
        }
        for text in [
            "identifier",
            "token.created",
            "mail/reset.html",
            "NextToken",
            "private_key_jwt",
            "client-credentials",
            "accessToken",
        ] {
            assert!(is_placeholder("token_kind", text), "{text}");
        }
        assert!(!is_placeholder("password", "letmein") && is_placeholder("PASSWORD_RESET_TEMPLATE", "letmein"));
        for text in [
            "hunter2",
            "s3cr3t!",
            "abc123",
            "hunter2hunter2",
            "tr0ub4dor&3xyz",
            "admin123",
            "hunter2-hunter2",
            "aGVsbG8gd29ybGQ",
            "XyZaBcDeFgHiJkLm",
            "correcthorsebatterystaple",
            "Passw0rd",
            "4f9a.b2c1",
        ] {
            assert!(!is_placeholder("password", text), "{text}");
        }
    }
}
