//! Analysis of the files before they run.

use std::time::Duration;

use domain::analysis::{AnalysisReport, AnalysisTask, AnalysisType, FindingKind, Severity, Suppressions};
use domain::workflow::{Artifacts, CodeFile, Event, RunCommand, StepUsage, Workflow};

use tokio_util::sync::CancellationToken;

use super::outcome::StepOutcome;
use crate::analyzer::analyze;
use crate::context::WorkerContext;

/// Analyses the files. A cancel takes effect after the current file, whose cost is bounded and charged.
pub(super) async fn run(
    context: &WorkerContext,
    workflow: &Workflow,
    mut usage: StepUsage,
    cancel: &CancellationToken,
) -> StepOutcome {
    let (reports, cpu) = match reports_of(context, workflow, cancel).await {
        Ok(reports) => reports,
        Err(outcome) => return outcome,
    };
    usage.cost = cpu.as_secs_f64() * context.prices.cpu_second;
    let report = merge(reports);
    let issues = report.security_findings(Severity::Medium).count();
    let issues = u32::try_from(issues).unwrap_or(u32::MAX);
    let text = match serde_json::to_string(&report) {
        Ok(text) => text,
        Err(error) => return StepOutcome::Failed(error.to_string()),
    };
    match context.blobs.store(text).await {
        Ok(report) => StepOutcome::Event(Event::Analyzed { report, issues, usage }),
        Err(error) => error.into(),
    }
}

/// Returns one report per file and the CPU time of all.
///
/// Generated tests are left out, because they may contain what code must not, such as fixed secrets.
async fn reports_of(
    context: &WorkerContext,
    workflow: &Workflow,
    cancel: &CancellationToken,
) -> Result<(Vec<AnalysisReport>, Duration), StepOutcome> {
    let artifacts = &workflow.artifacts;
    let files: Vec<&CodeFile> = artifacts.files.iter().filter(|file| file.from_caller || !file.is_test).collect();
    let is_project = !workflow.submission.files.is_empty() && artifacts.is_callers_code();
    let (mut reports, mut code_reports, mut cpu) = (Vec::new(), 0, Duration::ZERO);
    for file in &files {
        for reading in readings(file, artifacts, is_project) {
            if cancel.is_cancelled() {
                return Err(StepOutcome::Cancelled { cost: cpu.as_secs_f64() * context.prices.cpu_second });
            }
            let source = context.blobs.load(&file.content).await?;
            let task = task(source, &file.path, reading.language);
            // The analyser panicked.
            let (mut report, took) = analyze(task).await.map_err(|error| StepOutcome::Failed(error.to_string()))?;
            cpu += took;
            if files.len() > 1 {
                report.findings.iter_mut().for_each(|finding| finding.file = Some(file.path.clone()));
            }
            if let Some(report) = reading.told_by(report) {
                // The first report names the language.
                reports.insert(if reading.is_code { code_reports } else { reports.len() }, report);
                code_reports += usize::from(reading.is_code);
            }
        }
    }
    Ok((reports, cpu))
}

/// A language in which a file is analysed; `None` if its name decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading<'a> {
    language: Option<&'a str>,
    /// True if the file is code by its name or because it is run.
    is_code: bool,
}

impl Reading<'_> {
    /// Returns what the report says about the file; `None` if that is nothing.
    ///
    /// Data is not code with a syntax error. But a program may load a text of which only a part parses, or that is
    /// too large to parse, so findings about the risk count.
    fn told_by(self, mut report: AnalysisReport) -> Option<AnalysisReport> {
        let is_read = if self.language.is_some() { report.parsed } else { !report.tools.is_empty() };
        if self.is_code || is_read {
            return Some(report);
        }
        report.findings.retain(|finding| finding.is_about_analysis() || finding.kind == FindingKind::Security);
        (!report.findings.is_empty()).then_some(report)
    }
}

