//! How large a value of JavaScript's may be that is copied.

/// How many items and fields all parts of a value may still have together. A limit is needed although
/// the value is in memory: a sparse array has only a length, and parts may be shared, so that a small
/// value looks endless.
pub struct Room(u32);

impl Room {
    pub const fn new() -> Self {
        Self(1_000_000)
    }

    /// Takes room for parts of the value; false if there is not enough.
    pub fn takes(&mut self, parts: u32) -> bool {
        let left = self.0.checked_sub(parts);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}
