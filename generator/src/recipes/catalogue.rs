//! Loads and validates recipes: vetted code and tests, embedded in the library or in the operator's folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::paths::{is_plain_path, is_test_file};
use crate::recipes::code_elements::code_elements;
use crate::recipes::matching::KeywordRules;
use crate::recipes::parameters::Parameter;
use crate::recipes::requirements::constraints::{Capabilities, Claim, exceptions_of};
use crate::recipes::requirements::relations::relations_of;
use crate::recipes::requirements::{Requirement, stated};
use crate::tokenize::{stem, words};
use crate::types::{FilePurpose, SourceFile};

/// The folder name, and the name and text of each file.
type EmbeddedFolder = (&'static str, &'static [(&'static str, &'static str)]);
static EMBEDDED: &[EmbeddedFolder] = include!(concat!(env!("OUT_DIR"), "/embedded_catalogue.rs"));

const DESCRIPTION: &str = "recipe.toml";
const DOCUMENTATION: &str = "documentation.md";
/// Runtimes that recipes are written for.
const RUNTIMES: &[&str] = &["python", "node"];

/// Vetted code and tests for a kind of goal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    /// Lower-case words joined by hyphens; unique, and the name of the folder.
    pub name: String,
    /// Changes whenever a file does.
    pub version: String,
    /// A few words.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// The runtime that the code needs.
    pub runtime: String,
    /// Goals that it serves; each is found by keywords.
    pub examples: Vec<String>,
    /// Code first, then tests.
    pub files: Vec<SourceFile>,
    /// Markdown.
    pub documentation: String,
    /// Goals that it serves in other words, for the comparison by meaning.
    pub phrasings: Vec<String>,
    /// Goals that resemble it and that it does not serve.
    pub not_for: Vec<String>,
    /// Values that a goal may set.
    pub parameters: Vec<Parameter>,
    /// Names of requirements that it meets, some only for a part ("recursion for factorial").
    pub provides: Vec<String>,
    /// The keywords as written.
    #[serde(skip)]
    pub(crate) keyword_texts: Vec<String>,
    #[serde(skip)]
    pub(crate) keywords: KeywordRules,
    /// True if the code has fixed numbers, and a goal may state only these.
    #[serde(skip)]
    pub(crate) has_fixed_numbers: bool,
}

impl Recipe {
    /// Returns the texts for the comparison with goals: title, summary, examples and phrasings.
    pub(crate) fn goal_texts(&self) -> impl Iterator<Item = &String> {
        [&self.title, &self.summary].into_iter().chain(&self.examples).chain(&self.phrasings)
    }
}

/// Reasons for which a generator cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A folder or file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// A recipe breaks a rule.
    #[error("recipe {recipe}: {reason}")]
    Invalid {
        /// The recipe's folder.
        recipe: String,
        /// The rule.
        reason: String,
    },
    /// The settings of a model are invalid.
    #[error("model settings: {reason}")]
    Model {
        /// The mistake.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: String,
    version: String,
    title: String,
    summary: String,
    runtime: String,
    code: Vec<String>,
    tests: Vec<String>,
    #[serde(default)]
    provides: Vec<String>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    goals: Goals,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Goals {
    require: Vec<Vec<String>>,
    #[serde(default)]
    covers: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
    numbers: Option<Vec<u64>>,
    largest_number: Option<u64>,
    examples: Vec<String>,
    #[serde(default)]
    phrasings: Vec<String>,
    #[serde(default)]
    not_for: Vec<String>,
}

/// Loads the embedded recipes and those of `folders` (one subfolder per recipe), sorted by name.
///
/// # Errors
/// A recipe breaks a rule, or a name occurs twice. Never loads a part of the catalogue, which would match differently.
pub(crate) fn load(folders: &[PathBuf]) -> Result<Vec<Recipe>, CatalogueError> {
    let mut recipes = Vec::new();
    for (name, files) in EMBEDDED {
        let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        recipes.push(read_recipe(name, files)?);
    }
    for folder in folders {
        for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
            recipes.push(read_recipe(&file_name(&path), read_folder(&path)?)?);
        }
    }
    recipes.sort_by(|a, b| a.name.cmp(&b.name));
    match recipes.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(invalid(&pair[0].name, "another recipe has the same name; rename one")),
        None => Ok(recipes),
    }
}

