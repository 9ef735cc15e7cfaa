//! Input supplied at a `needs_input` gate: the same limits on every channel.

use crate::workflow::{Content, NewInput};

/// Maximum size of submitted or supplied code, in bytes of UTF-8.
pub const CODE_BYTES: usize = 1024 * 1024;
/// Maximum characters of a decision's comment.
pub const COMMENT_CHARS: usize = 4_000;
/// Maximum characters of a recipe's name.
pub const MAX_RECIPE_CHARS: usize = 64;

/// The reason for which supplied input is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuppliedInputError {
    #[error("must be at most 64 characters without NUL")]
    Recipe,
    #[error("must be at most 1 MiB without NUL characters")]
    Code,
    #[error("must be left out where code is supplied")]
    Both,
}

impl SuppliedInputError {
    /// Returns the field to change.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Recipe | Self::Both => "recipe",
            Self::Code => "code",
        }
    }
}

/// Reads supplied input; blank texts count as absent. The code is not stored yet: only requested input may use disk
/// space.
pub fn parse_supplied_input(
    recipe: Option<String>,
    code: Option<String>,
) -> Result<Option<NewInput>, SuppliedInputError> {
    let is_there = |text: &String| !text.trim().is_empty();
    match (recipe.filter(is_there), code.filter(is_there)) {
        (Some(_), Some(_)) => Err(SuppliedInputError::Both),
        (Some(name), None) if name.contains('\0') || name.chars().nth(MAX_RECIPE_CHARS).is_some() => {
            Err(SuppliedInputError::Recipe)
        }
        (None, Some(code)) if code.contains('\0') || code.len() > CODE_BYTES => Err(SuppliedInputError::Code),
        (Some(name), None) => Ok(Some(NewInput::Recipe { name })),
        (None, Some(code)) => Ok(Some(NewInput::Code { content: Content::new(code) })),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(recipe: Option<String>, code: Option<String>, expected: Result<bool, SuppliedInputError>) {
        assert_eq!(parse_supplied_input(recipe, code).map(|input| input.is_some()), expected);
    }

    #[test]
    fn every_limit_is_kept() {
        let text = |text: &str| Some(text.to_owned());
        check(None, None, Ok(false));
        check(text(" "), text("\n"), Ok(false));
        check(text("jwt-auth"), text(" "), Ok(true));
        check(Some("x".repeat(64)), None, Ok(true));
        check(Some("x".repeat(65)), None, Err(SuppliedInputError::Recipe));
        check(text("jwt\0"), None, Err(SuppliedInputError::Recipe));
        check(None, Some("x".repeat(CODE_BYTES)), Ok(true));
        check(None, Some("x".repeat(CODE_BYTES + 1)), Err(SuppliedInputError::Code));
        check(None, text("x = '\0'"), Err(SuppliedInputError::Code));
        check(text("jwt-auth"), text("x"), Err(SuppliedInputError::Both));
    }
}
