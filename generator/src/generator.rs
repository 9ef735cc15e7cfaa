//! Chooses the source that serves a request: caller's code, recipe or language model.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use embedding::Encoder;
use serde::{Deserialize, Serialize};
use source_text::dedent;

use crate::caller_code::given_code::GivenCode;
use crate::caller_code::intent::{Intent, intent, names_docstrings, requires_caller_code};
use crate::caller_code::missing_code::refuse_without_code;
use crate::caller_code::outline;
use crate::caller_code::python_imports::imported_modules;
use crate::caller_code::target::{Found, OfferedRuntime, Target};
use crate::caller_code::test_detection::{defines_tests, runs_own_tests, with_test_file_name};
use crate::language::{self, RequestedLanguage};
#[cfg(feature = "model")]
use crate::model::{Model, ModelLanguage, Task};
use crate::paths::{has_plain_name, is_test_file};
use crate::recipes::catalogue::{self, CatalogueError, Recipe};
use crate::recipes::matching::{MatchResult, Matcher, MatchingStatus, ModelFiles};
use crate::recipes::parameters::{self, GoalTokens, ParameterValues};
use crate::types::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, GenerationMode, Origin,
    SourceFile, is_blank,
};

/// Settings of a [`Generator`].
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorConfig {
    /// Folders with the operator's recipes; each recipe is one subfolder.
    pub catalogue_dirs: Vec<PathBuf>,
    /// The runtimes that the sandbox offers.
    pub runtimes: Vec<OfferedRuntime>,
    /// Names of runtimes that an operator can add.
    pub addable: Vec<String>,
    /// The language model; `None` disables it.
    pub model: Option<ModelConfig>,
    /// The model that compares goals by meaning.
    pub embeddings: Embeddings,
    /// The data directory, with the embedding model below `models` and cached vectors below `cache`. `None`
    /// disables the cache.
    pub data_dir: Option<PathBuf>,
}

/// The location of the embedding model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Embeddings {
    /// The model of the data directory, if present.
    #[default]
    Auto,
    /// No model; goals are matched by keywords only.
    Off,
    /// The model in a folder.
    Folder(PathBuf),
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        let python = OfferedRuntime {
            name: "python".to_owned(),
            endings: vec![".py".to_owned()],
            has_tests: true,
            ..OfferedRuntime::default()
        };
        Self {
            catalogue_dirs: Vec::new(),
            runtimes: vec![python],
            addable: Vec::new(),
            model: None,
            embeddings: Embeddings::Auto,
            data_dir: None,
        }
    }
}

/// Settings of the language model's endpoint.
#[derive(Clone, PartialEq, Deserialize)]
pub struct ModelConfig {
    /// Address of an OpenAI-compatible endpoint, up to and including `/v1`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// Sent as a bearer token; `None` sends no authorization header.
    pub api_key: Option<String>,
    /// Timeout of one call, connecting included.
    pub timeout: Duration,
    /// Maximum tokens of one reply.
    pub max_tokens: u64,
}

impl fmt::Debug for ModelConfig {
    /// Redacts the API key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_url, model, api_key, timeout, max_tokens } = self;
        let api_key = api_key.as_ref().map(|_| "...");
        f.debug_struct("ModelConfig")
            .field("base_url", base_url)
            .field("model", model)
            .field("api_key", &api_key)
            .field("timeout", timeout)
            .field("max_tokens", max_tokens)
            .finish()
    }
}

/// A recipe that resembles a goal but may not serve it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The recipe's name, for [`GenerateRequest::recipe`].
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
}

/// Turns requests into code and tests. Share it behind an `Arc`; its only mutable state is a cache of matched goals.
#[derive(Debug)]
pub struct Generator {
    matcher: Arc<Matcher>,
    runtimes: Vec<OfferedRuntime>,
    addable: Vec<String>,
    #[cfg(feature = "model")]
    model: Option<Model>,
}

