//! The `limits.*` settings.

use std::collections::HashMap;
use std::str::FromStr;

use domain::identity::Role;
use read_model::Gcra;
use service::config::{Profile, Settings};

/// An operation with its own bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Execute,
    Analyze,
    /// Decisions and cancels, so that frequent reads cannot block stopping a workflow.
    Decide,
    /// Every other call with a token.
    Status,
}

impl Operation {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Analyze => "analyze",
            Self::Decide => "decide",
            Self::Status => "status",
        }
    }

    /// Returns the calls that the bucket counts.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Execute => "submissions of a user",
            Self::Analyze => "analyses of a user",
            Self::Decide => "decisions and cancels of a user",
            Self::Status => "calls of a user other than submissions, analyses, decisions and cancels",
        }
    }
}

/// The buckets of signing in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignInLimits {
    /// Sign-ins per user name and address, right or wrong.
    pub(crate) attempts: Gcra,
    /// Wrong passwords per user name and address.
    pub(crate) wrong: Gcra,
    /// Wrong passwords per address.
    pub(crate) wrong_of_address: Gcra,
    /// Wrong passwords per user name.
    pub(crate) wrong_of_name: Gcra,
}

/// The size of every bucket.
#[derive(Debug, Clone)]
pub struct RateLimitSettings {
    /// The profile `load` lifts every limit.
    lifted: bool,
    standard: HashMap<Operation, Gcra>,
    roles: HashMap<(Role, Operation), Gcra>,
    sign_in: SignInLimits,
    unauthenticated: Gcra,
}

/// `burst/refill per minute`, e.g. `8/30`.
struct Rate(Gcra);

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(burst, refill)| {
            let (burst, refill_per_minute) = (burst.trim().parse().ok()?, refill.trim().parse().ok()?);
            (burst > 0 && (1..=60_000_000).contains(&refill_per_minute)).then_some(Gcra { burst, refill_per_minute })
        });
        parsed.map(Self).ok_or("must be burst/refill per minute, both at least 1, e.g. 8/30")
    }
}

impl RateLimitSettings {
    /// Reads the `limits.*` settings.
    pub(crate) fn read(settings: &mut Settings, profile: Profile) -> Self {
        let mut rate = |name| settings.read::<Rate>(name).0;
        let standard = HashMap::from([
            (Operation::Execute, rate("limits.execute")),
            (Operation::Analyze, rate("limits.analyze")),
            (Operation::Decide, rate("limits.decide")),
            (Operation::Status, rate("limits.status")),
        ]);
        let sign_in = SignInLimits {
            attempts: rate("limits.sign_in_attempts"),
            wrong: rate("limits.sign_in"),
            wrong_of_address: rate("limits.sign_in_address"),
            wrong_of_name: rate("limits.sign_in_name"),
        };
        let unauthenticated = rate("limits.unauthenticated");
        let lifted = match settings.read::<String>("limits.profile").as_str() {
            "standard" => false,
            "load" if profile != Profile::Production => true,
            "load" => {
                settings.mistake("limits.profile: load lifts every limit, which production refuses");
                true
            }
            _ => {
                settings.mistake("limits.profile: must be standard or load");
                false
            }
        };
        let mut roles = HashMap::new();
        for text in settings.list("limits.roles") {
            match read_role_limit(&text) {
                Some((role, operation, bucket)) => {
                    roles.insert((role, operation), bucket);
                }
                None => {
                    settings.mistake("limits.roles: must be a list such as admin:execute=100/600,viewer:status=30/60")
                }
            }
        }
        Self { lifted, standard, roles, sign_in, unauthenticated }
    }

    /// Returns whether the profile `load` lifts every limit.
    pub(crate) fn are_lifted(&self) -> bool {
        self.lifted
    }

    /// Returns the buckets of signing in; `None` if lifted.
    pub(crate) fn sign_in(&self) -> Option<SignInLimits> {
        (!self.lifted).then_some(self.sign_in)
    }

    /// Returns the bucket for requests without a valid token, per address; `None` if lifted.
    pub(crate) fn unauthenticated(&self) -> Option<Gcra> {
        (!self.lifted).then_some(self.unauthenticated)
    }

    pub(crate) fn bucket(&self, role: Role, operation: Operation) -> Option<Gcra> {
        let own = self.roles.get(&(role, operation)).or_else(|| self.standard.get(&operation));
        own.copied().filter(|_| !self.lifted)
    }
}

fn read_role_limit(text: &str) -> Option<(Role, Operation, Gcra)> {
    let (role, rest) = text.split_once(':')?;
    let (operation, rate) = rest.split_once('=')?;
    let known = [Operation::Execute, Operation::Analyze, Operation::Decide, Operation::Status];
    let operation = known.into_iter().find(|known| known.as_str() == operation.trim())?;
    Some((role.trim().parse().ok()?, operation, rate.trim().parse::<Rate>().ok()?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_have_its_own_limit_and_load_lifts_all() {
        let mut settings = Settings::from_pairs([("limits.execute", "2/4"), ("limits.roles", "admin:execute=100/600")]);
        let limits = RateLimitSettings::read(&mut settings, Profile::Demo);
        settings.finish().unwrap();
        assert_eq!(limits.bucket(Role::Developer, Operation::Execute).unwrap().burst, 2);
        assert_eq!(limits.bucket(Role::Admin, Operation::Execute).unwrap().burst, 100);
        assert_eq!(limits.bucket(Role::Admin, Operation::Status).unwrap().burst, 120);
        let mut settings = Settings::from_pairs([("limits.profile", "load")]);
        let lifted = RateLimitSettings::read(&mut settings, Profile::Demo);
        assert!(lifted.bucket(Role::Viewer, Operation::Status).is_none());
        assert!(lifted.sign_in().is_none() && lifted.unauthenticated().is_none());
    }

    #[test]
    fn a_rate_without_refill_is_refused() {
        for bad in ["8", "8/", "/8", "0/1", "1/0", "1/-1", "x/1"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
