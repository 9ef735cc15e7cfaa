//! Argon2id with reused memory.
//!
//! The crate's own functions allocate 19 MiB for each hash, which the allocator keeps for the thread that freed them: a
//! process with many threads holds two or three times that for each. This process keeps at most one such block, and
//! returns the others to the system.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::password_hash::{CustomizedPasswordHasher, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Capacity of an allocation, in blocks; only the part that a hash needs is touched. glibc maps requests above 32 MiB
/// separately and returns them to the system when freed; it keeps smaller ones.
const MIN_CAPACITY: usize = 33 * 1024 * 1024 / Block::SIZE;

static SPARE: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// Argon2 with its default cost, or with the cost of a stored hash.
pub(super) struct Hasher;

impl CustomizedPasswordHasher<Phc> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<Phc> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let mut memory = take(params.block_count())?;
        let argon2 = Argon2::new(algorithm, version, params);
        let mut output = [0; Output::MAX_LENGTH];
        let output = output.get_mut(..length).ok_or(argon2::password_hash::Error::OutputSize)?;
        let hashed = argon2.hash_password_into_with_memory(password, salt, output, memory.as_mut_slice());
        keep(memory);
        hashed?;
        Ok(Phc {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(argon2.params())?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(output)?),
        })
    }
}

/// Returns memory of at least `count` blocks.
fn take(count: usize) -> Result<Vec<Block>> {
    let mut memory = std::mem::take(&mut *SPARE.lock().unwrap_or_else(PoisonError::into_inner));
    if memory.len() < count {
        memory = Vec::new();
        memory.try_reserve_exact(count.max(MIN_CAPACITY)).map_err(|_| argon2::Error::OutOfMemory)?;
        memory.resize(count, Block::new());
    }
    Ok(memory)
}

/// Keeps the memory for the next hash, unless a block is already kept.
fn keep(memory: Vec<Block>) {
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.is_empty() {
        *spare = memory;
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordVerifier;

    use super::*;

    /// Uses hashes made by the crate's own functions.
    #[test]
    fn stored_hashes_are_read_whatever_their_cost() {
        for (cost, output) in [((8, 1, 1), 16), ((19_456, 2, 1), 32), ((20_480, 1, 2), 64), ((64, 3, 1), 32)] {
            let params = Params::new(cost.0, cost.1, cost.2, Some(output)).unwrap();
            let theirs = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
            let stored = theirs.hash_password_customized(b"hunter42", b"example-salt", None, None, params).unwrap();
            let text = stored.to_string();
            assert_eq!(Hasher.verify_password(b"hunter42", &Phc::new(&text).unwrap()), Ok(()), "{text}");
            Hasher.verify_password(b"hunter43", &stored).expect_err("another password");
            let ours = Hasher.hash_password_customized(
                b"hunter42",
                b"example-salt",
                Some("argon2id"),
                Some(19),
                Params::try_from(&stored).unwrap(),
            );
            assert_eq!(ours.unwrap().to_string(), text);
        }
    }
}
