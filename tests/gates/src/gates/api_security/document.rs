//! The served OpenAPI document.

use serde_json::Value;

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// The operations of a document.
#[derive(Debug)]
pub struct Document {
    pub operations: Vec<ApiOperation>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ApiOperation {
    /// In capitals.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// True if the document does not require a token.
    pub is_open: bool,
}

impl Document {
    /// Reads the operations. A document without any is an error.
    pub fn read(document: &Value) -> Result<Self, String> {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    let security = operation.get("security").or_else(|| document.get("security"));
                    operations.push(ApiOperation {
                        method: method.to_uppercase(),
                        path: path.clone(),
                        is_open: is_open(security),
                    });
                }
            }
        }
        if operations.is_empty() {
            Err("the OpenAPI document has no operations".to_owned())
        } else {
            Ok(Self { operations })
        }
    }

    /// Returns each path once.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.operations.iter().map(|operation| operation.path.as_str()).collect();
        paths.dedup();
        paths
    }

    /// Returns an operation of the document.
    pub fn find(&self, method: &str, path: &str) -> Option<&ApiOperation> {
        self.operations.iter().find(|operation| operation.method == method && operation.path == path)
    }
}

/// Returns whether requirements are absent, empty, or have an empty alternative.
fn is_open(security: Option<&Value>) -> bool {
    let alternatives = security.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    alternatives.is_empty() || alternatives.iter().any(|one| one.as_object().is_none_or(serde_json::Map::is_empty))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_is_open_without_a_requirement() {
        let document = Document::read(&json!({
            "security": [{"bearer": []}],
            "paths": {
                "/a": {"get": {}, "post": {"security": []}, "parameters": []},
                "/b": {"get": {"security": [{}, {"bearer": []}]}, "delete": {"security": [{"bearer": []}]}},
            },
        }))
        .unwrap();
        let open = |method, path| document.find(method, path).unwrap().is_open;
        assert_eq!((open("GET", "/a"), open("POST", "/a")), (false, true));
        assert_eq!((open("GET", "/b"), open("DELETE", "/b")), (true, false));
        assert_eq!(document.paths(), ["/a", "/b"]);
        assert!(Document::read(&json!({"paths": {}})).is_err());
    }
}
