//! The program `gates`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use gates::command::Place;
use gates::gate::{GateOptions, QualityGate};
use gates::gates::state::Size;
use gates::report::{all_passed, table};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Measure the quality gates, write reports/quality-gates.json and print a table
///
/// Exit codes: 0 every gate passed, 1 a gate failed or could not measure, 2 a wrong argument.
#[derive(Parser)]
#[command(name = "gates", max_term_width = 100)]
struct Arguments {
    /// Run only these gates
    #[arg(value_enum)]
    gates: Vec<QualityGate>,
    /// Metrics endpoint of an approver; human-in-the-loop then takes its figures instead of a scripted approver's. Once for
    /// each approver
    #[arg(long = "metrics-url", value_name = "URL")]
    metrics_urls: Vec<String>,
    /// Fault schedules of the gate state; fewer than 10 do not pass
    #[arg(long, default_value_t = Size::default().schedules)]
    schedules: u64,
    /// Workflows in each fault schedule; fewer than 2000 in all schedules do not pass
    #[arg(long, default_value_t = Size::default().workflows)]
    workflows: usize,
    /// The repository
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Folder of the report
    #[arg(long, default_value = "reports")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ran = tokio::select! {
        ran = run(arguments) => ran,
        reason = interrupted() => Err(reason),
    };
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() -> String {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return "cannot listen for signals".to_owned();
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    "interrupted".to_owned()
}

/// Runs the gates one after the other, so that they do not slow each other down.
async fn run(arguments: Arguments) -> Result<bool, String> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()));
    let (root, out) = (absolute(&arguments.root)?, absolute(&arguments.out)?);
    let place = Place { root, out: out.join("gates") };
    let file = out.join("quality-gates.json");
    fs::create_dir_all(&place.out).map_err(|error| format!("{}: {error}", place.out.display()))?;
    let options = GateOptions {
        metrics_urls: arguments.metrics_urls,
        state: Size { schedules: arguments.schedules, workflows: arguments.workflows },
    };
    let chosen = if arguments.gates.is_empty() { QualityGate::ALL.to_vec() } else { arguments.gates };
    // An interrupted run leaves no report of an earlier one.
    drop(fs::remove_file(&file));
    let commit = commit(&place.root);
    let mut reports = Vec::new();
    for gate in chosen {
        eprintln!("measuring {}", gate.name());
        reports.push(gate.run(&place, &options, &commit).await);
    }
    let document = json!({"passed": all_passed(&reports), "commit": commit, "gates": reports});
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    fs::write(&file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{}\nThe report is in {}", table(&reports), file.display());
    Ok(all_passed(&reports))
}

fn commit(root: &Path) -> String {
    let output =
        Command::new("git").current_dir(root).args(["describe", "--always", "--dirty", "--exclude=*"]).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    if text.is_empty() { "unknown".to_owned() } else { text }
}
