//! The characters that a regular expression allows, and the taint kinds that text of these characters cannot carry.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use crate::python::taint::value::TaintKinds;

/// Characters without which a kind of attack is impossible.
const DANGEROUS_CHARACTERS: &[(TaintKinds, &str)] = &[
    (TaintKinds::SHELL, ";|&$`<>(){}*?'\"\\\n\r"),
    (TaintKinds::SQL, "'\"`;\\()=*# \t\n\r"),
    (TaintKinds::CODE, "()[]{}.'\"\\;=:\n"),
    (TaintKinds::PATH, "/\\"),
    (TaintKinds::URL, "/\\:.@"),
    (TaintKinds::REDIRECT, "/\\:.@"),
    (TaintKinds::HTML, "<>\"'"),
    (TaintKinds::LDAP, "()*\\&|=\0"),
    (TaintKinds::XPATH, "'\"()[]/=@|"),
    (TaintKinds::LOG, "\n\r"),
    (TaintKinds::MAIL, "\n\r"),
    (TaintKinds::TEMPLATE, "{}%$<#"),
    (TaintKinds::XML, "<>&"),
    (TaintKinds::REGEX, "\\()[]{}+*?|^$."),
];

/// A parsed regular expression.
pub(crate) struct ParsedRegex {
    hir: Hir,
}

impl ParsedRegex {
    /// Parses a pattern; returns `None` for syntax that only Python supports.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::parse(&pattern.replace("\\Z", "\\z")).ok()?;
        Some(Self { hir })
    }

    /// Returns the taint kinds that no matched text can carry.
    pub(crate) fn harmless(&self) -> TaintKinds {
        let mut alphabet = ClassUnicode::empty();
        collect(&self.hir, false, &mut alphabet);
        harmless(&alphabet)
    }

    /// Returns the same for each group, by number and name.
    pub(crate) fn groups(&self) -> Vec<(String, TaintKinds)> {
        let mut groups = vec![("0".to_owned(), self.harmless())];
        captures(&self.hir, &mut groups);
        groups
    }

    /// Returns the taint kinds that a text cannot carry if this function finds a match in it.
    pub(crate) fn proves(&self, function: &str) -> TaintKinds {
        let properties = self.hir.properties();
        let ends = properties.look_set_suffix().contains(Look::End);
        let starts = properties.look_set_prefix().contains(Look::Start);
        let whole = match function {
            "fullmatch" => true,
            "match" => ends,
            "search" => starts && ends,
            _ => false,
        };
        let prefix = if function != "search" || starts {
            super::url_prefix::sanitized_by(&self.prefix())
        } else {
            TaintKinds::NONE
        };
        if whole { self.harmless() | prefix } else { prefix }
    }

    /// Returns the literal prefix of all matches.
    fn prefix(&self) -> String {
        let parts = match self.hir.kind() {
            HirKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&self.hir),
        };
        let literals = parts.iter().filter(|part| !matches!(part.kind(), HirKind::Look(_)));
        let literals =
            literals.map_while(|part| if let HirKind::Literal(literal) = part.kind() { Some(literal) } else { None });
        literals.map(|literal| String::from_utf8_lossy(&literal.0).into_owned()).collect()
    }

    /// Returns the taint kinds that a text cannot carry after every match was replaced by a constant.
    pub(crate) fn removes(&self, replacement: &str) -> TaintKinds {
        let one = match self.hir.kind() {
            HirKind::Repetition(repetition) if repetition.min <= 1 => &*repetition.sub,
            _ => &self.hir,
        };
        let HirKind::Class(Class::Unicode(removed)) = one.kind() else { return TaintKinds::NONE };
        let mut left = removed.clone();
        left.negate();
        for c in replacement.chars() {
            left.push(ClassUnicodeRange::new(c, c));
        }
        harmless(&left)
    }
}

/// Adds the characters that an attacker can choose: those of classes and of repeated literals.
fn collect(hir: &Hir, is_repeated: bool, alphabet: &mut ClassUnicode) {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => alphabet.union(class),
        HirKind::Class(Class::Bytes(_)) => alphabet.push(ClassUnicodeRange::new('\0', char::MAX)),
        HirKind::Literal(literal) if is_repeated => {
            for c in String::from_utf8_lossy(&literal.0).chars() {
                alphabet.push(ClassUnicodeRange::new(c, c));
            }
        }
        HirKind::Repetition(inner) => collect(&inner.sub, is_repeated || inner.max != Some(1), alphabet),
        HirKind::Capture(group) => collect(&group.sub, is_repeated, alphabet),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, is_repeated, alphabet));
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => {}
    }
}

