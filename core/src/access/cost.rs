//! What a password hash costs, and how much of it is reasonable (S16).

use argon2::Params;

use crate::error::{Error, Result};

/// Parameters of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashingCost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl HashingCost {
    /// m = 19,456 KiB, t = 2, p = 1: the OWASP Password Storage Cheat Sheet's floor.
    pub const FLOOR: Self = Self { memory: 19_456, passes: 2, lanes: 1 };
    /// Nothing beyond is computed, whoever has stored it: a hash is no way to use a server up.
    pub const CEILING: Self = Self { memory: 262_144, passes: 16, lanes: 16 };

    /// So many KiB of memory, passes over it, and lanes.
    ///
    /// Errors: `Configuration` below [`FLOOR`](Self::FLOOR) or above
    /// [`CEILING`](Self::CEILING) in any of them.
    pub fn new(memory: u32, passes: u32, lanes: u32) -> Result<Self> {
        let cost = Self { memory, passes, lanes };
        if !Self::FLOOR.is_within(cost) || !cost.is_within(Self::CEILING) {
            let detail =
                "hashing must cost at least m=19456,t=2,p=1 and at most m=262144,t=16,p=16";
            return Err(Error::configuration(detail));
        }
        Ok(cost)
    }

    /// Of stored parameters.
    pub(super) fn of(params: &Params) -> Self {
        Self { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }

    /// Whether no parameter is larger than the other's.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.memory <= other.memory && self.passes <= other.passes && self.lanes <= other.lanes
    }

    pub(super) fn params(self) -> Result<Params> {
        Params::new(self.memory, self.passes, self.lanes, None).map_err(Error::configuration)
    }
}
