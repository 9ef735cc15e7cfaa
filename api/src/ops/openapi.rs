//! `GET /openapi.json`: the contract as this build serves it.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;

/// The document, as written by hand and kept true by tests.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::DOCUMENT;
    use crate::routes::calls;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn every_call_is_documented_and_every_documented_call_is_there() {
        let served: BTreeSet<(String, String)> = calls()
            .iter()
            .map(|call| (call.path.replace(":.+}", "}"), call.method.as_str().to_ascii_lowercase()))
            .collect();
        let document = document();
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| (path.clone(), method.clone()))
            })
            .collect();
        assert_eq!(served, documented);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_is_whole() {
        let document = document();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 50);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
                let id = operation["operationId"].as_str().unwrap_or_default();
                assert!(!id.is_empty() && ids.insert(id.to_owned()), "{method} {path}");
                assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
                let behind = path.starts_with("/api/v3");
                let responses = operation["responses"].as_object().unwrap();
                let of_a_body =
                    ["400", "408", "413", "415", "422"].iter().all(|status| responses.contains_key(*status));
                assert_eq!(operation["requestBody"].is_object(), of_a_body, "{method} {path}");
                assert!(!behind || (responses.contains_key("401") && responses.contains_key("429")), "{method} {path}");
            }
        }
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    references.push(reference.clone());
                }
                members.values().for_each(|value| collect(value, references));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
