//! The configuration of Redis: the template of `redis/`, compiled in.

use std::io;
use std::path::Path;

/// The configuration, with placeholders between @ signs.
const REDIS: &str = include_str!("../../../redis/redis.conf.template");

/// The permissions of the worker's user in [`REDIS`]: step leases and reading a day's spending. Workers run untrusted
/// code, and the API trusts Redis.
pub const WORKER_REDIS_ACL: &str = "~steps:* %R~spend:* -@all +get +ping +eval +evalsha +script|load +time +pexpire \
                                +zadd +zcard +zrem +zremrangebyscore +zscore";

/// Returns the configuration of a server. `password` returns that of a user: `default`, `promptcraft` or `worker`.
pub(super) fn render(
    bind: &str,
    port: u16,
    directory: &Path,
    password: impl Fn(&str) -> io::Result<String>,
) -> io::Result<String> {
    Ok(REDIS
        .replace("@BIND@", bind)
        .replace("@PORT@", &port.to_string())
        .replace("@DIRECTORY@", &directory.display().to_string())
        .replace("@OPERATOR_PASSWORD@", &password("default")?)
        .replace("@SERVICES_PASSWORD@", &password("promptcraft")?)
        .replace("@WORKER_PASSWORD@", &password("worker")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redis_template_has_the_workers_permissions() {
        assert!(REDIS.lines().any(|line| line == format!("user worker on >@WORKER_PASSWORD@ {WORKER_REDIS_ACL}")));
    }
}
