//! JUnit XML: one test case for each check, and one for the generator's own share of the CPU.

use std::fmt::Write as _;

use super::Report;

/// Returns the report as JUnit XML.
pub fn to_junit(report: &Report) -> String {
    let failures = report.checks.iter().filter(|check| !check.passed).count();
    let errors = usize::from(!report.void.is_empty());
    let tests = report.checks.len() + 1;
    let suite = escape(&format!("loadtest.{}", report.scenario));
    let seconds = report.setup.duration_seconds;
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n  \
         <testsuite name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\" timestamp=\"{}\">\n",
        escape(&report.setup.started_at)
    );
    case(
        &mut xml,
        &suite,
        "valid",
        (errors > 0).then(|| format!("<error message=\"{}\"/>", escape(&report.void.join("; ")))),
    );
    for check in &report.checks {
        let failure = (!check.passed).then(|| {
            format!("<failure message=\"{}\"/>", escape(&format!("{}, expected {}", check.shown, check.condition)))
        });
        case(&mut xml, &suite, &format!("{} {}", check.name, check.condition), failure);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, suite: &str, name: &str, problem: Option<String>) {
    let name = escape(name);
    let written = match problem {
        Some(problem) => {
            writeln!(xml, "    <testcase classname=\"{suite}\" name=\"{name}\">\n      {problem}\n    </testcase>")
        }
        None => writeln!(xml, "    <testcase classname=\"{suite}\" name=\"{name}\"/>"),
    };
    debug_assert!(written.is_ok(), "a string takes everything");
}

/// Escapes text for XML and HTML, in content and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
