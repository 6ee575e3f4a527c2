//! What a run takes of the processor: whether its limit is reached, whether it computes or waits, and when it has computed for so long that it
//! gives way to others.
//!
//! Runs give way where they want all cores together. Fewer leave one to the host and to fresh runs; and one that gives way has next to
//! nothing on a machine where strangers compute.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::process::GuestProcess;
use super::pulse::Pulse;
use super::slots::Slot;
use super::work::HostWork;

/// Processor time after which a run has what the host and fresh runs leave: most runs end before, and nobody waits for a few more of
/// them as for hundreds that compute.
const LOWERED_AFTER: Duration = Duration::from_millis(5);

/// The time between two looks at a run that computes and does not give way yet.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The cores of a machine.
#[derive(Debug)]
struct Cores {
    count: usize,
    /// Runs that have computed for so long that they want one of their own.
    wanted: AtomicUsize,
}

impl Cores {
    fn new(count: usize) -> Self {
        Self { count, wanted: AtomicUsize::new(0) }
    }

    fn are_all_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) >= self.count
    }
}

/// Those that this process may use, for all its runtimes.
static CORES: LazyLock<Cores> = LazyLock::new(|| Cores::new(std::thread::available_parallelism().map_or(1, usize::from)));

/// The processor time of one run: of its process, and of this one on its behalf.
#[derive(Debug)]
pub(crate) struct Processor {
    limit: Duration,
    cores: &'static Cores,
    wants_core: bool,
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
        Self::on(&CORES, limit, boots)
    }

    fn on(cores: &'static Cores, limit: Duration, boots: bool) -> Self {
        let (used_to_boot, pulse) = ((!boots).then_some(Duration::ZERO), Pulse::first_after(LOWERED_AFTER));
        Self { limit, cores, wants_core: false, used_to_boot, is_lowered: false, pulse, work_seen: Duration::ZERO }
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
    pub(crate) fn look(&mut self, process: &GuestProcess, work: &HostWork, slot: &Slot) -> Option<Duration> {
        let used = process.cpu_time().unwrap_or_default();
        let left = self.left(used, work.used())?;
        let computes = self.used_to_boot.is_some_and(|to_boot| used.saturating_sub(to_boot) >= LOWERED_AFTER);
        if computes && !self.wants_core {
            self.wants_core = true;
            self.cores.wanted.fetch_add(1, Ordering::Relaxed);
        }
        if self.wants_core && !self.is_lowered && self.cores.are_all_wanted() {
            process.lower();
            self.is_lowered = true;
        }
        if let Some(activity) = process.activity()
            && let Some(computes) = self.pulse.look(Instant::now(), activity)
        {
            slot.set_computes(computes);
        }
        let next =
            if self.wants_core && !self.is_lowered { LOOK_AGAIN.min(self.pulse.next_look()) } else { self.pulse.next_look() };
        Some(left.min(next).max(Duration::from_millis(1)))
    }

    /// Whether what this process did for the run since the last look has used up what was left.
    pub(crate) fn is_used_up_by_work(&mut self, process: &GuestProcess, work: &HostWork) -> bool {
        let done = work.used();
        done != self.work_seen && self.left(process.cpu_time().unwrap_or_default(), done).is_none()
    }

    /// Notes that the run waits for a call, unless it was seen to compute beside its calls.
    pub(crate) fn wait(&self, slot: &Slot) {
        if !self.pulse.computed() {
            slot.set_computes(false);
        }
    }

    /// Notes that it has something to do again: an answer.
    pub(crate) fn wake(&mut self, slot: &Slot) {
        slot.set_computes(true);
        self.pulse.wake();
    }

    /// What is left, if anything.
    fn left(&mut self, used: Duration, work: Duration) -> Option<Duration> {
        self.work_seen = work;
        self.limit.checked_sub(used.saturating_add(work)).filter(|left| *left > Duration::ZERO)
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        if self.wants_core {
            self.cores.wanted.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::sync::Arc;

    use super::*;
    use crate::host::process::Exit;
    use crate::host::slots::{Capacity, Slots, User};
    use crate::host::work::HostThreads;

    /// What a run takes on a machine of so many cores.
    fn on_cores(count: usize, limit: Duration, boots: bool) -> Processor {
        Processor::on(Box::leak(Box::new(Cores::new(count))), limit, boots)
    }

    /// Looks at processes that have used so much, one after the other.
    fn looks(processor: &mut Processor, used: &[Duration]) -> Vec<Option<Duration>> {
        let capacity =
            Capacity { live_max: 1, live_of_user_max: 1, waiting_max: 0, waiting_of_user_max: 0, computing_max: usize::MAX };
        let user = User::Named("a".into());
        let (slots, work) = (Slots::new(capacity), HostWork::new(&HostThreads::start().unwrap(), &user));
        let slot = futures::executor::block_on(slots.take(&user)).unwrap();
        let look = |used: &Duration| {
            let process = Arc::new(GuestProcess::starting());
            process.set_ended(Exit::Code(0), *used);
            processor.look(&process, &work, &slot)
        };
        used.iter().map(look).collect()
    }

    #[test]
    fn one_that_has_computed_for_its_time_is_lowered_and_one_that_has_not_is_not() {
        let mut processor = on_cores(1, Duration::from_secs(5), false);
        assert_eq!(processor.first_look(), LOWERED_AFTER);
        looks(&mut processor, &[LOWERED_AFTER - Duration::from_nanos(1)]);
        assert!(!processor.is_lowered);
        looks(&mut processor, &[LOWERED_AFTER]);
        assert!(processor.is_lowered);
    }

    #[test]
    fn those_that_compute_are_lowered_when_they_want_all_cores_and_not_before() {
        let limit = Duration::from_secs(5);
        let mut first = on_cores(2, limit, false);
        looks(&mut first, &[LOWERED_AFTER]);
        assert!(!first.is_lowered, "a core is left");
        let mut second = Processor::on(first.cores, limit, false);
        looks(&mut second, &[LOWERED_AFTER]);
        assert!(second.is_lowered && !first.is_lowered);
        looks(&mut first, &[LOWERED_AFTER]);
        assert!(first.is_lowered, "at its next look");
        let mut third = Processor::on(first.cores, limit, false);
        drop((first, second));
        looks(&mut third, &[LOWERED_AFTER]);
        assert!(!third.is_lowered, "the others have ended");
    }

    #[test]
    fn what_it_takes_to_boot_counts_for_the_limit_alone() {
        let to_boot = 4 * LOWERED_AFTER;
        let mut processor = on_cores(1, 2 * to_boot, true);
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
        let mut processor = on_cores(1, limit, false);
        assert_eq!(processor.first_look(), limit);
        assert_eq!(looks(&mut processor, &[limit - Duration::from_nanos(1), limit]), [Some(Duration::from_millis(1)), None]);
    }

    #[test]
    fn what_the_host_does_for_a_run_counts() {
        let mut processor = on_cores(1, Duration::from_millis(3), false);
        assert_eq!(processor.left(Duration::from_millis(1), Duration::from_millis(1)), Some(Duration::from_millis(1)));
        assert_eq!(processor.left(Duration::from_millis(1), Duration::from_millis(2)), None);
    }
}
