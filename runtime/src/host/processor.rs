//! What a run takes of the processor: whether its limit is reached, whether it computes or waits, and when it has computed for so long that it
//! gives way to others.

use std::time::{Duration, Instant};

use super::places::Place;
use super::process::GuestProcess;
use super::pulse::Pulse;
use super::work::HostWork;

/// Processor time after which a run has what the host and fresh runs leave: most runs end before, and nobody waits for a few more of
/// them as for hundreds that compute.
const LOWERED_AFTER: Duration = Duration::from_millis(5);

/// The processor time of one run: of its process, and of this one on its behalf.
#[derive(Debug)]
pub(crate) struct Processor {
    limit: Duration,
    /// What had been used when the process was there, and only the program was to come. `None` until then: to boot is no computing.
    used_to_boot: Option<Duration>,
    is_lowered: bool,
    pulse: Pulse,
    /// What this process had done for the run at the last look.
    work_seen: Duration,
}

impl Processor {
    /// `boots`: the process was spawned and has to boot first.
    pub(crate) fn new(limit: Duration, boots: bool) -> Self {
        let (used_to_boot, pulse) = ((!boots).then_some(Duration::ZERO), Pulse::first_after(LOWERED_AFTER));
        Self { limit, used_to_boot, is_lowered: false, pulse, work_seen: Duration::ZERO }
    }

    /// Notes that the process has booted.
    pub(crate) fn note_booted(&mut self, process: &GuestProcess) {
        self.used_to_boot = Some(process.cpu_time().unwrap_or_default());
    }

    /// When to look first, from the start on.
    pub(crate) fn first_look(&self) -> Duration {
        self.limit.min(self.pulse.next_look())
    }

    /// Looks at the process: when to look next, or `None` if the limit is reached. Nothing can be used up sooner than that much later.
    pub(crate) fn look(&mut self, process: &GuestProcess, work: &HostWork, place: &Place) -> Option<Duration> {
        let used = process.cpu_time().unwrap_or_default();
        let left = self.left(used, work.used())?;
        let computes = self.used_to_boot.is_some_and(|to_boot| used.saturating_sub(to_boot) >= LOWERED_AFTER);
        if computes && !self.is_lowered {
            process.lower();
            self.is_lowered = true;
        }
        if let Some(activity) = process.activity()
            && let Some(computes) = self.pulse.look(Instant::now(), activity)
        {
            place.set_computes(computes);
        }
        Some(left.min(self.pulse.next_look()).max(Duration::from_millis(1)))
    }

    /// Whether what this process did for the run since the last look has used up what was left.
    pub(crate) fn is_used_up_by_work(&mut self, process: &GuestProcess, work: &HostWork) -> bool {
        let done = work.used();
        done != self.work_seen && self.left(process.cpu_time().unwrap_or_default(), done).is_none()
    }

    /// Notes that the run waits for a call, unless it was seen to compute beside its calls.
    pub(crate) fn wait(&self, place: &Place) {
        if !self.pulse.computed() {
            place.set_computes(false);
        }
    }

    /// Notes that it has something to do again: an answer.
    pub(crate) fn wake(&mut self, place: &Place) {
        place.set_computes(true);
        self.pulse.wake();
    }

    /// What is left, if anything.
    fn left(&mut self, used: Duration, work: Duration) -> Option<Duration> {
        self.work_seen = work;
        self.limit.checked_sub(used.saturating_add(work)).filter(|left| *left > Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::sync::Arc;

    use super::*;
    use crate::host::places::{Capacity, Places, User};
    use crate::host::process::Exit;
    use crate::host::work::HostThreads;

    /// Looks at processes that have used so much, one after the other.
    fn looks(processor: &mut Processor, used: &[Duration]) -> Vec<Option<Duration>> {
        let capacity =
            Capacity { live_max: 1, live_of_user_max: 1, waiting_max: 0, waiting_of_user_max: 0, computing_max: usize::MAX };
        let user = User::Named("a".into());
        let (places, work) = (Places::new(capacity), HostWork::new(&HostThreads::start().unwrap(), &user));
        let place = futures::executor::block_on(places.take(&user)).unwrap();
        let look = |used: &Duration| {
            let process = Arc::new(GuestProcess::starting());
            process.set_ended(Exit::Code(0), *used);
            processor.look(&process, &work, &place)
        };
        used.iter().map(look).collect()
    }

    #[test]
    fn one_that_has_computed_for_its_time_is_lowered_and_one_that_has_not_is_not() {
        let mut processor = Processor::new(Duration::from_secs(5), false);
        assert_eq!(processor.first_look(), LOWERED_AFTER);
        looks(&mut processor, &[LOWERED_AFTER - Duration::from_nanos(1)]);
        assert!(!processor.is_lowered);
        looks(&mut processor, &[LOWERED_AFTER]);
        assert!(processor.is_lowered);
    }

    #[test]
    fn what_it_takes_to_boot_counts_for_the_limit_alone() {
        let to_boot = 4 * LOWERED_AFTER;
        let mut processor = Processor::new(2 * to_boot, true);
        looks(&mut processor, &[to_boot]);
        let booted = GuestProcess::starting();
        booted.set_ended(Exit::Code(0), to_boot);
        processor.note_booted(&booted);
        looks(&mut processor, &[to_boot + LOWERED_AFTER / 2]);
        assert!(!processor.is_lowered);
        looks(&mut processor, &[to_boot + LOWERED_AFTER]);
        assert!(processor.is_lowered);
        assert_eq!(looks(&mut processor, &[2 * to_boot]), [None]);
    }

    #[test]
    fn a_limit_is_reached_and_not_before() {
        let limit = Duration::from_millis(3);
        let mut processor = Processor::new(limit, false);
        assert_eq!(processor.first_look(), limit);
        assert_eq!(looks(&mut processor, &[limit - Duration::from_nanos(1), limit]), [Some(Duration::from_millis(1)), None]);
    }

    #[test]
    fn what_the_host_does_for_a_run_counts() {
        let mut processor = Processor::new(Duration::from_millis(3), false);
        assert_eq!(processor.left(Duration::from_millis(1), Duration::from_millis(1)), Some(Duration::from_millis(1)));
        assert_eq!(processor.left(Duration::from_millis(1), Duration::from_millis(2)), None);
    }
}
