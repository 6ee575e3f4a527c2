//! To the first answer, from two beginnings that are each fair to both ways: a new session on servers that run, and nothing at all, with the servers
//! still to be started. Code mode needs the servers as well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use isolet::mcp::{Configuration, Discovery, Mode, Upstreams};
use isolet::{Config, End, Origin, Runtime, Session, Start, ToolHost};
use serde::Serialize;
use serde_json::Map;

use crate::client::Client;
use crate::setting::Setting;

/// The way of a run that was forked ahead.
const READY: &str = "code mode, forked ahead";
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

/// What there is at the beginning.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beginning {
    /// The servers run and were asked for their tools; the application runs. What is new is the session.
    ServersRun,
    /// Nothing.
    Cold,
}

/// One way to start, and what it took.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct StartUp {
    /// Which way.
    pub way: String,
    /// From where.
    pub beginning: Beginning,
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
        entries.push(entry(way, Beginning::ServersRun, code_mode(setting, origin).await));
    }
    ensure!(entries.iter().any(|entry| entry.time.is_some()), "no program runs here: {}", failures(&entries));
    for (way, mode) in [("code mode over MCP, pipe", Mode::Code), ("classic MCP in this process, pipe", Mode::Classic)] {
        (setting.progress)(way);
        entries.push(entry(way, Beginning::ServersRun, face(setting, mode).await));
    }
    let servers: Vec<String> = setting.servers.servers().map(|(name, _)| name.to_owned()).collect();
    if !servers.is_empty() {
        let way = "code mode, with all servers";
        (setting.progress)(way);
        entries.push(entry(way, Beginning::Cold, cold_code_mode(setting).await));
    }
    if servers.len() > 1 {
        let way = "classic MCP, all servers side by side";
        (setting.progress)(way);
        entries.push(entry(way, Beginning::Cold, children(setting, &setting.servers).await));
    }
    for name in &servers {
        let way = format!("classic MCP, child `{name}`");
        (setting.progress)(&way);
        let only = setting.servers.clone().without(|server| server != name);
        entries.push(entry(&way, Beginning::Cold, children(setting, &only).await));
    }
    Ok(entries)
}

fn entry(way: &str, beginning: Beginning, measured: anyhow::Result<Vec<Duration>>) -> StartUp {
    let (time, failure) = match measured {
        Ok(times) => (Time::of(times), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    StartUp { way: way.to_owned(), beginning, time, failure }
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

/// A session, a server for it, `initialize`, `tools/list`; in code mode also a program.
async fn face<Host: ToolHost>(setting: &Setting<Host>, mode: Mode) -> anyhow::Result<Vec<Duration>> {
    let runtime = Runtime::new(Config::default())?;
    if mode == Mode::Code {
        runtime.prepare(&setting.scope).await?;
    }
    let mut times = Vec::new();
    for _ in 0..setting.runs.max(1) {
        if mode == Mode::Code {
            until_ready(&runtime).await?;
            tokio::time::sleep(QUIET).await;
        }
        let host = (setting.hosts)();
        let started = Instant::now();
        let session = runtime.session(setting.scope.clone(), host);
        let client = first_answer(&session, mode).await?;
        times.push(started.elapsed());
        client.close().await?;
    }
    Ok(times)
}

/// A client that has what it needs to go on: the list, and in code mode the answer of a program.
async fn first_answer(session: &Session, mode: Mode) -> anyhow::Result<Client> {
    let client = Client::open(session, mode).await?;
    let tools = client.list().await?;
    ensure!(!tools.is_empty(), "no tool is listed");
    if mode == Mode::Code {
        let answer = client.call("run_code", Map::from_iter([("code".to_owned(), PROGRAM.into())])).await?;
        ensure!(!answer.is_error, "{}", answer.text);
    }
    Ok(client)
}

/// The servers, their lists, the runtime, and all that a session needs to its first answer. One that does not start is not waited for by the others.
async fn cold_code_mode<Host: ToolHost>(setting: &Setting<Host>) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..setting.runs.clamp(1, Setting::<Host>::SERVER_RUNS_MAX) {
        let upstreams = Upstreams::new(setting.options.clone());
        let host = (setting.hosts)();
        let started = Instant::now();
        let discovery = upstreams.host(&setting.servers, USER).discover().await;
        let runtime = Runtime::new(Config::default())?;
        let session = runtime.session(setting.scope.clone(), host);
        let client = first_answer(&session, Mode::Code).await?;
        times.push(started.elapsed());
        client.close().await?;
        upstreams.close().await;
        ensure_started(&discovery?, &setting.servers)?;
    }
    Ok(times)
}

/// The processes of `servers` side by side, `initialize` and `tools/list` of each.
async fn children<Host: ToolHost>(setting: &Setting<Host>, servers: &Configuration) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..setting.runs.clamp(1, Setting::<Host>::SERVER_RUNS_MAX) {
        let upstreams = Upstreams::new(setting.options.clone());
        let started = Instant::now();
        let discovery = upstreams.host(servers, USER).discover().await;
        times.push(started.elapsed());
        upstreams.close().await;
        ensure_started(&discovery?, servers)?;
    }
    Ok(times)
}

/// Whether any of `servers` has started: without any there is nothing to be measured.
fn ensure_started(discovery: &Discovery, servers: &Configuration) -> anyhow::Result<()> {
    match discovery.failures.first() {
        Some(failure) if discovery.failures.len() >= servers.servers().count() => {
            bail!("{:#}", anyhow::Error::from(Arc::clone(failure)))
        }
        _ => Ok(()),
    }
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
