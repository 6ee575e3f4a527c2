//! What a soak has found, against its bounds: a line a minute, a table, JSON.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::footprint::{Footprint, Watcher};
use super::phase::Phase;
use super::row::{self, Row};
use super::tenant::Tally;

/// How many more threads or descriptors there may be: the pool for blocking work grows and shrinks.
const MORE_MAX: u64 = 8;
/// How many more processes there may be: zygotes of scopes, which come with requests and go without, and one that is being replaced.
const MORE_PROCESSES_MAX: u64 = 4;
/// The most bytes of log in one cycle, some hundred lines.
const LOG_BYTES_OF_CYCLE_MAX: u64 = 256 << 10;

/// What the good tenants are promised, and what the host may come to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Their slowest hundredth beside the hostile one may be so many times that without it ...
    p99_times: f64,
    /// ... or so much more, whichever is more.
    p99_more: Duration,
    /// How much more the host, and its zygotes, may hold in the last third of the cycles than in the first, kB.
    growth_max_kb: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { p99_times: 1.2, p99_more: Duration::from_millis(2), growth_max_kb: 16 << 10 }
    }
}

impl Bounds {
    /// For a build without optimisation, a machine that does other things at the same time, and so few cycles that the host is not warm
    /// after the first third of them. A tenant that is not served at all, or memory that is never given back, is seen.
    pub(super) fn patient() -> Self {
        Self { p99_times: 5.0, p99_more: Duration::from_secs(3), growth_max_kb: 128 << 10 }
    }
}

/// Everything that was found.
pub(super) struct Findings {
    bounds: Bounds,
    tally: Arc<Tally>,
    cycles: Vec<Cycle>,
    strays: Vec<u32>,
}

/// What there was when one cycle had ended.
struct Cycle {
    footprint: Footprint,
    /// What kept it from coming to rest.
    restless: Option<String>,
    log_bytes: u64,
}

impl Findings {
    pub(super) fn new(bounds: Bounds, tally: Arc<Tally>) -> Self {
        Self { bounds, tally, cycles: Vec::new(), strays: Vec::new() }
    }

    pub(super) fn cycles(&self) -> usize {
        self.cycles.len()
    }

    pub(super) fn end_of_cycle(&mut self, footprint: Footprint, restless: Option<String>, log_bytes: u64) {
        self.cycles.push(Cycle { footprint, restless, log_bytes });
    }

    /// The last look: nothing of a server may be left.
    pub(super) fn end(&mut self, watcher: &Watcher) {
        self.strays = watcher.strays();
    }

    /// How far it is.
    pub(super) fn line(&self, elapsed: Duration) -> String {
        let seen = self.tally.seen();
        let kills: usize = seen.kills.values().sum();
        let (asked, again, wrong) =
            (self.tally.asked.load(Ordering::Relaxed), self.tally.asked_again.load(Ordering::Relaxed), seen.wrong_count);
        drop(seen);
        let [calm, hostile, kills_too] = [Phase::Calm, Phase::Hostile, Phase::Kills].map(|phase| ms(self.slowest(phase, 0.99)));
        let Some(Cycle { footprint, log_bytes, .. }) = self.cycles.last() else { return String::new() };
        format!(
            "soak: {:>4} s: {asked} requests, {again} asked again after {kills} kills, {wrong} wrong; p99 {calm}, beside the hostile tenant \
             {hostile}, with kills {kills_too} ms; host {} MB (peak {}), largest zygote {} MB, {} threads, {} descriptors, {} processes, {} kB of log",
            elapsed.as_secs(),
            footprint.host_kb >> 10,
            footprint.host_peak_kb >> 10,
            footprint.zygote_kb.unwrap_or(0) >> 10,
            footprint.threads,
            footprint.descriptors,
            footprint.processes,
            log_bytes >> 10,
        )
    }

    /// The bounds that do not hold.
    pub(super) fn broken(&self) -> Vec<String> {
        self.rows().iter().filter_map(Row::broken).collect()
    }

