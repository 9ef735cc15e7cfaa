//! What is known about a value: where it comes from, for which uses it is dangerous, and, where possible, what it is.

use std::ops::{BitAnd, BitOr, BitOrAssign, Not};
use std::rc::Rc;

/// Longest constant text that is followed, in bytes; longer ones are constant but unknown.
const MAX_TEXT: usize = 8 * 1024;
/// Most elements that are followed one by one.
const MAX_ITEMS: usize = 64;
/// Most values that are followed inside of one value, however they are nested: comparing two costs as much.
const MAX_WITHIN: usize = 512;
/// Longest symbol, in bytes.
const MAX_SYMBOL: usize = 120;

/// A set of uses, one bit for each kind of sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Uses(u32);

impl Uses {
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
        const MARKS: u32 = Uses::REMOTE.0 | Uses::ARGUMENT.0;
        let left = self.0 & !others.0;
        if left & !MARKS == 0 { Self::NONE } else { Self(left) }
    }
}

impl BitOr for Uses {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Uses {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Uses {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Uses {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}

/// What a value is, as far as it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Shape {
    #[default]
    Opaque,
    Text(Rc<str>),
    Int(i64),
    Bool(bool),
    Nothing,
    /// A list, tuple or set with these elements.
    Items(Rc<Vec<Value>>),
    /// A dictionary with constant keys.
    Table(Rc<Vec<(Rc<str>, Value)>>),
    /// A container of which the elements are not followed.
    Heap,
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
    pub(crate) tainted: Uses,
    /// Uses for which it carries data of unknown origin.
    pub(crate) unknown: Uses,
    /// Text put together from pieces, at least one of which is no constant.
    pub(crate) assembled: bool,
    /// Text that begins like a query.
    pub(crate) query: bool,
    /// Text that begins like an LDAP filter.
    pub(crate) filter: bool,
    /// Result of a function that got the request: most likely an answer, not a text of the request.
    pub(crate) handed: bool,
    /// A path that leads nowhere but where it says: links and `..` are followed already.
    pub(crate) resolved: bool,
    /// Result of a function that is not known.
    pub(crate) produced: bool,
    pub(crate) shape: Shape,
    /// The dotted path of imports, calls and attributes it came by, such as `sqlite3.connect().cursor`.
    pub(crate) symbol: Option<Rc<str>>,
}

impl Value {
    /// A constant, or something that cannot carry text, of which no more is known.
    pub(crate) fn clean() -> Self {
        Self::default()
    }

    pub(crate) fn of(shape: Shape) -> Self {
        Self { shape, ..Self::default() }
    }

    /// A function, class or object of this module; as text it could be anything.
    pub(crate) fn object(shape: Shape) -> Self {
        Self { shape, ..Self::unknown() }
    }

    pub(crate) fn unknown() -> Self {
        Self { unknown: Uses::ALL, ..Self::default() }
    }

    pub(crate) fn tainted(uses: Uses) -> Self {
        Self { tainted: uses, unknown: Uses::ALL, ..Self::default() }
    }

    pub(crate) fn text(text: &str) -> Self {
        let shape = if text.len() <= MAX_TEXT { Shape::Text(text.into()) } else { Shape::Opaque };
        Self { shape, query: looks_like_query(text), filter: looks_like_filter(text), ..Self::default() }
    }

    pub(crate) fn items(items: Vec<Self>) -> Self {
        let mut value = Self::gathered(items.iter());
        if items.len() <= MAX_ITEMS && is_followed(items.iter()) {
            value.shape = Shape::Items(Rc::new(items));
        }
        value
    }

    pub(crate) fn table(entries: Vec<(Rc<str>, Self)>) -> Self {
        let mut value = Self::gathered(entries.iter().map(|(_, value)| value));
        if entries.len() <= MAX_ITEMS && is_followed(entries.iter().map(|(_, value)| value)) {
            value.shape = Shape::Table(Rc::new(entries));
        }
        value
    }

    pub(crate) fn lambda(lambda: Lambda) -> Self {
        if is_followed([&lambda.of_anything, &lambda.of_constants].into_iter()) {
            Self::object(Shape::Lambda(Rc::new(lambda)))
        } else {
            Self::unknown()
        }
    }

    /// A container of these, of which the elements are not followed.
    pub(crate) fn gathered<'v>(elements: impl Iterator<Item = &'v Self> + Clone) -> Self {
        let query = elements.clone().any(|element| element.query);
        Self { query, shape: Shape::Heap, ..Self::mixed(elements) }
    }

    /// Carries whatever any of the parts carries, and is nothing in particular.
    pub(crate) fn mixed<'v>(parts: impl Iterator<Item = &'v Self>) -> Self {
        let mut mixed = Self::default();
        for part in parts {
            mixed.tainted |= part.tainted;
            mixed.unknown |= part.unknown;
            mixed.assembled |= part.assembled;
        }
        mixed
    }

