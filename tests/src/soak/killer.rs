//! Kills processes below this one with SIGKILL, at random: guests, zygotes, MCP servers, and the supervisors of those.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::sync::watch;

use super::phase::Phase;
use super::tenant::Tally;
use crate::process_table;

/// The least and the most between two kills, milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 50..500;
/// How a supervisor calls itself.
const SUPERVISOR: &[u8] = b"isolet-supervisor";
/// Each kind as often as it is to be met among ten kills.
const KINDS: [(&str, usize); 5] = [("guest", 5), ("zygote", 1), ("base zygote", 1), ("server", 2), ("supervisor", 1)];

/// Who kills.
pub(super) struct Killer(Arc<Tally>);

impl Killer {
    pub(super) fn new(tally: &Arc<Tally>) -> Self {
        Self(Arc::clone(tally))
    }

    /// Kills whenever it is time to, until it is over.
    pub(super) async fn kill(self, mut phase: watch::Receiver<Phase>) {
        while phase.wait_for(|phase| *phase == Phase::Kills).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(PAUSE_MS))).await;
            if *phase.borrow() == Phase::Kills {
                self.kill_one();
            }
        }
    }

    fn kill_one(&self) {
        let choices = KINDS.iter().flat_map(|(kind, weight)| std::iter::repeat_n(*kind, *weight));
        let choices: Vec<_> = choices.collect();
        let kind = choices[fastrand::usize(..choices.len())];
        let candidates = processes().remove(kind).unwrap_or_default();
        let Some(process) = candidates.get(fastrand::usize(..candidates.len().max(1))) else { return };
        let process = i32::try_from(*process).ok().and_then(Pid::from_raw);
        if process.is_some_and(|process| rustix::process::kill_process(process, Signal::KILL).is_ok()) {
            *self.0.seen().kills.entry(kind).or_default() += 1;
        }
    }
}

/// The processes below this one by kind.
pub(super) fn processes() -> BTreeMap<&'static str, Vec<u32>> {
    let mut found: BTreeMap<&'static str, Vec<u32>> = BTreeMap::new();
    let tree = process_table::children_by_parent();
    let children_of = |process: u32| tree.get(&process).into_iter().flatten().copied();
    let (mut supervisors, zygotes): (Vec<u32>, Vec<u32>) =
        children_of(process_table::host()).partition(|child| is_supervisor(*child));
    // One may have another below it, and that the server.
    while let Some(supervisor) = supervisors.pop() {
        found.entry("supervisor").or_default().push(supervisor);
        let (lower, servers): (Vec<u32>, Vec<u32>) = children_of(supervisor).partition(|child| is_supervisor(*child));
        supervisors.extend(lower);
        found.entry("server").or_default().extend(servers);
    }
    for base in zygotes {
        found.entry("base zygote").or_default().push(base);
        for below in children_of(base) {
            // One that has children forks; of the others most are runs.
            let kind = if children_of(below).next().is_some() { "zygote" } else { "guest" };
            found.entry(kind).or_default().push(below);
            found.entry("guest").or_default().extend(children_of(below));
        }
    }
    found
}

fn is_supervisor(process: u32) -> bool {
    std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.starts_with(SUPERVISOR))
}
