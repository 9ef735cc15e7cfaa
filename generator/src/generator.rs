//! Decides which source serves a request.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::caller_code::given_code::GivenCode;
use crate::caller_code::intent::{Intent, intent, names_docstrings, requires_caller_code};
use crate::caller_code::outline;
use crate::caller_code::target::{Runtime, Target};
use crate::caller_code::test_detection::{defines_tests, runs_own_tests, with_test_file_name};
use crate::dedent::dedent;
use crate::embedding::{self, Encoder};
use crate::language::{self, PYTHON, RequestedLanguage};
#[cfg(feature = "model")]
use crate::model::{Model, ModelLanguage, Task};
use crate::paths::is_test_file;
use crate::recipes::catalogue::{self, CatalogueError, Recipe};
use crate::recipes::matching::{MatchResult, Matcher, MatchingStatus, ModelFiles};
use crate::recipes::parameters::{self, GoalTokens, ParameterValues};
use crate::types::{Action, FileKind, GenerateError, Generation, Origin, Request, Run, SourceFile};

/// What a generator is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorConfig {
    /// Folders with recipes of the operator's own, each holding one folder a recipe.
    pub catalogue_dirs: Vec<PathBuf>,
    /// The runtimes that code may be meant for.
    pub runtimes: Vec<Runtime>,
    /// The language model to ask; none is asked without it.
    pub model: Option<ModelConfig>,
    /// The model that compares goals by meaning.
    pub embeddings: Embeddings,
    /// The data directory: has the embedding model below `models`, and vectors are kept below `cache`. Nothing is kept without it.
    pub data_dir: Option<PathBuf>,
}

/// The model that compares goals by meaning, if any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Embeddings {
    /// The model in the data directory, if it is there.
    #[default]
    Auto,
    /// Keywords serve alone.
    Off,
    /// By the model of a folder.
    Folder(PathBuf),
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        let python = Runtime {
            name: "python".to_owned(),
            aliases: Vec::new(),
            endings: vec![".py".to_owned()],
            has_tests: true,
        };
        Self {
            catalogue_dirs: Vec::new(),
            runtimes: vec![python],
            model: None,
            embeddings: Embeddings::Auto,
            data_dir: None,
        }
    }
}

/// How to reach a language model.
#[derive(Clone, PartialEq, Deserialize)]
pub struct ModelConfig {
    /// Address of an endpoint that speaks the OpenAI protocol, up to and including `/v1`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// Sent as a bearer token; nothing is sent without it.
    pub api_key: Option<String>,
    /// For a whole call.
    pub timeout: Duration,
    /// Most tokens of one reply.
    pub max_tokens: u64,
}

impl fmt::Debug for ModelConfig {
    /// Leaves the key out.
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

/// A recipe that is near a goal, though it may not serve it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The recipe's name, to be chosen by.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
}

/// Turns requests into code and tests. Cheap to share behind an `Arc`; remembers only what goals mean.
#[derive(Debug)]
pub struct Generator {
    matcher: Arc<Matcher>,
    runtimes: Vec<Runtime>,
    #[cfg(feature = "model")]
    model: Option<Model>,
}

