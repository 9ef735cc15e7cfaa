//! The key of the stack's tokens, for attacks that only differ from a valid token in one claim.

use messaging::Buckets;

use crate::operator::broker_as;
use crate::stack::Stack;

/// Returns the id and the secret of the first signing key.
///
/// # Panics
///
/// If the broker does not return it.
pub async fn signing_key(stack: &Stack) -> (String, String) {
    let keys = Buckets::new(&broker_as(stack, "cli").await).signing_keys().await.expect("the bucket");
    let (_, key) = keys.all().await.expect("they can be read").remove(0);
    (key.kid, key.secret.expose().to_owned())
}
