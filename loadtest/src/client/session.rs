//! Signed-in users, whose tokens are renewed before they expire.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Account, Api, RequestFailure};
use crate::measure::recorder::Recorder;
use crate::scenario::Series;

/// A signed-in user.
pub struct Session {
    account: Account,
    token: RwLock<Token>,
}

#[derive(Clone)]
struct Token {
    text: String,
    renew_at: Instant,
}

impl Session {
    /// Signs in.
    pub async fn open(api: &Api, account: Account) -> Result<Self, RequestFailure> {
        let token = sign_in(api, &account).await?;
        Ok(Self { account, token: RwLock::new(token) })
    }

    /// Returns the access token.
    pub fn token(&self) -> String {
        self.token.read().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// Signs in again if half of the token's lifetime has passed; a failure is recorded and retried at the next call.
    pub async fn renew(&self, api: &Api, recorder: &Recorder) {
        if Instant::now() < self.token.read().unwrap_or_else(PoisonError::into_inner).renew_at {
            return;
        }
        let planned = Instant::now();
        let result = sign_in(api, &self.account).await;
        let result = result.map(|token| *self.token.write().unwrap_or_else(PoisonError::into_inner) = token);
        recorder.record(Series::SignIn, planned, &result);
    }
}

async fn sign_in(api: &Api, account: &Account) -> Result<Token, RequestFailure> {
    let body = json!({"username": account.name, "password": account.password});
    let answer = api.post("/auth/token", None, &body).await?.expect(200)?;
    let text = answer["access_token"].as_str().ok_or(RequestFailure::Unexpected("no access token"))?.to_owned();
    let lifetime = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or(60));
    Ok(Token { text, renew_at: Instant::now() + lifetime / 2 })
}