fn invalid(recipe: &str, reason: impl Into<String>) -> CatalogueError {
    CatalogueError::Invalid { recipe: recipe.to_owned(), reason: reason.into() }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let unreadable = |source| CatalogueError::Unreadable { path: folder.to_owned(), source };
    fs::read_dir(folder).map_err(unreadable)?.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, CatalogueError> {
    let mut files = BTreeMap::new();
    for path in entries(folder)?.into_iter().filter(|path| path.is_file()) {
        let text =
            fs::read_to_string(&path).map_err(|source| CatalogueError::Unreadable { path: path.clone(), source });
        files.insert(file_name(&path), text?);
    }
    Ok(files)
}

fn read_recipe(folder: &str, mut files: BTreeMap<String, String>) -> Result<Recipe, CatalogueError> {
    let mut take = |name: &str| files.remove(name).ok_or_else(|| invalid(folder, format!("{name} is missing")));
    let description: Description = toml::from_str(&take(DESCRIPTION)?)
        .map_err(|error| invalid(folder, format!("{DESCRIPTION} is invalid: {}", error.message())))?;
    let documentation = take(DOCUMENTATION)?;
    let mut sources = Vec::new();
    for (names, kind) in [(&description.code, FilePurpose::Code), (&description.tests, FilePurpose::Test)] {
        for name in names {
            sources.push(SourceFile { path: name.clone(), content: take(name)?, kind, from_caller: false });
        }
    }
    if let Some(stray) = files.keys().next() {
        return Err(invalid(folder, format!("{stray} is not listed in {DESCRIPTION}")));
    }
    check(folder, &description, &documentation)?;
    check_parameters(folder, &description.parameters, &sources)?;
    let goals = &description.goals;
    let code = sources.iter().filter(|file| file.kind == FilePurpose::Code);
    let phrases = goals.require.iter().flatten().chain(&goals.covers).chain(&goals.examples);
    let capabilities = Capabilities {
        claims: claims(folder, &description)?,
        code_elements: code.flat_map(|file| code_elements(&file.content)).collect(),
        numbers: goals.numbers.clone(),
        largest_number: goals.largest_number,
        relations: phrases.flat_map(|text| relations_of(text)).collect(),
        exceptions: goals.examples.iter().chain(&goals.phrasings).flat_map(|text| exceptions_of(text)).collect(),
    };
    let keywords = KeywordRules::new(&goals.require, &goals.covers, &goals.excludes, capabilities);
    if !keywords.is_usable() {
        return Err(invalid(folder, "goals.require needs at least one group, and each group at least one word"));
    }
    let has_fixed_numbers = goals.numbers.is_some();
    let keyword_texts = goals.require.iter().flatten().chain(&goals.covers).cloned().collect();
    Ok(Recipe {
        keyword_texts,
        name: description.name,
        version: description.version,
        title: description.title,
        summary: description.summary,
        runtime: description.runtime,
        examples: description.goals.examples,
        files: sources,
        documentation,
        phrasings: description.goals.phrasings,
        not_for: description.goals.not_for,
        parameters: description.parameters,
        provides: description.provides,
        has_fixed_numbers,
        keywords,
    })
}

/// Parses `provides`. Rejects keywords that state a requirement which `provides` does not name.
fn claims(folder: &str, description: &Description) -> Result<Vec<Claim>, CatalogueError> {
    let claim = |text: &String| {
        let (name, only_for) = text.split_once(" for ").unwrap_or((text, ""));
        let requirement = Requirement::named(name)
            .ok_or_else(|| invalid(folder, format!("provides: {name} is not the name of a requirement")))?;
        Ok(Claim { requirement, only_for: only_for.split_whitespace().map(stem).collect() })
    };
    let claims: Vec<Claim> = description.provides.iter().map(claim).collect::<Result<_, _>>()?;
    let claimed = |requirement| claims.iter().any(|claim| claim.requirement == requirement);
    for keyword in description.goals.require.iter().flatten().chain(&description.goals.covers) {
        let unmet = stated(&words(keyword))
            .into_iter()
            .find(|statement| !statement.requirement.is_universal() && !claimed(statement.requirement));
        if let Some(statement) = unmet {
            let name = statement.requirement.name();
            return Err(invalid(folder, format!("the keyword {keyword} states {name}, which provides does not name")));
        }
    }
    Ok(claims)
}

fn check_parameters(folder: &str, parameters: &[Parameter], sources: &[SourceFile]) -> Result<(), CatalogueError> {
    let code: String =
        sources.iter().filter(|file| file.kind == FilePurpose::Code).map(|file| file.content.as_str()).collect();
    let broken = parameters.iter().find_map(|parameter| Some((&parameter.name, parameter.broken_rule(&code)?)));
    match broken {
        Some((name, rule)) => Err(invalid(folder, format!("parameter {name}: {rule}"))),
        None => Ok(()),
    }
}

fn check(folder: &str, description: &Description, documentation: &str) -> Result<(), CatalogueError> {
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let names: Vec<&String> = description.code.iter().chain(&description.tests).collect();
    let (ending, test_rule) = match description.runtime.as_str() {
        "node" => (".js", "test files must be named *.test.js"),
        _ => (".py", "test files must be named test_*.py"),
    };
    let is_test = |name: &String| is_test_file(name) && name.ends_with(ending);
    let rules = [
        (description.name == folder, "name must be the name of its folder"),
        (!folder.is_empty() && folder.chars().all(kebab), "the name has lower-case letters, digits and hyphens only"),
        (!description.version.trim().is_empty(), "version must not be empty"),
        (
            !description.title.trim().is_empty() && !description.summary.trim().is_empty(),
            "title and summary must not be empty",
        ),
        (!description.code.is_empty() && !description.tests.is_empty(), "code and tests each need at least one file"),
        (RUNTIMES.contains(&description.runtime.as_str()), "runtime must be python or node"),
        (description.tests.iter().all(is_test), test_rule),
        (!description.code.iter().any(is_test), "a code file must not be named like a test"),
        (
            names.iter().all(|name| is_plain_path(name)),
            "file names have letters, digits, dots, hyphens and underscores only",
        ),
        (names.iter().collect::<BTreeSet<_>>().len() == names.len(), "a file is named twice"),
        (!description.goals.examples.is_empty(), "goals.examples must not be empty"),
        (documentation.starts_with("# "), "documentation.md must start with a title"),
    ];
    rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(invalid(folder, *reason)))
}
