//! Whether it pays to look for something for a moment before sleeping until one is woken.

/// What was learned from looking: after each time in vain, twice as many chances are left out. So
/// a program that makes a call now and then does not pay for looking.
#[derive(Debug)]
pub struct Patience {
    /// How many chances are left out after the next time in vain.
    cost: u32,
    /// How many chances are still to be left out.
    left_out: u32,
}

/// The most chances that are left out in a row.
const MOST: u32 = 64;

impl Patience {
    pub const fn new() -> Self {
        Self { cost: 1, left_out: 0 }
    }

    /// Whether to look this time.
    pub fn looks(&mut self) -> bool {
        let looks = self.left_out == 0;
        self.left_out = self.left_out.saturating_sub(1);
        looks
    }

    /// Says whether looking has found something.
    pub fn learn(&mut self, found: bool) {
        if found {
            *self = Self::new();
        } else {
            self.left_out = self.cost;
            self.cost = (self.cost * 2).min(MOST);
        }
    }
}
