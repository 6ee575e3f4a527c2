//! The hostile tenant: what a program, a flood of programs, and servers that misbehave can do to the others of one host.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use isolet::mcp::{UpstreamHost, Upstreams};
use isolet::{Catalog, Grants, Runtime, Scope, Session, ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::phase::Phase;
use super::tenant::{Tools, configuration, own_tools, tool};
use crate::{attacks, kill};

const NAME: &str = "mallory";
/// Programs at a time.
const LANES: usize = 12;
/// A flood: so many programs at once, so often.
const FLOOD: usize = 100;
const FLOOD_EVERY: Duration = Duration::from_millis(500);
/// The modes of its servers.
const SERVERS: [&str; 8] = [
    "floods",
    "rubbish",
    "ignores_end",
    "floods_requests",
    "floods_changes",
    "floods_progress",
    "floods_answers",
    "floods_noise",
];

/// What makes the host work, in arguments and replies.
const WORK: [&str; 7] = [
    // Arguments of 1 MiB that do not match.
    "for (;;) await test.add({ a: 'x'.repeat(1_000_000) }).catch(() => {})",
    "for (;;) await Promise.all(Array.from({ length: 64 }, () => test.add({ a: Array(100_000).fill({}) }).catch(() => {})))",
    // Many calls in flight, large both ways.
    "const value = 'x'.repeat(500_000); await Promise.all(Array.from({ length: 500 }, () => test.echo({ value }).catch(() => {})))",
    "const value = Array(40_000).fill({ a: [] }); await Promise.all(Array.from({ length: 100 }, () => test.echo({ value }).catch(() => {})))",
    // Patterns and keys that take long to look at.
    "for (;;) await heavy.pattern({ s: '1'.repeat(900_000) }).catch(() => {})",
    "for (;;) await heavy.keys(Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => ['k' + n + 'xab'.repeat(6), 'v']))).catch(() => {})",
    "for (;;) await tools.search('a b c d e f g h i j k l')",
];

/// Answers every call with much.
struct Large;

impl ToolHost for Large {
    async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
        Ok(ToolReply::text("b".repeat(500_000)))
    }
}

/// The tenant and all that it tries.
pub(super) struct Hostile {
    runtime: Runtime,
    scope: Scope,
    servers: UpstreamHost,
    programs: Vec<String>,
}

impl Hostile {
    pub(super) fn new(runtime: &Runtime, upstreams: &Upstreams) -> Result<Arc<Self>> {
        let echo = || vec![tool("echo", json!({})), tool("hang", json!({})), tool("die", json!({})), tool("change", json!({}))];
        let mut catalog = vec![("test", own_tools()), ("heavy", heavy_tools())];
        catalog.extend(SERVERS.map(|server| (server, echo())));
        let scope = Catalog::load(catalog)?.scope(&Grants::new().allow("*"))?;
        Ok(Arc::new(Self {
            runtime: runtime.clone(),
            scope,
            servers: upstreams.host(&configuration(&SERVERS)?, NAME),
            programs: programs()?,
        }))
    }

    /// Does what it can while the others are not to be left alone.
    pub(super) async fn rage(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let is_on = |phase: &Phase| matches!(phase, Phase::Hostile | Phase::Kills);
        while phase.wait_for(is_on).await.is_ok() {
            let mut running = JoinSet::new();
            (0..LANES).for_each(|_| drop(running.spawn(Arc::clone(&self).lane())));
            running.spawn(Arc::clone(&self).floods());
            if phase.wait_for(|phase| !is_on(phase)).await.is_err() {
                return;
            }
            // Dropping a run ends it.
            running.shutdown().await;
        }
    }

    fn session(&self) -> Session {
        let tools = Tools { own: Large, servers: self.servers.clone() };
        self.runtime.session(self.scope.clone(), tools).of_user(NAME)
    }

    async fn lane(self: Arc<Self>) {
        loop {
            let program = &self.programs[fastrand::usize(..self.programs.len())];
            // Whatever comes of it.
            if self.session().run(program).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    async fn floods(self: Arc<Self>) {
        let mut moments = tokio::time::interval(FLOOD_EVERY);
        loop {
            moments.tick().await;
            let sessions: Vec<_> = (0..FLOOD).map(|_| self.session()).collect();
            futures::future::join_all(sessions.iter().map(|session| session.run("return 1"))).await;
        }
    }
}

/// Everything once: lethal programs, the attack corpus, work for the host, and calls of each bad server.
fn programs() -> Result<Vec<String>> {
    let mut programs: Vec<String> = kill::LETHAL.iter().map(|(_, program)| (*program).to_owned()).collect();
    programs.extend(attacks::scripts()?.iter().filter_map(|script| String::from_utf8(script.bytes().ok()?).ok()));
    // As often as all of those together, for they are what the host itself has to do.
    let repeated = programs.len() / (WORK.len() + SERVERS.len());
    for _ in 0..repeated.max(1) {
        programs.extend(WORK.map(str::to_owned));
        programs.extend(SERVERS.map(|server| {
            format!("for (let n = 0; n < 50; n++) await Promise.all(['echo', 'change', 'echo'].map((name) => {server}[name]({{ n }}).catch(() => {{}})))")
        }));
    }
    Ok(programs)
}

/// Tools whose arguments take long to look at.
fn heavy_tools() -> Vec<Value> {
    let patterns = (0..500).map(|number| (format!("^k{number}.*x[ab]*y$"), json!({ "type": "string" })));
    vec![
        tool("pattern", json!({ "s": { "type": "string", "pattern": "1[01]{400}[^01]" } })),
        json!({ "name": "keys", "inputSchema": { "type": "object", "patternProperties": Value::Object(patterns.collect()) } }),
    ]
}
