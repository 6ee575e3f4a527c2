//! What `isolet serve` holds when nobody asks.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::process_table::{self, until};
use crate::serve::{Served, Visitor};

/// How long everything may take to come to rest.
const REST_MAX: Duration = Duration::from_secs(30);
/// Nothing has changed in so many looks, two milliseconds apart.
const LOOKS: usize = 50;

/// What there is; ready runs, which come and go with requests, are left out of the processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    pub(super) host_kb: u64,
    pub(super) threads: u64,
    pub(super) descriptors: u64,
    pub(super) processes: u64,
}

impl Footprint {
    /// What there is once it stays the same.
    pub(super) async fn at_rest(served: &Served, user: &Visitor) -> Result<Self> {
        user.metric_becomes("isolet_runs_live", 0).await?;
        let ready = user.metric("isolet_runs_ready").await?;
        let process = served.process_id();
        let counts = |footprint: Self| (footprint.threads, footprint.descriptors, footprint.processes);
        let (mut last, mut same) = (Self::of(process, ready), 0);
        let rests = until(REST_MAX, || {
            let now = Self::of(process, ready);
            same = if counts(now) == counts(std::mem::replace(&mut last, now)) { same + 1 } else { 0 };
            same >= LOOKS
        });
        ensure!(rests.await, "it does not come to rest: {last:?}");
        Ok(last)
    }

    /// What there is now, with so many runs forked ahead, each of which is a process with two descriptors of its host.
    fn of(process: u32, ready: u64) -> Self {
        let number = |field: &str| process_table::status_number(process, field).unwrap_or(0);
        Self {
            host_kb: number("VmRSS"),
            threads: number("Threads"),
            descriptors: (process_table::descriptors(process) as u64).saturating_sub(2 * ready),
            processes: (process_table::descendants_of(process).len() as u64).saturating_sub(ready),
        }
    }
}
