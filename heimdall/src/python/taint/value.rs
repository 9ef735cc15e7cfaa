//! Abstract values: taint, origin and, where possible, content.

use std::ops::{BitAnd, BitOr, BitOrAssign, Not};
use std::rc::Rc;

/// Maximum length of a tracked constant text, in bytes. Longer text is constant with unknown content.
const MAX_TEXT_BYTES: usize = 8 * 1024;
/// Maximum elements of a tracked container.
const MAX_ITEMS: usize = 64;
/// Maximum values tracked within one value, at any depth. Bounds the cost of comparing two values.
const MAX_NESTED_VALUES: usize = 512;
/// Maximum length of a symbol, in bytes.
const MAX_SYMBOL_BYTES: usize = 120;

/// A set of taint kinds: one bit for each kind of sink, and two origin marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TaintKinds(u32);

impl TaintKinds {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const SQL: Self = Self(1);
    pub(crate) const SHELL: Self = Self(1 << 1);
    pub(crate) const CODE: Self = Self(1 << 2);
    pub(crate) const PATH: Self = Self(1 << 3);
    pub(crate) const URL: Self = Self(1 << 4);
    pub(crate) const HTML: Self = Self(1 << 5);
    pub(crate) const LDAP: Self = Self(1 << 6);
    pub(crate) const XPATH: Self = Self(1 << 7);
    pub(crate) const LOG: Self = Self(1 << 8);
    pub(crate) const OBJECT: Self = Self(1 << 9);
    pub(crate) const TEMPLATE: Self = Self(1 << 10);
    /// A URL with a host, either after a scheme or after two slashes.
    pub(crate) const REDIRECT: Self = Self(1 << 11 | 1 << 19);
    /// `REDIRECT` by a scheme, and `REDIRECT` by two slashes.
    pub(crate) const SCHEME: Self = Self(1 << 11);
    pub(crate) const SLASHES: Self = Self(1 << 19);
    pub(crate) const XML: Self = Self(1 << 12);
    pub(crate) const REGEX: Self = Self(1 << 13);
    pub(crate) const SESSION: Self = Self(1 << 14);
    pub(crate) const MAIL: Self = Self(1 << 15);
    pub(crate) const ATTRIBUTE: Self = Self(1 << 16);
    /// Origin mark: the data does not come from the user who starts the program.
    pub(crate) const REMOTE: Self = Self(1 << 17);
    /// Origin mark: the data was a program argument.
    pub(crate) const ARGUMENT: Self = Self(1 << 18);
    pub(crate) const ALL: Self = Self((1 << 20) - 1);

    /// Kinds that depend on the characters of a text. Any characters can encode an object or name an attribute.
    pub(crate) const TEXT: Self =
        Self(Self::ALL.0 & !(Self::OBJECT.0 | Self::ATTRIBUTE.0 | Self::REMOTE.0 | Self::ARGUMENT.0));

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the kinds without others; empty if only origin marks are left.
    pub(crate) const fn minus(self, others: Self) -> Self {
        const MARKS: u32 = TaintKinds::REMOTE.0 | TaintKinds::ARGUMENT.0;
        let left = self.0 & !others.0;
        if left & !MARKS == 0 { Self::NONE } else { Self(left) }
    }
}

