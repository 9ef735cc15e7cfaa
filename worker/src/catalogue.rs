//! Publishes the recipes of this worker's generator, so that the APIs can list them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::Digest;
use generator::{CatalogueError, FilePurpose, Generator, GeneratorConfig, Parameter, Recipe, SourceFile};
use messaging::{Catalogues, PUBLISH_INTERVAL, PublishedRecipe, RecipeFile, RecipeParameter, RecipeSummary};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Delay after a failed publication.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// Publishes at the start and every [`PUBLISH_INTERVAL`] until the process stops; `published` receives the digest.
pub(crate) async fn publish_catalogue(
    generator: Arc<Generator>,
    catalogues: Catalogues,
    published: watch::Sender<Option<Digest>>,
    stopping: CancellationToken,
) {
    let recipes: Vec<PublishedRecipe> = generator.catalogue().iter().map(publish_form).collect();
    loop {
        let pause = match catalogues.publish(&recipes).await {
            Ok(digest) => {
                tracing::debug!(catalogue.digest = %digest, recipes = recipes.len(), "Published catalogue {digest}");
                published.send_replace(Some(digest));
                PUBLISH_INTERVAL
            }
            Err(error) => {
                tracing::warn!(%error, "Failed to publish the catalogue; retrying: {error}");
                RETRY_DELAY
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Prints the recipes of catalogue folders as the API shows them, in JSON and without the built-in ones.
///
/// Fails, with the reason on standard error, if a recipe breaks a rule or has the name of another or of a built-in one.
pub fn print_recipes(folders: Vec<PathBuf>) -> ExitCode {
    match read_recipes(folders) {
        Ok(recipes) => {
            println!("{}", serde_json::json!(recipes));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read_recipes(folders: Vec<PathBuf>) -> Result<Vec<PublishedRecipe>, CatalogueError> {
    let built_in = Generator::open(GeneratorConfig::default())?;
    let all = Generator::open(GeneratorConfig { catalogue_dirs: folders, ..GeneratorConfig::default() })?;
    let is_own = |recipe: &&Recipe| built_in.catalogue().iter().all(|known| known.name != recipe.name);
    Ok(all.catalogue().iter().filter(is_own).map(publish_form).collect())
}

fn publish_form(recipe: &Recipe) -> PublishedRecipe {
    let file = |file: &SourceFile| RecipeFile {
        path: file.path.clone(),
        is_test: file.kind == FilePurpose::Test,
        content: file.content.clone(),
    };
    PublishedRecipe {
        summary: RecipeSummary {
            name: recipe.name.clone(),
            version: recipe.version.clone(),
            title: recipe.title.clone(),
            summary: recipe.summary.clone(),
            runtime: recipe.runtime.clone(),
            examples: recipe.examples.clone(),
            parameters: recipe.parameters.iter().map(parameter).collect(),
            provides: recipe.provides.clone(),
        },
        files: recipe.files.iter().map(file).collect(),
        documentation: recipe.documentation.clone(),
        phrasings: recipe.phrasings.clone(),
    }
}

fn parameter(parameter: &Parameter) -> RecipeParameter {
    RecipeParameter {
        name: parameter.name.clone(),
        description: parameter.description.clone(),
        kind: name_of(parameter),
        default: parameter.default.as_ref().and_then(|default| serde_json::to_value(default).ok()),
        min: parameter.min,
        max: parameter.max,
        choices: parameter.choices.clone(),
    }
}

/// Returns the kind as `recipe.toml` spells it.
fn name_of(parameter: &Parameter) -> String {
    match serde_json::to_value(parameter.kind) {
        Ok(Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}
