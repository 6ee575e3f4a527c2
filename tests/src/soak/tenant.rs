//! A good tenant: asks at its own pace, knows each answer before, and asks again for what was lost.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use isolet::mcp::{CommandServer, Configuration, UpstreamHost, Upstreams};
use isolet::{
    CallEnd, Catalog, End, Grants, Outcome, RunError, Runtime, Scope, Stop, ToolCall, ToolError, ToolHost, ToolReply,
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::phase::Phase;
use crate::misbehaving_server;
use crate::test_tools::{TestTools, Upstream};

/// The time between two requests of one tenant.
const PACE: Duration = Duration::from_millis(40);
/// Requests of one tenant at a time; further ones wait, and their wait counts.
const AT_ONCE: u32 = 32;
/// How long a request that was lost is asked again, and how soon.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(20);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// Numbers of one tenant begin at its number times this.
const NUMBERS: u64 = 1_000_000_000;
/// Wrong answers that are kept word by word.
const SHOWN_MAX: usize = 20;

/// What all tenants have seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) asked: AtomicUsize,
    pub(super) right: AtomicUsize,
    pub(super) asked_again: AtomicUsize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    /// From the moment of a request to its answer, at the first asking, by the phase in which it was asked and answered.
    pub(super) latencies: BTreeMap<Phase, Vec<Duration>>,
    /// What was lost where processes are killed, by how.
    pub(super) lost: BTreeMap<String, usize>,
    /// What must not be: wrong, mixed up, lost without a kill, never answered.
    pub(super) wrong: Vec<String>,
    pub(super) wrong_count: usize,
    pub(super) kills: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_wrong(&self, what: String) {
        let mut seen = self.seen();
        seen.wrong_count += 1;
        if seen.wrong.len() < SHOWN_MAX {
            seen.wrong.push(what);
        }
    }
}

/// The tools of a session: those of `test` are in this process, all others at servers.
pub(super) struct Tools<Own> {
    pub(super) own: Own,
    pub(super) servers: UpstreamHost,
}

impl<Own: ToolHost> ToolHost for Tools<Own> {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        if call.server == "test" { self.own.call(call).await } else { self.servers.call(call).await }
    }
}

/// The definition of a tool that takes an object.
pub(super) fn tool(name: &str, properties: Value) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object", "properties": properties } })
}

/// The tools of `test` that are used here.
pub(super) fn own_tools() -> Vec<Value> {
    vec![tool("add", json!({ "a": { "type": "number" }, "b": { "type": "number" } })), tool("echo", json!({ "value": {} }))]
}

/// This binary as a server, in a mode for each name.
pub(super) fn configuration(modes: &[&str]) -> Result<Configuration> {
    let executable = std::env::current_exe()?.to_string_lossy().into_owned();
    Ok(modes.iter().fold(Configuration::default(), |configuration, mode| {
        let server = CommandServer::new(executable.clone()).with_args([misbehaving_server::ARGUMENT, mode]);
        configuration.with(*mode, server)
    }))
}

/// One of them.
pub(super) struct Tenant {
    name: &'static str,
    runtime: Runtime,
    scope: Scope,
    servers: UpstreamHost,
    upstream: Arc<Upstream>,
    last_number: AtomicU64,
    numbers: std::ops::Range<u64>,
    /// How often each number has arrived in a call.
    arrived: Mutex<HashMap<u64, usize>>,
    places: Arc<Semaphore>,
    tally: Arc<Tally>,
}

/// How one asking went.
enum Answer {
    Right,
    Lost(String),
    Wrong(String),
}

impl Tenant {
    pub(super) fn new(
        number: usize,
        name: &'static str,
        runtime: &Runtime,
        upstreams: &Upstreams,
        tally: &Arc<Tally>,
    ) -> Result<Arc<Self>> {
        let catalog = Catalog::load([("test", own_tools()), ("good", vec![tool("echo", json!({}))])])?;
        let first = (u64::try_from(number)? + 1) * NUMBERS;
        Ok(Arc::new(Self {
            name,
            runtime: runtime.clone(),
            scope: catalog.scope(&Grants::new().allow("*"))?,
            servers: upstreams.host(&configuration(&["good"])?, name),
            upstream: Upstream::new(name),
            last_number: AtomicU64::new(first),
            numbers: first..first + NUMBERS,
            arrived: Mutex::default(),
            places: Arc::new(Semaphore::new(AT_ONCE as usize)),
            tally: Arc::clone(tally),
        }))
    }

    /// Asks until it is over.
    pub(super) async fn ask(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let mut moments = tokio::time::interval(PACE);
        // Also those that were missed: what they would have waited is what somebody would have.
        moments.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        loop {
            if *phase.borrow_and_update() == Phase::Rest {
                if phase.wait_for(|phase| *phase != Phase::Rest).await.is_err() {
                    return;
                }
                moments.reset();
            }
            let moment = moments.tick().await;
            let (tenant, phase) = (Arc::clone(&self), phase.clone());
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            tokio::spawn(async move {
                tenant.request(moment.into_std(), &phase).await;
                drop(place);
            });
        }
    }

    /// Waits until all of its requests are answered.
    pub(super) async fn rest(&self) {
        let _ = self.places.acquire_many(AT_ONCE).await;
    }