impl BitOr for TaintKinds {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for TaintKinds {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for TaintKinds {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for TaintKinds {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}

/// Content of a value, as far as it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum AbstractValue {
    #[default]
    Opaque,
    Text(Rc<str>),
    Int(i64),
    Bool(bool),
    PyNone,
    /// A list, tuple or set with these elements.
    Sequence(Rc<Vec<Value>>),
    /// A dictionary with constant keys.
    Dict(Rc<Vec<(Rc<str>, Value)>>),
    /// A container whose elements are not tracked.
    Container,
    /// A compiled regular expression.
    Pattern(Rc<str>),
    /// A function of this module, by index.
    Function(usize),
    /// A class of this module, by index.
    Class(usize),
    /// An instance of a class of this module.
    Instance(usize),
    /// A method of an instance: class index and function index.
    Method(usize, usize),
    Lambda(Rc<Lambda>),
}

/// Results of a lambda.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lambda {
    pub(crate) with_unknown: Value,
    pub(crate) with_constants: Value,
}

/// A value at one program point.
///
/// If it is neither tainted nor unknown, it consists of constants of this module or cannot carry text.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Value {
    /// Kinds for which it carries external data.
    pub(crate) tainted: TaintKinds,
    /// Kinds for which it carries data of unknown origin.
    pub(crate) unknown: TaintKinds,
    /// Text joined from pieces, at least one of which is not constant.
    pub(crate) assembled: bool,
    /// Text that starts like an SQL query.
    pub(crate) query: bool,
    /// Text that starts like an LDAP filter.
    pub(crate) filter: bool,
    /// Result of a function that received the request; most likely a response and not text of the request.
    pub(crate) derived_from_request: bool,
    /// A path whose links and `..` are resolved.
    pub(crate) is_normalized: bool,
    /// Result of a function without a model.
    pub(crate) from_unknown_call: bool,
    pub(crate) content: AbstractValue,
    /// Dotted path of the imports, calls and attributes it came from, such as `sqlite3.connect().cursor`.
    pub(crate) symbol: Option<Rc<str>>,
}

impl Value {
    /// Returns a constant of unknown content, or a value that cannot carry text.
    pub(crate) fn clean() -> Self {
        Self::default()
    }

    pub(crate) fn of(content: AbstractValue) -> Self {
        Self { content, ..Self::default() }
    }

    /// Returns a function, class or instance of this module. Converted to text it is of unknown origin.
    pub(crate) fn object(content: AbstractValue) -> Self {
        Self { content, ..Self::unknown() }
    }

    pub(crate) fn unknown() -> Self {
        Self { unknown: TaintKinds::ALL, ..Self::default() }
    }

    pub(crate) fn tainted(kinds: TaintKinds) -> Self {
        Self { tainted: kinds, unknown: TaintKinds::ALL, ..Self::default() }
    }

    pub(crate) fn text(text: &str) -> Self {
        let content =
            if text.len() <= MAX_TEXT_BYTES { AbstractValue::Text(text.into()) } else { AbstractValue::Opaque };
        Self { content, query: looks_like_query(text), filter: looks_like_filter(text), ..Self::default() }
    }

    pub(crate) fn sequence(items: Vec<Self>) -> Self {
        let mut value = Self::container(items.iter());
        if items.len() <= MAX_ITEMS && fits_limit(items.iter()) {
            value.content = AbstractValue::Sequence(Rc::new(items));
        }
        value
    }

    pub(crate) fn dict(entries: Vec<(Rc<str>, Self)>) -> Self {
        let mut value = Self::container(entries.iter().map(|(_, value)| value));
        if entries.len() <= MAX_ITEMS && fits_limit(entries.iter().map(|(_, value)| value)) {
            value.content = AbstractValue::Dict(Rc::new(entries));
        }
        value
    }

    pub(crate) fn lambda(lambda: Lambda) -> Self {
        if fits_limit([&lambda.with_unknown, &lambda.with_constants].into_iter()) {
            Self::object(AbstractValue::Lambda(Rc::new(lambda)))
        } else {
            Self::unknown()
        }
    }

