//! Models of format string conversions.

use crate::python::taint::value::{AbstractValue, TaintKinds, Value};

/// Returns true if every field of a `str.format` template is a representation (`{!r}`).
pub(crate) fn quotes_all(template: &str) -> bool {
    let mut fields = 0;
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let after = &rest[at + 1..];
        if let Some(literal) = after.strip_prefix('{') {
            rest = literal;
            continue;
        }
        let Some((field, following)) = after.split_once('}') else { return false };
        if !field.contains("!r") && !field.contains("!a") {
            return false;
        }
        fields += 1;
        rest = following;
    }
    fields > 0
}

/// Returns the conversions of a `%` template in order, such as `s`, `r` and `d`.
pub(crate) fn conversions(template: &str) -> Vec<char> {
    let mut found = Vec::new();
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            continue;
        }
        let mut in_name = false;
        for c in chars.by_ref() {
            match c {
                '(' => in_name = true,
                ')' => in_name = false,
                '%' => break,
                c if !in_name && c.is_ascii_alphabetic() && !matches!(c, 'l' | 'h' | 'L') => {
                    found.push(c);
                    break;
                }
                _ => {}
            }
        }
    }
    found
}

/// Returns the combined values of a `%` template after their conversions.
pub(crate) fn converted(template: &str, values: &Value) -> Value {
    let conversions = conversions(template);
    match &values.content {
        AbstractValue::Sequence(items) if items.len() == conversions.len() => {
            let items: Vec<Value> = items.iter().zip(&conversions).map(|(item, by)| one(item, *by)).collect();
            Value::combined(items.iter())
        }
        _ => match conversions.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other == first) => one(values, *first),
            _ => values.clone(),
        },
    }
}

fn one(value: &Value, conversion: char) -> Value {
    match conversion {
        // A representation has no line breaks.
        'r' | 'a' => value.clone().sanitized(TaintKinds::LOG | TaintKinds::MAIL),
        // A number; text raises an error. A query should still take it as a parameter.
        'd' | 'i' | 'u' | 'f' | 'F' | 'e' | 'g' | 'x' | 'X' | 'o' if !value.is_constant() => {
            super::sanitizers::number()
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_read_in_order() {
        assert_eq!(conversions("%s and %-5.2f, %(name)r, 100%% %d"), ['s', 'f', 'r', 'd']);
        assert!(conversions("nothing").is_empty());
    }

    #[test]
    fn a_template_quotes_all_if_each_field_does() {
        assert!(quotes_all("a {!r} b {name!r:>5} {{}}"));
        assert!(!quotes_all("a {!r} b {}"));
        assert!(!quotes_all("nothing"));
    }
}
