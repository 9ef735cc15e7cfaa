//! The interpreter that the first line of a script names.

/// Returns the base name of the interpreter of a `#!` line; behind `env` that of its command.
pub(crate) fn interpreter(code: &str) -> Option<&str> {
    let line = code.trim_start_matches('\u{feff}').trim_start().strip_prefix("#!")?.lines().next()?;
    // `#![...]` is an attribute of Rust.
    if line.starts_with('[') {
        return None;
    }
    let mut words = line.split_whitespace();
    let program = words.next().filter(|word| word.contains('/')).map(base_name)?;
    if program != "env" {
        return Some(program);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(base_name)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_the_first_word_or_the_command_of_env() {
        for (line, expected) in [
            ("#!/bin/bash", Some("bash")),
            ("#! /bin/bash -e", Some("bash")),
            ("#!/usr/bin/perl -w\r", Some("perl")),
            ("#!/usr/bin/env python3", Some("python3")),
            ("#!/usr/bin/env -S bash -eu", Some("bash")),
            ("#!/usr/bin/env -i LANG=C A=b node --no-warnings", Some("node")),
            ("#!/usr/bin/env /opt/bin/ruby", Some("ruby")),
            ("\u{feff}\n  #!/bin/sh", Some("sh")),
            ("#!/usr/bin/env", None),
            ("#![allow(dead_code)]", None),
            ("#!note", None),
            ("# !/bin/sh", None),
            ("", None),
        ] {
            assert_eq!(interpreter(&format!("{line}\nx = 1\n")), expected, "{line}");
        }
    }
}
