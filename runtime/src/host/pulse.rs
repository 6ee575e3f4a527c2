//! Whether a run computes or waits, from what the scheduler says of its process: looked at now and then, more seldom the longer nothing changes.

use std::time::{Duration, Instant};

use rustix::process::Pid;

/// How soon it is looked at again after a change, and how late at the most.
const LOOK_MIN: Duration = Duration::from_millis(20);
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What the scheduler says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// On a processor, and in a queue for one: time in a queue counts when it is over.
    pub(crate) time: Duration,
    /// It is on a processor or in a queue for one now.
    pub(crate) is_runnable: bool,
}

/// What was seen so far.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// When it was looked at last, and the time that it had then.
    seen: Option<(Instant, Duration)>,
    next: Duration,
    /// It was runnable at the last look, or for at least half of the time before.
    computed: bool,
}

impl Pulse {
    /// Of a process that is looked at first so long after its start.
    pub(crate) fn first_after(first: Duration) -> Self {
        Self { seen: None, next: first, computed: false }
    }

    /// When to look again, from the last look on.
    pub(crate) fn next_look(&self) -> Duration {
        self.next
    }

    /// Whether it was seen to compute: then that it makes calls does not mean that it waits for them.
    pub(crate) fn computed(&self) -> bool {
        self.computed
    }

    /// Looks at a process. Whether it computes, if that can be told: of one that was not seen before it cannot.
    pub(crate) fn look(&mut self, now: Instant, activity: Activity) -> Option<bool> {
        let Some((seen, time_then)) = self.seen.replace((now, activity.time)) else {
            self.next = LOOK_MIN;
            return None;
        };
        let time = activity.time.saturating_sub(time_then);
        let computes = activity.is_runnable || time * 2 >= now.saturating_duration_since(seen);
        self.next = if computes == self.computed { (self.next * 2).min(LOOK_MAX) } else { LOOK_MIN };
        self.computed = computes;
        Some(computes)
    }

    /// Notes that it has something to do again: an answer.
    pub(crate) fn wake(&mut self) {
        self.next = LOOK_MIN;
    }
}

impl Activity {
    /// That of a process, where there is `/proc`.
    pub(crate) fn of(process: Pid) -> Option<Self> {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", process.as_raw_nonzero())).ok();
        let times = read("schedstat")?;
        let mut times = times.split_ascii_whitespace().map_while(|number| number.parse().ok()).map(Duration::from_nanos);
        // The name of a program may have spaces and brackets in it.
        let state = read("stat")?.rsplit_once(") ")?.1.chars().next()?;
        Some(Self { time: times.next()?.checked_add(times.next()?)?, is_runnable: state == 'R' })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::process::{Command, Stdio};

    use super::*;

    fn waits(ms: u64) -> Activity {
        Activity { time: Duration::from_millis(ms), is_runnable: false }
    }

    /// Whether a program comes to be what is expected, in five seconds.
    #[cfg(target_os = "linux")]
    fn becomes(is_runnable: bool, program: &str) -> bool {
        let mut child = Command::new("sh").args(["-c", program]).stdin(Stdio::piped()).spawn().unwrap();
        let began = Instant::now();
        let mut seen = false;
        while !seen && began.elapsed() < Duration::from_secs(5) {
            seen = Activity::of(Pid::from_child(&child)).unwrap().is_runnable == is_runnable;
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        seen
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_runnable_while_it_computes_and_not_while_it_waits() {
        assert!(becomes(true, "while :; do :; done"));
        assert!(becomes(false, "read line"));
    }

    #[test]
    fn one_that_waits_for_a_processor_computes_however_long_it_gets_none() {
        let start = Instant::now();
        let mut pulse = Pulse::first_after(Duration::from_millis(5));
        let starved = Activity { is_runnable: true, ..waits(5) };
        assert_eq!(pulse.look(start, starved), None);
        assert_eq!(pulse.look(start + Duration::from_secs(1), starved), Some(true));
    }

    #[test]
    fn half_of_the_time_is_computing_and_less_is_waiting() {
        let start = Instant::now();
        let after = |ms: u64| start + Duration::from_millis(ms);
        let mut pulse = Pulse::first_after(Duration::from_millis(5));
        assert_eq!(pulse.look(after(0), waits(5)), None);
        assert_eq!(pulse.look(after(20), waits(14)), Some(false));
        assert_eq!(pulse.look(after(40), waits(24)), Some(true));
        assert!(pulse.computed());
        assert_eq!(pulse.look(after(60), waits(25)), Some(false));
        assert!(!pulse.computed());
    }

    #[test]
    fn it_is_looked_at_more_seldom_while_nothing_changes() {
        let start = Instant::now();
        let mut pulse = Pulse::first_after(Duration::from_millis(5));
        let mut looks = Vec::new();
        for second in 0..=8 {
            looks.push(pulse.next_look().as_millis());
            pulse.look(start + Duration::from_secs(second), waits(0));
        }
        assert_eq!(looks, [5, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        pulse.wake();
        assert_eq!(pulse.next_look(), LOOK_MIN);
        pulse.look(start + Duration::from_secs(9), waits(1000));
        assert_eq!(pulse.next_look(), LOOK_MIN, "it computes");
    }
}
