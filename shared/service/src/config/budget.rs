//! Limits on the cost of work, and the prices of usage.

use super::Settings;
use domain::workflow::Prices;

/// Cost limits, in the unit of `metrics.total_cost`.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub per_workflow: f64,
    pub per_user_day: f64,
    pub prices: Prices,
}

impl Budget {
    /// Reads `budget.*`. A value that is not a number of at least 0 is a mistake, because no cost would ever exceed it.
    pub fn read(settings: &mut Settings) -> Self {
        let budget = Self {
            per_workflow: settings.read("budget.per_workflow"),
            per_user_day: settings.read("budget.per_user_day"),
            prices: Prices {
                cpu_second: settings.read("budget.cpu_second"),
                thousand_tokens: settings.read("budget.thousand_tokens"),
            },
        };
        let Self { per_workflow, per_user_day, prices } = budget;
        let all = [per_workflow, per_user_day, prices.cpu_second, prices.thousand_tokens];
        if all.iter().any(|number| !number.is_finite() || *number < 0.0) {
            settings.mistake("budget: every budget and price must be a number of at least 0");
        }
        budget
    }
}
