//! Output of programs as text for a terminal.

use crate::output::sanitize;

/// Returns output as lines of text: control sequences of terminals (CSI, such as colours, and OSC, such as titles) are
/// removed, a carriage return ends a line, and other control characters are replaced.
///
/// Only for output: in code, a removed sequence could hide a part of it. The text of two parts that are cut behind a line
/// is the text of the whole.
pub(crate) fn program_text(output: &str) -> String {
    let lines = output.replace("\r\n", "\n").replace('\r', "\n");
    let plain: String = lines.split_inclusive('\n').map(without_sequences).collect();
    // Afterwards, because the ends of a removed sequence may form another one.
    sanitize(&plain)
}

/// Returns the bytes up to the end of the last line that cannot continue.
pub(crate) fn complete_lines(output: &str) -> usize {
    // A carriage return at the end may be the first half of a line end.
    let certain = output.strip_suffix('\r').unwrap_or(output);
    certain.rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

fn without_sequences(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(['\x1b', '\u{9b}', '\u{9d}']) {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        if let Some(length) = sequence_length(rest) {
            rest = &rest[length..];
        } else {
            let introducer = rest.chars().next().unwrap_or_default();
            text.push(introducer);
            rest = &rest[introducer.len_utf8()..];
        }
    }
    text + rest
}

/// Returns the bytes of the complete CSI or OSC sequence at the beginning of `text`.
fn sequence_length(text: &str) -> Option<usize> {
    let after = |introducers: [&str; 2]| introducers.into_iter().find_map(|introducer| text.strip_prefix(introducer));
    let rest = if let Some(parameters) = after(["\x1b[", "\u{9b}"]) {
        let last =
            parameters.trim_start_matches(|c| matches!(c, '0'..='?')).trim_start_matches(|c| matches!(c, ' '..='/'));
        last.strip_prefix(|c| matches!(c, '@'..='~'))?
    } else {
        let content = after(["\x1b]", "\u{9d}"])?;
        // Ends at the first control character, so that the search takes linear time.
        let end = &content[content.find(char::is_control)?..];
        ["\x07", "\x1b\\", "\u{9c}"].into_iter().find_map(|terminator| end.strip_prefix(terminator))?
    };
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sequences_are_removed_and_other_control_characters_replaced() {
        for (output, text) in [
            ("\x1b[31mred\x1b[0m \x1b[38;5;1m\x1b[1;4m\u{9b}0mbold", "red bold"),
            ("\x1b]0;title\x07a \x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\ \u{9d}2;b\u{9c}c", "a link c"),
            ("10 %\r20 %\r\ndone\r", "10 %\n20 %\ndone\n"),
            ("\x1b]no end\nnext \x1b[31", "\u{fffd}]no end\nnext \u{fffd}[31"),
            ("\x1b\x1b[0m[2J \x1b(B \x07\u{202e}", "\u{fffd}[2J \u{fffd}(B \u{fffd}\u{fffd}"),
        ] {
            assert_eq!(program_text(output), text, "{output:?}");
        }
    }

    #[test]
    fn a_line_of_introducers_takes_linear_time() {
        for introducer in ["\x1b]", "\u{9d}", "\x1b[1;"] {
            let output = introducer.repeat(500_000);
            assert_eq!(program_text(&output).matches('\u{fffd}').count(), 500_000);
        }
    }

    /// Text in which sequences are frequent.
    fn output() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof![
                Just("\x1b"),
                Just("["),
                Just("]"),
                Just("\u{9b}"),
                Just("\u{9d}"),
                Just("\\"),
                Just("\x07"),
                Just("\u{9c}"),
                Just("31;1"),
                Just(" "),
                Just("m"),
                Just("é漢"),
                Just("\r"),
                Just("\n"),
                Just("\t"),
                Just("\u{202e}"),
                Just("\0"),
            ],
            0..40,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_output_controls_the_terminal(output in prop_oneof![output(), any::<String>()]) {
            let text = program_text(&output);
            prop_assert_eq!(&sanitize(&text), &text);
            prop_assert!(text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{:?}", text);
        }

        #[test]
        fn plain_text_is_unchanged(output in "[ -~é漢\n\t]{0,60}") {
            prop_assert_eq!(program_text(&output), output);
        }

        #[test]
        fn complete_lines_are_independent_of_the_rest(output in output(), more in output()) {
            let (lines, rest) = output.split_at(complete_lines(&output));
            let whole = program_text(&format!("{output}{more}"));
            prop_assert_eq!(whole, program_text(lines) + &program_text(&format!("{rest}{more}")));
        }
    }
}
