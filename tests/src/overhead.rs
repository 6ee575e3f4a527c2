//! What HTTP costs: programs and MCP calls over HTTP against the same in this process, in turns; and how many a second 32 clients are given.
//!
//! Both sides have the same runtime, the same scope and the same tools, which answer at once. A client over HTTP writes the bytes of a request on a connection
//! that stays open and reads those of the answer, so that what is measured is the way there and back: kernel, HTTP, whose request it is, a session, and
//! for MCP its messages. In this process a program is given to a session of its own too, and calls go over a channel on which nothing is serialised.
//!
//! `cargo xtask overhead` has enough pairs for a bound; the tests have a few, which must be answered.

mod client;
mod deployment;

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use libtest_mimic::Trial;
use tokio::task::JoinSet;

use self::client::{Client, What};
use self::deployment::Deployment;
use crate::roles;

/// The argument by which this binary measures.
pub(crate) const ARGUMENT: &str = "overhead";
/// Has no bound: for a build without optimisation.
const PATIENT: &str = "--patient";

/// What HTTP may take more than this process, at the median.
const MORE_MAX: Duration = Duration::from_micros(300);
/// Clients at a time, where requests a second are counted.
const CLIENTS: usize = 32;
/// Pairs that are not counted: connections are opened, code is read.
const WARM_UP_PAIRS: usize = 20;

/// A few, in a process of its own.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("overhead::the_same_is_answered_over_http_and_in_this_process", || {
        roles::play_in_own_process(&[ARGUMENT, "--pairs", "3", "--requests", "64", PATIENT])
    })]
}

/// `[--pairs N] [--requests N] [--patient]`.
#[expect(clippy::print_stdout, reason = "a command that reports")]
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut pairs, mut requests, mut is_patient) = (2_000, 20_000, false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<usize> {
            let number = arguments.next().with_context(|| format!("`{argument}` needs a number"))?;
            number.parse().with_context(|| format!("`{argument} {number}`: not a number"))
        };
        match &**argument {
            "--pairs" => pairs = number()?,
            "--requests" => requests = number()?,
            PATIENT => is_patient = true,
            _ => bail!("unknown argument `{argument}`: there are `--pairs N`, `--requests N` and `{PATIENT}`"),
        }
    }
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // In a task, as a backend's handlers are: a future that `block_on` drives is woken through one thread more.
    let found = tokio.block_on(tokio.spawn(measure(pairs, requests)))??;
    println!("{found}");
    let slow: Vec<_> = found.rows.iter().filter(|row| row.more() > MORE_MAX.as_secs_f64()).map(|row| row.what.name()).collect();
    ensure!(is_patient || slow.is_empty(), "more than {} µs over HTTP: {}", MORE_MAX.as_micros(), slow.join(", "));
    Ok(())
}

/// Everything that was found.
struct Found {
    rows: Vec<Row>,
    /// Requests a second: in this process, over HTTP.
    rates: Vec<(What, [f64; 2])>,
}

/// Pairs of times, seconds: in this process, over HTTP.
struct Row {
    what: What,
    pairs: Vec<[f64; 2]>,
}

async fn measure(pairs: usize, requests: usize) -> Result<Found> {
    let deployment = Deployment::start().await?;
    let mut client = Client::new(&deployment).await?;
    let mut rows = Vec::new();
    for what in What::ALL {
        rows.push(Row { what, pairs: in_turns(&deployment, &mut client, what, pairs).await? });
    }
    let mut rates = Vec::new();
    for what in [What::OneCall, What::CallAlone, What::CallInSession] {
        let here = a_second(&deployment, what, false, requests).await?;
        rates.push((what, [here, a_second(&deployment, what, true, requests).await?]));
    }
    Ok(Found { rows, rates })
}

/// Asks on both sides, one after the other; which of them begins changes from pair to pair.
async fn in_turns(deployment: &Deployment, client: &mut Client, what: What, pairs: usize) -> Result<Vec<[f64; 2]>> {
    let mut measured = Vec::new();
    for number in 0..WARM_UP_PAIRS.min(pairs) + pairs {
        let mut pair = [0.0; 2];
        for side in if number % 2 == 0 { [0, 1] } else { [1, 0] } {
            deployment.rests().await?;
            let began = Instant::now();
            client.ask(what, side == 1).await?;
            pair[side] = began.elapsed().as_secs_f64();
        }
        measured.push(pair);
    }
    Ok(measured.split_off(WARM_UP_PAIRS.min(pairs)))
}

/// How many requests a second so many clients are answered, each of which asks again at once.
async fn a_second(deployment: &Deployment, what: What, is_http: bool, requests: usize) -> Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::new(deployment).await?);
    }
    let each = requests.div_ceil(CLIENTS);
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for mut client in clients {
        asking.spawn(async move {
            for _ in 0..each {
                client.ask(what, is_http).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let count = (each * CLIENTS) as f64;
    Ok(count / began.elapsed().as_secs_f64())
}

impl Row {
    /// The median of one side, seconds: 0 is this process, 1 is over HTTP.
    fn median_of(&self, side: usize) -> f64 {
        median(self.pairs.iter().map(|pair| pair[side]))
    }

    /// What HTTP takes more: the median of the differences of all pairs.
    fn more(&self) -> f64 {
        median(self.pairs.iter().map(|[here, over_http]| over_http - here))
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

impl fmt::Display for Found {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.rows.first().map_or(0, |row| row.pairs.len());
        writeln!(to, "medians of {pairs} pairs in turns, µs\n")?;
        writeln!(to, "| what | in this process | over HTTP | more |\n|---|---|---|---|")?;
        for row in &self.rows {
            let [here, over_http, more] = [row.median_of(0), row.median_of(1), row.more()].map(|time| time * 1e6);
            writeln!(to, "| {} | {here:.0} | {over_http:.0} | {more:.0} |", row.what.name())?;
        }
        writeln!(to, "\nrequests a second, {CLIENTS} clients\n")?;
        writeln!(to, "| what | in this process | over HTTP |\n|---|---|---|")?;
        for (what, [here, over_http]) in &self.rates {
            writeln!(to, "| {} | {here:.0} | {over_http:.0} |", what.name())?;
        }
        Ok(())
    }
}
