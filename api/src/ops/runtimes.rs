//! `GET /api/v3/runtimes`: the languages that workers run, by their heartbeats.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use messaging::{RuntimeReport, WorkerReport};
use serde_json::{Value, json};

use crate::auth::tokens::Caller;
use crate::http::etag::respond_with_etag;
use crate::http::problem::Problem;
use crate::limits::admission::RateLimits;
use crate::limits::settings::Operation;
use crate::workflows::peers::Peers;

/// Lists every runtime that a worker with a working sandbox offers; 503 while there is none.
pub(crate) async fn runtimes(
    peers: web::Data<Peers>,
    limits: web::Data<RateLimits>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    limits.admit(&request, &caller.user, Operation::Status).await?;
    let reports: Vec<WorkerReport> = peers.workers.all().into_iter().filter(executes).collect();
    if reports.is_empty() {
        let detail = "No worker that executes code is reporting its runtimes; try again.";
        return Err(Problem::unavailable(detail, Duration::from_secs(1)));
    }
    let answer = json!({"status": "success", "data": {"runtimes": merged(&reports)}});
    Ok(respond_with_etag(&request, answer.to_string(), "application/json", |_| {}))
}

fn executes(report: &WorkerReport) -> bool {
    report.sandbox_ok && report.phases.iter().any(|phase| phase == "execute")
}

/// Merges the runtimes of all workers by name. Where workers differ, every version is listed, and only packages are shown
/// that all of them have in the same version.
fn merged(reports: &[WorkerReport]) -> Vec<Value> {
    let mut offers: BTreeMap<&str, Vec<Option<&RuntimeReport>>> = BTreeMap::new();
    for report in reports {
        for name in &report.runtimes {
            let details = report.runtime_details.iter().find(|details| details.name == *name);
            offers.entry(name).or_default().push(details);
        }
    }
    offers.into_iter().map(|(name, offers)| shown(name, &offers, reports.len())).collect()
}

/// `offers` are the details of each worker with the runtime; an older build reports none.
fn shown(name: &str, offers: &[Option<&RuntimeReport>], workers: usize) -> Value {
    let known = || offers.iter().flatten();
    // In the order of the reports, where the most common one is first.
    let texts = |of: fn(&RuntimeReport) -> &[String]| {
        let mut texts: Vec<&String> = Vec::new();
        for text in known().flat_map(|it| of(it)) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    };
    let versions: BTreeSet<&String> = known().filter_map(|it| it.version.as_ref()).collect();
    let mut versions: Vec<&String> = versions.into_iter().collect();
    versions.sort_by_key(|version| numbers_of(version));
    let mut packages: Vec<&(String, String)> = known().next().map_or_else(Vec::new, |it| it.packages.iter().collect());
    packages.retain(|package| known().all(|it| it.packages.contains(package)));
    let packages: Vec<Value> =
        packages.into_iter().map(|(name, version)| json!({"name": name, "version": version})).collect();
    json!({
        "name": name,
        "version": versions.last(),
        "versions": versions,
        "aliases": texts(|it| &it.aliases),
        "extensions": texts(|it| &it.extensions),
        "runs_tests": known().any(|it| it.runs_tests),
        "packages": packages,
        "on_all_workers": offers.len() == workers,
    })
}

/// Returns the numbers in a version, by which 3.9 is older than 3.11.
fn numbers_of(version: &str) -> Vec<u64> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::worker_report;

    fn worker(instance: &str, runtimes: &[(&str, Option<&str>)]) -> WorkerReport {
        let details = |(name, version): &(&str, Option<&str>)| {
            let version = (*version)?;
            Some(RuntimeReport {
                name: (*name).to_owned(),
                version: Some(version.to_owned()),
                aliases: vec![format!("{name}3")],
                extensions: vec![".py".to_owned()],
                runs_tests: true,
                packages: vec![("pytest".to_owned(), "7".to_owned()), ("numpy".to_owned(), version.to_owned())],
            })
        };
        WorkerReport {
            runtimes: runtimes.iter().map(|(name, _)| (*name).to_owned()).collect(),
            runtime_details: runtimes.iter().filter_map(details).collect(),
            ..worker_report(instance, &["execute"])
        }
    }

    #[test]
    fn runtimes_of_all_workers_are_merged() {
        let one = worker("a", &[("python", Some("3.11"))]);
        let alone = &merged(std::slice::from_ref(&one))[0];
        assert_eq!((&alone["version"], &alone["on_all_workers"]), (&json!("3.11"), &json!(true)));
        assert_eq!(alone["packages"].as_array().map(Vec::len), Some(2));
        assert_eq!((&alone["aliases"], &alone["extensions"]), (&json!(["python3"]), &json!([".py"])));

        let all = merged(&[
            one,
            worker("b", &[("python", Some("3.9")), ("lua", Some("5.4"))]),
            worker("c", &[("python", None)]),
        ]);
        let names: Vec<&Value> = all.iter().map(|it| &it["name"]).collect();
        assert_eq!(names, [&json!("lua"), &json!("python")]);
        assert_eq!((&all[0]["on_all_workers"], &all[1]["on_all_workers"]), (&json!(false), &json!(true)));
        assert_eq!(all[1]["versions"], json!(["3.9", "3.11"]));
        assert_eq!(all[1]["version"], json!("3.11"));
        assert_eq!(all[1]["packages"], json!([{"name": "pytest", "version": "7"}]));
    }

    #[test]
    fn a_worker_without_a_working_sandbox_offers_none() {
        let works = worker("a", &[("python", Some("3.11"))]);
        assert!(executes(&works));
        assert!(!executes(&WorkerReport { sandbox_ok: false, ..works.clone() }));
        assert!(!executes(&WorkerReport { phases: vec!["plan".to_owned()], ..works }));
    }
}