impl Generator {
    /// Loads the catalogue and prepares the model's client. Reads files and opens no connection.
    ///
    /// # Errors
    /// A recipe breaks a rule, or the model's settings are invalid.
    pub fn open(config: GeneratorConfig) -> Result<Self, CatalogueError> {
        #[cfg(not(feature = "model"))]
        if config.model.is_some() {
            return Err(CatalogueError::Model {
                reason: "this program was built without the feature `model`".to_owned(),
            });
        }
        let files = model_files(&config)?;
        Ok(Self {
            matcher: Arc::new(Matcher::new(catalogue::load(&config.catalogue_dirs)?, files)),
            #[cfg(feature = "model")]
            model: config.model.as_ref().map(Model::open).transpose()?,
            runtimes: config.runtimes,
            addable: config.addable,
        })
    }

    /// Returns the recipes, sorted by name.
    pub fn catalogue(&self) -> &[Recipe] {
        self.matcher.recipes()
    }

    /// Loads the embedding model, if configured, and the vectors of the catalogue. Blocks for about a second, or up
    /// to a minute
    /// if the vectors are not cached; goals are matched by keywords meanwhile. Idempotent.
    pub fn prepare_embeddings(&self) {
        self.matcher.prepare();
    }

    /// Returns the current state of matching.
    pub fn matching(&self) -> MatchingStatus {
        self.matcher.status()
    }

    /// Returns at most three recipes whose subject the goal names, nearest first.
    pub fn propose(&self, goal: &str) -> Vec<Proposal> {
        let proposal = |index: usize| {
            let Recipe { name, title, summary, .. } = &self.catalogue()[index];
            Proposal { name: name.clone(), title: title.clone(), summary: summary.clone() }
        };
        self.matcher.nearest_by_keywords(goal).into_iter().map(proposal).collect()
    }

    /// Returns code and tests for a request.
    ///
    /// Deterministic unless a language model is called. Cancel safe: a call leaves no partial state.
    ///
    /// # Errors
    /// [`GenerateError`]; messages never quote what the user submitted.
    pub async fn generate(&self, request: &GenerateRequest) -> Result<Generation, GenerateError> {
        Ok(self.with_variant(request, self.serve(request).await?))
    }

    /// Returns a generation with the runtime that its imports need, if another one of its language is offered: the one
    /// that the caller names, else the one with most of the imported modules.
    pub fn with_variant(&self, request: &GenerateRequest, mut generation: Generation) -> Generation {
        let is_variant = |runtime: &&OfferedRuntime| runtime.variant_of.as_deref() == Some(generation.runtime.as_str());
        let variants: Vec<&OfferedRuntime> = self.runtimes.iter().filter(is_variant).collect();
        let named = language::declared_name(request.language.as_deref());
        if let Some(named) = variants.iter().find(|variant| named.as_deref() == Some(variant.name.as_str())) {
            generation.runtime.clone_from(&named.name);
            return generation;
        }
        if variants.is_empty() {
            return generation;
        }
        let own = |module: &String| {
            let paths = [format!("{module}.py"), format!("{module}/")];
            generation.files.iter().any(|file| file.path == paths[0] || file.path.starts_with(&paths[1]))
        };
        let files = generation.files.iter().filter(|file| file.path.ends_with(".py"));
        let mut imported: BTreeSet<String> = files.flat_map(|file| imported_modules(&file.content)).collect();
        // A file of the caller's with the name of a library takes precedence over it.
        imported.retain(|module| !own(module));
        let has = |variant: &OfferedRuntime| variant.modules.iter().filter(|module| imported.contains(*module)).count();
        if let Some(chosen) =
            variants.into_iter().filter(|variant| has(variant) > 0).min_by_key(|variant| Reverse(has(variant)))
        {
            let module = chosen.modules.iter().find(|module| imported.contains(*module)).map_or("", String::as_str);
            generation.add_remark(&format!("run by the runtime {}, because the code imports {module}", chosen.name));
            generation.runtime.clone_from(&chosen.name);
        }
        generation
    }

