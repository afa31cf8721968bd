//! What a password hash costs, with a floor and a ceiling (S16).

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
    /// A stored hash that costs more is never computed, so that it cannot exhaust the server.
    pub const CEILING: Self = Self { memory: 262_144, passes: 16, lanes: 16 };

    /// A cost of so many KiB of memory, passes over it, and lanes.
    ///
    /// Errors: `Configuration` if one of them is below [`FLOOR`](Self::FLOOR) or above
    /// [`CEILING`](Self::CEILING).
    ///
    /// ```
    /// use partnerkit::HashingCost;
    ///
    /// assert_eq!(HashingCost::new(19_456, 2, 1)?, HashingCost::FLOOR);
    /// assert!(HashingCost::new(19_456, 1, 1).is_err()); // one pass is not enough
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn new(memory: u32, passes: u32, lanes: u32) -> Result<Self> {
        let cost = Self { memory, passes, lanes };
        if !Self::FLOOR.is_within(cost) || !cost.is_within(Self::CEILING) {
            let detail =
                "hashing must cost at least m=19456,t=2,p=1 and at most m=262144,t=16,p=16";
            return Err(Error::configuration(detail));
        }
        Ok(cost)
    }

    /// The cost that stored parameters say.
    pub(super) fn of(params: &Params) -> Self {
        Self { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }

    /// Whether no parameter is larger than the other's.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.memory <= other.memory && self.passes <= other.passes && self.lanes <= other.lanes
    }

    /// Whether it takes more memory than the other.
    pub(super) fn is_larger(self, than: Self) -> bool {
        self.memory > than.memory
    }

    /// The cost that is left to compute after a cheaper hash, so that both together take as long as
    /// this cost; `None` if the other is not cheaper.
    pub(super) fn less(self, cheaper: Self) -> Option<Self> {
        let left = self.work().checked_sub(cheaper.work()).filter(|left| *left > 0)?;
        let memory = left / u64::from(self.passes);
        let memory = u32::try_from(memory).unwrap_or(self.memory).max(Params::MIN_M_COST);
        Some(Self { memory, passes: self.passes, lanes: 1 })
    }

    /// The number of blocks filled, to which the time is proportional; lanes are computed one after
    /// another.
    fn work(self) -> u64 {
        u64::from(self.memory) * u64::from(self.passes)
    }

    /// How many blocks of 1 KiB the memory has.
    pub(super) fn blocks(self) -> usize {
        self.memory as usize
    }

    pub(super) fn params(self) -> Result<Params> {
        Params::new(self.memory, self.passes, self.lanes, None).map_err(Error::configuration)
    }
}

#[cfg(test)]
mod tests {
    use super::HashingCost;

    /// S17: a cheap hash is filled up to the configured cost, so timing does not tell which
    /// accounts have one.
    #[test]
    fn s17_what_is_cheaper_is_filled_up() {
        let cost = |memory, passes, lanes| HashingCost { memory, passes, lanes };
        let whole = HashingCost::FLOOR.work();
        for cheap in [cost(8, 1, 1), cost(4_096, 3, 1), cost(16, 1, 2), cost(19_456, 1, 1)] {
            let rest = HashingCost::FLOOR.less(cheap).expect("something is left");
            let together = rest.work() + cheap.work();
            assert!(together.abs_diff(whole) < whole / 1_000, "{together} of {whole}");
            assert!(rest.params().is_ok() && !rest.is_larger(HashingCost::FLOOR));
        }
        for dear in [HashingCost::FLOOR, cost(65_536, 2, 1), HashingCost::CEILING] {
            assert_eq!(HashingCost::FLOOR.less(dear), None);
        }
        let almost = HashingCost::FLOOR.less(cost(19_455, 2, 1)).expect("a little");
        assert!(almost.params().is_ok(), "never less than the algorithm takes");
    }
}
