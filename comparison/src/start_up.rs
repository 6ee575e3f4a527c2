//! From nothing to the first answer: a run of code mode by where its process comes from, a classic server inside this process, and
//! the servers of the configuration as children.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use isolet::mcp::{Configuration, Mode, Upstreams};
use isolet::{Config, End, Origin, Runtime, Start, ToolHost};
use serde::Serialize;

use crate::client::{Client, Connection};
use crate::setting::Setting;

/// The way against which all others are set.
pub(crate) const READY: &str = "code mode, forked ahead";
/// What is run: the answer is all that it takes.
const PROGRAM: &str = "return 1 + 1";
/// How long the next run may take to be forked ahead.
const READY_MAX: Duration = Duration::from_secs(5);
/// Between two looks whether it has been.
const READY_PAUSE: Duration = Duration::from_micros(200);
/// After it has been: the process of the last run is gone by then.
const QUIET: Duration = Duration::from_millis(1);
/// Whose servers they are.
const USER: &str = "comparison";

/// One way to start, and what it took.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct StartUp {
    /// Which way.
    pub way: String,
    /// What it took, if it can be started.
    pub time: Option<Time>,
    /// Why it cannot.
    pub failure: Option<String>,
}

/// What a number of starts took.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Time {
    /// The median, milliseconds.
    pub median_ms: f64,
    /// What 95 of 100 did not exceed, milliseconds.
    pub p95_ms: f64,
    /// How many were measured.
    pub runs: usize,
}

impl Time {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        let last = times.len().checked_sub(1)?;
        let milliseconds = |place: usize| times[place].as_secs_f64() * 1000.0;
        Some(Self { median_ms: milliseconds(last / 2), p95_ms: milliseconds((last * 95).div_ceil(100)), runs: times.len() })
    }
}

/// Measures every way.
pub(crate) async fn measure<Host: ToolHost>(setting: &Setting<Host>) -> anyhow::Result<Vec<StartUp>> {
    let mut entries = Vec::new();
    for (way, origin) in
        [(READY, Origin::Ready), ("code mode, forked on demand", Origin::Forked), ("code mode, spawned", Origin::Spawned)]
    {
        (setting.progress)(way);
        entries.push(entry(way.to_owned(), code_mode(setting, origin).await));
    }
    ensure!(entries.iter().any(|entry| entry.time.is_some()), "no program runs here: {}", failures(&entries));
    for (way, connection) in [
        ("classic MCP in this process, typed channel", Connection::Channel),
        ("classic MCP in this process, pipe", Connection::Pipe),
    ] {
        (setting.progress)(way);
        entries.push(entry(way.to_owned(), classic(setting, connection).await));
    }
    for (name, _) in setting.servers.servers() {
        let way = format!("classic MCP, child `{name}`");
        (setting.progress)(&way);
        entries.push(entry(way, child(setting, name).await));
    }
    Ok(entries)
}

fn entry(way: String, measured: anyhow::Result<Vec<Duration>>) -> StartUp {
    match measured {
        Ok(times) => StartUp { way, time: Time::of(times), failure: None },
        Err(error) => StartUp { way, time: None, failure: Some(format!("{error:#}")) },
    }
}

fn failures(entries: &[StartUp]) -> String {
    entries.iter().filter_map(|entry| entry.failure.as_deref()).collect::<Vec<_>>().join("; ")
}

/// A session, a program, its answer. Every run has to come from `origin`.
async fn code_mode<Host: ToolHost>(setting: &Setting<Host>, origin: Origin) -> anyhow::Result<Vec<Duration>> {
    let mut config = Config::default();
    match origin {
        Origin::Spawned => config.start = Start::Spawn,
        Origin::Ready => {}
        _ => config.ready_runs_max = 0,
    }
    let runtime = Runtime::new(config)?;
    if origin != Origin::Spawned {
        runtime.prepare(&setting.scope).await?;
    }
    let mut times = Vec::new();
    for _ in 0..setting.runs.max(1) {
        if origin == Origin::Ready {
            until_ready(&runtime).await?;
        }
        tokio::time::sleep(QUIET).await;
        let host = (setting.hosts)();
        let started = Instant::now();
        let outcome = runtime.session(setting.scope.clone(), host).run(PROGRAM).await?;
        times.push(started.elapsed());
        ensure!(matches!(outcome.end, End::Returned(_)), "{}", outcome.end);
        ensure!(outcome.cost.origin == origin, "a run was {:?} instead", outcome.cost.origin);
    }
    Ok(times)
}

async fn until_ready(runtime: &Runtime) -> anyhow::Result<()> {
    let started = Instant::now();
    while runtime.metrics().ready == 0 {
        ensure!(started.elapsed() < READY_MAX, "no run was forked ahead within {READY_MAX:?}");
        tokio::time::sleep(READY_PAUSE).await;
    }
    Ok(())
}

/// A session, a server for it, `initialize`, `tools/list`.
async fn classic<Host: ToolHost>(setting: &Setting<Host>, connection: Connection) -> anyhow::Result<Vec<Duration>> {
    let runtime = Runtime::new(Config::default())?;
    let mut times = Vec::new();
    for _ in 0..setting.runs.max(1) {
        let host = (setting.hosts)();
        let started = Instant::now();
        let session = runtime.session(setting.scope.clone(), host);
        let client = Client::open(&session, Mode::Classic, connection).await?;
        let tools = client.list().await?;
        times.push(started.elapsed());
        ensure!(
            tools.len() == setting.scope.tools().len(),
            "{} tools of {} are listed",
            tools.len(),
            setting.scope.tools().len()
        );
        client.close().await?;
    }
    Ok(times)
}

/// A process, `initialize`, `tools/list`.
async fn child<Host: ToolHost>(setting: &Setting<Host>, server: &str) -> anyhow::Result<Vec<Duration>> {
    let configuration = setting.servers.server(server).context("the server is not configured")?;
    let only = Configuration::default().with(server, (**configuration).clone());
    let mut times = Vec::new();
    for _ in 0..setting.runs.clamp(1, Setting::<Host>::SERVER_RUNS_MAX) {
        let upstreams = Upstreams::new(setting.options.clone());
        let started = Instant::now();
        let discovery = upstreams.host(&only, USER).discover().await;
        times.push(started.elapsed());
        upstreams.close().await;
        if let Some(failure) = discovery?.failures.first() {
            bail!("{:#}", anyhow::Error::from(Arc::clone(failure)));
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_lower_middle_and_nothing_has_none() {
        let times = |times: &[u64]| Time::of(times.iter().copied().map(Duration::from_millis).collect());
        assert!(times(&[]).is_none());
        assert_eq!(times(&[7]).map(|time| (time.median_ms, time.p95_ms, time.runs)), Some((7.0, 7.0, 1)));
        assert_eq!(times(&[3, 1, 4, 2]).map(|time| (time.median_ms, time.p95_ms, time.runs)), Some((2.0, 4.0, 4)));
    }
}
