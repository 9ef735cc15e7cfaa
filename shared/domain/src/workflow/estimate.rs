//! The expected cost of a submission, estimated before it runs.

use super::phase::PhaseKind;
use super::plan::initial_plan;
use super::submission::{Submission, SubmissionOptions};

/// Tokens of prompt and reply of a round that writes code.
const WRITING_TOKENS: f64 = 4_000.0;
/// Tokens that the results of a search add to a round.
const SEARCH_TOKENS: f64 = 4_000.0;
/// The expected fraction of the allowed repair rounds that is used.
const EXPECTED_REPAIR_FRACTION: f64 = 0.3;
/// The cost that each further agent adds, relative to the first: it reads the work of the others.
const AGENT: f64 = 0.25;

/// Prices of usage, in the unit of `metrics.total_cost`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    pub cpu_second: f64,
    pub thousand_tokens: f64,
}

/// Returns the expected cost, in the unit of `metrics.total_cost`; at most the workflow's budget, where it would fail.
pub fn estimated_cost(submission: &Submission, prices: Prices) -> f64 {
    let options = &submission.options;
    // Agents that share a step make it shorter, not cheaper.
    let alone = SubmissionOptions { max_agents: 1, ..options.clone() };
    let plan = initial_plan(&Submission { options: alone, ..submission.clone() });
    let metered = plan.iter().filter(|step| matches!(step.phase, PhaseKind::Analyze | PhaseKind::Execute));
    let seconds: f64 = metered.map(|step| f64::from(step.estimated_seconds)).sum();
    let writing = if submission.has_code() { 0.0 } else { WRITING_TOKENS };
    let search = if options.enable_premium_search { SEARCH_TOKENS } else { 0.0 };
    let round = seconds * prices.cpu_second + (writing + search) / 1_000.0 * prices.thousand_tokens;
    let rounds = 1.0 + EXPECTED_REPAIR_FRACTION * f64::from(options.max_iterations.saturating_sub(1));
    let agents = 1.0 + AGENT * f64::from(options.max_agents.saturating_sub(1));
    (round * rounds * agents).min(submission.policy.budget)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{options, submitted};

    const PRICES: Prices = Prices { cpu_second: 0.01, thousand_tokens: 0.01 };

    fn of(options: SubmissionOptions) -> f64 {
        estimated_cost(&submitted("ann", options).submission, PRICES)
    }

    #[test]
    fn every_wish_that_makes_more_work_costs_more_up_to_the_budget() {
        let plain = of(options());
        assert!(plain > 0.0);
        for more in [
            SubmissionOptions { max_iterations: 4, ..options() },
            SubmissionOptions { enable_premium_search: true, ..options() },
            SubmissionOptions { max_agents: 2, ..options() },
        ] {
            assert!(of(more.clone()) > plain, "{more:?}");
        }
        let most = SubmissionOptions { max_iterations: 10, enable_premium_search: true, max_agents: 8, ..options() };
        let mut dearest = submitted("ann", most).submission;
        assert!(estimated_cost(&dearest, PRICES) < dearest.policy.budget);
        dearest.policy.budget = 0.05;
        assert!((estimated_cost(&dearest, PRICES) - 0.05).abs() < 1e-12);
        let free = Prices { cpu_second: 0.0, thousand_tokens: 0.0 };
        assert!(estimated_cost(&submitted("ann", options()).submission, free).abs() < 1e-12);
    }
}
