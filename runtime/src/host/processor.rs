//! What a run takes of the processor: whether its limit is reached, and when it has computed for so long that it gives way to others.

use std::time::Duration;

use super::process::GuestProcess;

/// Processor time after which a run has what the host and fresh runs leave: most runs end before, and nobody waits for a few more of
/// them as for hundreds that compute.
const LOWERED_AFTER: Duration = Duration::from_millis(5);
/// The longest time between two looks at a run that has not computed yet: a hundred of those that wait cost nothing.
const LOOK_AFTER_MAX: Duration = Duration::from_millis(640);

/// The processor time of one run.
#[derive(Debug)]
pub(crate) struct Processor {
    limit: Duration,
    /// What had been used when the process was there, and only the program was to come. `None` until then: to boot is no computing.
    used_to_boot: Option<Duration>,
    is_lowered: bool,
    look_after: Duration,
}

impl Processor {
    /// `boots`: the process was spawned and has to boot first.
    pub(crate) fn new(limit: Duration, boots: bool) -> Self {
        Self { limit, used_to_boot: (!boots).then_some(Duration::ZERO), is_lowered: false, look_after: LOWERED_AFTER }
    }

    /// Notes that the process has booted.
    pub(crate) fn note_booted(&mut self, process: &GuestProcess) {
        self.used_to_boot = Some(process.cpu_time().unwrap_or_default());
    }

    /// When to look first, from the start on.
    pub(crate) fn first_look(&self) -> Duration {
        self.limit.min(self.look_after)
    }

    /// Looks at the process: when to look next, or `None` if it has reached its limit. Nothing can be used up sooner than that much later.
    pub(crate) fn look(&mut self, process: &GuestProcess) -> Option<Duration> {
        let used = process.cpu_time().unwrap_or_default();
        let left = self.limit.checked_sub(used).filter(|left| *left > Duration::ZERO)?;
        let computes = self.used_to_boot.is_some_and(|to_boot| used.saturating_sub(to_boot) >= LOWERED_AFTER);
        if computes && !self.is_lowered {
            process.lower();
            self.is_lowered = true;
        }
        let next = if self.is_lowered {
            left
        } else {
            self.look_after = (self.look_after * 2).min(LOOK_AFTER_MAX);
            left.min(self.look_after)
        };
        Some(next.max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::Exit;

    /// A process that has used so much.
    fn having_used(used: Duration) -> GuestProcess {
        let process = GuestProcess::starting();
        process.set_ended(Exit::Code(0), used);
        process
    }

    #[test]
    fn one_that_waits_is_looked_at_less_and_less() {
        let mut processor = Processor::new(Duration::from_secs(5), false);
        assert_eq!(processor.first_look(), LOWERED_AFTER);
        let process = having_used(Duration::from_micros(300));
        let looks: Vec<_> = (0..9).filter_map(|_| processor.look(&process)).map(|next| next.as_millis()).collect();
        assert_eq!(looks, [10, 20, 40, 80, 160, 320, 640, 640, 640]);
        assert!(!processor.is_lowered);
    }

    #[test]
    fn one_that_computes_is_lowered_once_and_then_looked_at_when_its_limit_may_be_reached() {
        let mut processor = Processor::new(Duration::from_secs(5), false);
        assert_eq!(processor.look(&having_used(LOWERED_AFTER)), Some(Duration::from_secs(5) - LOWERED_AFTER));
        assert!(processor.is_lowered);
    }

    #[test]
    fn what_it_takes_to_boot_counts_for_the_limit_alone() {
        let to_boot = 4 * LOWERED_AFTER;
        let mut processor = Processor::new(2 * to_boot, true);
        processor.look(&having_used(to_boot));
        processor.note_booted(&having_used(to_boot));
        processor.look(&having_used(to_boot + LOWERED_AFTER / 2));
        assert!(!processor.is_lowered);
        processor.look(&having_used(to_boot + LOWERED_AFTER));
        assert!(processor.is_lowered);
        assert_eq!(processor.look(&having_used(2 * to_boot)), None);
    }

    #[test]
    fn a_limit_is_reached_and_not_before() {
        let limit = Duration::from_millis(3);
        let mut processor = Processor::new(limit, false);
        assert_eq!(processor.first_look(), limit);
        assert_eq!(processor.look(&having_used(limit - Duration::from_nanos(1))), Some(Duration::from_millis(1)));
        assert_eq!(processor.look(&having_used(limit)), None);
    }
}