    /// As an object: the rows, and what was wrong.
    pub(super) fn json(&self) -> Value {
        let seen = self.tally.seen();
        let (kills, lost, wrong) = (seen.kills.clone(), seen.lost.clone(), seen.wrong.clone());
        drop(seen);
        json!({ "rows": self.rows().iter().map(Row::json).collect::<Vec<_>>(), "kills": kills, "lost": lost, "wrong": wrong })
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = vec![self.answers(), self.wrong(), self.p99()];
        let grown = |what, field: fn(&Footprint) -> Option<u64>, unit: &str, more: u64| self.grown(what, field, unit, more);
        rows.push(grown("memory of the host at rest", |found| Some(found.host_kb), "kB", self.bounds.growth_max_kb));
        rows.push(grown("memory of the largest zygote at rest", |found| found.zygote_kb, "kB", self.bounds.growth_max_kb));
        rows.push(grown("threads at rest", |found| Some(found.threads), "", MORE_MAX));
        rows.push(grown("descriptors at rest", |found| Some(found.descriptors), "", MORE_MAX));
        rows.push(grown("processes at rest", |found| Some(found.processes), "", MORE_PROCESSES_MAX));
        let restless: Vec<_> = self.cycles.iter().filter_map(|cycle| cycle.restless.as_deref()).collect();
        rows.push(Row {
            what: "cycles that did not come to rest",
            found: format!("{} of {} {}", restless.len(), self.cycles.len(), restless.join("; ")).trim_end().to_owned(),
            bound: "0".to_owned(),
            is_held: restless.is_empty(),
        });
        let log = self.cycles.iter().map(|cycle| cycle.log_bytes).max().unwrap_or(0);
        rows.push(Row {
            what: "the most log of a cycle",
            found: format!("{} kB", log >> 10),
            bound: format!("{} kB", LOG_BYTES_OF_CYCLE_MAX >> 10),
            is_held: log <= LOG_BYTES_OF_CYCLE_MAX,
        });
        rows.push(Row {
            what: "processes that outlive their parent",
            found: format!("{:?}", self.strays),
            bound: "none".to_owned(),
            is_held: self.strays.is_empty(),
        });
        rows
    }

    fn answers(&self) -> Row {
        let [asked, right] = [&self.tally.asked, &self.tally.right].map(|count| count.load(Ordering::Relaxed));
        let kills = self.tally.seen().kills.clone();
        Row {
            what: "requests answered rightly, once each",
            found: format!("{right} of {asked}, through kills of {kills:?}"),
            bound: "all".to_owned(),
            is_held: right == asked && asked > 0,
        }
    }

    fn wrong(&self) -> Row {
        let seen = self.tally.seen();
        Row {
            what: "wrong, mixed up, lost without a kill",
            found: format!("{}; {} lost to kills: {:?}", seen.wrong_count, seen.lost.values().sum::<usize>(), seen.lost),
            bound: "0".to_owned(),
            is_held: seen.wrong_count == 0,
        }
    }

    fn p99(&self) -> Row {
        let [calm, hostile] = [Phase::Calm, Phase::Hostile].map(|phase| self.slowest(phase, 0.99));
        let most = calm.mul_f64(self.bounds.p99_times).max(calm + self.bounds.p99_more);
        let [calm_half, hostile_half] = [Phase::Calm, Phase::Hostile].map(|phase| self.slowest(phase, 0.5));
        let slowest = self.slowest(Phase::Hostile, 1.0);
        Row {
            what: "p99 of the good tenants beside the hostile one",
            found: format!(
                "{} ms, without it {} ms; medians {} and {} ms, the slowest {} ms",
                ms(hostile),
                ms(calm),
                ms(hostile_half),
                ms(calm_half),
                ms(slowest)
            ),
            bound: format!("{} ms", ms(most)),
            is_held: hostile <= most && !calm.is_zero() && !hostile.is_zero(),
        }
    }

    /// A part of the latencies of a phase is at most this.
    fn slowest(&self, phase: Phase, part: f64) -> Duration {
        let mut latencies = self.tally.seen().latencies.get(&phase).cloned().unwrap_or_default();
        latencies.sort();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list"
        )]
        let place = (latencies.len() as f64 * part).ceil() as usize;
        latencies.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }

    fn grown(&self, what: &'static str, field: fn(&Footprint) -> Option<u64>, unit: &str, more: u64) -> Row {
        let found: Vec<_> = self.cycles.iter().map(|cycle| field(&cycle.footprint)).collect();
        Row::grown(what, &found, unit, more)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        row::write_table(to, &self.rows())?;
        self.tally.seen().wrong.iter().try_for_each(|wrong| writeln!(to, "{wrong}"))
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}
