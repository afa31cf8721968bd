//! One computation of Argon2 (S17). It always allocates the same memory and writes to all of it
//! first, because that alone takes a good part of the time.

use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Argon2, Block, Version};

use super::HashingCost;
use super::stored::Argon2Hash;

/// The memory of one computation.
pub(super) struct Computation(Vec<Block>);

impl Computation {
    /// Allocates the memory that a cost takes. If the machine does not have it, no password is
    /// right.
    pub fn of(cost: HashingCost) -> Self {
        let mut memory = Vec::new();
        if memory.try_reserve_exact(cost.blocks()).is_ok() {
            memory.resize(cost.blocks(), Block::new());
        }
        Self(memory)
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
