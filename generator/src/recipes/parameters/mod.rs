//! Parameters of a recipe: values that a goal may set, and their place in the recipe's files.

mod extract;
mod substitute;

pub(crate) use extract::{GoalTokens, ParameterValues};
use serde::{Deserialize, Serialize};
pub(crate) use substitute::{NUMBERS_SECTION, write};

/// A value that a goal may set, such as a capacity or the name of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The parameter's name.
    pub name: String,
    /// A short description.
    pub description: String,
    /// The type of the value.
    pub kind: ParameterKind,
    /// The module-level constant that holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// The public name that is replaced, for [`ParameterKind::Identifier`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The value if the goal sets none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<toml::Value>,
    /// The minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The maximum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The allowed values, for [`ParameterKind::Choice`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Words near the value in a goal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cues: Vec<String>,
}

/// The type of a parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A duration, written as a number of seconds.
    DurationSeconds,
    /// An identifier in the code.
    Identifier,
    /// One of a list of texts.
    Choice,
}

impl Parameter {
    /// Describes the allowed values, for a refusal.
    pub(crate) fn range(&self) -> String {
        let whole = if self.kind == ParameterKind::Integer { "a whole number " } else { "" };
        let unit = if self.kind == ParameterKind::DurationSeconds { " seconds" } else { "" };
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{} is {whole}from {min} to {max}{unit}", self.name),
            (Some(min), None) => format!("{} is {whole}from {min}{unit} on", self.name),
            (None, Some(max)) => format!("{} is {whole}up to {max}{unit}", self.name),
            (None, None) => {
                format!("{} is {}", self.name, if whole.is_empty() { "a number" } else { whole.trim_end() })
            }
        }
    }

    /// Returns the first rule that the parameter breaks.
    pub(crate) fn broken_rule(&self, code: &str) -> Option<&'static str> {
        let is_identifier = self.kind == ParameterKind::Identifier;
        let assigned = |name: &String| code.lines().filter(|line| assigns(line, name)).count();
        let occurs = |name: &String| code.contains(name.as_str());
        let rules = [
            (self.identifier.is_some() == is_identifier, "identifier belongs to the kind identifier, and to no other"),
            (self.constant.is_some() != is_identifier, "constant belongs to every kind but identifier"),
            (
                self.constant.as_ref().is_none_or(|name| assigned(name) == 1),
                "constant must be assigned once, on one line",
            ),
            (self.identifier.as_ref().is_none_or(occurs), "identifier must be a name of the code"),
            (self.choices.is_empty() != (self.kind == ParameterKind::Choice), "choices belong to the kind choice"),
            (is_identifier || self.default.is_some(), "default is missing"),
            (self.min.zip(self.max).is_none_or(|(min, max)| min <= max), "min must not be greater than max"),
        ];
        rules.iter().find(|(holds, _)| !holds).map(|(_, rule)| *rule)
    }
}

/// Returns whether a line assigns the module-level constant, with or without a type annotation.
fn assigns(line: &str, name: &str) -> bool {
    let line = line.strip_prefix("const ").unwrap_or(line);
    line.strip_prefix(name).is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.starts_with('=') && !rest.starts_with("==") || rest.starts_with(':') && rest.contains('=')
    })
}

#[cfg(test)]
mod tests;