/// Returns how a file is analysed. Beside code, a project has data, which its name shows; but a program may load a file
/// of any name as code, so what parses as the program's language is analysed as that as well.
fn readings<'a>(file: &CodeFile, artifacts: &'a Artifacts, is_project: bool) -> Vec<Reading<'a>> {
    let language = artifacts.runtime.as_deref().map(sandbox::language_of);
    let as_code = Reading { language, is_code: true };
    if !is_project || artifacts.run.as_ref().and_then(RunCommand::path) == Some(&file.path) {
        return vec![as_code];
    }
    match language_of_path(&file.path) {
        Some(named) if Some(named) == language => vec![as_code],
        Some(_) | None => {
            vec![Reading { language: None, is_code: false }, Reading { language, is_code: false }]
        }
    }
}

/// Returns the runtime of the language that a path's extension names.
fn language_of_path(path: &str) -> Option<&'static str> {
    let mut languages = sandbox::languages();
    languages.find(|it| it.endings.iter().any(|ending| path.ends_with(ending.as_str()))).map(|it| it.name)
}

/// Returns the analysis task of one file of a workflow.
pub(super) fn task(source: String, path: &str, runtime: Option<&str>) -> AnalysisTask {
    AnalysisTask {
        analysis_type: AnalysisType::General,
        source,
        file_path: Some(path.to_owned()),
        language: runtime.map(str::to_owned),
        framework: None,
        dependencies: Vec::new(),
        // The code's author must not be able to hide findings from the approver.
        suppressions: Suppressions::Ignore,
    }
}

/// Merges reports: the lowest score, the lowest confidence, and the findings, most severe first.
fn merge(reports: Vec<AnalysisReport>) -> AnalysisReport {
    let mut merged = AnalysisReport {
        language: reports.first().map_or_else(|| "none".to_owned(), |report| report.language.clone()),
        parsed: reports.iter().all(|report| report.parsed),
        overall_score: reports.iter().map(|report| report.overall_score).min().unwrap_or(100),
        confidence: reports.iter().map(|report| report.confidence).fold(1.0, f32::min),
        findings: Vec::new(),
        suppressed: Vec::new(),
        tools: Vec::new(),
    };
    for report in reports {
        merged.findings.extend(report.findings);
        for tool in report.tools {
            if !merged.tools.contains(&tool) {
                merged.tools.push(tool);
            }
        }
    }
    heimdall::limit_findings(&mut merged.findings);
    merged.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    merged
}

#[cfg(test)]
mod tests {
    use generator::{FilePurpose, Generator, GeneratorConfig};

    use domain::analysis::Finding;
    use domain::approval::RiskLevel;

    use super::*;

    #[tokio::test]
    async fn an_analysis_reports_its_cpu_time() {
        let task = task("x = eval(input())\n".repeat(5_000), "main.py", Some("python"));
        let (_, cpu) = analyze(task).await.unwrap();
        assert!(cpu > Duration::ZERO);
    }

    async fn risk_of(source: String) -> RiskLevel {
        let task = task(source, "main.py", Some("python"));
        RiskLevel::of(&merge(vec![analyze(task).await.unwrap().0]))
    }

    #[tokio::test]
    async fn code_that_cannot_be_analysed_is_a_high_risk_and_code_that_does_not_parse_a_low_one() {
        let deep = format!("x = {}1{}\n", "(".repeat(13_000), ")".repeat(13_000));
        let large = "x = 1\n".repeat(heimdall::MAX_SOURCE_BYTES / 6 + 1);
        for source in [deep, large] {
            assert_eq!(risk_of(source).await, RiskLevel::High);
        }
        assert_eq!(risk_of("print('hello'\n".to_owned()).await, RiskLevel::Low);
    }

    #[tokio::test]
    async fn a_file_that_looks_like_data_does_not_lower_the_risk() {
        let large = "eval \"$1\"\n".repeat(heimdall::MAX_SOURCE_BYTES / 9);
        let broken = "a,b\neval \"$1\"\nif (\n";
        let joined = "db.query(\"SELECT a FROM b WHERE c = '\" + name + \"'\")\n";
        for (runtime, source) in [("bash", large.as_str()), ("bash", broken), ("lua", joined)] {
            let reading = Reading { language: Some(runtime), is_code: false };
            let (report, _) = analyze(task(source.to_owned(), "data.csv", reading.language)).await.unwrap();
            let risk = reading.told_by(report).as_ref().map(RiskLevel::of);
            assert!(risk >= Some(RiskLevel::Medium), "{runtime} {source:.20}: {risk:?}");
        }
        let reading = Reading { language: Some("python"), is_code: false };
        let (report, _) = analyze(task("a,b\n1,two words\n".to_owned(), "data.csv", reading.language)).await.unwrap();
        assert_eq!(reading.told_by(report), None);
    }

