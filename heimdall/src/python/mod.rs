//! Analysis of Python code.
//!
//! The parser recovers from syntax errors, so there is always a tree. `taint` follows values through it and runs the
//! security rules; the quality `checks` read the tree only.

mod ast;
mod checks;
mod stack;
mod taint;

use std::panic::{AssertUnwindSafe, catch_unwind};

use ruff_python_ast::{PySourceType, Stmt};
use ruff_python_parser::parse_unchecked_source;
use source_text::depth_limit;

use crate::findings::Findings;
use crate::metadata::AnalysisMetadata;
use crate::request::AnalysisRequest;
use crate::{dedent, layout, rules, text};
use analysis_report::AnalysisType;

use checks::{architecture, performance, style, syntax};
use taint::interpreter::Interpreter;
use taint::module_index::ModuleIndex;

/// Maximum tree depth handled on the caller's stack. Walking a tree needs a few hundred bytes per level.
const MAX_DEPTH_ON_CALLER_STACK: usize = 300;
/// Maximum tree depth. Deeper trees are not built.
const MAX_DEPTH: usize = 12_000;
/// Stack for deeper trees. Dropping and visiting a tree are recursive and cannot grow the stack.
const DEEP_STACK_BYTES: usize = 256 * 1024 * 1024;

/// Analyses a Python text.
pub(crate) fn analyze(request: &AnalysisRequest<'_>, findings: &mut Findings<'_>) -> AnalysisMetadata {
    let source = dedent::normalize(request.source);
    findings.count_lines_in(&source);
    abandoned_dependencies(request.dependencies, findings);
    let depth = depth_limit::python_depth(&source);
    if depth > MAX_DEPTH {
        findings.report_line(&rules::TOO_DEEP, 1, 1);
        return by_line(findings);
    }
    let walk = AssertUnwindSafe(|| {
        if depth > MAX_DEPTH_ON_CALLER_STACK {
            stacker::grow(DEEP_STACK_BYTES, || parse_and_walk(&source, request, findings))
        } else {
            // The caller may have little stack left itself.
            stack::reserve(|| parse_and_walk(&source, request, findings))
        }
    });
    // The parser is a dependency. If it panics on a text, the text is checked line by line instead.
    match catch_unwind(walk) {
        Ok(outcome) => outcome,
        Err(_) => {
            findings.report_line(&rules::NOT_ANALYSED, 1, 1);
            by_line(findings)
        }
    }
}

fn by_line(findings: &mut Findings<'_>) -> AnalysisMetadata {
    let outcome = text::analyze("python", findings);
    AnalysisMetadata { parsed: false, confidence: 0.2, tools: outcome.tools }
}

fn parse_and_walk(source: &str, request: &AnalysisRequest<'_>, findings: &mut Findings<'_>) -> AnalysisMetadata {
    let parsed = parse_unchecked_source(source, PySourceType::Python);
    let nul = request.source.contains('\0');
    syntax::report(&parsed, nul, request.source, findings);
    findings.set_layout(layout::read_python(source, parsed.tokens(), |offset| findings.line_of(offset)));
    text::secrets::report_known_formats(findings);
    let body = &parsed.syntax().body;
    let complete = follow_values(body, request, findings);
    if matches!(request.kind, AnalysisType::Performance | AnalysisType::General) {
        performance::check(body, findings);
    }
    style::check(body, findings);
    if matches!(request.kind, AnalysisType::Architecture | AnalysisType::General) {
        architecture::check(body, source, findings);
    }
    let valid = parsed.has_valid_syntax() && !nul;
    let confidence = match (valid, complete) {
        (true, true) => 0.9,
        (true, false) => 0.6,
        (false, _) => 0.5,
    };
    let mut tools = vec!["heimdall", "heimdall-python-taint"];
    if request.kind != AnalysisType::Security {
        tools.push("heimdall-python-quality");
    }
    AnalysisMetadata { parsed: valid, confidence, tools }
}

/// Runs the security rules. Returns false if the walk ran out of steps.
fn follow_values(body: &[Stmt], request: &AnalysisRequest<'_>, findings: &mut Findings<'_>) -> bool {
    let module = ModuleIndex::collect(body, request.framework);
    let mut interpreter = Interpreter::new(&module, findings);
    interpreter.walk_block(body);
    for number in 0..module.functions.len() {
        if !module.functions[number].nested {
            interpreter.walk_as_entry_point(number);
        }
    }
    let exhausted = interpreter.exhausted();
    if exhausted {
        findings.report_line(&rules::NOT_ANALYSED, 1, 1);
    }
    !exhausted
}

/// Unmaintained packages with known vulnerabilities.
const ABANDONED_PACKAGES: &[&str] = &["pycrypto", "django-piston"];

fn abandoned_dependencies(dependencies: &[String], findings: &mut Findings<'_>) {
    let name = |dependency: &String| {
        dependency.split(['=', '<', '>', '~', '!', '[', ' ', ';', '@']).next().unwrap_or_default().to_ascii_lowercase()
    };
    if dependencies.iter().map(name).any(|name| ABANDONED_PACKAGES.contains(&name.as_str())) {
        findings.report_line(&rules::DEPENDENCY, 1, 1);
    }
}
