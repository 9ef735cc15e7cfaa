//! Suggestions for misspelt names.

/// Maximum suggestions.
const MAX_SUGGESTIONS: usize = 3;

/// Returns the names that a misspelt one may mean, the nearest first.
///
/// A name is near if it differs by few edits, or if one of the two has all parts of the other: `lru` is near `js-lru-cache`.
pub fn nearest_names<'a>(misspelt: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = parts(misspelt);
    let mut near: Vec<(usize, &str)> =
        names.into_iter().filter_map(|name| Some((distance(&wanted, name)?, name))).collect();
    near.sort_unstable();
    near.into_iter().take(MAX_SUGGESTIONS).map(|(_, name)| name).collect()
}

fn parts(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Returns the edits between two names; `None` if they are not near.
fn distance(wanted: &[String], name: &str) -> Option<usize> {
    let known = parts(name);
    let edits = strsim::osa_distance(&wanted.join("-"), &known.join("-"));
    let length: usize = known.iter().map(String::len).sum();
    let is_part_of = |a: &[String], b: &[String]| !a.is_empty() && a.iter().all(|part| b.contains(part));
    let is_near = edits <= (length / 3).max(1) || is_part_of(wanted, &known) || is_part_of(&known, wanted);
    is_near.then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_of_a_name_are_near_and_other_names_are_not() {
        let names = ["retry-backoff", "async-retry", "lru-cache", "js-lru-cache", "ttl-cache", "heap", "sorting"];
        for (misspelt, near) in [
            ("retry-bakoff", vec!["retry-backoff"]),
            ("Retry_Backoff", vec!["retry-backoff"]),
            ("lru", vec!["lru-cache", "js-lru-cache"]),
            ("lru-cache-python", vec!["lru-cache"]),
            ("haep", vec!["heap"]),
            ("blockchain", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(nearest_names(misspelt, names), near, "{misspelt}");
        }
    }
}