    async fn serve(&self, request: &GenerateRequest) -> Result<Generation, GenerateError> {
        if asks_for_changes(request) && !self.has_model() {
            return Err(self.refuse_changes());
        }
        if let Some(name) = &request.recipe {
            let chosen = self.catalogue().iter().find(|recipe| recipe.name == *name);
            if asks_for_changes(request) {
                let runtime = chosen.map_or("python", |recipe| recipe.runtime.as_str());
                return self.write_with_model(request, runtime, &MatchResult::default()).await;
            }
            return match chosen {
                // With an explicitly chosen recipe, values out of range fall back to their defaults.
                Some(recipe) => {
                    let values = GoalTokens::of(&request.goal).read(&recipe.parameters);
                    let values = values.map(|values| ParameterValues { out_of_range: None, ..values });
                    from_recipe(recipe, values.as_ref(), &request.goal)
                }
                None => Err(self.refuse_with_recipes("The chosen recipe does not exist", &self.matcher.misspelt(name))),
            };
        }
        if !request.files.is_empty() {
            return self.serve_project(request).await;
        }
        let code = request.code.as_deref();
        match (intent(request), code) {
            (Intent::Generate, code) => self.serve_goal(request, !is_blank(code)).await,
            (intent, Some(code)) => self.serve_code(request, intent, code).await,
            (intent, None) => Err(intent.refuse_without_code(request.mode)),
        }
    }

    /// Returns the caller's code and its tool if no model is configured and a tool serves the request for Python code.
    pub fn given_code(&self, request: &GenerateRequest) -> Option<GivenCode> {
        if let [file] = request.files.as_slice() {
            return self.given_code(&request.of_file(Some(file)));
        }
        let code = request.code.as_deref().filter(|code| !is_blank(Some(code)))?;
        if self.has_model() || request.supplied || request.recipe.is_some() || asks_for_changes(request) {
            return None;
        }
        let target = self.target(request, code).ok().map(|found| found.target).filter(|target| target.is_python())?;
        GivenCode::of(request, code, target.path(kept_name(request, Intent::Change), code))
    }

    async fn serve_code(
        &self,
        request: &GenerateRequest,
        intent: Intent,
        code: &str,
    ) -> Result<Generation, GenerateError> {
        if is_blank(Some(code)) && !matches!(intent, Intent::Run | Intent::RunOrTest) {
            return Err(intent.refuse_empty());
        }
        let code = dedent(code);
        let Found { target, mut remarks } = self.target(request, &code)?;
        let generation = self.serve_target(request, intent, target, &code).await?;
        let given = generation.files.iter().find(|file| file.from_caller);
        remarks.extend(given.and_then(|file| {
            target.name_remark(request.current_file.as_deref(), kept_name(request, intent), &file.path)
        }));
        Ok(generation.with_remarks(&remarks))
    }

    async fn serve_target(
        &self,
        request: &GenerateRequest,
        intent: Intent,
        target: Target<'_>,
        code: &str,
    ) -> Result<Generation, GenerateError> {
        let file = caller_file(target, kept_name(request, intent), code.to_owned());
        let can_change = self.can_write(target.runtime());
        match intent {
            // Only a model can apply a reviewer's comment.
            Intent::Run | Intent::RunOrTest | Intent::Test | Intent::Document if asks_for_changes(request) => {
                if can_change {
                    self.edit_with_model(request, target, Intent::Change, &file).await
                } else {
                    Err(self.refuse_changes())
                }
            }
            Intent::Run if request.mode == GenerationMode::Run => Ok(run_as_program(target, file)),
            Intent::Run | Intent::RunOrTest => Ok(self.run_as_given(target, file, intent)),
            Intent::Test => self.run_as_tests(target, file),
            // Docstrings belong into the code, so an outline does not serve a goal about them.
            Intent::Document if target.is_python() && (can_change || !names_docstrings(&request.goal)) => {
                let run = EntryPoint::Script { path: file.path.clone() };
                let outlined = caller_generation(target, file, run, GenerationAction::Documented);
                Ok(Generation { origin: Origin::Documenter, ..outlined })
            }
            Intent::Change if can_change => self.edit_with_model(request, target, intent, &file).await,
            Intent::WriteTests if self.can_write_tests(target.runtime()) => {
                self.edit_with_model(request, target, intent, &file).await
            }
            Intent::Explain if self.has_model() => self.explain(request, target, &file).await,
            Intent::Change | Intent::WriteTests | Intent::Document | Intent::Explain | Intent::Generate => {
                Err(self.refuse_work(intent, target))
            }
        }
    }

