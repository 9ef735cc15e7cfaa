//! URLs with a fixed prefix.

use crate::python::taint::value::TaintKinds;

/// Returns the taint kinds removed by a URL prefix after which the host cannot change.
pub(crate) fn sanitized_by(beginning: &str) -> TaintKinds {
    let mut chars = beginning.chars();
    match (chars.next(), chars.next()) {
        (Some('/'), Some(second)) if !matches!(second, '/' | '\\') => return TaintKinds::REDIRECT,
        (Some('?' | '#'), _) => return TaintKinds::REDIRECT,
        _ => {}
    }
    let Some((scheme, rest)) = beginning.split_once("://") else { return TaintKinds::NONE };
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    let host = rest.find(['/', '?', '#']).unwrap_or(0);
    if is_scheme && host > 0 { TaintKinds::REDIRECT | TaintKinds::URL } else { TaintKinds::NONE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_fixes_the_host_only_if_it_ends_after_it() {
        let all = TaintKinds::REDIRECT | TaintKinds::URL;
        for (beginning, fixed) in [
            ("/users/", TaintKinds::REDIRECT),
            ("?page=", TaintKinds::REDIRECT),
            ("https://example.org/", all),
            ("https://example.org?q=", all),
            ("https://example.org", TaintKinds::NONE),
            ("https://", TaintKinds::NONE),
            ("/", TaintKinds::NONE),
            ("//", TaintKinds::NONE),
            ("", TaintKinds::NONE),
            ("users/", TaintKinds::NONE),
        ] {
            assert_eq!(sanitized_by(beginning), fixed, "{beginning}");
        }
    }
}
