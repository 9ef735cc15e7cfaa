//! Addresses of which the beginning is fixed.

use crate::python::taint::value::Uses;

/// The uses for which nothing that follows this beginning of an address does harm: it cannot change the host.
pub(crate) fn fixed_by(beginning: &str) -> Uses {
    let mut chars = beginning.chars();
    match (chars.next(), chars.next()) {
        (Some('/'), Some(second)) if !matches!(second, '/' | '\\') => return Uses::REDIRECT,
        (Some('?' | '#'), _) => return Uses::REDIRECT,
        _ => {}
    }
    let Some((scheme, rest)) = beginning.split_once("://") else { return Uses::NONE };
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    let host = rest.find(['/', '?', '#']).unwrap_or(0);
    if is_scheme && host > 0 { Uses::REDIRECT | Uses::URL } else { Uses::NONE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_fixes_the_host_only_where_nothing_can_be_added_to_it() {
        let all = Uses::REDIRECT | Uses::URL;
        for (beginning, fixed) in [
            ("/users/", Uses::REDIRECT),
            ("?page=", Uses::REDIRECT),
            ("https://example.org/", all),
            ("https://example.org?q=", all),
            ("https://example.org", Uses::NONE),
            ("https://", Uses::NONE),
            ("/", Uses::NONE),
            ("//", Uses::NONE),
            ("", Uses::NONE),
            ("users/", Uses::NONE),
        ] {
            assert_eq!(fixed_by(beginning), fixed, "{beginning}");
        }
    }
}