    #[tokio::test]
    async fn the_report_on_many_files_fits_a_message() {
        let source = "eval(input())\n".repeat(2_000);
        let (report, _) = analyze(task(source, "main.py", Some("python"))).await.unwrap();
        let merged = merge(vec![report; 50]);
        assert_eq!(merged.findings.len(), 2_000);
        assert!(serde_json::to_string(&merged).unwrap().len() < 4 << 20);
        assert!(merged.findings.iter().any(Finding::is_about_analysis));
        assert!(RiskLevel::of(&merged) >= RiskLevel::High);
    }

    #[tokio::test]
    async fn code_cannot_lower_its_own_risk() {
        let code = "import os\nos.system(input())";
        for comment in ["", "  # nosec", "  # noqa", "  # heimdall: ignore[PY-COMMAND-INJECTION] why"] {
            assert_eq!(risk_of(format!("{code}{comment}\n")).await, RiskLevel::Critical, "{comment}");
        }
        let long = "x".repeat(4_100);
        for (path, language, code, comments) in OTHERS {
            for comment in *comments {
                for comment in [comment.to_string(), comment.replace(" c", &long)] {
                    let source = code.replace("/**/", &comment);
                    let task = task(source.clone(), path, Some(language));
                    let risk = RiskLevel::of(&merge(vec![analyze(task).await.unwrap().0]));
                    assert!(risk >= RiskLevel::Medium, "{risk:?} {source:.200}");
                }
            }
        }
    }

    /// Code in other languages with a placeholder `/**/` for a comment, and the comments to put there.
    const OTHERS: &[(&str, &str, &str, &[&str])] = &[
        ("a.js", "javascript", "/**/eval(process.argv[2]);\n", &["/**/", "/* c */ ", "// c\n", "/*\n c */"]),
        ("a.js", "javascript", "const y = 2\n/**/ * eval(process.argv[2]);\n", &["", "/* c */", "// c\n"]),
        ("a.js", "javascript", "eval/**/(process.argv[2]);\n", &["", "/* c */", "/* c\n*/", " /* c */ ", "// c\n"]),
        ("a.js", "javascript", "eval(process.argv[2]); /**/\n", &["/* c */", "// c", "// nosec c", "/* c"]),
        (
            "a.go",
            "go",
            "package a\n\nfunc f() {\n\t/**/db.Query(\"SELECT a \" + n)\n}\n",
            &["/**/", "/* c */ ", "// c\n"],
        ),
        ("a.go", "go", "package a\n\nfunc f() {\n\tdb./**/Query(\"SELECT a \" + n)\n}\n", &["", "/* c */", "/* c\n*/"]),
        (
            "a.go",
            "go",
            "package a\n\nfunc f() {\n\tdb.Query(\"SELECT a \" + n) /**/\n}\n",
            &["// c", "// #nosec c", "/* c */"],
        ),
        ("a.sh", "bash", "/**/\neval \"$1\" /**/\n", &["# c", "# nosec c", "#"]),
        ("a.sh", "bash", "if true; then # c\n  eval \"$1\"/**/\nfi\n", &[" # c", " # heimdall: ignore c"]),
    ];

    #[tokio::test]
    async fn no_recipe_has_a_security_finding_of_medium_or_above() {
        let generator = Generator::open(GeneratorConfig::default()).unwrap();
        let mut found = Vec::new();
        for recipe in generator.catalogue() {
            for file in recipe.files.iter().filter(|file| file.kind == FilePurpose::Code) {
                let task = task(file.content.clone(), &file.path, Some(&recipe.runtime));
                let (report, _) = analyze(task).await.unwrap();
                let grave = report.security_findings(Severity::Medium);
                found.extend(grave.map(|finding| (recipe.name.clone(), finding.rule.clone(), finding.line_start)));
            }
        }
        assert!(found.is_empty(), "{found:?}");
    }
}
