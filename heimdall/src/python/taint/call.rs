//! A call with evaluated arguments.

use ruff_python_ast::ExprCall;
use ruff_text_size::TextRange;

use super::value::Value;

/// A call with everything in it evaluated.
pub(crate) struct Call<'e> {
    pub(crate) expr: &'e ExprCall,
    pub(crate) range: TextRange,
    /// The full path of what is called, where it is known.
    pub(crate) symbol: String,
    /// The last name of what is called.
    pub(crate) name: &'e str,
    /// The object whose method it is.
    pub(crate) receiver: Option<Value>,
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Option<&'e str>, Value)>,
    /// Positions cannot be told, because something is unpacked of which the elements are not known.
    pub(crate) unpacked: bool,
}

impl Call<'_> {
    /// An argument by position or name.
    pub(crate) fn argument(&self, position: usize, name: &str) -> Option<&Value> {
        self.keyword(name).or_else(|| self.positional.get(position))
    }

    pub(crate) fn keyword(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(known, _)| *known == Some(name)).map(|(_, value)| value)
    }

    /// Whether keywords may be there that cannot be seen (`**options`).
    pub(crate) fn hides_keywords(&self) -> bool {
        self.named.iter().any(|(name, _)| name.is_none())
    }

    pub(crate) fn everything(&self) -> impl Iterator<Item = &Value> + Clone {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}
