//! Recipe catalogues that workers publish for the APIs: JSON texts by digest in a bucket (decision 0035).

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connection::broker::Broker;
use crate::envelope::encode;
use crate::kv::bucket::{Bucket, BucketError, Buckets};
use domain::ids::Digest;

/// Retention time of a published text; a running worker publishes again well within it.
pub(crate) const CATALOGUE_RETENTION: Duration = Duration::from_secs(2 * 86_400);
/// Interval between two publications of the same catalogue.
pub const PUBLISH_INTERVAL: Duration = Duration::from_secs(6 * 3600);

/// A recipe as shown in lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecipeSummary {
    pub name: String,
    pub version: String,
    pub title: String,
    pub summary: String,
    /// The required runtime, such as `python`.
    pub runtime: String,
    pub examples: Vec<String>,
    pub parameters: Vec<RecipeParameter>,
    pub provides: Vec<String>,
}

/// A parameter of a recipe that a goal may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecipeParameter {
    pub name: String,
    pub description: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// A file of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecipeFile {
    pub path: String,
    pub is_test: bool,
    pub content: String,
}

/// A whole recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishedRecipe {
    #[serde(flatten)]
    pub summary: RecipeSummary,
    pub files: Vec<RecipeFile>,
    /// Markdown.
    pub documentation: String,
    pub phrasings: Vec<String>,
}

/// A recipe of a published catalogue, with the digest of its full text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogueEntry {
    #[serde(flatten)]
    pub summary: RecipeSummary,
    pub digest: Digest,
}

/// The published catalogues.
#[derive(Debug, Clone)]
pub struct Catalogues {
    texts: Bucket<String>,
}

impl Catalogues {
    /// Opens the bucket behind `broker`.
    pub async fn open(broker: &Broker) -> Result<Self, BucketError> {
        Ok(Self { texts: Buckets::new(broker).catalogues().await? })
    }

    /// Writes the recipes and then the list of them; returns the list's digest. Idempotent.
    pub async fn publish(&self, recipes: &[PublishedRecipe]) -> Result<Digest, BucketError> {
        let mut entries = Vec::new();
        for recipe in recipes {
            let digest = self.write(recipe).await?;
            entries.push(CatalogueEntry { summary: recipe.summary.clone(), digest });
        }
        self.write(&entries).await
    }

    async fn write(&self, content: &impl Serialize) -> Result<Digest, BucketError> {
        let text = serde_json::to_string(content).map_err(|error| self.texts.unavailable(&error))?;
        let digest = Digest::of(text.as_bytes());
        let put = self.texts.store.put(digest.to_string(), encode(&text).into()).await;
        put.map_err(|error| self.texts.unavailable(&error))?;
        Ok(digest)
    }

    /// Returns the list with this digest; `None` if it has expired.
    pub async fn entries(&self, digest: Digest) -> Result<Option<Vec<CatalogueEntry>>, BucketError> {
        self.read(digest).await
    }

    /// Returns the recipe with this digest; `None` if it has expired.
    pub async fn recipe(&self, digest: Digest) -> Result<Option<PublishedRecipe>, BucketError> {
        self.read(digest).await
    }

    /// Reads a text and checks that its digest is the key: every worker may write every key.
    async fn read<T: DeserializeOwned>(&self, digest: Digest) -> Result<Option<T>, BucketError> {
        let text = self.texts.get(&digest.to_string()).await?.map(|(text, _)| text);
        let Some(text) = text.filter(|text| Digest::of(text.as_bytes()) == digest) else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| self.texts.unavailable(&error))
    }
}
