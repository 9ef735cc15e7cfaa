//! Splits goals into words and stems them.

/// A word in lower case, its stem, and whether a clause starts with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) stem: String,
    pub(crate) starts_clause: bool,
}

/// Names that a number belongs to: "ISO 8601", "SHA-256".
pub(crate) const NUMBERED_NAMES: &[&str] =
    &["rfc", "iso", "sha", "utf", "hs", "pep", "ecma", "ieee", "fips", "md", "aes", "crc", "isbn", "ean"];

/// Splits text into words of letters and digits, with numbered names as one word ("iso8601"); punctuation separates,
/// apostrophes are dropped.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::new();
    for word in split(text) {
        let is_number = !word.starts_clause && word.text.chars().all(|c| c.is_ascii_digit());
        match joined.last_mut().filter(|last| is_number && NUMBERED_NAMES.contains(&last.text.as_str())) {
            Some(name) => {
                name.text.push_str(&word.text);
                name.stem.clone_from(&name.text);
            }
            None => joined.push(word),
        }
    }
    joined
}

fn split(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut starts_clause = true;
    let mut characters = text.chars().chain([' ']).peekable();
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() {
            current.extend(character.to_lowercase());
        } else if !matches!(character, '\'' | '\u{2019}') {
            if !current.is_empty() {
                let text = std::mem::take(&mut current);
                found.push(Word { stem: stem(&text), text, starts_clause });
                starts_clause = false;
            }
            // A dot inside a name or number does not end a clause.
            let is_inner = character == '.' && characters.peek().is_some_and(|next| next.is_alphanumeric());
            starts_clause |= !is_inner && matches!(character, '.' | ',' | ';' | ':' | '!' | '?' | '(' | ')' | '\n');
        }
    }
    found
}

/// Reduces an English word to a stem. Approximate; both sides of a comparison use it.
pub(crate) fn stem(word: &str) -> String {
    // Kept apart from "sort": merging sorted lists is not merge sort.
    if word == "sorted" {
        return word.to_owned();
    }
    let singular = strip_plural(word);
    let mut stem = singular;
    for suffix in ["ing", "ed"] {
        if let Some(rest) = stem.strip_suffix(suffix)
            && rest.len() > 2
            && rest.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        {
            stem = undouble(rest).to_owned();
            break;
        }
    }
    match stem.strip_suffix('e') {
        Some(rest) if rest.len() > 3 => rest.to_owned(),
        _ => stem,
    }
}

fn strip_plural(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() > 2) {
        return format!("{rest}y");
    }
    for ending in ["ches", "shes", "xes", "sses", "zes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    let keeps = word.len() < 4 || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is");
    word.strip_suffix('s').filter(|_| !keeps).unwrap_or(word).to_owned()
}

fn undouble(word: &str) -> &str {
    let bytes = word.as_bytes();
    match bytes {
        [.., a, b] if a == b && b"bdgmnprt".contains(b) => &word[..word.len() - 1],
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(forms: &[&str]) {
        let stems: Vec<_> = forms.iter().map(|form| stem(form)).collect();
        assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{forms:?} gave {stems:?}");
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        same(&["hash", "hashes", "hashing", "hashed"]);
        same(&["cache", "caches", "cached", "caching"]);
        same(&["limit", "limits", "limited", "limiting"]);
        same(&["retry", "retries", "retrying"]);
        same(&["map", "mapped", "mapping"]);
        same(&["query", "queries"]);
        same(&["numeral", "numerals"]);
    }

    #[test]
    fn short_and_odd_words_stay_themselves() {
        for word in ["sorted", "string", "bus", "class", "analysis", "lru", "jwt", "csv", "is", "", "é"] {
            assert_eq!(stem(word), word);
        }
    }

    #[test]
    fn a_number_is_part_of_a_name_that_it_follows() {
        let texts = |text| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts("SHA-256 by RFC 6238, 12 rounds"), ["sha256", "by", "rfc6238", "12", "rounds"]);
        assert_eq!(texts("ISO. 8601 is a number"), ["iso", "8601", "is", "a", "number"]);
    }

    #[test]
    fn punctuation_separates_and_marks_clauses() {
        let found = words("Don't use Dijkstra's rate-limiter, please");
        let texts: Vec<_> = found.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["dont", "use", "dijkstras", "rate", "limiter", "please"]);
        let starts: Vec<_> = found.iter().map(|word| word.starts_clause).collect();
        assert_eq!(starts, [true, false, false, false, false, true]);
        assert!(!words("collections.deque")[1].starts_clause);
        assert!(words("A deque. A list")[2].starts_clause);
    }
}
