//! The output of a running program, shown as it arrives, and what the result adds to it.

use crate::event_stream::ServerEvent;
use crate::program_text::{complete_lines, program_text};
use crate::workflow_state::{ProgramOutput, STREAMS};

/// Output that was shown while the program ran. It is best effort: parts may be missing or, of a step that was repeated,
/// be there twice.
#[derive(Default)]
pub(crate) struct ShownOutput {
    /// The log sequence of the step whose output is shown.
    step: String,
    /// The lines of each stream shown so far, and what was received of the next one.
    shown: [String; 2],
    unfinished: [String; 2],
    has_gap: bool,
}

/// A part of live output to show.
#[derive(Debug, PartialEq)]
pub(crate) enum LivePart {
    /// Lines of a stream, by its index.
    Lines(usize, String),
    /// The API has dropped output here.
    Gap,
}

impl ShownOutput {
    /// Takes an event named `output`, and returns what to show of it.
    pub(crate) fn receive(&mut self, event: &ServerEvent) -> Vec<LivePart> {
        let mut parts = Vec::new();
        let step = event.id.split('.').next().unwrap_or_default();
        if self.step != step {
            // The output of a further run, of which the result has only the last.
            parts.extend(self.take_unfinished());
            *self = Self { step: step.to_owned(), ..Self::default() };
        }
        if event.data["earlier_output_dropped"] == true {
            parts.extend(self.take_unfinished());
            parts.push(LivePart::Gap);
            self.has_gap = true;
        }
        let name = event.data["stream"].as_str().unwrap_or_default();
        let Some(stream) = STREAMS.iter().position(|(stream, _)| *stream == name) else { return parts };
        self.unfinished[stream].push_str(event.data["text"].as_str().unwrap_or_default());
        let end = complete_lines(&self.unfinished[stream]);
        let rest = self.unfinished[stream].split_off(end);
        let lines = program_text(&std::mem::replace(&mut self.unfinished[stream], rest));
        if !lines.is_empty() {
            self.shown[stream].push_str(&lines);
            parts.push(LivePart::Lines(stream, lines));
        }
        parts
    }

    /// Returns the lines of each stream that have not ended.
    pub(crate) fn take_unfinished(&mut self) -> Vec<LivePart> {
        let rests = self.unfinished.iter_mut().map(std::mem::take).enumerate();
        rests
            .filter(|(_, rest)| !rest.is_empty())
            .map(|(stream, rest)| LivePart::Lines(stream, program_text(&rest)))
            .collect()
    }

    /// Leaves in `output` what was not shown; all of it if what was shown is not the beginning of it.
    pub(crate) fn remove_shown(&self, output: &mut ProgramOutput) {
        let rests = [0, 1].map(|stream| self.rest(stream, output));
        match rests {
            [Some(stdout), Some(stderr)] if !self.has_gap => output.texts = [stdout, stderr],
            _ => output.is_repeated = true,
        }
    }

    fn rest(&self, stream: usize, output: &ProgramOutput) -> Option<String> {
        let (shown, text) = (&self.shown[stream], &output.texts[stream]);
        let rest = text.strip_prefix(shown.as_str());
        // The stored output may end earlier than the live one.
        rest.or((output.is_truncated && shown.starts_with(text)).then_some("")).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(id: &str, stream: &str, text: &str) -> ServerEvent {
        ServerEvent { id: id.into(), name: "output".into(), data: json!({"stream": stream, "text": text}) }
    }

    fn output(stdout: &str) -> ProgramOutput {
        ProgramOutput { texts: [program_text(stdout), String::new()], ..ProgramOutput::default() }
    }

    fn text_of(parts: Vec<LivePart>) -> String {
        let texts = parts.into_iter().map(|part| match part {
            LivePart::Lines(_, text) => text,
            LivePart::Gap => "(gap)".to_owned(),
        });
        texts.collect()
    }

    proptest! {
        /// Of each stream, in whatever pieces and up to whatever point it arrives.
        #[test]
        fn live_output_and_the_rest_are_the_whole_output(
            pieces in proptest::collection::vec("(a|é|\r|\n|\r\n|\x1b\\[1m){0,6}", 0..12), last in 0_usize..12,
        ) {
            let mut live = ShownOutput::default();
            let mut shown = String::new();
            for piece in pieces.iter().take(last) {
                shown += &text_of(live.receive(&event("7.1", "stdout", piece)));
            }
            let mut result = output(&pieces.concat());
            live.remove_shown(&mut result);
            prop_assert!(!result.is_repeated);
            prop_assert_eq!(shown + &result.texts[0], program_text(&pieces.concat()));
        }
    }

    #[test]
    fn output_with_a_gap_or_of_two_attempts_is_repeated_as_a_whole() {
        let cut = |text: &str| {
            let mut event = event("7.9", "stdout", text);
            event.data["earlier_output_dropped"] = true.into();
            event
        };
        for (events, shown) in [
            (vec![event("7.1", "stdout", "a\nb"), cut("c\n")], "a\nb(gap)c\n"),
            (vec![cut("a\n")], "(gap)a\n"),
            (vec![event("7.1", "stdout", "a\n"), event("7.2", "stdout", "a\nb\n")], "a\na\nb\n"),
        ] {
            let mut live = ShownOutput::default();
            assert_eq!(events.iter().map(|event| text_of(live.receive(event))).collect::<String>(), shown);
            let mut result = output("a\nb\nc\n");
            live.remove_shown(&mut result);
            assert_eq!((result.is_repeated, result.texts[0].as_str()), (true, "a\nb\nc\n"));
        }
    }

    #[test]
    fn the_output_of_a_further_run_is_counted_alone() {
        let mut live = ShownOutput::default();
        assert_eq!(text_of(live.receive(&event("7.1", "stderr", "x\ny"))), "x\n");
        assert_eq!(
            live.receive(&event("9.1", "stdout", "a\n")),
            [LivePart::Lines(1, "y".into()), LivePart::Lines(0, "a\n".into())]
        );
        let mut result = output("a\nb\n");
        live.remove_shown(&mut result);
        assert_eq!((result.is_repeated, result.texts[0].as_str()), (false, "b\n"));
    }

    #[test]
    fn output_that_was_stored_shorter_than_it_was_shown_is_not_repeated() {
        let mut live = ShownOutput::default();
        live.receive(&event("7.1", "stdout", "a\nb\n"));
        for (is_truncated, is_repeated) in [(true, false), (false, true)] {
            let mut result = ProgramOutput { is_truncated, ..output("a") };
            live.remove_shown(&mut result);
            assert_eq!(result.is_repeated, is_repeated);
        }
    }
}