    /// Runs the file unchanged; by the test runner if it may hold tests and the intent or its name asks for them.
    fn run_as_given(&self, target: Target<'_>, file: SourceFile, intent: Intent) -> Generation {
        // A program that starts its own tests needs no test runner.
        let is_program = target.is_python() && runs_own_tests(&file.content);
        let wants_tests = intent == Intent::RunOrTest || is_test_file(&file.path) && !is_program;
        if !wants_tests || !self.has_tests(target) || !defines_tests(target.runtime(), &file.content) {
            return run_as_program(target, file);
        }
        let file = with_test_file_name(target.runtime(), file);
        let run = EntryPoint::TestsOrScript { path: file.path.clone() };
        caller_generation(target, file, run, GenerationAction::Tested)
    }

    fn run_as_tests(&self, target: Target<'_>, file: SourceFile) -> Result<Generation, GenerateError> {
        // Any shell script runs; it counts as tests only by its name or its functions.
        let is_plain_shell =
            target.runtime() == "bash" && !is_test_file(&file.path) && !defines_tests("bash", &file.content);
        if !self.has_tests(target) || is_plain_shell {
            return Err(self.refuse_work(Intent::Test, target));
        }
        let file = with_test_file_name(target.runtime(), file);
        Ok(caller_generation(target, file, EntryPoint::Tests, GenerationAction::Tested))
    }

    /// Returns the runtimes of this installation, which other workers may have.
    pub fn runtimes(&self) -> &[OfferedRuntime] {
        &self.runtimes
    }

    pub(crate) fn has_tests(&self, target: Target<'_>) -> bool {
        self.runtimes.iter().any(|runtime| runtime.name == target.runtime() && runtime.has_tests)
    }

    /// Returns a refusal that says what is missing and what this installation can do instead.
    fn refuse_work(&self, intent: Intent, target: Target<'_>) -> GenerateError {
        let language = target.name();
        let reason = match intent {
            Intent::Test if target.runtime() == "bash" => {
                "The file has no tests: name it test_*.sh, or put them into functions named test_*".to_owned()
            }
            Intent::Test => format!("{language} has no test runner in this installation"),
            Intent::WriteTests => unavailable(self.has_model(), "Writing tests for", language),
            Intent::Document => unavailable(self.has_model(), "Documenting", language),
            Intent::Explain => unavailable(false, "Explaining", language),
            Intent::Change | Intent::Run | Intent::RunOrTest | Intent::Generate => {
                unavailable(self.has_model(), "Changing", language)
            }
        };
        let mut can = vec!["run the code (mode run)"];
        if intent != Intent::Test && self.has_tests(target) {
            can.push("run its tests (mode test)");
        }
        if target.is_python() {
            can.push("outline it (mode document)");
        }
        if target.is_python() && !self.has_model() {
            can.push("write tests for it (mode write_tests)");
            can.push("clean it up, fix its security issues or add docstrings, where the goal asks for that alone");
        }
        let hint = format!(
            "{reason}. This installation can {}. Submit again with one of these, or supply code",
            can.join(", ")
        );
        GenerateError::NoGenerator { hint }
    }

