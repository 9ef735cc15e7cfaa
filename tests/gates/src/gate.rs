//! The list of gates, and the run of one.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::command::Place;
use crate::gates::{api_security, execution, human_in_the_loop, isolation, performance, state};
use crate::report::{GateReport, Measure};

/// A quality gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum QualityGate {
    Execution,
    Isolation,
    Performance,
    ApiSecurity,
    State,
    HumanInTheLoop,
}

/// Options of the gates.
#[derive(Debug, Clone, Default)]
pub struct GateOptions {
    /// Metrics endpoints of approvers in production, for the human-in-the-loop gate.
    pub metrics_urls: Vec<String>,
    pub state: state::Size,
}

impl QualityGate {
    pub const ALL: [Self; 6] =
        [Self::Execution, Self::Isolation, Self::Performance, Self::ApiSecurity, Self::State, Self::HumanInTheLoop];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Isolation => "isolation",
            Self::Performance => "performance",
            Self::ApiSecurity => "api-security",
            Self::State => "state",
            Self::HumanInTheLoop => "human-in-the-loop",
        }
    }

    pub const fn is_critical(self) -> bool {
        match self {
            Self::Execution | Self::Isolation | Self::ApiSecurity | Self::State => true,
            Self::Performance | Self::HumanInTheLoop => false,
        }
    }

    /// Measures and judges. A panic in between is a measurement that failed.
    pub async fn run(self, place: &Place, options: &GateOptions, commit: &str) -> GateReport {
        let began = Instant::now();
        let measured = AssertUnwindSafe(self.measure(place, options)).catch_unwind().await;
        let measured = measured.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default())
        });
        GateReport::of(self, measured, commit, began.elapsed())
    }

    async fn measure(self, place: &Place, options: &GateOptions) -> Measure {
        match self {
            Self::Execution => execution::measure(place).await,
            Self::Isolation => isolation::measure(place).await,
            Self::Performance => performance::measure(place).await,
            Self::ApiSecurity => api_security::measure().await,
            Self::State => state::measure(place, options.state).await,
            Self::HumanInTheLoop => human_in_the_loop::measure(&options.metrics_urls).await,
        }
    }
}
