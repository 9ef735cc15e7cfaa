//! Measures the share of held-out phrasings that find their recipe by meaning.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embedding::{Encoder, FOLDER};

use super::*;
use crate::recipes::catalogue::load;

/// Bounds for held-out phrasings. Many are deliberately far from all others, so most misses are refusals.
const MIN_RIGHT_PERCENT: usize = 55;
const MAX_WRONG_PERCENT: usize = 5;
/// Phrasings per held-out phrasing.
const FOLDS: usize = 5;

fn model_files() -> Option<ModelFiles> {
    let data = option_env!("DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../data"), PathBuf::from);
    let model = data.join(FOLDER);
    if !Encoder::is_in(&model) {
        println!("SKIPPED: {} has no embedding model; run scripts/setup.sh embeddings", model.display());
        return None;
    }
    Some(ModelFiles { model, cache: Some(std::env::temp_dir().join("promptcraft-test-vectors")) })
}

/// The embedded recipes without every fifth phrasing, and those phrasings with the index of their recipe.
fn held_out(fold: usize) -> (Vec<Recipe>, Vec<(usize, String)>) {
    let mut recipes = load(&[]).expect("the catalogue is valid");
    let mut goals = Vec::new();
    for (index, recipe) in recipes.iter_mut().enumerate() {
        let (out, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut recipe.phrasings).into_iter().enumerate().partition(|(at, _)| at % FOLDS == fold);
        recipe.phrasings = kept.into_iter().map(|(_, phrasing)| phrasing).collect();
        goals.extend(out.into_iter().map(|(_, phrasing)| (index, phrasing)));
    }
    (recipes, goals)
}

#[tokio::test]
async fn most_phrasings_find_their_recipe_unseen_and_almost_none_another() {
    let Some(files) = model_files() else { return };
    let (recipes, goals) = held_out(0);
    let matcher = Arc::new(Matcher::new(recipes, Ok(files)));
    matcher.prepare();
    let runtimes = ["python", "node"].map(str::to_owned);
    let recipe_runtime = |index: usize| matcher.recipes()[index].runtime.as_str();
    let (mut right, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for (expected, goal) in &goals {
        // Some recipes exist in both languages.
        let requested =
            if recipe_runtime(*expected) == "node" { RequestedLanguage::JavaScript } else { RequestedLanguage::Python };
        let name = |index: usize| matcher.recipes()[index].name.as_str();
        match matcher.find(goal, requested, &runtimes, false).await.recipe {
            Some((found, _)) if found == *expected => right += 1,
            Some((found, _)) => wrong.push(format!("{goal}: {} instead of {}", name(found), name(*expected))),
            None => refused.push(format!("{goal}: none instead of {}", name(*expected))),
        }
    }
    let counts = format!("{right} right, {} refused, {} wrong of {}", refused.len(), wrong.len(), goals.len());
    println!("{counts}\nwrong:\n{}\nrefused:\n{}", wrong.join("\n"), refused.join("\n"));
    assert!(100 * right >= MIN_RIGHT_PERCENT * goals.len(), "{counts}\n{}", refused.join("\n"));
    assert!(100 * wrong.len() <= MAX_WRONG_PERCENT * goals.len(), "{counts}\n{}", wrong.join("\n"));
}
