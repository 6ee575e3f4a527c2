//! The soak over HTTP: `isolet serve` before ten servers of all kinds, two of which die and one of which always changes its list, with 16 clients of two users.
//!
//! A client makes its calls by programs, in code mode, by classic MCP in a session or with each message by itself ([`client`]). At the end of each cycle
//! nobody asks, and what `isolet serve` then holds is compared from cycle to cycle.
//!
//! Held are: every call is answered rightly and arrives once; what fails because its server has died succeeds when it is made again; memory, threads,
//! descriptors and processes do not grow; nothing is left. `cargo xtask soak --http` makes 200,000 calls in 30 minutes; the tests have a few hundred, in seconds.

mod client;
mod echo_server;
mod findings;
mod footprint;
mod server;
mod tally;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use isolet_http::Key;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::client::{CALLS_OF_ROUND, Client};
use self::echo_server::{EchoServer, Era};
use self::findings::Findings;
use self::footprint::Footprint;
use self::server::{Kind, SERVERS};
use self::tally::Tally;
use super::report::{report, say};
use super::row::PATIENT;
use crate::misbehaving_server;
use crate::process_table::until;
use crate::serve::{Served, Visitor};

const CLIENTS: usize = 16;
/// Clients, and two more that have servers die and look at lists: so many may be busy at a time.
const BUSY_MAX: u32 = 18;
const _: () = assert!(BUSY_MAX as usize == CLIENTS + 2);
/// The length of a cycle where there are some.
const CYCLE: Duration = Duration::from_secs(60);
/// Cycles at the least: a first third and a last one.
const CYCLES_MIN: u32 = 3;
/// Each of two servers dies once in this time, and one changes its list, where there is time for it.
const EVENT_EVERY: Duration = Duration::from_secs(60);
/// How long a server over HTTP is not there when it has died.
const GONE: Duration = Duration::from_millis(300);
/// How long a change of a list may take until it is seen.
const CHANGE_MAX: Duration = Duration::from_secs(60);
/// How long the program has for its end.
const END_MAX: Duration = Duration::from_secs(20);

/// How much, and what is held.
#[derive(Clone, Copy)]
struct Amounts {
    time: Duration,
    calls: usize,
    is_patient: bool,
}

/// `[--seconds N] [--calls N] [--json] [--patient]`, 200,000 calls in 30 minutes if it is not said.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let mut amounts = Amounts { time: Duration::from_secs(30 * 60), calls: 200_000, is_patient: false };
    let mut is_json = false;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<usize> {
            let number = arguments.next().with_context(|| format!("`{argument}` needs a number"))?;
            number.parse().with_context(|| format!("`{argument} {number}`: not a number"))
        };
        match &**argument {
            "--seconds" => amounts.time = Duration::from_secs(number()? as u64),
            "--calls" => amounts.calls = number()?,
            "--json" => is_json = true,
            PATIENT => amounts.is_patient = true,
            _ => bail!("unknown argument `{argument}`: there are `--seconds N`, `--calls N`, `--json` and `{PATIENT}`"),
        }
    }
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let findings = tokio.block_on(soak(amounts))?;
    report(&findings, is_json.then(|| findings.json()));
    let broken = findings.broken();
    ensure!(broken.is_empty(), "bounds that were broken: {}", broken.join("; "));
    Ok(())
}