fn captures(hir: &Hir, groups: &mut Vec<(String, TaintKinds)>) {
    match hir.kind() {
        HirKind::Capture(group) => {
            let mut alphabet = ClassUnicode::empty();
            collect(&group.sub, false, &mut alphabet);
            let kinds = harmless(&alphabet);
            groups.push((group.index.to_string(), kinds));
            groups.extend(group.name.as_ref().map(|name| (name.to_string(), kinds)));
            captures(&group.sub, groups);
        }
        HirKind::Repetition(inner) => captures(&inner.sub, groups),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| captures(part, groups)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

fn harmless(alphabet: &ClassUnicode) -> TaintKinds {
    let lacks = |needed: &str| {
        !needed.chars().any(|c| alphabet.ranges().iter().any(|range| range.start() <= c && c <= range.end()))
    };
    let mut kinds = TaintKinds::NONE;
    for (taint_kind, needed) in DANGEROUS_CHARACTERS {
        if lacks(needed) {
            kinds |= *taint_kind;
        }
    }
    if kinds.intersects(TaintKinds::SHELL) {
        kinds |= TaintKinds::SESSION;
    }
    // Any alphabet can encode an object or name an attribute. Only a choice of fixed strings rules this out.
    if alphabet.ranges().is_empty() {
        kinds |= TaintKinds::OBJECT | TaintKinds::ATTRIBUTE;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proves(pattern: &str, function: &str, kinds: TaintKinds) -> bool {
        ParsedRegex::parse(pattern).is_some_and(|expression| kinds.minus(expression.proves(function)).is_empty())
    }

    #[test]
    fn a_full_match_sanitizes_by_its_characters() {
        for (pattern, function, kinds) in [
            ("[a-z0-9]+", "fullmatch", TaintKinds::TEXT),
            (r"[\w.-]+", "fullmatch", TaintKinds::SHELL | TaintKinds::SQL | TaintKinds::PATH | TaintKinds::HTML),
            (r"^[a-z]+$", "match", TaintKinds::TEXT),
            (r"[a-z]+\Z", "match", TaintKinds::TEXT),
            (r"^\d{4}-\d\d$", "search", TaintKinds::TEXT),
            (r"(up|down|a;b)", "fullmatch", TaintKinds::ALL),
            (r"https://example\.org/.*", "match", TaintKinds::URL | TaintKinds::REDIRECT),
        ] {
            assert!(proves(pattern, function, kinds), "{pattern}");
        }
    }

    #[test]
    fn a_partial_match_or_dangerous_characters_prove_nothing() {
        for (pattern, function, kinds) in [
            ("[a-z0-9]+", "match", TaintKinds::SHELL),
            ("[a-z0-9]+", "search", TaintKinds::SHELL),
            ("[a-z0-9]+$", "search", TaintKinds::SHELL),
            ("[a-z;|&$() ]+", "fullmatch", TaintKinds::SHELL),
            (".+", "fullmatch", TaintKinds::SHELL),
            (r"\S+", "fullmatch", TaintKinds::SHELL),
            (r"[\w\s]+", "fullmatch", TaintKinds::SHELL),
            ("[^/]+", "fullmatch", TaintKinds::SHELL),
            ("(a;)*", "fullmatch", TaintKinds::SHELL),
            (r"[\w/]+", "fullmatch", TaintKinds::PATH),
            (r"[0-9a-f]+", "fullmatch", TaintKinds::OBJECT),
            (r"\w+", "fullmatch", TaintKinds::ATTRIBUTE),
            ("(?!x)[a-z]+", "fullmatch", TaintKinds::SHELL),
            (r"https://example\.org.*", "match", TaintKinds::URL),
        ] {
            assert!(!proves(pattern, function, kinds), "{pattern}");
        }
    }

    #[test]
    fn characters_that_are_not_removed_remain() {
        let removes =
            |pattern: &str, by: &str| ParsedRegex::parse(pattern).map(|it| it.removes(by)).unwrap_or_default();
        assert!(removes("[^a-z0-9]", "").intersects(TaintKinds::SHELL));
        assert!(removes(r"\W+", "-").intersects(TaintKinds::SQL));
        assert!(removes(r"[\r\n]+", " ").intersects(TaintKinds::LOG));
        assert!(!removes("[^a-z0-9]", ";").intersects(TaintKinds::SHELL));
        assert!(!removes("[a-z]", "").intersects(TaintKinds::SHELL));
        assert!(!removes("^[^a-z]+", "").intersects(TaintKinds::SHELL));
    }
}
