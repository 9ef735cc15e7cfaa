//! A call with evaluated arguments.

use ruff_python_ast::ExprCall;
use ruff_text_size::TextRange;

use super::value::Value;

/// A call whose callee and arguments are evaluated.
pub(crate) struct Call<'e> {
    pub(crate) expr: &'e ExprCall,
    pub(crate) range: TextRange,
    /// Full dotted path of the callee; empty if unknown.
    pub(crate) symbol: String,
    /// Last name of the callee.
    pub(crate) name: &'e str,
    /// The object, if the callee is a method.
    pub(crate) receiver: Option<Value>,
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Option<&'e str>, Value)>,
    /// True if an unpacked argument of unknown length makes positions unknown.
    pub(crate) unpacked: bool,
}

impl Call<'_> {
    /// Returns an argument by keyword or position.
    pub(crate) fn argument(&self, position: usize, name: &str) -> Option<&Value> {
        self.keyword(name).or_else(|| self.positional.get(position))
    }

    pub(crate) fn keyword(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(known, _)| *known == Some(name)).map(|(_, value)| value)
    }

    /// Returns true if the call unpacks keywords (`**options`).
    pub(crate) fn hides_keywords(&self) -> bool {
        self.named.iter().any(|(name, _)| name.is_none())
    }

    pub(crate) fn everything(&self) -> impl Iterator<Item = &Value> + Clone {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}
