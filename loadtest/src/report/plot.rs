//! Line charts as inline SVG. Colours come from the style sheet of the page.

use std::fmt::Write as _;

use super::junit::escape;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// Number of line colours in the style sheet.
const COLOURS: usize = 8;

/// A chart of lines over a common axis.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    pub(super) y_scale: Scale,
    /// Position and label of each tick; the first and the last bound the axis.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) name: String,
    /// Classes of the style sheet: `line-0` to `line-7`, or `line-bad`, and `dashed`.
    pub(super) class: String,
    pub(super) points: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// Powers of ten; values of 0 are left out.
    Logarithmic,
}

/// Returns the classes of the line with this index; a colour that is used again is dashed.
pub(super) fn style(index: usize) -> String {
    format!("line-{}{}", index % COLOURS, if index < COLOURS { "" } else { " dashed" })
}

impl Chart {
    /// Returns the chart as a figure with a legend; empty if it has no points.
    pub(super) fn to_html(&self) -> String {
        let values: Vec<f64> = self.lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y).collect();
        let (Some(first), Some(last)) = (self.x_ticks.first(), self.x_ticks.last()) else { return String::new() };
        if values.is_empty() || first.0 >= last.0 {
            return String::new();
        }
        let y_ticks = self.y_ticks(&values);
        let axes = Axes { x: (first.0, last.0), y: (y_ticks[0], y_ticks[y_ticks.len() - 1]), scale: self.y_scale };
        let mut html = format!("<figure>\n<figcaption>{}</figcaption>\n{}", escape(&self.title), self.legend());
        add(
            &mut html,
            format_args!(
                "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}, {} by {}\">\n",
                escape(&self.title),
                self.y_label,
                self.x_label
            ),
        );
        self.draw_grid(&mut html, &axes, &y_ticks);
        for line in &self.lines {
            add(&mut html, format_args!("<path class=\"line {}\" d=\"{}\"/>\n", line.class, axes.path(&line.points)));
        }
        html.push_str("</svg>\n</figure>\n");
        html
    }

    fn legend(&self) -> String {
        let entries = self.lines.iter().map(|line| {
            format!(
                "<li><svg viewBox=\"0 0 24 8\"><path class=\"line {}\" d=\"M0 4H24\"/></svg>{}</li>",
                line.class,
                escape(&line.name)
            )
        });
        format!("<ul class=\"legend\">{}</ul>\n", entries.collect::<String>())
    }

    fn draw_grid(&self, html: &mut String, axes: &Axes, y_ticks: &[f64]) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in y_ticks {
            let y = axes.y_of(*tick);
            add(html, format_args!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>"));
            let label = number(*tick);
            add(
                html,
                format_args!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n", LEFT - 7.0, y + 4.0),
            );
        }
        for (tick, label) in &self.x_ticks {
            let x = axes.x_of(*tick);
            add(html, format_args!("<path class=\"grid\" d=\"M{x:.1} {bottom}v4\"/>"));
            add(
                html,
                format_args!(
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                    bottom + 18.0,
                    escape(label)
                ),
            );
        }
        add(
            html,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n<text transform=\"translate(13 {:.1}) rotate(-90)\" \
                 text-anchor=\"middle\">{}</text>\n",
                (LEFT + right) / 2.0,
                HEIGHT - 4.0,
                self.x_label,
                (TOP + bottom) / 2.0,
                self.y_label
            ),
        );
    }

    fn y_ticks(&self, values: &[f64]) -> Vec<f64> {
        let largest = values.iter().copied().fold(0.0, f64::max);
        match self.y_scale {
            Scale::Linear => linear_ticks(largest),
            Scale::Logarithmic => {
                let smallest = values.iter().copied().filter(|value| *value > 0.0).fold(largest, f64::min);
                let power = |value: f64| value.max(1e-3).log10();
                let (low, high) = (power(smallest).floor() as i32, power(largest).ceil() as i32);
                (low..=high.max(low + 1)).map(|exponent| 10_f64.powi(exponent)).collect()
            }
        }
    }
}

struct Axes {
    x: (f64, f64),
    y: (f64, f64),
    scale: Scale,
}

impl Axes {
    fn x_of(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y_of(&self, y: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (y - self.y.0) / (self.y.1 - self.y.0),
            Scale::Logarithmic => (y / self.y.0).log10() / (self.y.1 / self.y.0).log10(),
        };
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    /// Returns the path of a line, interrupted where a logarithmic scale has no place for a value.
    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        let mut is_down = false;
        for (x, y) in points {
            let is_drawn = self.scale == Scale::Linear || *y > 0.0;
            if is_drawn {
                let letter = if is_down { 'L' } else { 'M' };
                add(&mut path, format_args!("{letter}{:.1} {:.1}", self.x_of(*x), self.y_of(*y)));
            }
            is_down = is_drawn;
        }
        path
    }
}

/// Returns about five round numbers from 0 to at least `largest`.
pub(super) fn linear_ticks(largest: f64) -> Vec<f64> {
    let rough = (largest / 4.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|factor| factor * power).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let count = (largest / step).ceil().max(1.0) as u32;
    (0..=count).map(|index| f64::from(index) * step).collect()
}

/// Formats a number without trailing zeros.
fn number(value: f64) -> String {
    if value >= 1.0 || value == 0.0 {
        format!("{}", (value * 100.0).round() / 100.0)
    } else {
        format!("{value:.3}").trim_end_matches('0').to_owned()
    }
}

fn add(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a string takes everything");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ticks_are_few_and_cover_the_largest_value(largest in 0.001_f64..1e7) {
            let ticks = linear_ticks(largest);
            prop_assert!((2..=6).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks[0] == 0.0 && ticks[ticks.len() - 1] >= largest * 0.999_999);
        }

        #[test]
        fn every_point_is_inside_the_frame(values in prop::collection::vec(0.0_f64..1e5, 2..40), is_log: bool) {
            let y_scale = if is_log { Scale::Logarithmic } else { Scale::Linear };
            let chart = Chart {
                title: String::new(), x_label: "s", y_label: "ms", y_scale, lines: Vec::new(),
                x_ticks: vec![(0.0, String::new()), (1.0, String::new())],
            };
            let ticks = chart.y_ticks(&values);
            let axes = Axes { x: (0.0, 1.0), y: (ticks[0], ticks[ticks.len() - 1]), scale: y_scale };
            for value in values.iter().filter(|value| !is_log || **value >= 1e-3) {
                let y = axes.y_of(*value);
                prop_assert!((TOP - 0.1..=HEIGHT - BOTTOM + 0.1).contains(&y), "{value} at {y}, {ticks:?}");
            }
        }
    }
}
