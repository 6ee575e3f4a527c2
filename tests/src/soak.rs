//! The soak: hours of traffic in minutes, while processes are killed at random and one tenant of four is hostile.
//!
//! ```text
//! cycle: settle -> calm -> settle -> hostile -> kills -> rest
//! ```
//!
//! Three tenants ask all the time, each request at its own moment whether earlier ones are answered or not ([`tenant`]). In `hostile` and
//! `kills` the fourth does what it can ([`hostile`]), with servers that misbehave; in `kills` guests, zygotes, servers and supervisors are
//! killed ([`killer`]). In `rest` nobody asks, and what the host then holds is compared from cycle to cycle ([`footprint`]).
//!
//! Held are: every answer is right and of its own tenant; nothing is lost where nothing is killed, and what is lost there succeeds when it
//! is asked again; the good tenants' slowest hundredth is hardly slower beside the hostile one than without; memory, threads,
//! descriptors, processes and the log do not grow. `cargo xtask soak` takes 30 minutes; the tests have one, with more patience.

mod findings;
mod footprint;
mod hostile;
mod http;
mod killer;
mod phase;
mod report;
mod row;
mod tenant;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use isolet::mcp::{UpstreamOptions, Upstreams};
use isolet::{Config, Runtime};
use libtest_mimic::Trial;
use tokio::sync::watch;

use self::findings::{Bounds, Findings};
use self::footprint::{Footprint, LogBytes, Watcher};
use self::hostile::Hostile;
use self::killer::Killer;
use self::phase::Phase;
use self::report::{report, say};
use self::row::PATIENT;
use self::tenant::{Tally, Tenant};
use crate::roles;

/// The argument by which this binary soaks.
pub(crate) const ARGUMENT: &str = "soak";
/// Has the soak over HTTP ([`http`]); what follows is for it.
const HTTP: &str = "--http";

/// How long what the last phase has left goes on unmeasured.
const SETTLE: Duration = Duration::from_secs(2);
/// How long a server is kept that nobody calls: the hostile ones are gone before it is calm again.
const SERVER_IDLE_MAX: Duration = Duration::from_millis(1500);
/// How often is said how far it is.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// One minute of it, and some seconds over HTTP, each in a process of its own.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("soak::a_minute_of_kills_and_a_hostile_tenant_loses_nothing_and_leaves_nothing", || {
            roles::play_in_own_process(&[ARGUMENT, "--minutes", "1", PATIENT])
        }),
        Trial::test("soak::seconds_over_http_with_ten_servers_of_which_two_die_lose_nothing_and_leave_nothing", || {
            roles::play_in_own_process(&[ARGUMENT, HTTP, "--seconds", "4", "--calls", "480", PATIENT])
        }),
    ]
}

/// `[--minutes N] [--json] [--patient]`, 30 minutes if it is not said; or `--http ...`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    if let Some((HTTP, arguments)) = arguments.split_first().map(|(first, rest)| (&**first, rest)) {
        return http::run(arguments);
    }
    let (mut minutes, mut is_json, mut bounds) = (30, false, Bounds::default());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match &**argument {
            "--minutes" => {
                let number = arguments.next().context("`--minutes` needs a number")?;
                minutes = number.parse().with_context(|| format!("`--minutes {number}`: not a number"))?;
            }
            "--json" => is_json = true,
            PATIENT => bounds = Bounds::patient(),
            _ => bail!("unknown argument `{argument}`: there are `--minutes N`, `--json` and `{PATIENT}`"),
        }
    }
    let log = footprint::count_log();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let findings = tokio.block_on(soak(Duration::from_secs(60 * minutes), bounds, log))?;
    report(&findings, is_json.then(|| findings.json()));
    let broken = findings.broken();
    ensure!(broken.is_empty(), "bounds that were broken: {}", broken.join("; "));
    Ok(())
}

async fn soak(time: Duration, bounds: Bounds, log: LogBytes) -> Result<Findings> {
    let mut config = Config::default();
    (config.live_runs_max, config.live_runs_of_user_max) = (64, 16);
    let runtime = Runtime::new(config)?;
    let mut options = UpstreamOptions::default();
    options.idle_max = SERVER_IDLE_MAX;
    let upstreams = Upstreams::new(options);
    let (phase, watched) = watch::channel(Phase::Settle);
    let tally = Arc::new(Tally::default());
    let tenants = ["ada", "bob", "chen"].into_iter().enumerate();
    let tenants = tenants.map(|(number, name)| Tenant::new(number, name, &runtime, &upstreams, &tally));
    let tenants: Vec<_> = tenants.collect::<Result<_>>()?;
    let asking: Vec<_> = tenants.iter().map(|tenant| tokio::spawn(Arc::clone(tenant).ask(watched.clone()))).collect();
    let hostile = tokio::spawn(Hostile::new(&runtime, &upstreams)?.rage(watched.clone()));
    let killer = tokio::spawn(Killer::new(&tally).kill(watched));
    let watcher = Watcher::start();

    let mut findings = Findings::new(bounds, Arc::clone(&tally));
    // Short cycles where there is little time, for there have to be some.
    let measured = (time / 12).clamp(Duration::from_secs(4), Duration::from_secs(10));
    let (started, mut said) = (Instant::now(), Instant::now());
    let mut log_before = log.so_far();
    while started.elapsed() < time || findings.cycles() < 2 {
        for (next, lasts) in [
            (Phase::Settle, SETTLE),
            (Phase::Calm, measured),
            (Phase::Settle, SETTLE / 2),
            (Phase::Hostile, measured),
            (Phase::Kills, measured),
        ] {
            phase.send_replace(next);
            tokio::time::sleep(lasts).await;
        }
        phase.send_replace(Phase::Rest);
        for tenant in &tenants {
            tenant.rest().await;
        }
        let (footprint, restless) = Footprint::at_rest(&runtime, &upstreams, &watcher).await;
        let log_now = log.so_far();
        findings.end_of_cycle(footprint, restless, log_now - log_before);
        log_before = log_now;
        if said.elapsed() >= SAY_EVERY || started.elapsed() >= time {
            said = Instant::now();
            say(&findings.line(started.elapsed()));
        }
    }
    drop(phase);
    for task in asking {
        task.await?;
    }
    hostile.await?;
    killer.await?;
    upstreams.close().await;
    findings.end(&watcher);
    Ok(findings)
}
