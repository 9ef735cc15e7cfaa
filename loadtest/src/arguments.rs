//! The command line.

use std::path::{Path, PathBuf};

use crate::client::{Account, AccountSource, Accounts};
use crate::scenario::{Scenario, ScenarioDuration, ScenarioError};
use crate::stack::StackFile;

/// Put a PromptCraft service under load, and judge its latencies and the ends of its workflows
///
/// Exit codes: 0 all thresholds met, 1 a threshold missed or a workflow lost, 2 the run is void or could not be done.
#[derive(clap::Parser)]
#[command(name = "promptcraft-loadtest", version, max_term_width = 100)]
pub struct Arguments {
    /// Scenario file
    #[arg(default_value = "loadtest/scenarios/default.toml")]
    scenario: PathBuf,
    /// URL of the API [default: of the stack on --data, else http://localhost:8000]
    #[arg(long)]
    url: Option<String>,
    /// Data directory of a stack on this machine
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// Use the users of the demo stack instead of creating users
    #[arg(long, conflicts_with = "users")]
    demo_users: bool,
    /// Use this user instead of creating users; it must be allowed to approve its own work if approvals are part of the scenario
    #[arg(long = "user", value_name = "NAME:PASSWORD", value_parser = parse_account)]
    users: Vec<Account>,
    /// The program `promptcraft`, which creates and removes users [default: beside this program, else on PATH]
    #[arg(long, value_name = "PROGRAM")]
    promptcraft: Option<PathBuf>,
    /// Length of the measured window, instead of the scenario's
    #[arg(long, value_name = "60s")]
    duration: Option<ScenarioDuration>,
    /// Factor for every rate, or number of users, of the scenario
    #[arg(long, default_value_t = 1.0, value_parser = parse_scale)]
    scale: f64,
    /// Folder for report.json, report.html and junit.xml
    #[arg(long, default_value = "reports/loadtest")]
    out: PathBuf,
    /// Revision of the source, for the report
    #[arg(long)]
    revision: Option<String>,
    /// Check the scenario and exit
    #[arg(long)]
    check: bool,
}

/// A run with all defaults resolved.
pub struct Plan {
    pub scenario: Scenario,
    pub url: String,
    pub accounts: AccountSource,
    pub stack: Option<StackFile>,
    pub out: PathBuf,
    pub revision: Option<String>,
    pub is_check: bool,
}

impl Arguments {
    /// Reads the scenario and resolves the defaults.
    pub fn into_plan(self) -> Result<Plan, ScenarioError> {
        let mut scenario = Scenario::read(&self.scenario)?;
        scenario.scale(self.scale);
        if let Some(ScenarioDuration(duration)) = self.duration {
            scenario.duration = duration.max(std::time::Duration::from_secs(1));
        }
        let stack = StackFile::read(&self.data);
        let url = self.url.clone().or_else(|| stack.as_ref().map(|stack| stack.api_url.clone()));
        Ok(Plan {
            scenario,
            url: url.unwrap_or_else(|| "http://localhost:8000".to_owned()),
            accounts: self.accounts(),
            stack,
            out: self.out,
            revision: self.revision,
            is_check: self.check,
        })
    }

    fn accounts(&self) -> AccountSource {
        if self.demo_users {
            return AccountSource::Given(Accounts::of_demo());
        }
        if !self.users.is_empty() {
            return AccountSource::Given(Accounts { submitters: self.users.clone(), approver: None });
        }
        let program = self.promptcraft.clone().unwrap_or_else(find_promptcraft);
        let arguments = vec!["--data".to_owned(), self.data.display().to_string()];
        AccountSource::Created { program, arguments }
    }
}

fn find_promptcraft() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new("")).join("promptcraft");
    if beside.is_file() { beside } else { PathBuf::from("promptcraft") }
}

fn parse_account(text: &str) -> Result<Account, &'static str> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() && !password.is_empty() => {
            Ok(Account { name: name.to_owned(), password: password.to_owned() })
        }
        Some(_) | None => Err("must be NAME:PASSWORD"),
    }
}

fn parse_scale(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(factor) if factor > 0.0 && factor <= 1_000.0 => Ok(factor),
        Ok(_) | Err(_) => Err("must be a number above 0, at most 1000"),
    }
}
