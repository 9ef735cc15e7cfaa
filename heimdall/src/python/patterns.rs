//! Regular expressions that take exponential time.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

/// `(a+)+`, `(.*)*`: a repeated group whose content ends in a repetition, so that one text can be cut into rounds in many
/// ways. Not so where each round begins with something that the repetition before cannot match, as in `\w+(-\w+)*`.
pub(crate) fn backtracks(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let is_nested = bytes
        .windows(3)
        .any(|three| matches!(three[0], b'+' | b'*') && three[1] == b')' && matches!(three[2], b'+' | b'*'));
    // What only Python can read, such as a look-ahead, is judged by its looks.
    is_nested && regex_syntax::parse(pattern).map_or(true, |hir| is_ambiguous(&hir))
}

fn is_ambiguous(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(outer) => {
            (outer.max.is_none() && rounds_blend(content(&outer.sub))) || is_ambiguous(&outer.sub)
        }
        HirKind::Capture(group) => is_ambiguous(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(is_ambiguous),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// Whether the end of one round may as well be the beginning of the next.
fn rounds_blend(round: &Hir) -> bool {
    match round.kind() {
        HirKind::Repetition(inner) => inner.max.is_none(),
        HirKind::Concat(parts) => {
            let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
            endless(last).is_some_and(|last| match (beginnings(first), beginnings(content(&last.sub))) {
                (Some(first), Some(last)) => overlap(first, &last),
                _ => true,
            })
        }
        HirKind::Alternation(ways) => ways.iter().any(|way| rounds_blend(content(way))),
        HirKind::Capture(_) | HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

fn content(mut hir: &Hir) -> &Hir {
    while let HirKind::Capture(group) = hir.kind() {
        hir = &group.sub;
    }
    hir
}

fn endless(hir: &Hir) -> Option<&Repetition> {
    let HirKind::Repetition(inner) = content(hir).kind() else { return None };
    inner.max.is_none().then_some(inner)
}

/// The characters that a match begins with; `None` where it may be empty or is not simple enough to tell.
fn beginnings(hir: &Hir) -> Option<ClassUnicode> {
    match content(hir).kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        HirKind::Literal(literal) => {
            let first = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ClassUnicode::new([ClassUnicodeRange::new(first, first)]))
        }
        HirKind::Repetition(inner) if inner.min > 0 => beginnings(&inner.sub),
        HirKind::Concat(parts) => beginnings(parts.first()?),
        HirKind::Class(Class::Bytes(_))
        | HirKind::Repetition(_)
        | HirKind::Alternation(_)
        | HirKind::Capture(_)
        | HirKind::Empty
        | HirKind::Look(_) => None,
    }
}

fn overlap(mut one: ClassUnicode, other: &ClassUnicode) -> bool {
    one.intersect(other);
    !one.ranges().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_blend_backtrack() {
        for pattern in [
            "(a+)+",
            "(.*)*",
            "^(a*)*$",
            r"(\w+\w+)+",
            r"(-?\w+)*",
            r"(?:\s*\w+)+!",
            r"(?=x)(a+)+",
            "(b|a+)*",
            r"(\d[0-9]+)*",
            "((a+)+b)*",
        ] {
            assert!(backtracks(pattern), "{pattern}");
        }
    }

    #[test]
    fn rounds_that_are_told_apart_do_not() {
        for pattern in [
            r"[^\W_]+(?:['\u2019-][^\W_]+)*",
            r"\w+(-\w+)*",
            r"(,\s*\d+)*",
            r"(a+b+)+",
            r"(?:/[a-z]+)+",
            r"(a+,)*",
            r"a+b*",
        ] {
            assert!(!backtracks(pattern), "{pattern}");
        }
    }
}