    /// Returns a refusal of requested changes, because returning the same result again would not apply them.
    fn refuse_changes(&self) -> GenerateError {
        let why = if self.has_model() {
            "changing code in this language is not supported"
        } else {
            "no language model is configured"
        };
        let hint = format!("They cannot be made: {why}. Supply code, choose another recipe, or reject");
        GenerateError::NoGenerator { hint }
    }

    pub(crate) fn target(&self, request: &GenerateRequest, code: &str) -> Result<Found<'_>, GenerateError> {
        let (named, file) = (request.language.as_deref(), request.current_file.as_deref());
        Target::find(&self.runtimes, named, file, code).map_err(|none| {
            let reason = none.reason(&self.runtimes);
            let runtimes = self.runtimes.iter().map(|runtime| runtime.name.as_str()).collect::<Vec<_>>().join(", ");
            let added = none.missing_runtime().filter(|name| self.addable.iter().any(|addable| addable == name));
            let added = added.map_or_else(String::new, |name| {
                format!(
                    ". An operator can add the runtime {name}: sandbox/build-root.sh DATA/sandbox {name}, then name it \
                     in sandbox.runtimes"
                )
            });
            let hint = format!("{reason}; the runtimes are: {runtimes}{added}. Supply code for one of them");
            GenerateError::NoGenerator { hint }
        })
    }

    async fn serve_goal(&self, request: &GenerateRequest, has_code: bool) -> Result<Generation, GenerateError> {
        let goal = request.goal.as_str();
        let requested = language::requested(goal, request.language.as_deref());
        let Some(runtime) = requested.runtime() else {
            let reason = "The goal asks for another language, and only Python and JavaScript are supported";
            return Err(self.refuse(reason, goal));
        };
        if let RequestedLanguage::Other(name) = requested {
            if self.can_write_tests(runtime) {
                return self.write_with_model(request, runtime, &MatchResult::default()).await;
            }
            let name = name.unwrap_or("another language");
            let reason = format!("The goal asks for {name}, and only Python and JavaScript are supported");
            return Err(self.refuse(&reason, goal));
        }
        let runtimes: Vec<String> = self.runtimes.iter().map(|runtime| runtime.name.clone()).collect();
        let requires_code = !has_code && requires_caller_code(goal);
        let found = self.matcher.find(goal, requested, &runtimes, requires_code).await;
        match &found.recipe {
            Some((index, values)) if !asks_for_changes(request) => {
                from_recipe(&self.catalogue()[*index], values.as_ref(), goal)
            }
            None if requires_code => Err(refuse_without_code("The goal is about existing code")),
            Some(_) | None => self.write_with_model(request, runtime, &found).await,
        }
    }

    /// Returns a refusal of a goal without a recipe; names what the nearest recipe lacks if it has the same subject.
    fn refuse_unserved(&self, found: &MatchResult) -> GenerateError {
        let Some((index, requirements)) = &found.lacking else {
            return self.refuse_with_recipes("No recipe fits the goal", &found.near);
        };
        let lacks: Vec<_> = requirements.iter().map(|requirement| requirement.lacking()).collect();
        let name = &self.catalogue()[*index].name;
        let hint = format!(
            "The nearest recipe, {name}, {}. To use it anyway: promptcraft run GOAL --recipe {name}. Or supply code to \
             run{}",
            lacks.join(" and "),
            self.model_hint(),
        );
        GenerateError::NoGenerator { hint }
    }

    fn refuse(&self, reason: &str, goal: &str) -> GenerateError {
        self.refuse_with_recipes(reason, &self.matcher.nearest_by_keywords(goal))
    }

    /// Returns a refusal with a reason, the nearest recipes and the alternatives.
    fn refuse_with_recipes(&self, reason: &str, near: &[usize]) -> GenerateError {
        let described = |index: &usize| {
            let Recipe { name, title, .. } = &self.catalogue()[*index];
            format!("{name} ({title})")
        };
        let recipes = match near {
            [] => "Choose a recipe (promptcraft recipes list)".to_owned(),
            [nearest, others @ ..] => {
                let name = &self.catalogue()[*nearest].name;
                let others: Vec<String> = others.iter().map(described).collect();
                let others =
                    if others.is_empty() { String::new() } else { format!(". Also near: {}", others.join(", ")) };
                format!("The nearest recipe is {}: promptcraft run GOAL --recipe {name}{others}", described(nearest))
            }
        };
        GenerateError::NoGenerator { hint: format!("{reason}. {recipes}. Or supply code to run{}", self.model_hint()) }
    }

    fn model_hint(&self) -> &'static str {
        if self.has_model() { "" } else { ", or ask the operator to configure a language model" }
    }
}

