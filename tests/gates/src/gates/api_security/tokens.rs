//! Forged, expired, revoked and misused tokens.

use ::tests::{Client, run_request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::probes::{Probes, send_patiently};

/// The default of `auth.max_revocation_staleness`.
const MAX_STALENESS: Duration = Duration::from_secs(5);

/// The key that signs the tokens: its id and secret.
pub type Key = (String, String);

/// Tries tokens made from a valid one of `owner`, and revokes that of `other`. With the service's own key, so that each attack is
/// refused for its own reason: a token that is only signed again must be accepted, or nothing was measured.
pub async fn probe(owner: &Client, other: &Client, key: &Key) -> Result<Probes, String> {
    let claims = claims_of(owner.token())?;
    let control = send_patiently(
        &owner.clone().with_token(&sign(key, Algorithm::HS256, &claims)?),
        "GET",
        "/api/v3/execute",
        None,
    )
    .await;
    if control.status != 200 {
        return Err(format!(
            "a token signed with the service's key is not accepted ({}), so attacks show nothing",
            control.status
        ));
    }
    let mut probes = Probes::default();
    for (name, token) in attacks(owner, &claims, key)? {
        let attacker = owner.clone().with_token(&token);
        try_everywhere(&mut probes, name, &attacker).await;
    }
    revoke(&mut probes, other).await;
    Ok(probes)
}

fn attacks(owner: &Client, claims: &Value, key: &Key) -> Result<Vec<(&'static str, String)>, String> {
    let now = claims["iat"].as_i64().ok_or("the token has no issue time")?;
    let with = |changes: Value| {
        let mut changed = claims.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            changed[name] = value.clone();
        }
        changed
    };
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = owner.token().rsplit('.').next().unwrap_or_default().to_owned();
    let unsigned = format!("{}.{}.", text(&json!({"alg": "none", "typ": "JWT"})), text(claims));
    let raised = with(json!({"role": "admin", "sub": "approver"}));
    let head = owner.token().split('.').next().unwrap_or_default();
    let own_key = |kid: &str| (kid.to_owned(), "a secret that the service does not have".to_owned());
    let hs = |claims: &Value| sign(key, Algorithm::HS256, claims);
    Ok(vec![
        ("alg none", unsigned.clone()),
        ("alg none with the old signature", format!("{unsigned}{signature}")),
        ("alg none with the key's id", format!("{}.{}.", text(&json!({"alg": "none", "kid": key.0})), text(claims))),
        ("another key", sign(&own_key(&key.0), Algorithm::HS256, claims)?),
        ("an unknown key", sign(&own_key("unknown"), Algorithm::HS256, claims)?),
        ("an empty key", sign(&(key.0.clone(), String::new()), Algorithm::HS256, claims)?),
        ("another algorithm", sign(key, Algorithm::HS512, claims)?),
        ("expired", hs(&with(json!({"iat": now - 7_200, "nbf": now - 7_200, "exp": now - 3_600})))?),
        ("not yet valid", hs(&with(json!({"nbf": now + 3_600, "exp": now + 7_200})))?),
        ("another issuer", hs(&with(json!({"iss": "attacker"})))?),
        ("another audience", hs(&with(json!({"aud": "another-service"})))?),
        ("an unknown user", hs(&with(json!({"sub": "nouser"})))?),
        ("changed claims with the old signature", format!("{head}.{}.{signature}", text(&raised))),
        ("no signature", format!("{head}.{}.", text(claims))),
        ("a refresh token", owner.refresh_token.clone().ok_or("there is no refresh token")?),
        ("text", "a.b.c".to_owned()),
    ])
}

async fn try_everywhere(probes: &mut Probes, name: &str, attacker: &Client) {
    let submission = run_request("print('forged')\n", false).to_string();
    for (method, path, body) in [
        ("GET", "/api/v3/execute", None),
        ("POST", "/api/v3/execute", Some(submission)),
        ("GET", "/api/v3/admin/dead-letters", None),
    ] {
        let answer = send_patiently(attacker, method, path, body).await;
        probes.book(&format!("{method} {path} with {name}"), answer.status, answer.status == 401, "401");
    }
}

/// Revokes a token, which must be accepted before and refused afterwards.
async fn revoke(probes: &mut Probes, other: &Client) {
    let before = send_patiently(other, "GET", "/api/v3/execute", None).await;
    probes.book("GET /api/v3/execute before the revocation", before.status, before.status == 200, "200");
    let revoked = send_patiently(other, "POST", "/auth/revoke", None).await;
    probes.book("POST /auth/revoke", revoked.status, revoked.status == 200, "200");
    let give_up = Instant::now() + MAX_STALENESS;
    while send_patiently(other, "GET", "/api/v3/execute", None).await.status != 401 && Instant::now() < give_up {
        sleep(Duration::from_millis(100)).await;
    }
    try_everywhere(probes, "a revoked token", other).await;
}

fn claims_of(token: &str) -> Result<Value, String> {
    let payload = token.split('.').nth(1).ok_or("the access token is no JWT")?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

fn sign((kid, secret): &Key, algorithm: Algorithm, claims: &Value) -> Result<String, String> {
    let header = Header { kid: Some(kid.clone()), ..Header::new(algorithm) };
    encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).map_err(|error| error.to_string())
}
