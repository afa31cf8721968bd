//! One computation of Argon2 (S17): whatever is computed in it, it first takes as much memory and
//! writes to all of it, because that alone is a good part of the time.

use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Argon2, Block, Version};

use super::HashingCost;
use super::stored::Argon2Hash;

/// The memory of one computation.
pub(super) struct Computation(Vec<Block>);

impl Computation {
    /// With the memory that a cost takes. If the machine has not got it, nothing is right.
    pub fn of(cost: HashingCost) -> Self {
        let mut memory = Vec::new();
        if memory.try_reserve_exact(cost.blocks()).is_ok() {
            memory.resize(cost.blocks(), Block::new());
        }
        Self(memory)
    }

    /// Whether the input is the hash's.
    pub fn is_right(&mut self, hash: &Argon2Hash, input: &[u8]) -> bool {
        let Argon2Hash { argon2, salt, output, .. } = hash;
        let mut buffer = [0; Output::MAX_LENGTH];
        let Some(out) = buffer.get_mut(..output.len()) else { return false };
        let computed = argon2.hash_password_into_with_memory(input, salt, out, &mut self.0[..]);
        // Outputs are compared in constant time.
        computed.is_ok() && Output::new(out).is_ok_and(|computed| computed == *output)
    }

    /// Computes for nothing: only the time it takes matters.
    pub fn spend(&mut self, cost: HashingCost) {
        let Ok(params) = cost.params() else { return };
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let memory = &mut self.0[..];
        let _ = argon2.hash_password_into_with_memory(b"nobody", &[0; 16], &mut [0; 32], memory);
    }
}
