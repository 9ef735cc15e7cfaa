//! Generation of files for the goal.

use std::time::Duration;

use domain::ids::Digest;
use domain::workflow::{
    Action, Artifacts, CodeFile, Content, Event, Failure, Feedback, Mode, NewInput, ProjectFile, RunCommand, StepUsage,
    Submission, Workflow,
};
use generator::{
    EntryPoint, FilePurpose, GenerateError, GenerateRequest, Generation, GenerationAction, GenerationMode, Origin,
    PromptTokens, RoundFeedback, SourceFile,
};
use messaging::BlobError;
use tokio_util::sync::CancellationToken;

use super::given_code::{self, ToolError};
use super::outcome::StepOutcome;
use crate::context::WorkerContext;
use crate::metrics::count_tokens;

pub(super) async fn run(
    context: &WorkerContext,
    workflow: &Workflow,
    feedback: Option<&Feedback>,
    input: Option<&NewInput>,
    mut usage: StepUsage,
    cancel: &CancellationToken,
) -> StepOutcome {
    let request = match request_for(context, workflow, feedback, input).await {
        Ok(request) => request,
        Err(error) => return error.into(),
    };
    if let Some(given) = context.generator.given_code(&request) {
        return match given_code::run(context, workflow, given, &mut usage, cancel).await {
            Ok(generation) => {
                let generation = context.generator.with_variant(&request, generation);
                generated(context, &workflow.submission, generation, input, usage).await
            }
            Err(ToolError::Unsuitable(hint)) => no_generator(context, hint, usage),
            Err(ToolError::Outcome(outcome)) => outcome,
        };
    }
    let outcome = tokio::select! {
        () = cancel.cancelled() => {
            count_tokens(request.prompt_tokens.count());
            return StepOutcome::Cancelled { cost: cost_of(request.prompt_tokens.count(), context.prices.thousand_tokens) };
        }
        outcome = context.generator.generate(&request) => outcome,
    };
    match outcome {
        Ok(generation) => generated(context, &workflow.submission, generation, input, usage).await,
        Err(GenerateError::NoGenerator { hint }) => no_generator(context, hint, usage),
        Err(GenerateError::Retry { code, message, tokens, may_have_cost, after }) => {
            count_tokens(tokens);
            context.daily_budget.charge(workflow, cost_of(tokens, context.prices.thousand_tokens)).await;
            retry_outcome(format!("{code}: {message}"), may_have_cost, after)
        }
        Err(GenerateError::Fail { code, message, tokens }) => {
            count_tokens(tokens);
            let hint = "Try again, make the goal more precise, or supply code.";
            let failure = Failure::new(code, message, hint);
            StepOutcome::Event(Event::StepFailed { failure, cost: cost_of(tokens, context.prices.thousand_tokens) })
        }
    }
}

/// Returns the outcome of a failed call. If its cost is unknown, the attempt counts, which bounds the total.
fn retry_outcome(reason: String, may_have_cost: bool, after: Option<Duration>) -> StepOutcome {
    match after {
        Some(delay) => StepOutcome::RetryAfter { reason, delay, counts: may_have_cost },
        None if may_have_cost => StepOutcome::Failed(reason),
        None => StepOutcome::RetryLater(reason),
    }
}

async fn generated(
    context: &WorkerContext,
    submission: &Submission,
    generation: Generation,
    input: Option<&NewInput>,
    usage: StepUsage,
) -> StepOutcome {
    match artifacts_from(context, submission, generation, input, usage).await {
        Ok(event) => StepOutcome::Event(event),
        Err(error) => error.into(),
    }
}

fn no_generator(context: &WorkerContext, hint: String, usage: StepUsage) -> StepOutcome {
    let failure = Failure::new("no_generator", "No generator can serve this goal.", hint);
    let recipes = context.generator.catalogue().iter().map(|recipe| recipe.name.clone()).collect();
    StepOutcome::Event(Event::NoGenerator { failure, recipes, usage })
}

async fn request_for(
    context: &WorkerContext,
    workflow: &Workflow,
    feedback: Option<&Feedback>,
    input: Option<&NewInput>,
) -> Result<GenerateRequest, BlobError> {
    let submission = &workflow.submission;
    let (supplied, recipe) = match input {
        Some(NewInput::Code { content }) => (Some(content), None),
        Some(NewInput::Recipe { name }) => (None, Some(name.clone())),
        None => (None, submission.options.recipe.clone()),
    };
    let code = match supplied.or(submission.code.as_ref()) {
        Some(content) => Some(context.blobs.load(content).await?),
        None => None,
    };
    let mut files = Vec::new();
    // Code that a human supplies replaces the caller's.
    for file in submission.files.iter().filter(|_| supplied.is_none()) {
        let content = context.blobs.load(&file.content).await?;
        files.push(SourceFile { path: file.path.clone(), content, kind: FilePurpose::Code, from_caller: true });
    }
    let feedback = match feedback {
        Some(feedback) => Some(generator_feedback(context, workflow, feedback).await?),
        None => None,
    };
    let left = submission.policy.budget - workflow.metrics.total_cost;
    Ok(GenerateRequest {
        goal: submission.goal.clone(),
        code,
        files,
        entry: submission.entry.clone(),
        current_file: submission.current_file.clone(),
        language: submission.language.clone(),
        mode: mode_of(submission.options.mode),
        supplied: supplied.is_some(),
        recipe,
        round: workflow.round,
        feedback,
        max_tokens: affordable_tokens(left, context.prices.thousand_tokens),
        prompt_tokens: PromptTokens::default(),
    })
}

