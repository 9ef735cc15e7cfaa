//! Recognizes text that is not a program: data, markup and build files.

use serde_json::Value;
use serde_json::de::Deserializer;

/// The name of notebooks.
pub(crate) const NOTEBOOK: &str = "a Jupyter notebook";

/// Returns the name of the format if the text is data or markup, whatever language its strings hold.
pub(crate) fn of(code: &str) -> Option<&'static str> {
    let text = code.trim_start_matches('\u{feff}').trim();
    if is_json(text) {
        return Some(if is_notebook(text) { NOTEBOOK } else { "JSON" });
    }
    let lower: String = text.chars().take(40).collect::<String>().to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return Some("HTML");
    }
    if lower.starts_with("<?xml") || text.starts_with('<') && !lower.starts_with("<?") && text.ends_with('>') {
        return Some("markup");
    }
    if text.starts_with("diff --git ") || text.starts_with("--- ") && text.contains("\n+++ ") {
        return Some("a patch");
    }
    None
}

/// Returns the kind of build file that the text is, if it is no program: Python with tabs may look like a makefile.
pub(crate) fn build_file(code: &str) -> Option<&'static str> {
    let text = code.trim_start_matches('\u{feff}').trim();
    if is_dockerfile(text) {
        return Some("a Dockerfile");
    }
    has_make_rule(text).then_some("a makefile")
}

/// Returns whether the text is a notebook: a JSON object with `nbformat`.
pub(crate) fn is_notebook(code: &str) -> bool {
    let text = code.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('{')
        && text.contains("\"nbformat\"")
        && serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("nbformat").is_some())
}

/// Returns whether the text is JSON objects or arrays, one or several.
fn is_json(text: &str) -> bool {
    if !text.starts_with(['{', '[']) {
        return false;
    }
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    values.all(|value| value.is_ok_and(|value| value.is_object() || value.is_array()))
}

/// Returns whether most lines are the keys and items of YAML.
pub(crate) fn is_yaml(code: &str) -> bool {
    let lines: Vec<&str> =
        code.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).collect();
    let is_key = |line: &str| {
        let entry = line.trim_start_matches("- ").split_once(':');
        entry.is_some_and(|(key, value)| {
            let is_word = |c: char| c.is_alphanumeric() || "_-./\"'".contains(c);
            !key.is_empty()
                && key.chars().all(is_word)
                && (value.is_empty() || value.starts_with(' '))
                && !value.ends_with([',', ';', '(', '{'])
        })
    };
    let (mut keys, mut items) = (0, 0);
    // The indentation of the key whose block of text goes on.
    let mut block: Option<usize> = None;
    for line in &lines {
        let (indent, line) = (line.len() - line.trim_start().len(), line.trim());
        if block.is_some_and(|start| indent > start) {
            items += 1;
            continue;
        }
        block = None;
        if is_key(line) {
            keys += 1;
            let opens = [": |", ": >"].iter().any(|mark| line.trim_end_matches(['-', '+']).ends_with(mark));
            block = opens.then_some(indent);
        } else if line.starts_with("- ") || line == "---" {
            items += 1;
        }
    }
    lines.len() >= 2 && keys > 0 && (keys + items) * 5 >= lines.len() * 4
}

fn is_dockerfile(text: &str) -> bool {
    const INSTRUCTIONS: &[&str] = &["RUN ", "CMD ", "COPY ", "ADD ", "ENTRYPOINT ", "WORKDIR ", "ENV ", "EXPOSE "];
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| line.starts_with("FROM ") || line.starts_with("ARG "))
        && lines.any(|line| INSTRUCTIONS.iter().any(|instruction| line.starts_with(instruction)))
}

/// Returns whether a line is the target of a makefile, with a command behind a tab.
fn has_make_rule(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let is_target = |line: &str| {
        line.split_once(':').is_some_and(|(name, needs)| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || "_-./%".contains(c);
            let name = name.replace("$(", "").replace(')', "");
            let is_call = line.contains('(') && !line.contains("$(");
            let is_keyword = matches!(name.as_str(), "else" | "try" | "finally" | "except" | "default" | "lambda");
            let needs = needs.replace("$(", "");
            let is_rest = needs.is_empty() || needs.starts_with(' ') && !needs.contains(['(', '\'', '"']);
            !name.is_empty() && name.chars().all(is_name) && !is_keyword && !is_call && is_rest
        })
    };
    lines.windows(2).any(|pair| is_target(pair[0]) && pair[1].starts_with('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_and_markup_are_no_programs() {
        for (text, expected) in [
            ("{\"a\": null}", Some("JSON")),
            (" [1, 2]\n", Some("JSON")),
            ("{\"a\": 1}\n{\"a\": 2}\n", Some("JSON")),
            ("{\"cells\": [], \"nbformat\": 4}", Some("a Jupyter notebook")),
            ("<!DOCTYPE html>\n<script>console.log(1)</script>", Some("HTML")),
            ("<project></project>", Some("markup")),
            ("diff --git a/x b/x\n--- a/x\n+++ b/x\n", Some("a patch")),
            ("# base\nFROM python:3\nRUN echo hi\n", Some("a Dockerfile")),
            ("all: main.o\n\techo hi\n", Some("a makefile")),
            ("print({'a': 1})", None),
            ("[x for x in 'ab']", None),
            ("<?php echo 1;", None),
            ("try:\n\tx = 1\nfinally:\n\tpass\n", None),
            ("if x:\n\ty()\n", None),
            ("while(True):\n\tprint(1)\n", None),
            ("$(OUT): $(OBJECTS)\n\tcc -o $@ $^\n", Some("a makefile")),
        ] {
            assert_eq!(of(text).or(build_file(text)), expected, "{text}");
        }
        assert!(is_yaml("a: 1\nb: 2\n") && is_yaml("name: ci\non: push\njobs:\n  - run: ls -la\n  - x\n"));
        let steps = "on: push\njobs:\n  a:\n    steps:\n      - run: |\n          echo one\n          make all\n          echo two\n";
        assert!(is_yaml(steps));
        assert!(!is_yaml("a: int = 1\nprint(a)\n") && !is_yaml("just: one") && !is_yaml("- a\n- b\n"));
        assert!(!is_yaml("def f():\n  return 1\n"));
    }
}