    /// Returns a container whose elements are not tracked.
    pub(crate) fn container<'v>(elements: impl Iterator<Item = &'v Self> + Clone) -> Self {
        let query = elements.clone().any(|element| element.query);
        Self { query, content: AbstractValue::Container, ..Self::combined(elements) }
    }

    /// Returns a value of unknown content that carries the taint of all parts.
    pub(crate) fn combined<'v>(parts: impl Iterator<Item = &'v Self>) -> Self {
        let mut combined = Self::default();
        for part in parts {
            combined.tainted |= part.tainted;
            combined.unknown |= part.unknown;
            combined.assembled |= part.assembled;
        }
        combined
    }

    pub(crate) fn with_symbol(mut self, symbol: &str) -> Self {
        self.symbol = (symbol.len() <= MAX_SYMBOL_BYTES).then(|| symbol.into());
        self
    }

    pub(crate) fn symbol(&self) -> &str {
        self.symbol.as_deref().unwrap_or("")
    }

    /// Returns the value without these taint kinds.
    pub(crate) fn sanitized(mut self, kinds: TaintKinds) -> Self {
        self.tainted = self.tainted.minus(kinds);
        self.unknown = self.unknown.minus(kinds);
        if kinds.intersects(TaintKinds::SQL) {
            self.assembled = false;
        }
        if let AbstractValue::Sequence(_) | AbstractValue::Dict(_) = self.content {
            self.content = AbstractValue::Opaque;
        }
        self
    }

    /// Returns the value with these taint kinds moved from tainted to unknown.
    pub(crate) fn downgraded(mut self, kinds: TaintKinds) -> Self {
        self.unknown |= self.tainted & kinds;
        self.tainted = self.tainted.minus(kinds);
        self
    }

    /// Returns true if the value consists of constants.
    pub(crate) fn is_constant(&self) -> bool {
        self.tainted.is_empty() && self.unknown.is_empty()
    }

    /// Returns the value after two control flow paths join.
    pub(crate) fn join(&self, other: &Self) -> Self {
        if self == other {
            return self.clone();
        }
        Self {
            tainted: self.tainted | other.tainted,
            unknown: self.unknown | other.unknown,
            assembled: self.assembled || other.assembled,
            query: self.query || other.query,
            filter: self.filter || other.filter,
            is_normalized: self.is_normalized && other.is_normalized,
            from_unknown_call: self.from_unknown_call && other.from_unknown_call,
            derived_from_request: (self.derived_from_request || other.derived_from_request)
                && self.counts_as_derived()
                && other.counts_as_derived(),
            content: self.common_content(other),
            symbol: self.common_symbol(other),
        }
    }

    fn common_content(&self, other: &Self) -> AbstractValue {
        let is_structure = |content: &AbstractValue| {
            matches!(content, AbstractValue::Sequence(_) | AbstractValue::Dict(_) | AbstractValue::Container)
        };
        let fits = |content: &AbstractValue| is_structure(content) || *content == AbstractValue::PyNone;
        match (&self.content, &other.content) {
            (one, another) if one == another => one.clone(),
            (one, another) if fits(one) && fits(another) => AbstractValue::Container,
            _ => AbstractValue::Opaque,
        }
    }

    fn counts_as_derived(&self) -> bool {
        self.derived_from_request || !self.tainted.intersects(TaintKinds::HTML)
    }

    /// Returns the common symbol. Two safe loaders count as the same: `try: from yaml import CSafeLoader as Loader`.
    fn common_symbol(&self, other: &Self) -> Option<Rc<str>> {
        const SAFE: &str = "SafeLoader";
        let same = self.symbol == other.symbol || self.symbol().ends_with(SAFE) && other.symbol().ends_with(SAFE);
        if same { self.symbol.clone() } else { None }
    }

    /// Returns whether the value is truthy, if that is certain.
    pub(crate) fn truth(&self) -> Option<bool> {
        match &self.content {
            AbstractValue::Text(text) => Some(!text.is_empty()),
            AbstractValue::Int(number) => Some(*number != 0),
            AbstractValue::Bool(flag) => Some(*flag),
            AbstractValue::PyNone => Some(false),
            AbstractValue::Sequence(_)
            | AbstractValue::Dict(_)
            | AbstractValue::Container
            | AbstractValue::Pattern(_)
            | AbstractValue::Opaque
            | AbstractValue::Function(_)
            | AbstractValue::Class(_)
            | AbstractValue::Instance(_)
            | AbstractValue::Method(..)
            | AbstractValue::Lambda(_) => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let AbstractValue::Text(text) = &self.content { Some(text) } else { None }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        if let AbstractValue::Int(number) = self.content { Some(number) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let AbstractValue::Bool(flag) = self.content { Some(flag) } else { None }
    }

    /// Returns the join of all elements.
    pub(crate) fn any_element(&self) -> Self {
        match &self.content {
            AbstractValue::Sequence(items) => items.iter().cloned().reduce(|a, b| a.join(&b)).unwrap_or_default(),
            // Iterating over a dictionary yields its keys, and tracked keys are constant.
            AbstractValue::Text(_) | AbstractValue::Dict(_) => Self::clean(),
            AbstractValue::Opaque
            | AbstractValue::Container
            | AbstractValue::Pattern(_)
            | AbstractValue::Int(_)
            | AbstractValue::Bool(_)
            | AbstractValue::PyNone
            | AbstractValue::Function(_)
            | AbstractValue::Class(_)
            | AbstractValue::Instance(_)
            | AbstractValue::Method(..)
            | AbstractValue::Lambda(_) => Self { content: AbstractValue::Opaque, symbol: None, ..self.clone() },
        }
    }
}

/// Returns true if the values, at any depth, are few enough to track each.
fn fits_limit<'v>(mut values: impl Iterator<Item = &'v Value>) -> bool {
    let mut left = MAX_NESTED_VALUES;
    values.all(|value| spend(value, &mut left))
}