    /// One request, asked until it is answered.
    async fn request(&self, moment: Instant, phase: &watch::Receiver<Phase>) {
        let began_in = *phase.borrow();
        self.tally.asked.fetch_add(1, Ordering::Relaxed);
        for number_of_asking in 0.. {
            let answer = self.asked().await;
            let now = *phase.borrow();
            match answer {
                Answer::Right => {
                    self.tally.right.fetch_add(1, Ordering::Relaxed);
                    if number_of_asking == 0 && now == began_in {
                        self.tally.seen().latencies.entry(now).or_default().push(moment.elapsed());
                    }
                    return;
                }
                Answer::Wrong(what) => return self.tally.is_wrong(format!("{}: {what}", self.name)),
                Answer::Lost(how) if began_in < Phase::Kills && now < Phase::Kills && number_of_asking == 0 => {
                    return self.tally.is_wrong(format!("{}: lost where nothing is killed: {how}", self.name));
                }
                Answer::Lost(how) => {
                    *self.tally.seen().lost.entry(how.clone()).or_default() += 1;
                    self.tally.asked_again.fetch_add(1, Ordering::Relaxed);
                    if moment.elapsed() > ASK_AGAIN_MAX {
                        return self.tally.is_wrong(format!("{}: never answered, at last: {how}", self.name));
                    }
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
            }
        }
    }

    /// One program whose answer is known.
    async fn asked(&self) -> Answer {
        let number = self.last_number.fetch_add(1, Ordering::Relaxed) + 1;
        let (program, expected, calls, arrivals) = match number % 4 {
            0 => (format!("return {{ number: {number} }}"), json!({ "number": number }), 0, 0),
            1 => (format!("return (await test.add({{ a: {number}, b: 1 }})).sum"), json!(number + 1), 1, 1),
            2 => {
                let program = format!(
                    "const sums = await Promise.all([1, 2, 3, 4, 5].map((b) => test.add({{ a: {number}, b }})));\n\
                     return sums.map(({{ sum }}) => sum)"
                );
                (program, (1..=5).map(|b| number + b).collect(), 5, 5)
            }
            _ => {
                let echoed = json!({ "number": number, "tenant": self.name });
                (format!("return await good.echo({echoed})"), echoed, 1, 0)
            }
        };
        let tools = Tools { own: TestTools(Arc::clone(&self.upstream)), servers: self.servers.clone() };
        let session = self.runtime.session(self.scope.clone(), tools).of_user(self.name);
        let ran = session.run(&program).await;
        let arrived = self.arrivals_of(number);
        if arrived > arrivals {
            return Answer::Wrong(format!("{arrived} calls for `{program}`"));
        }
        let answer = judged(ran, &expected, calls);
        match answer {
            Answer::Right if arrived != arrivals => Answer::Wrong(format!("{arrived} calls for `{program}`")),
            Answer::Wrong(what) => Answer::Wrong(format!("`{program}`: {what}")),
            answer => answer,
        }
    }

    /// How many calls with this number have arrived; any with a number of others is wrong.
    fn arrivals_of(&self, number: u64) -> usize {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, arguments) in self.upstream.take_received() {
            match arguments.get("a").and_then(Value::as_u64) {
                Some(number) if self.numbers.contains(&number) => *arrived.entry(number).or_default() += 1,
                _ => self.tally.is_wrong(format!("{}: a call of somebody else has arrived: {arguments:?}", self.name)),
            }
        }
        arrived.remove(&number).unwrap_or(0)
    }
}

/// What a run gave, against what it should.
fn judged(ran: Result<Outcome, RunError>, expected: &Value, calls: usize) -> Answer {
    let outcome = match ran {
        Ok(outcome) => outcome,
        Err(
            error @ (RunError::ZygoteLost | RunError::System { .. } | RunError::Refused { .. } | RunError::Overloaded { .. }),
        ) => {
            return Answer::Lost(format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned());
        }
        Err(error) => return Answer::Wrong(format!("{:#}", anyhow::Error::from(error))),
    };
    match &outcome.end {
        End::Returned(value) if is_same(value, expected) => {
            let is_answered = outcome.calls.len() == calls && outcome.calls.iter().all(|call| call.end == CallEnd::Answered);
            if is_answered { Answer::Right } else { Answer::Wrong(format!("records of calls: {:?}", outcome.calls)) }
        }
        // The process of the run was killed, or its server was.
        End::Stopped(Stop::GuestLost { .. } | Stop::Data) => Answer::Lost("guest".to_owned()),
        End::Threw(error) if error.code.as_deref() == Some("unavailable") => Answer::Lost("server".to_owned()),
        end => Answer::Wrong(end.to_string()),
    }
}

/// JSON has one kind of number.
fn is_same(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Number(value), Value::Number(expected)) => value.as_f64() == expected.as_f64(),
        (Value::Array(values), Value::Array(expected)) => {
            values.len() == expected.len() && values.iter().zip(expected).all(|(value, expected)| is_same(value, expected))
        }
        (Value::Object(members), Value::Object(expected)) => {
            let is_same =
                |(name, value): (&String, &Value)| expected.get(name).is_some_and(|expected| is_same(value, expected));
            members.len() == expected.len() && members.iter().all(is_same)
        }
        _ => value == expected,
    }
}