/// Returns the tokens that the remaining budget pays for; `None` if tokens are free.
fn affordable_tokens(left: f64, thousand_tokens: f64) -> Option<u64> {
    (thousand_tokens > 0.0).then(|| {
        let tokens = (left / thousand_tokens * 1_000.0).clamp(0.0, 1e9);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1e9 above")]
        let tokens = tokens as u64;
        tokens
    })
}

#[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
fn cost_of(tokens: u64, thousand_tokens: f64) -> f64 {
    tokens as f64 / 1_000.0 * thousand_tokens
}

async fn generator_feedback(
    context: &WorkerContext,
    workflow: &Workflow,
    feedback: &Feedback,
) -> Result<RoundFeedback, BlobError> {
    let mut previous = Vec::new();
    for file in &workflow.artifacts.files {
        previous.push(SourceFile {
            path: file.path.clone(),
            content: context.blobs.load(&file.content).await?,
            kind: if file.is_test { FilePurpose::Test } else { FilePurpose::Code },
            from_caller: file.from_caller,
        });
    }
    Ok(RoundFeedback {
        failed_tests: feedback.failed_tests.clone(),
        output_tail: feedback.output_tail.clone(),
        findings: feedback.findings.clone(),
        comment: feedback.comment.clone(),
        previous,
    })
}

/// Returns the content of an unchanged file of the submission, which is already stored.
fn stored_content(files: &[ProjectFile], file: &SourceFile) -> Option<Content> {
    let given = files.iter().find(|given| given.path == file.path)?;
    (given.content.digest == Digest::of(file.content.as_bytes())).then(|| given.content.clone())
}

async fn artifacts_from(
    context: &WorkerContext,
    submission: &Submission,
    generation: Generation,
    input: Option<&NewInput>,
    mut usage: StepUsage,
) -> Result<Event, BlobError> {
    // Code that an approver supplied is treated like generated code: the caller may see it, and its tests must pass.
    let is_supplied = matches!(input, Some(NewInput::Code { .. }));
    let mut files = Vec::new();
    for file in generation.files {
        files.push(CodeFile {
            content: match stored_content(&submission.files, &file) {
                Some(content) => content,
                None => context.blobs.store(file.content).await?,
            },
            path: file.path,
            is_test: file.kind == FilePurpose::Test,
            from_caller: file.from_caller && !is_supplied,
        });
    }
    let changes = match generation.changes {
        Some(changes) => Some(context.blobs.store(changes).await?),
        None => None,
    };
    count_tokens(generation.tokens);
    usage.cost += cost_of(generation.tokens, context.prices.thousand_tokens);
    let artifacts = Artifacts {
        files,
        run: Some(match generation.run {
            EntryPoint::Script { path } => RunCommand::Script { path },
            EntryPoint::Tests => RunCommand::Tests,
            EntryPoint::TestsOrScript { path } => RunCommand::TestsOrScript { path },
        }),
        action: Some(action_of(generation.action)),
        runtime: Some(generation.runtime),
        origin: Some(if is_supplied { "code that was supplied".to_owned() } else { describe(&generation.origin) }),
        repairable: generation.repairable,
        remark: generation.remark,
        documentation: Some(context.blobs.store(generation.documentation).await?),
        changes,
        ..Artifacts::default()
    };
    Ok(Event::Generated { artifacts: Box::new(artifacts), usage })
}

fn mode_of(mode: Mode) -> GenerationMode {
    match mode {
        Mode::Auto => GenerationMode::Auto,
        Mode::Run => GenerationMode::Run,
        Mode::Test => GenerationMode::Test,
        Mode::WriteTests => GenerationMode::WriteTests,
        Mode::Change => GenerationMode::Change,
        Mode::Document => GenerationMode::Document,
        Mode::Explain => GenerationMode::Explain,
        Mode::Generate => GenerationMode::Generate,
    }
}

fn action_of(action: GenerationAction) -> Action {
    match action {
        GenerationAction::Ran => Action::Ran,
        GenerationAction::Tested => Action::Tested,
        GenerationAction::TestsWritten => Action::TestsWritten,
        GenerationAction::Generated => Action::Generated,
        GenerationAction::Changed => Action::Changed,
        GenerationAction::Documented => Action::Documented,
        GenerationAction::Explained => Action::Explained,
    }
}

fn describe(origin: &Origin) -> String {
    match origin {
        Origin::Caller => "the caller's own code".to_owned(),
        Origin::Documenter => "the caller's own code, documented".to_owned(),
        Origin::Tools => "the caller's own code, worked on by tools".to_owned(),
        Origin::Recipe { name, version } => format!("recipe {name} {version}"),
        Origin::Model { name } => format!("model {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_may_have_cost_counts_and_every_delay_is_kept() {
        let delay = Duration::from_secs(7);
        for (may_have_cost, after) in [(true, Some(delay)), (false, Some(delay)), (true, None), (false, None)] {
            let outcome = retry_outcome("why".to_owned(), may_have_cost, after);
            let is_expected = match &outcome {
                StepOutcome::RetryAfter { delay: asked, counts, .. } => {
                    after == Some(*asked) && *counts == may_have_cost
                }
                StepOutcome::Failed(_) => may_have_cost && after.is_none(),
                StepOutcome::RetryLater(_) => !may_have_cost && after.is_none(),
                StepOutcome::Event(_) | StepOutcome::Cancelled { .. } => false,
            };
            assert!(is_expected, "{outcome:?}");
        }
    }
}
