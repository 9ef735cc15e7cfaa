//! The characters that a regular expression lets through, and what texts made of them can do no harm to.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use crate::python::taint::value::Uses;

/// Characters that are needed to do harm.
const NEEDED: &[(Uses, &str)] = &[
    (Uses::SHELL, ";|&$`<>(){}*?'\"\\\n\r"),
    (Uses::SQL, "'\"`;\\()=*# \t\n\r"),
    (Uses::CODE, "()[]{}.'\"\\;=:\n"),
    (Uses::PATH, "/\\"),
    (Uses::URL, "/\\:.@"),
    (Uses::REDIRECT, "/\\:.@"),
    (Uses::HTML, "<>\"'"),
    (Uses::LDAP, "()*\\&|=\0"),
    (Uses::XPATH, "'\"()[]/=@|"),
    (Uses::LOG, "\n\r"),
    (Uses::MAIL, "\n\r"),
    (Uses::TEMPLATE, "{}%$<#"),
    (Uses::XML, "<>&"),
    (Uses::REGEX, "\\()[]{}+*?|^$."),
];

/// A regular expression that was understood.
pub(crate) struct Expression {
    hir: Hir,
}

impl Expression {
    /// Reads a pattern; none for what only Python can read.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::parse(&pattern.replace("\\Z", "\\z")).ok()?;
        Some(Self { hir })
    }

    /// The uses for which any text that it matches is harmless.
    pub(crate) fn harmless(&self) -> Uses {
        let mut alphabet = ClassUnicode::empty();
        collect(&self.hir, false, &mut alphabet);
        harmless(&alphabet)
    }

    /// The same for each group, by number and name.
    pub(crate) fn groups(&self) -> Vec<(String, Uses)> {
        let mut groups = vec![("0".to_owned(), self.harmless())];
        captures(&self.hir, &mut groups);
        groups
    }

    /// The uses for which a text is harmless when this function finds a match in it.
    pub(crate) fn proves(&self, function: &str) -> Uses {
        let properties = self.hir.properties();
        let ends = properties.look_set_suffix().contains(Look::End);
        let starts = properties.look_set_prefix().contains(Look::Start);
        let whole = match function {
            "fullmatch" => true,
            "match" => ends,
            "search" => starts && ends,
            _ => false,
        };
        let prefix =
            if function != "search" || starts { super::url_prefix::fixed_by(&self.prefix()) } else { Uses::NONE };
        if whole { self.harmless() | prefix } else { prefix }
    }

    /// The text that every match begins with.
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

    /// The uses for which a text is harmless once all that this matches was replaced by a constant.
    pub(crate) fn removes(&self, replacement: &str) -> Uses {
        let one = match self.hir.kind() {
            HirKind::Repetition(repetition) if repetition.min <= 1 => &*repetition.sub,
            _ => &self.hir,
        };
        let HirKind::Class(Class::Unicode(removed)) = one.kind() else { return Uses::NONE };
        let mut left = removed.clone();
        left.negate();
        for c in replacement.chars() {
            left.push(ClassUnicodeRange::new(c, c));
        }
        harmless(&left)
    }
}

/// Adds what is matched freely: the characters of classes, and those of literals that are repeated.
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

fn captures(hir: &Hir, groups: &mut Vec<(String, Uses)>) {
    match hir.kind() {
        HirKind::Capture(group) => {
            let mut alphabet = ClassUnicode::empty();
            collect(&group.sub, false, &mut alphabet);
            let uses = harmless(&alphabet);
            groups.push((group.index.to_string(), uses));
            groups.extend(group.name.as_ref().map(|name| (name.to_string(), uses)));
            captures(&group.sub, groups);
        }
        HirKind::Repetition(inner) => captures(&inner.sub, groups),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| captures(part, groups)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

fn harmless(alphabet: &ClassUnicode) -> Uses {
    let lacks = |needed: &str| {
        !needed.chars().any(|c| alphabet.ranges().iter().any(|range| range.start() <= c && c <= range.end()))
    };
    let mut uses = Uses::NONE;
    for (harm, needed) in NEEDED {
        if lacks(needed) {
            uses |= *harm;
        }
    }
    if uses.intersects(Uses::SHELL) {
        uses |= Uses::SESSION;
    }
    // Any alphabet can encode an object and spell an attribute; a few fixed texts are a choice of the program.
    if alphabet.ranges().is_empty() {
        uses |= Uses::OBJECT | Uses::ATTRIBUTE;
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proves(pattern: &str, function: &str, uses: Uses) -> bool {
        Expression::parse(pattern).is_some_and(|expression| uses.minus(expression.proves(function)).is_empty())
    }

    #[test]
    fn a_whole_match_proves_what_its_characters_cannot_do() {
        for (pattern, function, uses) in [
            ("[a-z0-9]+", "fullmatch", Uses::TEXT),
            (r"[\w.-]+", "fullmatch", Uses::SHELL | Uses::SQL | Uses::PATH | Uses::HTML),
            (r"^[a-z]+$", "match", Uses::TEXT),
            (r"[a-z]+\Z", "match", Uses::TEXT),
            (r"^\d{4}-\d\d$", "search", Uses::TEXT),
            (r"(up|down|a;b)", "fullmatch", Uses::ALL),
            (r"https://example\.org/.*", "match", Uses::URL | Uses::REDIRECT),
        ] {
            assert!(proves(pattern, function, uses), "{pattern}");
        }
    }

    #[test]
    fn a_match_of_a_part_or_of_dangerous_characters_proves_nothing() {
        for (pattern, function, uses) in [
            ("[a-z0-9]+", "match", Uses::SHELL),
            ("[a-z0-9]+", "search", Uses::SHELL),
            ("[a-z0-9]+$", "search", Uses::SHELL),
            ("[a-z;|&$() ]+", "fullmatch", Uses::SHELL),
            (".+", "fullmatch", Uses::SHELL),
            (r"\S+", "fullmatch", Uses::SHELL),
            (r"[\w\s]+", "fullmatch", Uses::SHELL),
            ("[^/]+", "fullmatch", Uses::SHELL),
            ("(a;)*", "fullmatch", Uses::SHELL),
            (r"[\w/]+", "fullmatch", Uses::PATH),
            (r"[0-9a-f]+", "fullmatch", Uses::OBJECT),
            (r"\w+", "fullmatch", Uses::ATTRIBUTE),
            ("(?!x)[a-z]+", "fullmatch", Uses::SHELL),
            (r"https://example\.org.*", "match", Uses::URL),
        ] {
            assert!(!proves(pattern, function, uses), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_removed_may_be_left() {
        let removes = |pattern: &str, by: &str| Expression::parse(pattern).map(|it| it.removes(by)).unwrap_or_default();
        assert!(removes("[^a-z0-9]", "").intersects(Uses::SHELL));
        assert!(removes(r"\W+", "-").intersects(Uses::SQL));
        assert!(removes(r"[\r\n]+", " ").intersects(Uses::LOG));
        assert!(!removes("[^a-z0-9]", ";").intersects(Uses::SHELL));
        assert!(!removes("[a-z]", "").intersects(Uses::SHELL));
        assert!(!removes("^[^a-z]+", "").intersects(Uses::SHELL));
    }
}
