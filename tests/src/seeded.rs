//! Random numbers that are the same in every run.

use std::sync::Mutex;

use fastrand::Rng;
use partnerkit::Entropy;

/// A source for platforms that must draw the same ids and stamps.
pub struct Seeded(Mutex<u64>);

impl Seeded {
    /// Starts with a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no panic");
        for byte in bytes {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (*state >> 56) as u8;
        }
    }
}

/// A source for tests that make up data.
pub struct Random(Rng);

impl Random {
    /// Starts with a seed.
    pub fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A number below another one.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.usize(..n)
    }

    /// One of the values.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Whether to do something, which is true once in `times` calls on average.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