/// Subtracts a value and its parts from the remaining budget. Returns false if the budget is used up.
fn spend(value: &Value, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match &value.content {
        AbstractValue::Sequence(items) => items.iter().all(|item| spend(item, left)),
        AbstractValue::Dict(entries) => entries.iter().all(|(_, entry)| spend(entry, left)),
        AbstractValue::Lambda(lambda) => spend(&lambda.with_unknown, left) && spend(&lambda.with_constants, left),
        AbstractValue::Opaque
        | AbstractValue::Container
        | AbstractValue::Pattern(_)
        | AbstractValue::Text(_)
        | AbstractValue::Int(_)
        | AbstractValue::Bool(_)
        | AbstractValue::PyNone
        | AbstractValue::Function(_)
        | AbstractValue::Class(_)
        | AbstractValue::Instance(_)
        | AbstractValue::Method(..) => true,
    }
}

/// Returns true if a text starts like an LDAP filter, such as `(uid=`.
fn looks_like_filter(text: &str) -> bool {
    text.trim_start().strip_prefix('(').is_some_and(|rest| rest.contains('='))
}

/// Returns true if a text starts like an SQL statement.
fn looks_like_query(text: &str) -> bool {
    const VERBS: &[&str] =
        &["select ", "insert into ", "insert or ", "delete from ", "create table", "replace into ", "merge into "];
    // Prose starts with these words too. They count only in capitals or with another SQL keyword after them.
    const WORDS: &[&str] = &["update ", "drop ", "alter ", "with ", "truncate ", "exec "];
    const FOLLOWING: &[&str] = &[" set ", " table ", " as (", "select ", " view ", " index ", " column ", " database "];
    let text = text.trim_start();
    let plain = |c: char| if c.is_whitespace() { ' ' } else { c.to_ascii_lowercase() };
    let head: String = text.chars().take(16).map(plain).collect();
    let begins = |verbs: &[&str]| verbs.iter().any(|verb| head.starts_with(verb));
    if begins(VERBS) {
        return true;
    }
    begins(WORDS)
        && (text.starts_with(|c: char| c.is_ascii_uppercase()) && !text.chars().take(3).any(|c| c.is_ascii_lowercase())
            || {
                let start: String = text.chars().take(256).map(plain).collect();
                FOLLOWING.iter().any(|word| start.contains(word))
            })
}
