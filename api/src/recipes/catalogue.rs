//! `GET /api/v3/recipes` and `GET /api/v3/recipes/{name}`: the recipes that workers generate from.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use shared::ids::Digest;
use shared::messaging::{BucketError, CatalogueEntry, WorkerReport};

use crate::app_state::State;
use crate::auth::tokens::Caller;
use crate::http::etag::tagged;
use crate::http::problem::Problem;
use crate::limits::settings::{Operation, admit};

const JSON: &str = "application/json";

/// Lists of recipes by digest, as far as a worker reports them.
#[derive(Debug, Default)]
pub(crate) struct KnownCatalogues {
    lists: Mutex<HashMap<Digest, Arc<Vec<CatalogueEntry>>>>,
}

/// A recipe, and whether every worker that generates has it in this version.
#[derive(Debug, Clone, PartialEq)]
struct Offer {
    entry: CatalogueEntry,
    on_all_workers: bool,
}

/// Lists every recipe. The whole list: a catalogue is small, and the `ETag` keeps it from being sent twice.
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    admit(&state, &request, &caller, Operation::Status).await?;
    let offers = offered(&state).await?.ok_or_else(no_worker)?;
    let recipes: Vec<Value> =
        offers.values().map(|offer| shown(&offer.entry.summary, &offer.entry.summary.runtime, offer)).collect();
    Ok(answer(&request, &json!({"recipes": recipes})))
}

/// Shows one recipe with its files, documentation and phrasings.
pub(crate) async fn show(
    state: web::Data<State>,
    caller: Caller,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admit(&state, &request, &caller, Operation::Status).await?;
    let offers = offered(&state).await?.ok_or_else(no_worker)?;
    let offer = offers.get(name.as_str()).ok_or_else(Problem::no_such_recipe)?;
    let recipe = state.catalogues.recipe(offer.entry.digest).await.map_err(|error| unread(&error))?;
    let recipe = recipe.ok_or_else(no_worker)?;
    Ok(answer(&request, &shown(&recipe, &recipe.summary.runtime, offer)))
}

/// Returns whether no worker has a recipe of this name; false while no worker is known.
pub(crate) async fn is_unknown(state: &State, name: &str) -> Result<bool, Problem> {
    Ok(offered(state).await?.is_some_and(|offers| !offers.contains_key(name)))
}

fn shown(recipe: &impl Serialize, runtime: &str, offer: &Offer) -> Value {
    let mut shown = json!(recipe);
    shown["language"] = json!(if runtime == "node" { "javascript" } else { runtime });
    shown["on_all_workers"] = json!(offer.on_all_workers);
    shown
}

fn answer(request: &HttpRequest, data: &Value) -> HttpResponse {
    tagged(request, json!({"status": "success", "data": data}).to_string(), JSON, |_| {})
}

fn no_worker() -> Problem {
    Problem::unavailable("The recipes are unknown: no worker that generates reports them now.", Duration::from_secs(1))
}

fn unread(error: &BucketError) -> Problem {
    tracing::warn!(%error, "Could not read a published catalogue");
    Problem::unavailable("The recipes cannot be read now; try again.", Duration::from_secs(1))
}

/// Returns the recipes of all workers by name; `None` while no worker has reported its own.
async fn offered(state: &State) -> Result<Option<BTreeMap<String, Offer>>, Problem> {
    let workers = workers_by_catalogue(&state.workers.all());
    let mut lists = Vec::new();
    for (digest, count) in &workers {
        if let Some(list) = state.known_catalogues.list(state, *digest).await? {
            lists.push((list, *count));
        }
    }
    state.known_catalogues.keep(&workers);
    Ok((!lists.is_empty()).then(|| merged(&lists)))
}

fn workers_by_catalogue(reports: &[WorkerReport]) -> HashMap<Digest, usize> {
    let mut workers = HashMap::new();
    for digest in reports.iter().filter_map(|report| report.catalogue) {
        *workers.entry(digest).or_default() += 1;
    }
    workers
}

/// Merges lists, each with the number of workers that have it. Where workers have different recipes of one name, that of most workers is
/// shown, and of as many the one of the greater version.
fn merged(lists: &[(Arc<Vec<CatalogueEntry>>, usize)]) -> BTreeMap<String, Offer> {
    let all: usize = lists.iter().map(|(_, count)| count).sum();
    let mut workers: HashMap<Digest, usize> = HashMap::new();
    for (list, count) in lists {
        list.iter().for_each(|entry| *workers.entry(entry.digest).or_default() += count);
    }
    let rank = |entry: &CatalogueEntry| (workers[&entry.digest], entry.summary.version.clone(), entry.digest);
    let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
    for entry in lists.iter().flat_map(|(list, _)| list.iter()) {
        let known = offers.get(&entry.summary.name);
        if known.is_none_or(|known| rank(&known.entry) < rank(entry)) {
            let offer = Offer { entry: entry.clone(), on_all_workers: workers[&entry.digest] == all };
            offers.insert(entry.summary.name.clone(), offer);
        }
    }
    offers
}

impl KnownCatalogues {
    /// The list of this digest, read once; `None` where its worker is about to publish it again.
    async fn list(&self, state: &State, digest: Digest) -> Result<Option<Arc<Vec<CatalogueEntry>>>, Problem> {
        let known = self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let read = state.catalogues.entries(digest).await.map_err(|error| unread(&error))?.map(Arc::new);
        if let Some(list) = &read {
            self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, list.clone());
        }
        Ok(read)
    }

    fn keep(&self, workers: &HashMap<Digest, usize>) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).retain(|digest, _| workers.contains_key(digest));
    }
}

#[cfg(test)]
mod tests {
    use shared::messaging::RecipeSummary;

    use super::*;

    fn entry(name: &str, version: &str) -> CatalogueEntry {
        let summary = RecipeSummary {
            name: name.to_owned(),
            version: version.to_owned(),
            title: String::new(),
            summary: String::new(),
            runtime: "python".to_owned(),
            examples: Vec::new(),
            parameters: Vec::new(),
            provides: Vec::new(),
        };
        CatalogueEntry { summary, digest: Digest::of(format!("{name} {version}").as_bytes()) }
    }

    #[test]
    fn recipes_of_all_workers_are_merged() {
        let old = Arc::new(vec![entry("a", "1.0.0"), entry("b", "1.0.0"), entry("c", "1.0.0")]);
        let new = Arc::new(vec![entry("a", "1.0.0"), entry("b", "1.1.0"), entry("d", "1.0.0")]);
        let shown = |lists: &[(Arc<Vec<CatalogueEntry>>, usize)]| -> Vec<String> {
            let offers = merged(lists);
            let one = |(name, offer): (&String, &Offer)| {
                format!("{name} {} {}", offer.entry.summary.version, offer.on_all_workers)
            };
            offers.iter().map(one).collect()
        };
        assert_eq!(shown(&[(old.clone(), 2)]), ["a 1.0.0 true", "b 1.0.0 true", "c 1.0.0 true"]);
        assert_eq!(
            shown(&[(old.clone(), 1), (new.clone(), 1)]),
            ["a 1.0.0 true", "b 1.1.0 false", "c 1.0.0 false", "d 1.0.0 false"]
        );
        assert_eq!(shown(&[(old, 2), (new, 1)])[1], "b 1.0.0 false");
    }
}
