//! What a soak over HTTP has found, against its bounds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::footprint::Footprint;
use super::tally::Tally;
use crate::soak::row::{self, Row};

/// How much more memory there may be, kB; and for a build without optimisation whose host is not warm after seconds.
const GROWTH_MAX_KB: u64 = 16 << 10;
const GROWTH_MAX_KB_PATIENT: u64 = 128 << 10;
/// How many more threads or descriptors there may be: the pool for blocking work grows and shrinks.
const MORE_MAX: u64 = 8;
/// How many more processes there may be: servers that have died and are started with the next call, with their supervisors, and zygotes of scopes.
const MORE_PROCESSES_MAX: u64 = 12;

/// Everything that was found.
pub(super) struct Findings {
    is_patient: bool,
    tally: Arc<Tally>,
    /// How many calls there are to be.
    calls: usize,
    /// How often a call has arrived at the servers that count them.
    pub(super) arrived: usize,
    cycles: Vec<Footprint>,
}

impl Findings {
    pub(super) fn new(is_patient: bool, tally: Arc<Tally>, calls: usize) -> Self {
        Self { is_patient, tally, calls, arrived: 0, cycles: Vec::new() }
    }

    pub(super) fn end_of_cycle(&mut self, footprint: Footprint) {
        self.cycles.push(footprint);
    }

    /// How far it is.
    pub(super) fn line(&self, elapsed: Duration) -> String {
        let [right, deaths, changes] = [&self.tally.right, &self.tally.deaths, &self.tally.changes].map(count);
        let last = self.cycles.last().copied().unwrap_or_default();
        format!(
            "soak over HTTP: {:>4} s: {right} calls, {} wrong, {} lost to {deaths} deaths and made again, {changes} changes of a list; host {} MB, {} threads, \
             {} descriptors, {} processes",
            elapsed.as_secs(),
            self.tally.wrong().0,
            self.tally.lost().values().sum::<usize>(),
            last.host_kb >> 10,
            last.threads,
            last.descriptors,
            last.processes,
        )
    }

    /// The bounds that do not hold.
    pub(super) fn broken(&self) -> Vec<String> {
        let wrong = self.tally.wrong().1;
        self.rows().iter().filter_map(Row::broken).chain(wrong).collect()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "rows": self.rows().iter().map(Row::json).collect::<Vec<_>>(),
            "lost": self.tally.lost(),
            "wrong": self.tally.wrong().1,
        })
    }

    fn rows(&self) -> Vec<Row> {
        let [right, counted, begun_again] =
            [&self.tally.right, &self.tally.right_at_counted, &self.tally.begun_again].map(count);
        let [deaths, changes] = [&self.tally.deaths, &self.tally.changes].map(count);
        let lost = self.tally.lost();
        let at_least_one = |what, found: usize, more: String| Row {
            what,
            found: format!("{found}{more}"),
            bound: "at least 1".to_owned(),
            is_held: found > 0,
        };
        let grown = |what, field: fn(&Footprint) -> u64, unit: &str, more: u64| {
            let found: Vec<_> = self.cycles.iter().map(|found| Some(field(found))).collect();
            Row::grown(what, &found, unit, more)
        };
        let growth_max = if self.is_patient { GROWTH_MAX_KB_PATIENT } else { GROWTH_MAX_KB };
        vec![
            Row {
                what: "calls answered rightly",
                found: format!("{right} of {}", self.calls),
                bound: "all".to_owned(),
                is_held: right == self.calls,
            },
            Row {
                what: "calls that arrived at the servers over HTTP that do not die",
                found: format!("{} for {counted} answers", self.arrived),
                bound: "each once".to_owned(),
                is_held: self.arrived == counted,
            },
            Row::none("wrong, mixed up, lost without a death", self.tally.wrong().0, ""),
            at_least_one(
                "deaths of two servers",
                deaths,
                format!(", to which {} calls were lost that were made again: {lost:?}", lost.values().sum::<usize>()),
            ),
            at_least_one(
                "changes of a list that were seen",
                changes,
                format!("; {begun_again} sessions had ended and were begun again"),
            ),
            grown("memory of `isolet serve` at rest", |found| found.host_kb, "kB", growth_max),
            grown("threads at rest", |found| found.threads, "", MORE_MAX),
            grown("descriptors at rest", |found| found.descriptors, "", MORE_MAX),
            grown("processes at rest", |found| found.processes, "", MORE_PROCESSES_MAX),
        ]
    }
}

fn count(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::Relaxed)
}

impl fmt::Display for Findings {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        row::write_table(to, &self.rows())?;
        self.tally.wrong().1.iter().try_for_each(|wrong| writeln!(to, "{wrong}"))
    }
}