    pub(crate) fn with_symbol(mut self, symbol: &str) -> Self {
        self.symbol = (symbol.len() <= MAX_SYMBOL).then(|| symbol.into());
        self
    }

    pub(crate) fn symbol(&self) -> &str {
        self.symbol.as_deref().unwrap_or("")
    }

    /// The same value, harmless for these uses from here on.
    pub(crate) fn cleared(mut self, uses: Uses) -> Self {
        self.tainted = self.tainted.minus(uses);
        self.unknown = self.unknown.minus(uses);
        if uses.intersects(Uses::SQL) {
            self.assembled = false;
        }
        if let Shape::Items(_) | Shape::Table(_) = self.shape {
            self.shape = Shape::Opaque;
        }
        self
    }

    /// The same value, known no longer to be dangerous for these uses, nor to be harmless.
    pub(crate) fn doubted(mut self, uses: Uses) -> Self {
        self.unknown |= self.tainted & uses;
        self.tainted = self.tainted.minus(uses);
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
            resolved: self.resolved && other.resolved,
            produced: self.produced && other.produced,
            handed: (self.handed || other.handed) && self.is_handed() && other.is_handed(),
            shape: self.common_shape(other),
            symbol: self.common_symbol(other),
        }
    }

    fn common_shape(&self, other: &Self) -> Shape {
        let is_structure = |shape: &Shape| matches!(shape, Shape::Items(_) | Shape::Table(_) | Shape::Heap);
        let fits = |shape: &Shape| is_structure(shape) || *shape == Shape::Nothing;
        match (&self.shape, &other.shape) {
            (one, another) if one == another => one.clone(),
            (one, another) if fits(one) && fits(another) => Shape::Heap,
            _ => Shape::Opaque,
        }
    }

    fn is_handed(&self) -> bool {
        self.handed || !self.tainted.intersects(Uses::HTML)
    }

    /// `try: from yaml import CSafeLoader as Loader`, and another safe loader where there is none.
    fn common_symbol(&self, other: &Self) -> Option<Rc<str>> {
        const SAFE: &str = "SafeLoader";
        let same = self.symbol == other.symbol || self.symbol().ends_with(SAFE) && other.symbol().ends_with(SAFE);
        if same { self.symbol.clone() } else { None }
    }

    /// Whether it counts as true, where that is certain.
    pub(crate) fn truth(&self) -> Option<bool> {
        match &self.shape {
            Shape::Text(text) => Some(!text.is_empty()),
            Shape::Int(number) => Some(*number != 0),
            Shape::Bool(flag) => Some(*flag),
            Shape::Nothing => Some(false),
            Shape::Items(_)
            | Shape::Table(_)
            | Shape::Heap
            | Shape::Pattern(_)
            | Shape::Opaque
            | Shape::Function(_)
            | Shape::Class(_)
            | Shape::Instance(_)
            | Shape::Method(..)
            | Shape::Lambda(_) => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Shape::Text(text) = &self.shape { Some(text) } else { None }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        if let Shape::Int(number) = self.shape { Some(number) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let Shape::Bool(flag) = self.shape { Some(flag) } else { None }
    }

    /// Any element of it, where which one is not known.
    pub(crate) fn any_element(&self) -> Self {
        match &self.shape {
            Shape::Items(items) => items.iter().cloned().reduce(|a, b| a.join(&b)).unwrap_or_default(),
            // The elements of a dictionary are its keys, and those that are followed are constant.
            Shape::Text(_) | Shape::Table(_) => Self::clean(),
            Shape::Opaque
            | Shape::Heap
            | Shape::Pattern(_)
            | Shape::Int(_)
            | Shape::Bool(_)
            | Shape::Nothing
            | Shape::Function(_)
            | Shape::Class(_)
            | Shape::Instance(_)
            | Shape::Method(..)
            | Shape::Lambda(_) => Self { shape: Shape::Opaque, symbol: None, ..self.clone() },
        }
    }
}

/// Whether there are few enough values in these, however deep, to follow each.
fn is_followed<'v>(mut values: impl Iterator<Item = &'v Value>) -> bool {
    let mut left = MAX_WITHIN;
    values.all(|value| takes(value, &mut left))
}

/// Takes a value and all in it from what is left; false when that is not enough.
fn takes(value: &Value, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match &value.shape {
        Shape::Items(items) => items.iter().all(|item| takes(item, left)),
        Shape::Table(entries) => entries.iter().all(|(_, entry)| takes(entry, left)),
        Shape::Lambda(lambda) => takes(&lambda.of_anything, left) && takes(&lambda.of_constants, left),
        Shape::Opaque
        | Shape::Heap
        | Shape::Pattern(_)
        | Shape::Text(_)
        | Shape::Int(_)
        | Shape::Bool(_)
        | Shape::Nothing
        | Shape::Function(_)
        | Shape::Class(_)
        | Shape::Instance(_)
        | Shape::Method(..) => true,
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
