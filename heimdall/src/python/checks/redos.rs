//! Regular expressions with exponential backtracking (ReDoS).

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

/// Returns true for a repeated group that can match one text in exponentially many ways, such as `(a+)+` or `(.*)*`.
///
/// Groups whose iterations start with a character that the previous iteration cannot match are not reported, as in
/// `\w+(-\w+)*`. Patterns that only Python can parse count as harmless.
pub(crate) fn backtracks(pattern: &str, is_verbose: bool) -> bool {
    let mut previous = [b' '; 2];
    let mut is_nested = false;
    for byte in pattern.bytes().filter(|byte| !is_verbose || !byte.is_ascii_whitespace()) {
        is_nested |= matches!(previous, [b'+' | b'*', b')']) && matches!(byte, b'+' | b'*' | b'{');
        previous = [previous[1], byte];
    }
    if !is_nested {
        return false;
    }
    let Some(pattern) = without_looks(pattern) else { return false };
    let parsed = regex_syntax::ParserBuilder::new().ignore_whitespace(is_verbose).build().parse(&pattern);
    parsed.is_ok_and(|hir| is_ambiguous(&hir))
}

/// Returns the pattern without look-arounds, which match no characters. Returns `None` if one is within a group, where
/// it may separate the iterations.
fn without_looks(pattern: &str) -> Option<String> {
    let mut kept = String::with_capacity(pattern.len());
    let (mut depth, mut in_class, mut look_depth) = (0_usize, false, None);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '\\' => length += rest[1..].chars().next().map_or(0, char::len_utf8),
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                depth += 1;
                let looks = ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|start| rest.starts_with(start));
                if looks && look_depth.is_none() {
                    if depth > 1 {
                        return None;
                    }
                    look_depth = Some(depth);
                }
            }
            ')' if !in_class => {
                depth = depth.checked_sub(1)?;
                if look_depth == Some(depth + 1) {
                    look_depth = None;
                    rest = &rest[1..];
                    continue;
                }
            }
            _ => {}
        }
        let (piece, following) = rest.split_at(length);
        if look_depth.is_none() {
            kept.push_str(piece);
        }
        rest = following;
    }
    Some(kept)
}

fn is_ambiguous(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(outer) => {
            (outer.max.is_none() && iterations_overlap(content(&outer.sub))) || is_ambiguous(&outer.sub)
        }
        HirKind::Capture(group) => is_ambiguous(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(is_ambiguous),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// Returns true if the end of one iteration can also be another iteration: the part before an unbounded last part
/// matches only characters of that part.
fn iterations_overlap(iteration: &Hir) -> bool {
    match iteration.kind() {
        HirKind::Repetition(inner) => inner.max.is_none(),
        HirKind::Concat(parts) => {
            let Some((last, before)) = parts.split_last() else { return false };
            let Some(alphabet) = unbounded(last).and_then(|last| characters(&last.sub)) else { return false };
            before.iter().all(|part| can_be_made_of(part, &alphabet))
        }
        HirKind::Alternation(ways) => ways.iter().any(|way| iterations_overlap(content(way))),
        HirKind::Capture(_) | HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

fn content(mut hir: &Hir) -> &Hir {
    while let HirKind::Capture(group) = hir.kind() {
        hir = &group.sub;
    }
    hir
}

fn unbounded(hir: &Hir) -> Option<&Repetition> {
    let HirKind::Repetition(inner) = content(hir).kind() else { return None };
    inner.max.is_none().then_some(inner)
}

/// Returns the characters of a part that matches one at a time.
fn characters(hir: &Hir) -> Option<ClassUnicode> {
    match content(hir).kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        HirKind::Literal(literal) => {
            let mut chars = std::str::from_utf8(&literal.0).ok()?.chars();
            let (only, None) = (chars.next()?, chars.next()) else { return None };
            Some(ClassUnicode::new([ClassUnicodeRange::new(only, only)]))
        }
        _ => None,
    }
}

/// Returns true if a part can match text of only these characters.
fn can_be_made_of(hir: &Hir, alphabet: &ClassUnicode) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Class(Class::Unicode(class)) => overlap(class.clone(), alphabet),
        HirKind::Literal(literal) => {
            let contains = |c: char| alphabet.ranges().iter().any(|range| range.start() <= c && c <= range.end());
            String::from_utf8_lossy(&literal.0).chars().all(contains)
        }
        HirKind::Repetition(inner) => inner.min == 0 || can_be_made_of(&inner.sub, alphabet),
        HirKind::Capture(group) => can_be_made_of(&group.sub, alphabet),
        HirKind::Concat(parts) => parts.iter().all(|part| can_be_made_of(part, alphabet)),
        HirKind::Alternation(ways) => ways.iter().any(|way| can_be_made_of(way, alphabet)),
        HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) => false,
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
    fn overlapping_iterations_backtrack() {
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
            r"(?<!x)(a+)+",
            r"([a-z]?[a-z]*)*",
        ] {
            assert!(backtracks(pattern, false), "{pattern}");
        }
    }

    #[test]
    fn distinct_iterations_do_not_backtrack() {
        for pattern in [
            r"[^\W_]+(?:['\u2019-][^\W_]+)*",
            r"\w+(-\w+)*",
            r"(,\s*\d+)*",
            r"(a+b+)+",
            r"(?:/[a-z]+)+",
            r"(a+,)*",
            r"a+b*",
            r"(?=x)(?P<num>\d*|\d+(_\d+)*)",
            r"(?:(?=b)a+)+",
            r"(a+(?!b))*",
            r"(?P<q>['\x22])(a+)+(?P=q)",
            r"(?:(a|b)+c+)*",
        ] {
            assert!(!backtracks(pattern, false), "{pattern}");
        }
    }

    #[test]
    fn whitespace_of_a_verbose_pattern_is_ignored() {
        assert!(backtracks("( a+ )+", true));
        assert!(!backtracks("( a+ )+", false));
    }
}
