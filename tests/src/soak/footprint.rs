//! What the host holds when nobody asks: its memory and that of its zygotes, threads, descriptors, processes; and what it has written
//! to the log.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use isolet::Runtime;
use isolet::mcp::Upstreams;
use tokio::task::AbortHandle;
use tracing_subscriber::EnvFilter;

use super::killer;
use crate::process_table::{self, until};

/// How long everything may take to come to rest.
const REST_MAX: Duration = Duration::from_secs(20);
/// How often is looked which processes there are.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What the host has open for each zygote: they come with requests and go without.
const DESCRIPTORS_OF_ZYGOTE: usize = 3;

/// What there is, ready runs left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    pub(super) host_kb: u64,
    /// The most that the host has ever held.
    pub(super) host_peak_kb: u64,
    /// Of the largest zygote; `None` where all were killed and none is asked for.
    pub(super) zygote_kb: Option<u64>,
    pub(super) threads: u64,
    pub(super) descriptors: u64,
    pub(super) processes: u64,
}

impl Footprint {
    fn now(runtime: &Runtime) -> Self {
        let host = process_table::host();
        let number = |process: u32, field: &str| process_table::status_number(process, field).unwrap_or(0);
        let kinds = killer::processes();
        let zygotes = ["base zygote", "zygote"].iter().filter_map(|kind| kinds.get(kind)).flatten();
        let ready = runtime.metrics().ready;
        let processes = process_table::descendants_of(host).len();
        Self {
            host_kb: number(host, "VmRSS"),
            host_peak_kb: number(host, "VmHWM"),
            zygote_kb: zygotes.clone().map(|zygote| number(*zygote, "VmRSS")).max(),
            threads: number(host, "Threads"),
            descriptors: process_table::descriptors(host).saturating_sub(2 * ready + DESCRIPTORS_OF_ZYGOTE * zygotes.count())
                as u64,
            processes: processes.saturating_sub(ready) as u64,
        }
    }

    /// What there is once it stays the same and no server runs; and what kept it from coming to that.
    pub(super) async fn at_rest(runtime: &Runtime, upstreams: &Upstreams, watcher: &Watcher) -> (Self, Option<String>) {
        let counts = |footprint: Self| (footprint.threads, footprint.descriptors, footprint.processes);
        let mut last = Self::now(runtime);
        let mut same = 0;
        let rests = until(REST_MAX, || {
            let now = Self::now(runtime);
            same = if counts(now) == counts(std::mem::replace(&mut last, now)) { same + 1 } else { 0 };
            same >= 50 && upstreams.running() == 0 && runtime.metrics().live == 0 && watcher.strays().is_empty()
        });
        let is_at_rest = rests.await;
        let what_is_left = || {
            let (servers, runs, strays) = (upstreams.running(), runtime.metrics().live, watcher.strays());
            format!("{servers} servers and {runs} runs, strays {strays:?}, {last:?}, {:?}", killer::processes())
        };
        (last, (!is_at_rest).then(what_is_left))
    }
}

/// Knows each process that was ever below this one, and says which live elsewhere now.
pub(super) struct Watcher {
    known: Arc<Mutex<HashSet<Process>>>,
    looks: AbortHandle,
}

/// A process, which is not another one that has its number later.
type Process = (u32, String);

impl Watcher {
    pub(super) fn start() -> Self {
        let known = Arc::new(Mutex::new(HashSet::new()));
        let looks = tokio::spawn({
            let known = Arc::clone(&known);
            async move {
                loop {
                    look(&known);
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        });
        Self { known, looks: looks.abort_handle() }
    }

    /// Processes that are alive and no longer below this one.
    pub(super) fn strays(&self) -> Vec<u32> {
        let below: HashSet<u32> = process_table::descendants_of(process_table::host()).into_iter().collect();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let strays = known.iter().filter(|process| !below.contains(&process.0) && is_alive(process));
        strays.map(|(number, _)| *number).collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.looks.abort();
    }
}

fn look(known: &Mutex<HashSet<Process>>) {
    let below = process_table::descendants_of(process_table::host());
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(is_alive);
    known.extend(below.into_iter().filter_map(identified));
}

fn identified(process: u32) -> Option<Process> {
    Some((process, process_table::started(process)?))
}

fn is_alive((number, started): &Process) -> bool {
    process_table::is_alive(*number) && process_table::started(*number).as_ref() == Some(started)
}

/// Counts what would have been written to the log.
#[derive(Clone, Default)]
pub(super) struct LogBytes(Arc<AtomicU64>);

impl LogBytes {
    pub(super) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Write for LogBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts the log of this process, as `isolet` has it: warnings and errors.
pub(super) fn count_log() -> LogBytes {
    let log = LogBytes::default();
    let counted = log.clone();
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new("warn")).with_writer(move || counted.clone()).init();
    log
}