/// Locates the embedding model, or returns the reason for matching by keywords only.
fn model_files(config: &GeneratorConfig) -> Result<Result<ModelFiles, String>, CatalogueError> {
    let data = |below: &str| config.data_dir.as_ref().map(|folder| folder.join(below));
    let (folder, is_named) = match &config.embeddings {
        Embeddings::Off => return Ok(Err("embeddings are disabled".to_owned())),
        Embeddings::Folder(folder) => (Some(folder.clone()), true),
        Embeddings::Auto => (data(embedding::FOLDER), false),
    };
    match folder {
        Some(model) if Encoder::is_in(&model) => Ok(Ok(ModelFiles { model, cache: data("cache") })),
        Some(folder) if is_named => Err(CatalogueError::Model {
            reason: format!("{} has no embedding model (model.safetensors and vocab.txt)", folder.display()),
        }),
        Some(folder) => {
            Ok(Err(format!("{} has no embedding model; run scripts/setup.sh embeddings", folder.display())))
        }
        None => Ok(Err("no data directory is configured".to_owned())),
    }
}

#[cfg(feature = "model")]
impl Generator {
    fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// Returns whether the model can write code for a runtime.
    fn can_write(&self, runtime: &str) -> bool {
        let is_offered = self.runtimes.iter().any(|offered| offered.name == runtime);
        self.has_model() && is_offered && ModelLanguage::of(runtime).is_some()
    }

    fn can_write_tests(&self, runtime: &str) -> bool {
        self.can_write(runtime) && ModelLanguage::of(runtime).is_some_and(ModelLanguage::supports_tests)
    }

    async fn write_with_model(
        &self,
        request: &GenerateRequest,
        runtime: &str,
        found: &MatchResult,
    ) -> Result<Generation, GenerateError> {
        match (&self.model, ModelLanguage::of(runtime)) {
            (Some(model), Some(language)) => model.generate(request, language, Task::New).await,
            (_, _) => Err(self.refuse_unserved(found)),
        }
    }

    /// Asks the model to write tests for the caller's file, or to change it.
    async fn edit_with_model(
        &self,
        request: &GenerateRequest,
        target: Target<'_>,
        intent: Intent,
        file: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        let task = if intent == Intent::WriteTests { Task::Test(file) } else { Task::Change(file) };
        match (&self.model, ModelLanguage::of(target.runtime())) {
            (Some(model), Some(language)) => model.generate(request, language, task).await,
            (_, _) => Err(self.refuse_work(intent, target)),
        }
    }

    async fn explain(
        &self,
        request: &GenerateRequest,
        target: Target<'_>,
        file: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        match &self.model {
            Some(model) => model.explain(request, target, file).await,
            None => Err(self.refuse_work(Intent::Explain, target)),
        }
    }
}

#[cfg(not(feature = "model"))]
impl Generator {
    fn has_model(&self) -> bool {
        false
    }

    fn can_write(&self, _runtime: &str) -> bool {
        false
    }

    fn can_write_tests(&self, _runtime: &str) -> bool {
        false
    }

