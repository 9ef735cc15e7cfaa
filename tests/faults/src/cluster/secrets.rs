//! The secrets of one cluster.

use std::collections::BTreeMap;

use cli::stack::broker_config::SERVICE_USERS;
use domain::identity::Secret;

use super::BOT;

/// Passwords of the users of the brokers and of Redis.
#[derive(Debug)]
pub struct ClusterSecrets {
    brokers: BTreeMap<&'static str, Secret>,
    redis: BTreeMap<&'static str, Secret>,
}

/// The users of Redis: its operator, api and approver, and workers.
const REDIS_USERS: [&str; 3] = ["default", "promptcraft", "worker"];

impl ClusterSecrets {
    /// Returns new secrets.
    pub fn fresh() -> Self {
        Self {
            brokers: SERVICE_USERS.into_iter().chain([BOT]).map(|user| (user, Secret::fresh())).collect(),
            redis: REDIS_USERS.iter().map(|user| (*user, Secret::fresh())).collect(),
        }
    }

    /// Returns the password of a user of the brokers.
    pub fn broker(&self, user: &str) -> Secret {
        self.brokers.get(user).cloned().unwrap_or_else(|| Secret::new(""))
    }

    /// Returns the password of a user of Redis.
    pub fn redis(&self, user: &str) -> Secret {
        self.redis.get(user).cloned().unwrap_or_else(|| Secret::new(""))
    }
}