async fn soak(amounts: Amounts) -> Result<Findings> {
    let (event_every, change_every) = (EVENT_EVERY.min(amounts.time / 4), EVENT_EVERY.min(amounts.time / 2));
    let mut servers = Vec::new();
    for server in &SERVERS {
        servers.push(match server.kind {
            Kind::Http(era) => Some(EchoServer::start(era)?),
            Kind::MortalHttp => Some(EchoServer::start(Era::Sessions)?),
            Kind::Child(_) | Kind::MortalChild => None,
        });
    }
    let keys = [Key::new()?, Key::new()?];
    let mut served = Served::start(&deployment(&servers, &keys, change_every)?, &[])?;
    let users = [served.visitor(&keys[0]), served.visitor(&keys[1])];
    let tally = Arc::new(Tally::default());
    let busy = Arc::new(Semaphore::new(BUSY_MAX as usize));

    let rounds = amounts.calls.div_ceil(CALLS_OF_ROUND * CLIENTS);
    let pace = amounts.time / u32::try_from(rounds)?;
    let mut asking = JoinSet::new();
    for number in 0..CLIENTS {
        let user = users[number / 4 % users.len()].clone();
        asking.spawn(ask(Client::new(number, user, &tally), rounds, pace, Arc::clone(&busy)));
    }
    let place_of_mortal = SERVERS.iter().position(|server| server.kind == Kind::MortalHttp).context("one dies")?;
    let mortal = servers[place_of_mortal].take().context("it is over HTTP")?;
    let dying = tokio::spawn(die(mortal, users.clone(), event_every, Arc::clone(&tally), Arc::clone(&busy)));
    let looking = tokio::spawn(look(users[0].clone(), event_every / 4, Arc::clone(&tally), Arc::clone(&busy)));

    let cycles = u32::try_from(amounts.time.as_secs() / CYCLE.as_secs())?.max(CYCLES_MIN);
    let (cycle, began) = (amounts.time / cycles, Instant::now());
    let mut findings = Findings::new(amounts.is_patient, Arc::clone(&tally), rounds * CLIENTS * CALLS_OF_ROUND);
    for number in 1..=cycles {
        if number < cycles {
            tokio::time::sleep(cycle).await;
        } else {
            while let Some(asked) = asking.join_next().await {
                asked?;
            }
            // Where there is little time, it is not over before there was one.
            let has_changed = || tally.changes.load(Ordering::Relaxed) > 0;
            ensure!(until(CHANGE_MAX, has_changed).await, "no list was seen to have changed");
        }
        // Whoever is under way ends its round, and nobody begins one.
        let resting = busy.acquire_many(BUSY_MAX).await?;
        findings.end_of_cycle(Footprint::at_rest(&served, &users[0]).await?);
        drop(resting);
        say(&findings.line(began.elapsed()));
    }
    dying.abort();
    looking.abort();
    findings.arrived = servers.iter().flatten().map(EchoServer::calls).sum();
    served.terminate()?;
    let (status, errors) = served.ended_within(END_MAX).await?;
    // The program, played here, fails if it leaves a process.
    ensure!(status.success(), "{status}: {errors}");
    Ok(findings)
}

/// What `isolet serve` is told: the servers, and two users who may call all of them.
fn deployment(servers: &[Option<EchoServer>], keys: &[Key], change_every: Duration) -> Result<String> {
    let executable = Value::from(std::env::current_exe()?.to_string_lossy().into_owned());
    let mut text = String::new();
    for (server, over_http) in SERVERS.iter().zip(servers) {
        let entry = match (server.kind, over_http) {
            (_, Some(over_http)) => format!("url = \"{}\"\n", over_http.url()),
            (Kind::Child(mode), None) => child(&executable, mode, change_every),
            (_, None) => child(&executable, "good", change_every),
        };
        text.push_str(&format!("[servers.{}]\n{entry}", server.name));
    }
    text.push_str("[roles.all]\nallow = [\"*\"]\n");
    for (user, key) in ["ada", "bob"].into_iter().zip(keys) {
        text.push_str(&format!("[users.{user}]\nroles = [\"all\"]\nkeys = [\"{}\"]\n", key.hash()));
    }
    Ok(text)
}

fn child(executable: &Value, mode: &str, change_every: Duration) -> String {
    let arguments = json!([misbehaving_server::ARGUMENT, mode, change_every.as_millis().to_string()]);
    format!("command = {executable}\nargs = {arguments}\n")
}

/// Makes all rounds of a client, each at its time; what is late is caught up with.
async fn ask(mut client: Client, rounds: usize, pace: Duration, busy: Arc<Semaphore>) {
    let mut moments = tokio::time::interval(pace);
    for _ in 0..rounds {
        moments.tick().await;
        let Ok(_place) = busy.acquire().await else { return };
        client.round().await;
    }
}

/// Has one of both mortal servers die, and then the other.
async fn die(mut over_http: EchoServer, users: [Visitor; 2], every: Duration, tally: Arc<Tally>, busy: Arc<Semaphore>) {
    let mut moments = tokio::time::interval(every / 2);
    moments.tick().await;
    loop {
        for is_child in [true, false] {
            moments.tick().await;
            let Ok(_place) = busy.acquire().await else { return };
            tally.deaths.fetch_add(1, Ordering::Relaxed);
            if is_child {
                for user in &users {
                    // It fails, since nobody answers it.
                    let _ = user.run("await mortal.die({})").await;
                }
            } else if let Err(error) = over_http.die(GONE).await {
                tally.is_wrong(format!("a server cannot begin again: {error:#}"));
            }
        }
    }
}

/// Looks again and again whether the list that always changes has done so.
async fn look(user: Visitor, every: Duration, tally: Arc<Tally>, busy: Arc<Semaphore>) {
    let mut had_more = None;
    let mut moments = tokio::time::interval(every);
    loop {
        moments.tick().await;
        let Ok(_place) = busy.acquire().await else { return };
        match user.mcp("/mcp/classic", "tools/list", json!({})).await {
            Ok(answer) if answer.status == 200 => {
                let has_more = answer.body.contains("\"changing__later\"");
                if had_more.replace(has_more).is_some_and(|had_more| had_more != has_more) {
                    tally.changes.fetch_add(1, Ordering::Relaxed);
                }
            }
            answer => tally.is_wrong(format!("no list: {answer:?}")),
        }
    }
}
