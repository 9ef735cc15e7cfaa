//! `GET /api/v3/recipes` and `GET /api/v3/recipes/{name}`: the recipes that workers generate from.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};

use crate::auth::tokens::Caller;
use crate::http::etag::respond_with_etag;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::recipes::catalogue::{Offer, RecipeCatalogue, nearest};

const JSON: &str = "application/json";

/// Lists every recipe, unpaged: a catalogue is small, and clients revalidate it by `ETag`.
pub(crate) async fn list(
    catalogue: web::Data<RecipeCatalogue>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let offers = catalogue.offers().await?;
    let recipes: Vec<Value> =
        offers.values().map(|offer| shown(&offer.entry.summary, &offer.entry.summary.runtime, offer)).collect();
    Ok(answer(&request, &json!({"recipes": recipes})))
}

/// Returns one recipe with its files, documentation and phrasings.
pub(crate) async fn show(
    catalogue: web::Data<RecipeCatalogue>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let offers = catalogue.offers().await?;
    let offer = offers.get(name.as_str()).ok_or_else(|| Problem::recipe_not_found(&nearest(&name, &offers)))?;
    let recipe = catalogue.recipe(offer).await?;
    Ok(answer(&request, &shown(&recipe, &recipe.summary.runtime, offer)))
}

fn shown(recipe: &impl Serialize, runtime: &str, offer: &Offer) -> Value {
    let mut shown = json!(recipe);
    shown["language"] = json!(if runtime == "node" { "javascript" } else { runtime });
    shown["on_all_workers"] = json!(offer.on_all_workers);
    shown
}

fn answer(request: &HttpRequest, data: &Value) -> HttpResponse {
    respond_with_etag(request, json!({"status": "success", "data": data}).to_string(), JSON, |_| {})
}
