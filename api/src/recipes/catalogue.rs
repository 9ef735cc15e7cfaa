//! The merged recipe catalogues of all workers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use domain::ids::Digest;
use domain::nearest::nearest_names;
use messaging::{BucketError, CatalogueEntry, Catalogues, PublishedRecipe, WorkerReport};

use crate::http::problem::Problem;
use crate::workflows::peers::Peers;

/// The part of the application state for recipes.
pub(crate) struct RecipeCatalogue {
    catalogues: Catalogues,
    peers: web::Data<Peers>,
    /// Cached recipe lists by digest, while a worker reports them.
    lists: Mutex<HashMap<Digest, Arc<Vec<CatalogueEntry>>>>,
}

/// A recipe, and whether every worker that generates has it in this version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    pub(crate) entry: CatalogueEntry,
    pub(crate) on_all_workers: bool,
}

impl RecipeCatalogue {
    pub(crate) fn new(catalogues: Catalogues, peers: web::Data<Peers>) -> Self {
        Self { catalogues, peers, lists: Mutex::default() }
    }

    /// Returns the recipes of all workers by name; 503 while no worker has reported its catalogue.
    pub(crate) async fn offers(&self) -> Result<BTreeMap<String, Offer>, Problem> {
        self.offered().await?.ok_or_else(no_worker)
    }

    /// Returns an offered recipe with its files.
    pub(crate) async fn recipe(&self, offer: &Offer) -> Result<PublishedRecipe, Problem> {
        let recipe =
            self.catalogues.recipe(offer.entry.digest).await.map_err(|error| catalogues_unavailable(&error))?;
        recipe.ok_or_else(no_worker)
    }

    /// Returns the names nearest to that of a recipe which no worker has; `None` if one has it, or while no catalogue is
    /// known.
    pub(crate) async fn nearest_if_unknown(&self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        let offers = self.offered().await?;
        Ok(offers.filter(|offers| !offers.contains_key(name)).map(|offers| nearest(name, &offers)))
    }

    async fn offered(&self) -> Result<Option<BTreeMap<String, Offer>>, Problem> {
        let workers = workers_by_catalogue(&self.peers.workers.all());
        let mut lists = Vec::new();
        for (digest, count) in &workers {
            if let Some(list) = self.list(*digest).await? {
                lists.push((list, *count));
            }
        }
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).retain(|digest, _| workers.contains_key(digest));
        Ok((!lists.is_empty()).then(|| merged(&lists)))
    }

    /// Returns the cached or stored list of this digest; `None` until its worker publishes it again.
    async fn list(&self, digest: Digest) -> Result<Option<Arc<Vec<CatalogueEntry>>>, Problem> {
        let known = self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let read = self.catalogues.entries(digest).await.map_err(|error| catalogues_unavailable(&error))?.map(Arc::new);
        if let Some(list) = &read {
            self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, list.clone());
        }
        Ok(read)
    }
}

/// Returns the offered names nearest to a misspelt one.
pub(crate) fn nearest(name: &str, offers: &BTreeMap<String, Offer>) -> Vec<String> {
    nearest_names(name, offers.keys().map(String::as_str)).into_iter().map(str::to_owned).collect()
}

fn no_worker() -> Problem {
    Problem::unavailable("No worker that generates is reporting its recipes; try again.", Duration::from_secs(1))
}

fn catalogues_unavailable(error: &BucketError) -> Problem {
    tracing::warn!(%error, "Failed to read a published catalogue");
    Problem::unavailable("Recipes are unavailable; try again.", Duration::from_secs(1))
}

fn workers_by_catalogue(reports: &[WorkerReport]) -> HashMap<Digest, usize> {
    let mut workers = HashMap::new();
    for digest in reports.iter().filter_map(|report| report.catalogue) {
        *workers.entry(digest).or_default() += 1;
    }
    workers
}

/// Merges lists, each with its number of workers. Of different recipes of one name, the one on most workers is shown;
/// among equals, the greater version.
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

#[cfg(test)]
mod tests {
    use messaging::RecipeSummary;

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
