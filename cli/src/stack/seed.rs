//! Seeds the broker before the services start: streams, a signing key, demo users.

use domain::identity::{KeyState, PasswordHash, Role, Secret, SigningKey, User};
use domain::ids::UserName;
use messaging::{Broker, BrokerError, BrokerSettings, Bucket, BucketError, Buckets, ProvisionError, provision};
use service::clock::Clock;
use service::password::PasswordError;

use super::process_specs::StackConfig;

/// The bot of the demo stack.
pub const DEMO_BOT: &str = "demo_bot";

/// Name, password, role and self-approval.
const DEMO_USERS: [(&str, &str, Role, bool); 3] = [
    ("test_user", "test_pass", Role::Developer, true),
    ("stress_user", "stress_pass", Role::Developer, true),
    ("approver", "approver_pass", Role::Approver, false),
];

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("{0}")]
    Name(String),
    #[error("cannot read a secret: {0}")]
    Secret(#[from] std::io::Error),
}

/// The objects that were created.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SeedReport {
    pub signing_key: bool,
    pub users: usize,
}

/// Connects to the stack's broker as operator.
pub(super) async fn connect_operator(config: &StackConfig) -> Result<Broker, SeedError> {
    let settings = BrokerSettings {
        url: config.broker_url(),
        user: "cli".to_owned(),
        password: Some(Secret::new(config.data.stored_secret("nats-cli")?)),
        replicas: 1,
        strict: true,
        monitor_url: Some(config.broker_monitor_url()),
        tls_ca_file: None,
    };
    Ok(Broker::connect(&settings).await?)
}

/// Creates streams, consumers, buckets and their initial entries. Idempotent: existing entries are unchanged.
pub(crate) async fn seed(
    broker: &Broker,
    replicas: usize,
    runtimes: &[String],
    demo: bool,
) -> Result<SeedReport, SeedError> {
    provision(broker, replicas, runtimes).await?;
    let buckets = Buckets::new(broker);
    let mut seeded = SeedReport::default();
    let keys = buckets.signing_keys().await?;
    let counts = |key: &SigningKey| key.state == KeyState::Active && (demo || !key.demo);
    if !keys.all().await?.iter().any(|(_, key)| counts(key)) {
        let key = SigningKey::fresh(demo, Clock::default().now());
        seeded.signing_key = create(&keys, &key.kid, &key).await?;
    }
    if demo {
        let users = buckets.users().await?;
        for (name, password, role, self_approval) in DEMO_USERS {
            if users.get(name).await?.is_none() {
                let user = demo_user(name, Some(service::password::hash(password)?), role, self_approval)?;
                seeded.users += usize::from(create(&users, name, &user).await?);
            }
        }
        let bot = demo_user(DEMO_BOT, None, Role::Approver, false)?;
        seeded.users += usize::from(create(&users, DEMO_BOT, &bot).await?);
    }
    Ok(seeded)
}

fn demo_user(name: &str, password: Option<PasswordHash>, role: Role, self_approval: bool) -> Result<User, SeedError> {
    let parsed: UserName = name.parse().map_err(|error| SeedError::Name(format!("{name}: {error}")))?;
    let now = Clock::default().now();
    Ok(User {
        self_approval,
        demo: true,
        bot: password.is_none(),
        password,
        tokens_from: Some(now),
        ..User::new(parsed, role, now)
    })
}

/// Creates an entry, unless another process did; returns whether it was created here.
async fn create<T>(bucket: &Bucket<T>, key: &str, value: &T) -> Result<bool, BucketError>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    match bucket.create(key, value).await {
        Ok(_) => Ok(true),
        Err(BucketError::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}
