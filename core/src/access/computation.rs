//! One computation of Argon2 (S17). It always allocates the same memory and writes to all of it
//! first, because that alone takes a good part of the time.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::HashingCost;
use super::stored::Argon2Hash;

/// Whatever is larger than 32 MiB the GNU allocator asks of the system, and gives back at once. What is
/// smaller it keeps in the heap of the thread, where something that lasts comes to lie in it: then the
/// next computation takes new memory, and a server that hashes on many threads grows by gigabytes. Of
/// what is reserved but not written the system makes no memory.
const GIVEN_BACK: usize = 33 * 1_024;

/// The memory of one computation.
pub(super) struct Computation(Vec<Block>);

impl Computation {
    /// Allocates the memory that a cost takes. If the machine does not have it, no password is
    /// right.
    pub fn of(cost: HashingCost) -> Self {
        let mut memory = Vec::new();
        if memory.try_reserve_exact(cost.blocks().max(GIVEN_BACK)).is_ok() {
            memory.resize(cost.blocks(), Block::new());
        }
        Self(memory)
    }

    /// The hash of a new password; `None` if the machine does not have the memory.
    pub fn hash(&mut self, argon2: &Argon2<'_>, input: &[u8], salt: &[u8]) -> Option<PasswordHash> {
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        argon2.hash_password_into_with_memory(input, salt, &mut out, &mut self.0[..]).ok()?;
        Some(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: argon2.params().try_into().ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(&out).ok()?),
        })
    }

    /// Whether the hash was made from this input.
    pub fn is_right(&mut self, hash: &Argon2Hash, input: &[u8]) -> bool {
        let Argon2Hash { argon2, salt, output, .. } = hash;
        let mut buffer = [0; Output::MAX_LENGTH];
        let Some(out) = buffer.get_mut(..output.len()) else { return false };
        let computed = argon2.hash_password_into_with_memory(input, salt, out, &mut self.0[..]);
        // Outputs are compared in constant time.
        computed.is_ok() && Output::new(out).is_ok_and(|computed| computed == *output)
    }

    /// Computes a hash and drops it: only the time it takes matters.
    pub fn spend(&mut self, cost: HashingCost) {
        let Ok(params) = cost.params() else { return };
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let memory = &mut self.0[..];
        let _ = argon2.hash_password_into_with_memory(b"nobody", &[0; 16], &mut [0; 32], memory);
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher;

    use super::*;

    #[test]
    fn the_memory_of_the_smallest_computation_is_given_back() {
        let Computation(memory) = Computation::of(HashingCost::FLOOR);
        assert!(memory.capacity() * Block::SIZE > 32 << 20, "the allocator would keep it");
        assert_eq!(memory.len(), HashingCost::FLOOR.blocks());
    }

    #[test]
    fn a_hash_is_that_of_the_reference() {
        let params = HashingCost::FLOOR.params().expect("possible");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let computed = Computation::of(HashingCost::FLOOR).hash(&argon2, b"password", &[7; 16]);
        let reference: PasswordHash =
            argon2.hash_password_with_salt(b"password", &[7; 16]).expect("hashes");
        assert_eq!(computed.expect("hashes").to_string(), reference.to_string());
    }
}
