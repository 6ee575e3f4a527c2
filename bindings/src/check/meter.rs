//! What a check may still take. Each piece of work is paid before it is done.

/// A check that would take more steps than allowed, or nests too deep for a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// The steps of one check; a step is about a nanosecond.
#[derive(Debug)]
pub(super) struct Meter {
    left: u64,
    spent: u64,
}

impl Meter {
    pub(super) fn new(steps_max: u64) -> Self {
        Self { left: steps_max, spent: 0 }
    }

    /// Pays for `steps`. What cannot be paid for is not done, and neither is anything after it.
    pub(super) fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                self.spent += steps;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent
    }
}

/// A length as a number of steps.
pub(super) fn steps(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_can_be_paid_and_one_more_cannot() {
        let mut meter = Meter::new(10);
        assert_eq!((meter.spend(10), meter.spent()), (Ok(()), 10));
        assert_eq!((meter.spend(1), meter.spent()), (Err(Exhausted), 10));
        let mut meter = Meter::new(10);
        assert_eq!((meter.spend(11), meter.spend(1)), (Err(Exhausted), Err(Exhausted)));
    }
}
