//! Validates the fields of a JSON body and collects every error. Messages never repeat submitted text.

use domain::approval::CODE_BYTES;
use serde_json::{Map, Value};

use crate::http::problem::{FieldError, Problem};

/// Reads fields and collects their errors.
#[derive(Debug, Default)]
pub(crate) struct FieldReader {
    errors: Vec<FieldError>,
}

/// An object in the body with its path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'v> {
    members: Option<&'v Map<String, Value>>,
    path: &'static str,
}

impl<'v> Object<'v> {
    /// Returns a member that is present and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&'v Value> {
        self.members.and_then(|members| members.get(name)).filter(|value| !value.is_null())
    }

    fn field(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

impl FieldReader {
    /// Returns the body, which must be an object.
    pub(crate) fn body(value: &Value) -> Result<Object<'_>, Problem> {
        match value.as_object() {
            Some(members) => Ok(Object { members: Some(members), path: "" }),
            None => Err(Problem::invalid_field("body", "must be a JSON object")),
        }
    }

    pub(crate) fn wrong(&mut self, object: Object<'_>, name: &str, message: &str) {
        self.errors.push(FieldError { field: object.field(name), message: message.to_owned() });
    }

    /// Reads an object in `parent`; an absent one is empty. `path` is its full path.
    pub(crate) fn object<'v>(&mut self, parent: Object<'v>, path: &'static str) -> Object<'v> {
        let name = path.rsplit('.').next().unwrap_or(path);
        let value = parent.get(name);
        if value.is_some_and(|value| !value.is_object()) {
            self.wrong(parent, name, "must be an object");
        }
        Object { members: value.and_then(Value::as_object), path }
    }

    /// Reads a text of at most `most` characters without NUL.
    pub(crate) fn text(&mut self, object: Object<'_>, name: &str, most: usize) -> Option<String> {
        let value = object.get(name)?;
        let Some(text) = value.as_str() else {
            self.wrong(object, name, "must be a string");
            return None;
        };
        if text.contains('\0') {
            self.wrong(object, name, "must not contain NUL characters");
        } else if text.chars().nth(most).is_some() {
            self.wrong(object, name, &format!("must be at most {most} characters"));
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// Reads a required text.
    pub(crate) fn required_text(&mut self, object: Object<'_>, name: &str, most: usize) -> String {
        if object.get(name).is_none() {
            self.wrong(object, name, "is required");
        }
        self.text(object, name, most).unwrap_or_default()
    }

    /// Reads code of at most 1 MiB in UTF-8; larger is 413. Blank code counts as absent.
    pub(crate) fn code(&mut self, object: Object<'_>, name: &str) -> Result<Option<String>, Problem> {
        Ok(self.code_or_blank(object, name)?.filter(|text| !text.trim().is_empty()))
    }

    /// Like [`Self::code`], with blank code as it is.
    pub(crate) fn code_or_blank(&mut self, object: Object<'_>, name: &str) -> Result<Option<String>, Problem> {
        if object.get(name).and_then(Value::as_str).is_some_and(|text| text.len() > CODE_BYTES) {
            return Err(Problem::too_large(&format!("{} is larger than 1 MiB.", object.field(name))));
        }
        Ok(self.text(object, name, CODE_BYTES))
    }

    pub(crate) fn flag(&mut self, object: Object<'_>, name: &str, default: bool) -> bool {
        let value = object.get(name);
        if value.is_some_and(|value| !value.is_boolean()) {
            self.wrong(object, name, "must be true or false");
        }
        value.and_then(Value::as_bool).unwrap_or(default)
    }

    /// Reads a whole number from `least` to `most`.
    pub(crate) fn number(&mut self, object: Object<'_>, name: &str, (least, most): (u32, u32), default: u32) -> u32 {
        let Some(value) = object.get(name) else { return default };
        let whole = value.as_u64().or_else(|| {
            // In JSON 3.0 equals 3.
            value
                .as_f64()
                .filter(|number| number.fract() == 0.0 && (0.0..1e9).contains(number))
                .map(|number| number as u64)
        });
        match whole.and_then(|number| u32::try_from(number).ok()).filter(|number| (least..=most).contains(number)) {
            Some(number) => number,
            None => {
                self.wrong(object, name, &format!("must be a whole number from {least} to {most}"));
                default
            }
        }
    }

    /// Reads a whole number of any size as a count; negative numbers are 0.
    pub(crate) fn count(&mut self, object: Object<'_>, name: &str, default: usize) -> usize {
        let Some(value) = object.get(name) else { return default };
        let number = value.as_f64().filter(|number| number.fract() == 0.0);
        if number.is_none() {
            self.wrong(object, name, "must be a whole number");
        }
        number.map_or(default, |number| number as usize)
    }

    /// Reads one of `choices` by its name.
    pub(crate) fn choice<T: Copy>(&mut self, object: Object<'_>, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = object.get(name)?;
        let chosen = value.as_str().and_then(|text| choices.iter().find(|(known, _)| *known == text));
        if chosen.is_none() {
            let names: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            self.wrong(object, name, &format!("must be one of {}", names.join(", ")));
        }
        chosen.map(|(_, value)| *value)
    }

    /// Reads names from a list, or from an object's keys as in manifests; each is cut after `most` characters.
    pub(crate) fn names(&mut self, object: Object<'_>, name: &str, most: usize) -> Vec<String> {
        let Some(value) = object.get(name) else { return Vec::new() };
        let cut = |text: &str| text.chars().take(most).collect::<String>();
        let listed = |items: &Vec<Value>| items.iter().map(|item| item.as_str().map(cut)).collect();
        let keyed = |members: &Map<String, Value>| members.keys().map(|name| cut(name)).collect();
        let names: Option<Vec<String>> = value.as_array().map_or_else(|| value.as_object().map(keyed), listed);
        if names.is_none() {
            self.wrong(object, name, "must be a list of strings, or an object with the names as keys");
        }
        names.unwrap_or_default()
    }

    /// Returns every error as one problem.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_wrong_field_is_named_and_nothing_that_was_sent_is_repeated() {
        let body = json!({"a": 7, "b": {"c": "secret\u{0}", "d": "sesame", "e": [1], "n": 2.5}, "f": "no"});
        let root = FieldReader::body(&body).unwrap();
        let mut fields = FieldReader::default();
        fields.text(root, "a", 10);
        let inner = fields.object(root, "b");
        fields.text(inner, "c", 10);
        fields.choice(inner, "d", &[("x", 1), ("y", 2)]);
        fields.names(inner, "e", 10);
        fields.number(inner, "n", (1, 10), 3);
        fields.flag(root, "f", true);
        fields.object(root, "f");
        fields.required_text(root, "g", 10);
        let document = fields.finish().unwrap_err().document();
        let named: Vec<&str> =
            document["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(named, ["a", "b.c", "b.d", "b.e", "b.n", "f", "f", "g"]);
        assert!(!document.to_string().contains("secret") && !document.to_string().contains("sesame"));
    }

    #[test]
    fn null_counts_as_absent_and_a_whole_float_as_an_integer() {
        let body = json!({"a": null, "n": 3.0});
        let root = FieldReader::body(&body).unwrap();
        let mut fields = FieldReader::default();
        assert_eq!(fields.text(root, "a", 1), None);
        assert!(fields.flag(root, "a", true));
        assert_eq!(fields.number(root, "n", (1, 10), 1), 3);
        fields.finish().unwrap();
        assert!(FieldReader::body(&json!([])).is_err());
    }

    #[test]
    fn code_above_one_mebibyte_is_too_large_and_not_invalid() {
        let body = json!({"code": "é".repeat(512 * 1024 + 1), "fits": "x".repeat(1024 * 1024), "blank": " \n"});
        let root = FieldReader::body(&body).unwrap();
        let mut fields = FieldReader::default();
        assert_eq!(fields.code(root, "code").unwrap_err().status(), 413);
        assert!(fields.code(root, "fits").unwrap().is_some());
        assert!(fields.code(root, "blank").unwrap().is_none());
        fields.finish().unwrap();
    }
}
