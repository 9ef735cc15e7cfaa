//! Request bodies: the samples, goals and types of the two user classes, and scripts with a known output.

use serde_json::{Value, json};

use crate::engine::Random;

const SAMPLES: [&str; 4] = [
    "def login(user, pass): return auth(user, pass)",
    "class UserManager:\n    def __init__(self):\n        self.users = []",
    "import os\nconfig = os.environ.get('SECRET_KEY')",
    "async def process_data(data):\n    return await transform(data)",
];
const ANALYSIS_TYPES: [&str; 4] = ["security", "performance", "general", "architecture"];
const SEVERITIES: [&str; 3] = ["low", "medium", "high"];
const GOALS: [&str; 5] = [
    "Create a simple utility function",
    "Generate unit tests for existing code",
    "Optimize performance of data processing",
    "Add error handling to API endpoints",
    "Create documentation for module",
];

/// Returns an analysis of the normal user; `mark` makes its text one that was not analyzed before.
pub(super) fn analysis(random: &mut Random, mark: Option<&str>) -> Value {
    let sample = *random.pick(&SAMPLES);
    let text = mark.map_or_else(|| sample.to_owned(), |mark| format!("{sample}\n# {mark}\n"));
    json!({
        "analysis_type": random.pick(&ANALYSIS_TYPES),
        "context": {"file_content": text, "language": "python"},
        "options": {"include_suggestions": true, "severity_threshold": random.pick(&SEVERITIES)},
    })
}

/// Returns an analysis of the stress user.
pub(super) fn stress_analysis(random: &mut Random) -> Value {
    let number = random.below(1_000) + 1;
    json!({
        "analysis_type": "general",
        "context": {"file_content": format!("# Stress test code {number}")},
        "options": {"include_suggestions": false},
    })
}

/// Returns a submission of the normal user: a goal without code.
pub(super) fn goal(random: &mut Random) -> Value {
    json!({
        "goal": random.pick(&GOALS),
        "context": {"execution_preferences": {"require_approval": false, "timeout_minutes": 5, "max_iterations": 2}},
        "options": {"include_artifacts": true},
    })
}

/// Returns a submission of a script, and what the script prints.
pub(super) fn script(random: &mut Random, require_approval: bool) -> (Value, String) {
    let numbers = random.below(900) as u64 + 100;
    let code = format!(
        "def total(numbers):\n    return sum(number * number for number in numbers)\n\n\nprint(\"total\", total(range({numbers})))\n"
    );
    let sum: u64 = (0..numbers).map(|number| number * number).sum();
    let body = json!({
        "goal": "Run this script and show me its output",
        "context": {
            "project_context": {"file_content": code, "current_file": "main.py", "language": "python"},
            "execution_preferences": {"require_approval": require_approval, "timeout_minutes": 5},
        },
    });
    (body, format!("total {sum}"))
}