impl Generator {
    /// Loads the catalogue and prepares the model's client; reads files, makes no connection.
    ///
    /// # Errors
    /// A recipe that breaks a rule, or settings of the model that cannot work.
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
        })
    }

    /// Returns the recipes by name.
    pub fn catalogue(&self) -> &[Recipe] {
        self.matcher.recipes()
    }

    /// Loads the embedding model, where there is one, and the vectors of the catalogue. Blocks for a second, or for up to a minute
    /// where the vectors are not in the cache; keywords serve meanwhile. Does nothing when called again.
    pub fn prepare_embeddings(&self) {
        self.matcher.prepare();
    }

    /// Returns how goals find their recipes now.
    pub fn matching(&self) -> MatchingStatus {
        self.matcher.status()
    }

    /// Returns the recipes whose subject a goal names, nearest first, at most three; empty where it names none.
    pub fn propose(&self, goal: &str) -> Vec<Proposal> {
        let proposal = |index: usize| {
            let Recipe { name, title, summary, .. } = &self.catalogue()[index];
            Proposal { name: name.clone(), title: title.clone(), summary: summary.clone() }
        };
        self.matcher.nearest_by_keywords(goal).into_iter().map(proposal).collect()
    }

    /// Returns code and tests for a request.
    ///
    /// The same request gives the same answer, unless a model is asked. Cancel safe: nothing is kept between calls.
    ///
    /// # Errors
    /// [`GenerateError`]; no message repeats what the user submitted.
    pub async fn generate(&self, request: &Request) -> Result<Generation, GenerateError> {
        if asks_for_changes(request) && !self.has_model() {
            return Err(self.refuse_changes());
        }
        if let Some(name) = &request.recipe {
            let chosen = self.catalogue().iter().find(|recipe| recipe.name == *name);
            if asks_for_changes(request) {
                let runtime = chosen.map_or(PYTHON.runtime, |recipe| recipe.runtime.as_str());
                return self.write_with_model(request, runtime, &MatchResult::default()).await;
            }
            return match chosen {
                // Who chooses a recipe takes its default for a value that it cannot have.
                Some(recipe) => {
                    let values = GoalTokens::of(&request.goal).read(&recipe.parameters);
                    from_recipe(recipe, values.map(|values| ParameterValues { out_of_range: None, ..values }).as_ref())
                }
                None => Err(self.refuse("No recipe has the chosen name", &request.goal)),
            };
        }
        let code = request.caller_code_text();
        match (intent(request), code) {
            (Intent::Generate, _) => self.serve_goal(request, code.is_some()).await,
            (intent, Some(code)) => self.serve_code(request, intent, code).await,
            (_, None) => Err(self.refuse("The mode needs code that was not supplied", &request.goal)),
        }
    }

    /// Returns the caller's code and the tool for it, where a request asks for work on Python code that no model is there for.
    pub fn given_code(&self, request: &Request) -> Option<GivenCode> {
        let code = request.caller_code_text()?;
        if self.has_model() || request.supplied || request.recipe.is_some() || asks_for_changes(request) {
            return None;
        }
        let target = self.target(request, code).ok().filter(|target| target.is_python())?;
        GivenCode::of(request, code, target.path(request.current_file.as_deref(), code))
    }

    async fn serve_code(&self, request: &Request, intent: Intent, code: &str) -> Result<Generation, GenerateError> {
        let code = dedent(code);
        let target = self.target(request, &code)?;
        let file = caller_file(target, request.current_file.as_deref(), code.into_owned());
        let can_change = self.can_write(target.runtime());
        match intent {
            // Nothing but a model could work a reviewer's comment into the code.
            Intent::Run | Intent::RunOrTest | Intent::Test | Intent::Document if asks_for_changes(request) => {
                if can_change {
                    self.edit_with_model(request, target, Intent::Change, &file).await
                } else {
                    Err(self.refuse_changes())
                }
            }
            Intent::Run | Intent::RunOrTest => Ok(self.run_as_given(target, file, intent)),
            Intent::Test => self.run_as_tests(target, file),
            // An outline is no answer to a goal about docstrings, which go into the code.
            Intent::Document if target.is_python() && (can_change || !names_docstrings(&request.goal)) => {
                let run = Run::Script { path: file.path.clone() };
                let outlined = caller_generation(target, file, run, Action::Documented);
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

    /// Runs the file as it is; as tests where it may hold any and the intent or its name asks for them.
    fn run_as_given(&self, target: Target<'_>, file: SourceFile, intent: Intent) -> Generation {
        // A program that starts its tests runs them as it is.
        let is_program = target.is_python() && runs_own_tests(&file.content);
        let wants_tests = intent == Intent::RunOrTest || is_test_file(&file.path) && !is_program;
        if !wants_tests || !self.has_tests(target) || !defines_tests(target.runtime(), &file.content) {
            let run = Run::Script { path: file.path.clone() };
            return caller_generation(target, file, run, Action::Ran);
        }
        let file = with_test_file_name(target.runtime(), file);
        let run = Run::TestsOrScript { path: file.path.clone() };
        caller_generation(target, file, run, Action::Tested)
    }

    fn run_as_tests(&self, target: Target<'_>, file: SourceFile) -> Result<Generation, GenerateError> {
        // A shell runs any file; only its functions or its name make tests of it.
        let is_plain_shell =
            target.runtime() == "bash" && !is_test_file(&file.path) && !defines_tests("bash", &file.content);
        if !self.has_tests(target) || is_plain_shell {
            return Err(self.refuse_work(Intent::Test, target));
        }
        let file = with_test_file_name(target.runtime(), file);
        Ok(caller_generation(target, file, Run::Tests, Action::Tested))
    }

    fn has_tests(&self, target: Target<'_>) -> bool {
        self.runtimes.iter().any(|runtime| runtime.name == target.runtime() && runtime.has_tests)
    }

    /// Refuses work on code: names what is missing, and what this installation can do instead.
    fn refuse_work(&self, intent: Intent, target: Target<'_>) -> GenerateError {
        let language = target.name();
        let wish = match intent {
            Intent::Test if target.runtime() == "bash" => {
                "The file has no tests: name it test_*.sh, or put them into functions named test_*".to_owned()
            }
            Intent::Test => format!("{language} code has no test runner here"),
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
        let hint =
            format!("{wish}. This installation can {}. Submit again with one of these, or supply code", can.join(", "));
        GenerateError::NoGenerator { hint }
    }

    /// Refuses a request for changes that nothing here can make: the same result again would not answer it.
    fn refuse_changes(&self) -> GenerateError {
        let why = if self.has_model() {
            "code in this language is not changed here"
        } else {
            "no language model is configured"
        };
        let hint = format!("They cannot be made: {why}. Supply code, choose another recipe, or reject");
        GenerateError::NoGenerator { hint }
    }

    fn target(&self, request: &Request, code: &str) -> Result<Target<'_>, GenerateError> {
        let (named, file) = (request.language.as_deref(), request.current_file.as_deref());
        Target::find(&self.runtimes, named, file, code).ok_or_else(|| {
            let runtimes = self.runtimes.iter().map(|runtime| runtime.name.as_str()).collect::<Vec<_>>().join(", ");
            let hint = format!(
                "The code's language cannot be run here; the runtimes are: {runtimes}. Supply code for one of them"
            );
            GenerateError::NoGenerator { hint }
        })
    }

    async fn serve_goal(&self, request: &Request, has_code: bool) -> Result<Generation, GenerateError> {
        let goal = request.goal.as_str();
        let requested = language::requested(goal, request.language.as_deref());
        let Some(runtime) = requested.runtime() else {
            let reason = "The goal asks for another language, and only Python and JavaScript are written here";
            return Err(self.refuse(reason, goal));
        };
        if let RequestedLanguage::Other(name) = requested {
            if self.can_write_tests(runtime) {
                return self.write_with_model(request, runtime, &MatchResult::default()).await;
            }
            let name = name.unwrap_or("another language");
            let reason = format!("The goal asks for {name}, and only Python and JavaScript are written here");
            return Err(self.refuse(&reason, goal));
        }
        let runtimes: Vec<String> = self.runtimes.iter().map(|runtime| runtime.name.clone()).collect();
        let requires_code = !has_code && requires_caller_code(goal);
        let found = self.matcher.find(goal, requested, &runtimes, requires_code).await;
        match &found.recipe {
            Some((index, values)) if !asks_for_changes(request) => {
                from_recipe(&self.catalogue()[*index], values.as_ref())
            }
            None if requires_code => Err(self.refuse("The goal is about code that was not supplied", goal)),
            Some(_) | None => self.write_with_model(request, runtime, &found).await,
        }
    }

    /// Refuses a goal that no recipe serves, and names what the nearest recipe lacks where it is about the same.
    fn refuse_unserved(&self, found: &MatchResult) -> GenerateError {
        let Some((index, requirements)) = &found.lacking else {
            return self.refuse_with_recipes("No recipe fits the goal", &found.near);
        };
        let lacks: Vec<_> = requirements.iter().map(|requirement| requirement.lacking()).collect();
        let name = &self.catalogue()[*index].name;
        let hint = format!(
            "The nearest recipe, {name}, {}. Take it all the same: promptcraft run GOAL --recipe {name}. Or supply code to run{}",
            lacks.join(" and "),
            self.model_hint(),
        );
        GenerateError::NoGenerator { hint }
    }

    fn refuse(&self, reason: &str, goal: &str) -> GenerateError {
        self.refuse_with_recipes(reason, &self.matcher.nearest_by_keywords(goal))
    }

    /// Refuses with the ways on: what is wrong, which recipes are near, and what would help.
    fn refuse_with_recipes(&self, reason: &str, near: &[usize]) -> GenerateError {
        let described = |index: &usize| {
            let Recipe { name, title, .. } = &self.catalogue()[*index];
            format!("{name} ({title})")
        };
        let recipes = match near {
            [] => "Choose a recipe of the catalogue (promptcraft recipes list)".to_owned(),
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
        if self.has_model() { "" } else { ", or have the operator configure a language model" }
    }
}

/// Finds the embedding model; says why there is none where keywords are to serve alone.
fn model_files(config: &GeneratorConfig) -> Result<Result<ModelFiles, String>, CatalogueError> {
    let data = |below: &str| config.data_dir.as_ref().map(|folder| folder.join(below));
    let (folder, is_named) = match &config.embeddings {
        Embeddings::Off => return Ok(Err("embeddings are off".to_owned())),
        Embeddings::Folder(folder) => (Some(folder.clone()), true),
        Embeddings::Auto => (data(embedding::FOLDER), false),
    };
    match folder {
        Some(model) if Encoder::is_in(&model) => Ok(Ok(ModelFiles { model, cache: data("cache") })),
        Some(folder) if is_named => Err(CatalogueError::Model {
            reason: format!("{} has no embedding model (model.safetensors and vocab.txt)", folder.display()),
        }),
        Some(folder) => Ok(Err(format!("{} has no embedding model; scripts/setup.sh fetches it", folder.display()))),
        None => Ok(Err("there is no data directory with an embedding model".to_owned())),
    }
}

#[cfg(feature = "model")]
impl Generator {
    fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// Returns whether the model is asked to write code for a runtime.
    fn can_write(&self, runtime: &str) -> bool {
        let is_offered = self.runtimes.iter().any(|offered| offered.name == runtime);
        self.has_model() && is_offered && ModelLanguage::of(runtime).is_some()
    }

    fn can_write_tests(&self, runtime: &str) -> bool {
        self.can_write(runtime) && ModelLanguage::of(runtime).is_some_and(ModelLanguage::supports_tests)
    }

    async fn write_with_model(
        &self,
        request: &Request,
        runtime: &str,
        found: &MatchResult,
    ) -> Result<Generation, GenerateError> {
        match (&self.model, ModelLanguage::of(runtime)) {
            (Some(model), Some(language)) => model.generate(request, language, Task::New).await,
            (_, _) => Err(self.refuse_unserved(found)),
        }
    }

    /// Has the model write tests for the caller's file, or change it.
    async fn edit_with_model(
        &self,
        request: &Request,
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
        request: &Request,
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
        _: &Request,
        _runtime: &str,
        found: &MatchResult,
    ) -> Result<Generation, GenerateError> {
        Err(self.refuse_unserved(found))
    }

    async fn edit_with_model(
        &self,
        _: &Request,
        target: Target<'_>,
        intent: Intent,
        _: &SourceFile,
    ) -> Result<Generation, GenerateError> {
        Err(self.refuse_work(intent, target))
    }

    async fn explain(&self, _: &Request, target: Target<'_>, _: &SourceFile) -> Result<Generation, GenerateError> {
        Err(self.refuse_work(Intent::Explain, target))
    }
}

/// Returns whether a human sent the last result back.
fn asks_for_changes(request: &Request) -> bool {
    request.feedback.as_ref().is_some_and(|feedback| feedback.comment.is_some())
}

/// Serves a recipe with the values that a goal sets.
fn from_recipe(recipe: &Recipe, values: Option<&ParameterValues>) -> Result<Generation, GenerateError> {
    if let Some(out_of_range) = values.and_then(|values| values.out_of_range) {
        let (name, range) = (&recipe.name, recipe.parameters[out_of_range].range());
        let hint =
            format!("Recipe {name} would serve, but for a value in the goal: {range}. State another value, or none");
        return Err(GenerateError::NoGenerator { hint });
    }
    let (files, documentation) = match values {
        Some(values) => parameters::write(&recipe.parameters, values, &recipe.files, &recipe.documentation),
        None => (recipe.files.clone(), recipe.documentation.clone()),
    };
    Ok(Generation {
        origin: Origin::Recipe { name: recipe.name.clone(), version: recipe.version.clone() },
        action: Action::Generated,
        runtime: recipe.runtime.clone(),
        files,
        run: Run::Tests,
        documentation,
        changes: None,
        tokens: 0,
        repairable: false,
    })
}

fn caller_file(target: Target<'_>, current_file: Option<&str>, content: String) -> SourceFile {
    let path = target.path(current_file, &content);
    // Whatever its name: tests are not analysed, and a name must not decide whether code is.
    SourceFile { path, content, kind: FileKind::Code, from_caller: true }
}

/// Names the requirement that is missing for a kind of work on code.
fn unavailable(has_model: bool, work: &str, language: &str) -> String {
    if has_model {
        format!("{work} is not offered for {language}")
    } else {
        format!("{work} {language} code needs a language model, and none is configured")
    }
}

fn caller_generation(target: Target<'_>, file: SourceFile, run: Run, action: Action) -> Generation {
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
    }
}
