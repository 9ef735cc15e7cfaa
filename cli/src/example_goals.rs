//! Example goals for help texts and documentation. Each works without a language model; a test runs them all.

/// The goals; the first is used where there is room for one.
pub const GOALS: [&str; 5] = [
    "Write an LRU cache with tests",
    "Create a JWT authentication function with tests",
    "Write a function that computes fibonacci numbers",
    "Write a slugify function with tests",
    "Write a binary search over a sorted list",
];

/// Returns the command that submits the first goal.
pub fn first_command() -> String {
    format!("promptcraft run \"{}\" --watch", GOALS[0])
}

/// Returns a command for each goal, one per line.
pub fn example_commands() -> String {
    let lines = GOALS.map(|goal| format!("  promptcraft run \"{goal}\" --no-approval --watch"));
    format!("Examples:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Returns the goals of the `promptcraft run` commands in `text` that use neither a file nor a recipe.
    fn suggested(text: &str) -> Vec<String> {
        let text = text.replace("\\\"", "\"");
        let lines = text.lines().filter(|line| !line.contains("--file") && !line.contains("--recipe"));
        let goals = lines.filter_map(|line| line.split_once("promptcraft run \"")?.1.split_once('"'));
        goals.map(|(goal, _)| goal.to_owned()).filter(|goal| !goal.contains(['{', '$'])).collect()
    }

    #[test]
    fn every_text_suggests_goals_of_the_list() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        for (file, at_least) in
            [("README.md", 1), ("scripts/samples.sh", 1), ("scripts/run.sh", 0), ("CONTRIBUTING.md", 0)]
        {
            let goals = suggested(&fs::read_to_string(root.join(file)).expect("a text"));
            assert!(goals.len() >= at_least, "{file}: {goals:?}");
            for goal in goals {
                assert!(GOALS.contains(&goal.as_str()), "{file} suggests {goal}, which is not in the list");
            }
        }
        assert_eq!(suggested(&example_commands()), GOALS);
    }
}
