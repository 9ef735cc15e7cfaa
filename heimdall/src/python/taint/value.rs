//! What is known about a value: where it comes from, for which uses it is dangerous, and, where possible, what it is.

use std::ops::{BitAnd, BitOr, BitOrAssign, Not};
use std::rc::Rc;

/// Longest constant text that is followed, in bytes; longer ones are constant but unknown.
const MAX_TEXT_BYTES: usize = 8 * 1024;
/// Most elements that are followed one by one.
const MAX_ITEMS: usize = 64;
/// Most values that are followed inside of one value, however they are nested: comparing two costs as much.
const MAX_NESTED_VALUES: usize = 512;
/// Longest symbol, in bytes.
const MAX_SYMBOL_BYTES: usize = 120;

/// A set of uses, one bit for each kind of sink.
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
    /// An address that names a host, with a scheme or behind two slashes.
    pub(crate) const REDIRECT: Self = Self(1 << 11 | 1 << 19);
    /// The part of it that needs a scheme, and the part that needs two slashes.
    pub(crate) const SCHEME: Self = Self(1 << 11);
    pub(crate) const SLASHES: Self = Self(1 << 19);
    pub(crate) const XML: Self = Self(1 << 12);
    pub(crate) const REGEX: Self = Self(1 << 13);
    pub(crate) const SESSION: Self = Self(1 << 14);
    pub(crate) const MAIL: Self = Self(1 << 15);
    pub(crate) const ATTRIBUTE: Self = Self(1 << 16);
    /// A mark, not a use: the data does not come from the user who starts the program.
    pub(crate) const REMOTE: Self = Self(1 << 17);
    /// A mark, not a use: the data was an argument of the program.
    pub(crate) const ARGUMENT: Self = Self(1 << 18);
    pub(crate) const ALL: Self = Self((1 << 20) - 1);

    /// Uses that the characters of a text decide; any can encode an object or spell an attribute.
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

    /// These uses without others; marks alone are nothing.
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

/// What a value is, as far as it is known.
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
    /// A container of which the elements are not followed.
    Container,
    /// A compiled regular expression.
    Pattern(Rc<str>),
    /// A function of this module, by number.
    Function(usize),
    /// A class of this module, by number.
    Class(usize),
    /// An object of a class of this module.
    Instance(usize),
    /// A method of an object of this module: class, function.
    Method(usize, usize),
    Lambda(Rc<Lambda>),
}

/// What a lambda returns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lambda {
    pub(crate) of_anything: Value,
    pub(crate) of_constants: Value,
}

/// What is known about one value at one point of the program.
///
/// With neither tainted nor unknown uses it is made of constants of this module alone, or cannot carry text.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Value {
    /// Uses for which it carries data from outside.
    pub(crate) tainted: TaintKinds,
    /// Uses for which it carries data of unknown origin.
    pub(crate) unknown: TaintKinds,
    /// Text put together from pieces, at least one of which is no constant.
    pub(crate) assembled: bool,
    /// Text that begins like a query.
    pub(crate) query: bool,
    /// Text that begins like an LDAP filter.
    pub(crate) filter: bool,
    /// Result of a function that got the request: most likely an answer, not a text of the request.
    pub(crate) derived_from_request: bool,
    /// A path that leads nowhere but where it says: links and `..` are followed already.
    pub(crate) is_normalized: bool,
    /// Result of a function that is not known.
    pub(crate) from_unknown_call: bool,
    pub(crate) content: AbstractValue,
    /// The dotted path of imports, calls and attributes it came by, such as `sqlite3.connect().cursor`.
    pub(crate) symbol: Option<Rc<str>>,
}

impl Value {
    /// A constant, or something that cannot carry text, of which no more is known.
    pub(crate) fn clean() -> Self {
        Self::default()
    }

    pub(crate) fn of(content: AbstractValue) -> Self {
        Self { content, ..Self::default() }
    }

    /// A function, class or object of this module; as text it could be anything.
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
        if items.len() <= MAX_ITEMS && is_followed(items.iter()) {
            value.content = AbstractValue::Sequence(Rc::new(items));
        }
        value
    }

    pub(crate) fn dict(entries: Vec<(Rc<str>, Self)>) -> Self {
        let mut value = Self::container(entries.iter().map(|(_, value)| value));
        if entries.len() <= MAX_ITEMS && is_followed(entries.iter().map(|(_, value)| value)) {
            value.content = AbstractValue::Dict(Rc::new(entries));
        }
        value
    }

    pub(crate) fn lambda(lambda: Lambda) -> Self {
        if is_followed([&lambda.of_anything, &lambda.of_constants].into_iter()) {
            Self::object(AbstractValue::Lambda(Rc::new(lambda)))
        } else {
            Self::unknown()
        }
    }

    /// A container of these, of which the elements are not followed.
    pub(crate) fn container<'v>(elements: impl Iterator<Item = &'v Self> + Clone) -> Self {
        let query = elements.clone().any(|element| element.query);
        Self { query, content: AbstractValue::Container, ..Self::combined(elements) }
    }

    /// Carries whatever any of the parts carries, and is nothing in particular.
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

    /// The same value, harmless for these uses from here on.
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

    /// The same value, known no longer to be dangerous for these uses, nor to be harmless.
    pub(crate) fn downgraded(mut self, kinds: TaintKinds) -> Self {
        self.unknown |= self.tainted & kinds;
        self.tainted = self.tainted.minus(kinds);
        self
    }

    /// Whether it is made of constants alone.
    pub(crate) fn is_constant(&self) -> bool {
        self.tainted.is_empty() && self.unknown.is_empty()
    }

    /// The value of a name after two ways to get here.
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

    /// `try: from yaml import CSafeLoader as Loader`, and another safe loader where there is none.
    fn common_symbol(&self, other: &Self) -> Option<Rc<str>> {
        const SAFE: &str = "SafeLoader";
        let same = self.symbol == other.symbol || self.symbol().ends_with(SAFE) && other.symbol().ends_with(SAFE);
        if same { self.symbol.clone() } else { None }
    }

    /// Whether it counts as true, where that is certain.
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

    /// Any element of it, where which one is not known.
    pub(crate) fn any_element(&self) -> Self {
        match &self.content {
            AbstractValue::Sequence(items) => items.iter().cloned().reduce(|a, b| a.join(&b)).unwrap_or_default(),
            // The elements of a dictionary are its keys, and those that are followed are constant.
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

/// Whether there are few enough values in these, however deep, to follow each.
fn is_followed<'v>(mut values: impl Iterator<Item = &'v Value>) -> bool {
    let mut left = MAX_NESTED_VALUES;
    values.all(|value| takes(value, &mut left))
}

/// Takes a value and all in it from what is left; false when that is not enough.
fn takes(value: &Value, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match &value.content {
        AbstractValue::Sequence(items) => items.iter().all(|item| takes(item, left)),
        AbstractValue::Dict(entries) => entries.iter().all(|(_, entry)| takes(entry, left)),
        AbstractValue::Lambda(lambda) => takes(&lambda.of_anything, left) && takes(&lambda.of_constants, left),
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

/// Returns whether a text begins like an LDAP filter, such as `(uid=`.
fn looks_like_filter(text: &str) -> bool {
    text.trim_start().strip_prefix('(').is_some_and(|rest| rest.contains('='))
}

/// Whether a text begins like an SQL statement.
fn looks_like_query(text: &str) -> bool {
    const VERBS: &[&str] =
        &["select ", "insert into ", "insert or ", "delete from ", "create table", "replace into ", "merge into "];
    // Words that prose begins with as well, unless they are in capitals or another word of a statement follows.
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
