//! What a workflow has made, inside its document and one by one: `GET /api/v3/execute/{workflow_id}/artifacts/{name}`.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use shared::ids::Digest;
use shared::workflow::{Artifacts, CodeFile, Content};

use crate::auth::Caller;
use crate::execute::blobs_away;
use crate::limits::{Operation, admit};
use crate::problem::Problem;
use crate::state::State;
use crate::visibility::{may_decide_now, may_show_artifacts, visible};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const DIFF: &str = "text/x-diff; charset=utf-8";

/// The path of the changes to given code, beside those of the files.
pub(crate) const CHANGES: &str = "changes.diff";

/// The artifacts of a workflow whose artifacts are not to be seen, or not here.
pub(crate) fn nothing() -> Value {
    json!({"generated_code": null, "test_results": null, "security_report": null, "documentation": null})
}

/// Every artifact, as the workflow's document embeds it.
pub(crate) async fn read_artifacts(state: &State, artifacts: &Artifacts) -> Result<Value, Problem> {
    let documentation = match &artifacts.documentation {
        Some(content) => Some(load(state, content).await?),
        None => None,
    };
    Ok(json!({
        "generated_code": read_code(state, artifacts).await?,
        "test_results": read_json(state, artifacts.test_results.as_ref()).await?,
        "security_report": read_json(state, artifacts.security_report.as_ref()).await?,
        "documentation": documentation,
    }))
}

async fn load(state: &State, content: &Content) -> Result<String, Problem> {
    state.blobs.load(content).await.map_err(|error| blobs_away(&error))
}

async fn read_json(state: &State, content: Option<&Content>) -> Result<Value, Problem> {
    let Some(content) = content else { return Ok(Value::Null) };
    let text = load(state, content).await?;
    serde_json::from_str(&text).map_err(|_| {
        tracing::error!(digest = %content.digest, "a report in the log is not JSON");
        Problem::internal()
    })
}

/// The files that we made or changed, as one text; the caller's own are not repeated.
async fn read_code(state: &State, artifacts: &Artifacts) -> Result<String, Problem> {
    let mut files = Vec::new();
    for file in made(artifacts) {
        files.push((file.path.as_str(), load(state, &file.content).await?));
    }
    Ok(joined(&files))
}

fn made(artifacts: &Artifacts) -> impl Iterator<Item = &CodeFile> {
    artifacts.files.iter().filter(|file| !file.from_caller)
}

/// The content of a file that the caller gave, by its artifact's name: its owner has it, and who decides has to read it.
fn callers_file<'a>(artifacts: &'a Artifacts, name: &str) -> Option<&'a Content> {
    let path = name.strip_prefix("files/")?;
    artifacts.files.iter().find(|file| file.from_caller && file.path == path).map(|file| &file.content)
}

/// One file stands as it is; several are headed by their paths.
fn joined(files: &[(&str, String)]) -> String {
    match files {
        [(_, only)] => only.clone(),
        several => {
            let headed =
                several.iter().map(|(path, text)| format!("# file: {path}\n{}\n", text.trim_end_matches('\n')));
            headed.collect::<Vec<_>>().join("\n")
        }
    }
}

/// One artifact, with its digest as `ETag`.
pub(crate) async fn artifact(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    admit(&state, &request, &caller, Operation::Status).await?;
    let (id, name) = path.into_inner();
    let workflow = visible(&state, &caller, &id).await?.workflow;
    if let Some(own) = callers_file(&workflow.artifacts, &name)
        && (workflow.owner == caller.user.name || may_decide_now(&workflow, &caller.user))
    {
        return Ok(answer(&request, load(&state, own).await?, TEXT));
    }
    if !may_show_artifacts(&state, &workflow, &caller.user).await? {
        return Err(Problem::no_such_artifact());
    }
    let artifacts = &workflow.artifacts;
    let (text, kind) = match name.as_str() {
        "generated_code" if made(artifacts).next().is_some() => (read_code(&state, artifacts).await?, TEXT),
        "test_results" => (one(&state, artifacts.test_results.as_ref()).await?, JSON),
        "security_report" => (one(&state, artifacts.security_report.as_ref()).await?, JSON),
        "documentation" => (one(&state, artifacts.documentation.as_ref()).await?, MARKDOWN),
        other => match other.strip_prefix("files/") {
            Some(CHANGES) => (one(&state, artifacts.changes.as_ref()).await?, DIFF),
            path => {
                let file = path.and_then(|path| made(artifacts).find(|file| file.path == path));
                (one(&state, file.map(|file| &file.content)).await?, TEXT)
            }
        },
    };
    Ok(answer(&request, text, kind))
}

async fn one(state: &State, content: Option<&Content>) -> Result<String, Problem> {
    load(state, content.ok_or_else(Problem::no_such_artifact)?).await
}

fn answer(request: &HttpRequest, text: String, kind: &str) -> HttpResponse {
    let tag = format!("\"{}\"", Digest::of(text.as_bytes()));
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // A later round or a decision may change who sees it and what it is: always ask again.
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "private, no-cache"));
    if is_known {
        return response.finish();
    }
    // What was made is never to be rendered by a browser on our own origin.
    response.insert_header((CONTENT_TYPE, kind)).insert_header((CONTENT_DISPOSITION, "attachment")).body(text)
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn several_files_are_headed_by_their_paths() {
        assert_eq!(joined(&[]), "");
        assert_eq!(joined(&[("a.py", "a = 1\n".to_owned())]), "a = 1\n");
        let two = [("a.py", "a = 1\n\n".to_owned()), ("test_a.py", "import a".to_owned())];
        assert_eq!(joined(&two), "# file: a.py\na = 1\n\n# file: test_a.py\nimport a\n");
    }
}
