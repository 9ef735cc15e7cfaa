//! API security: authentication, tokens, rate limits and input validation of a stack with the default limits.

mod authentication;
mod document;
mod input;
mod probes;
mod rate_limits;
mod tokens;

use ::tests::{Options, Stack, run_request, signing_key};
use serde_json::json;

pub use authentication::probe as probe_authentication;
pub use document::Document;
pub use probes::Probes;
pub use rate_limits::probe as probe_rate_limits;
pub use tokens::{Key, probe as probe_tokens};

use crate::check::{Bound, Check};
use crate::report::{Measure, Measured};

/// Starts a stack and attacks it. The rate limits are last, because they lock the attacker out.
pub async fn measure() -> Measure {
    let stack = Stack::start_with(Options::default().with("limits.profile", "standard")).await;
    let developer = stack.developer().await;
    let workflow = developer.execute(&run_request("print(1)\n", false)).await;
    let document = Document::read(&stack.stranger().get("/openapi.json").await.expect(200))?;
    let authentication = probe_authentication(&stack.stranger(), &document, &workflow).await;
    let key = signing_key(&stack).await;
    let other = stack.client("stress_user", "stress_pass").await;
    let tokens = probe_tokens(&developer, &other, &key).await?;
    let input = input::probe(&developer).await?;
    let attacker = stack.client("stress_user", "stress_pass").await;
    let limits = probe_rate_limits(&stack.stranger(), &attacker, &developer).await;
    Ok(judge(&document, [authentication, tokens, input, limits]))
}

/// Judges the probes of authentication, tokens, input and rate limits. A family without probes was not measured.
pub fn judge(document: &Document, families: [Probes; 4]) -> Measured {
    const NAMES: [&str; 4] = [
        "requests without a token admitted",
        "forged or revoked tokens admitted",
        "wrong inputs not refused",
        "rate limits not active",
    ];
    let incidents: usize = families.iter().map(|probes| probes.incidents.len()).sum();
    let made: usize = families.iter().map(|probes| probes.made).sum();
    let headline = (made > 0).then_some(incidents as f64);
    let mut checks = vec![Check::new("security incidents", headline, Bound::AtMost, 0.0, "")];
    checks.extend(NAMES.into_iter().zip(&families).map(|(name, probes)| {
        let current = (probes.made > 0).then_some(probes.incidents.len() as f64);
        Check::new(name, current, Bound::AtMost, 0.0, "")
    }));
    let [authentication, tokens, input, limits] = &families;
    let facts = json!({
        "operations": document.operations.len(),
        "probes": {
            "authentication": authentication.made, "tokens": tokens.made, "input": input.made, "rate_limits": limits.made,
        },
        "incidents": families.iter().flat_map(|probes| &probes.incidents).collect::<Vec<_>>(),
    });
    Measured { checks, facts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_or_a_family_without_probes_fails() {
        let document = Document { operations: Vec::new() };
        let good = || Probes { made: 3, incidents: Vec::new() };
        let passed = |families| judge(&document, families).checks.iter().all(|check| check.passed);
        assert!(passed([good(), good(), good(), good()]));
        for place in 0..4 {
            let mut families = [good(), good(), good(), good()];
            families[place].incidents.push("200".to_owned());
            assert!(!passed(families));
            let mut families = [good(), good(), good(), good()];
            families[place].made = 0;
            assert!(!passed(families));
        }
    }
}