    async fn write_with_model(
        &self,
        _: &GenerateRequest,
        _runtime: &str,
        found: &MatchResult,
    ) -> Result<Generation, GenerateError> {
        Err(self.refuse_unserved(found))
    }

    async fn edit_with_model(
        &self,
        _: &GenerateRequest,
        target: Target<'_>,
        intent: Intent,
        _: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        Err(self.refuse_work(intent, target))
    }

    async fn explain(
        &self,
        _: &GenerateRequest,
        target: Target<'_>,
        _: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        Err(self.refuse_work(Intent::Explain, target))
    }
}

/// Returns whether a human requested changes to the last result.
pub(crate) fn asks_for_changes(request: &GenerateRequest) -> bool {
    request.feedback.as_ref().is_some_and(|feedback| feedback.comment.is_some())
}

/// Builds the generation of a recipe with the values that the goal sets.
fn from_recipe(recipe: &Recipe, values: Option<&ParameterValues>, goal: &str) -> Result<Generation, GenerateError> {
    if let Some(out_of_range) = values.and_then(|values| values.out_of_range) {
        let (name, range) = (&recipe.name, recipe.parameters[out_of_range].range());
        let hint =
            format!("Recipe {name} fits except for a value in the goal: {range}. State an allowed value, or none");
        return Err(GenerateError::NoGenerator { hint });
    }
    let (files, mut documentation) = match values {
        Some(values) => parameters::write(&recipe.parameters, values, &recipe.files, &recipe.documentation),
        None => (recipe.files.clone(), recipe.documentation.clone()),
    };
    let rest = values.map_or(goal, |values| &values.rest);
    if !recipe.has_fixed_numbers && GoalTokens::of(rest).has_number() {
        documentation.push_str(parameters::NUMBERS_SECTION);
    }
    Ok(Generation {
        origin: Origin::Recipe { name: recipe.name.clone(), version: recipe.version.clone() },
        action: GenerationAction::Generated,
        runtime: recipe.runtime.clone(),
        files,
        run: EntryPoint::Tests,
        documentation,
        changes: None,
        tokens: 0,
        repairable: false,
        remark: None,
    })
}

/// Returns the caller's name for a file if the work can be done under it: tests that are written import the file, and a
/// model returns it, so these take plain names only.
fn kept_name(request: &GenerateRequest, intent: Intent) -> Option<&str> {
    let runs_only = matches!(intent, Intent::Run | Intent::RunOrTest | Intent::Test) && !asks_for_changes(request);
    request.current_file.as_deref().filter(|name| runs_only || has_plain_name(name))
}

fn caller_file(target: Target<'_>, current_file: Option<&str>, content: String) -> SourceFile {
    let path = target.path(current_file, &content);
    // Never `Test`: tests are not analysed, and a file name must not exempt code from analysis.
    SourceFile { path, content, kind: FilePurpose::Code, from_caller: true }
}

/// Says why a kind of work is unavailable for a language.
fn unavailable(has_model: bool, work: &str, language: &str) -> String {
    if has_model {
        format!("{work} {language} code is not supported")
    } else {
        format!("{work} {language} code needs a language model, and none is configured")
    }
}

fn run_as_program(target: Target<'_>, file: SourceFile) -> Generation {
    let run = EntryPoint::Script { path: file.path.clone() };
    caller_generation(target, file, run, GenerationAction::Ran)
}

fn caller_generation(target: Target<'_>, file: SourceFile, run: EntryPoint, action: GenerationAction) -> Generation {
    let documentation = if target.is_python() {
        outline::of_python(&file.path, &file.content)
    } else {
        outline::of_other(&file.path, target.name(), &file.content)
    };
    Generation {
        origin: Origin::Caller,
        action,
        runtime: target.runtime().to_owned(),
        files: vec![file],
        run,
        documentation,
        changes: None,
        tokens: 0,
        repairable: false,
        remark: None,
    }
}
