//! Live progress on a terminal; nothing elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::short_ms;

/// The progress line on stderr. Fits in 80 columns.
pub(crate) struct ProgressLine(Option<ProgressBar>);

/// The figures of the progress line.
pub(crate) struct Figures {
    pub(crate) elapsed: Duration,
    pub(crate) operations: u64,
    pub(crate) failed: u64,
    pub(crate) p95_ms: f64,
    /// Accepted workflows without an end.
    pub(crate) open: usize,
}

impl ProgressLine {
    /// Returns a line for a run of this length; it is not shown if stderr is not a terminal.
    pub(crate) fn new(length: Duration) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(length.as_secs().max(1)), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("[{bar:14.cyan/dim}] {pos:>3}/{len} s {wide_msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self(Some(bar))
    }

    pub(crate) fn show(&self, figures: &Figures) {
        if let Some(bar) = &self.0 {
            bar.set_position(figures.elapsed.as_secs().min(bar.length().unwrap_or(0)));
            bar.set_message(message(figures));
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn message(figures: &Figures) -> String {
    format!(
        "{} sent, {} failed, p95 {} ms, {} open",
        figures.operations,
        figures.failed,
        short_ms(figures.p95_ms),
        figures.open
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_beside_the_bar() {
        let figures = Figures {
            elapsed: Duration::from_secs(60),
            operations: 1_234_567,
            failed: 12_345,
            p95_ms: 12_345.0,
            open: 12_345,
        };
        // The bar with its brackets takes 17 columns, the seconds 11.
        assert!(message(&figures).chars().count() <= 80 - 28, "{}", message(&figures));
    }
}
