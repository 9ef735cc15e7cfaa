//! Human in the loop: the mean time from the request of an approval to its decision.

use std::time::Duration;

use ::tests::{Client, Stack, run_request};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep};

use crate::check::{Bound, Check};
use crate::report::{Measure, Measured};

const MAX_MEAN_SECONDS: f64 = 300.0;
/// Approvals that the scripted approver decides.
const APPROVALS: usize = 12;
/// Interval at which the scripted approver looks at its inbox.
const INBOX_INTERVAL: Duration = Duration::from_secs(1);
const RUN_TIMEOUT: Duration = Duration::from_secs(300);
/// The histogram of approvers.
const HISTOGRAM: &str = "promptcraft_decision_wait_seconds";
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// Measures production by its metrics if there are any URLs, else a scripted approver.
pub async fn measure(metrics_urls: &[String]) -> Measure {
    if metrics_urls.is_empty() { scripted().await } else { from_metrics(metrics_urls).await }
}

async fn scripted() -> Measure {
    let stack = Stack::start().await;
    let submitter = stack.developer().await;
    let approver = stack.client("approver", "approver_pass").await;
    let mut ids = Vec::new();
    for number in 0..APPROVALS {
        ids.push(submitter.execute(&run_request(&format!("print({number})\n"), true)).await);
    }
    let mut waits = Vec::new();
    let give_up = Instant::now() + RUN_TIMEOUT;
    while waits.len() < ids.len() && Instant::now() < give_up {
        sleep(INBOX_INTERVAL).await;
        let inbox = approver.get("/api/v3/approvals?limit=100").await.expect(200);
        for item in inbox["data"]["approvals"].as_array().into_iter().flatten() {
            waits.extend(decide(&approver, item).await);
        }
    }
    for id in &ids {
        submitter.until(id, "completed").await;
    }
    judge_scripted(&waits, ids.len())
}

/// Approves an item of the inbox; returns the seconds since it was requested, unless the decision is refused.
async fn decide(approver: &Client, item: &Value) -> Option<f64> {
    let requested = OffsetDateTime::parse(item["requested_at"].as_str()?, &Rfc3339).ok()?;
    let id = item["workflow_id"].as_str()?;
    let decision = json!({
        "workflow_id": id, "approval_id": item["approval_id"], "decision": "approved", "digest": item["digest"],
    });
    let answer = approver.post(&format!("/api/v3/execute/approve/{id}"), &decision).await;
    (answer.status == 200).then(|| (OffsetDateTime::now_utc() - requested).as_seconds_f64())
}

/// Judges the waits of the scripted approver, which has to decide every approval.
pub fn judge_scripted(waits: &[f64], approvals: usize) -> Measure {
    let mean = (!waits.is_empty()).then(|| waits.iter().sum::<f64>() / waits.len() as f64);
    let checks = vec![
        Check::new("mean time to a decision", mean, Bound::Below, MAX_MEAN_SECONDS, "s"),
        Check::new(
            "approvals without a decision",
            Some((approvals - waits.len().min(approvals)) as f64),
            Bound::AtMost,
            0.0,
            "",
        ),
    ];
    let slowest = waits.iter().copied().fold(0.0, f64::max);
    Ok(Measured {
        checks,
        facts: json!({"source": "scripted approver", "decisions": waits.len(), "slowest_seconds": slowest}),
    })
}

async fn from_metrics(urls: &[String]) -> Measure {
    // Once per process; a second call has no effect.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(SCRAPE_TIMEOUT).build().map_err(|error| error.to_string())?;
    let (mut sum, mut count) = (0.0, 0.0);
    for url in urls {
        let answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let text = answer.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())?;
        let [of_sum, of_count] = ["sum", "count"].map(|part| total(&text, &format!("{HISTOGRAM}_{part}")));
        sum += of_sum.ok_or_else(|| format!("{url} has no {HISTOGRAM}"))?;
        count += of_count.ok_or_else(|| format!("{url} has no {HISTOGRAM}"))?;
    }
    judge_metrics(sum, count)
}

/// Returns the sum of all samples of a series in the Prometheus text format; `None` without any.
fn total(text: &str, series: &str) -> Option<f64> {
    let samples: Vec<f64> = text.lines().filter_map(|line| sample(line.strip_prefix(series)?)).collect();
    (!samples.is_empty()).then(|| samples.iter().sum())
}

/// Reads the value behind the name of a series: labels in braces, if any, the value, and perhaps a timestamp.
fn sample(rest: &str) -> Option<f64> {
    let values = if rest.starts_with('{') { rest.rsplit_once('}')?.1 } else { rest };
    values.strip_prefix([' ', '\t'])?.split_whitespace().next()?.parse().ok()
}

/// Judges production. Without a decision nothing was measured.
fn judge_metrics(sum: f64, count: f64) -> Measure {
    if count <= 0.0 {
        return Err("no approval has been decided there yet".to_owned());
    }
    let check = Check::new("mean time to a decision", Some(sum / count), Bound::Below, MAX_MEAN_SECONDS, "s");
    Ok(Measured { checks: vec![check], facts: json!({"source": "metrics", "decisions": count}) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAPE: &str = "# TYPE promptcraft_decision_wait_seconds histogram\n\
        promptcraft_decision_wait_seconds_bucket{path=\"http\",le=\"60\"} 2\n\
        promptcraft_decision_wait_seconds_sum{path=\"http\"} 90.5\n\
        promptcraft_decision_wait_seconds_count{path=\"http\"} 2\n\
        promptcraft_decision_wait_seconds_sum{path=\"nats\"} 9.5 1764500000000\n\
        promptcraft_decision_wait_seconds_count{path=\"nats\"} 2\n\
        promptcraft_decision_wait_seconds_counters 7\n";

    #[test]
    fn the_histogram_is_summed_over_its_labels() {
        assert_eq!(total(SCRAPE, "promptcraft_decision_wait_seconds_sum"), Some(100.0));
        assert_eq!(total(SCRAPE, "promptcraft_decision_wait_seconds_count"), Some(4.0));
        assert_eq!(total("other 1\n", "promptcraft_decision_wait_seconds_sum"), None);
        assert_eq!(total("plain_sum 3\nplain_sum_more 4\n", "plain_sum"), Some(3.0));
    }

    #[test]
    fn the_mean_is_judged_and_no_decision_is_no_measurement() {
        assert!(judge_metrics(1_196.0, 4.0).unwrap().checks[0].passed);
        assert!(!judge_metrics(1_200.0, 4.0).unwrap().checks[0].passed);
        assert!(judge_metrics(0.0, 0.0).is_err());
    }

    #[test]
    fn the_scripted_approver_must_decide_everything() {
        let passed = |waits: &[f64]| judge_scripted(waits, 2).unwrap().checks.iter().all(|check| check.passed);
        assert!(passed(&[1.0, 2.0]));
        assert!(!passed(&[1.0]));
        assert!(!passed(&[]));
        assert!(!passed(&[1.0, 700.0]));
    }
}
