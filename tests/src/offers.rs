//! Sessions that follow each other on one connection: servers that start late, tools that come and go.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::FutureExt as _;
use isolet::mcp::{self, Mode, Offer};
use isolet::{Catalog, Config, Grants, Runtime, Session, ToolCall, ToolReply, tool_fn};
use rmcp::service::{NotificationContext, RunningService};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use crate::face_client::{block_on, call, text_of};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("offers::a_list_does_not_wait_for_a_late_server_and_a_call_does", || block_on(late())),
    ("offers::the_client_is_told_of_new_tools_and_has_them", || block_on(told())),
    ("offers::a_program_that_runs_keeps_its_tools", || block_on(kept())),
];

/// A client that counts how often its tools have changed.
#[derive(Clone)]
struct Watcher(mpsc::UnboundedSender<()>);

impl ClientHandler for Watcher {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(());
    }
}

struct Served {
    client: RunningService<RoleClient, Watcher>,
    changes: mpsc::UnboundedReceiver<()>,
    offers: mpsc::Sender<Offer>,
    runtime: Runtime,
    gate: Arc<Semaphore>,
}

impl Served {
    async fn new(mode: Mode) -> Result<Self> {
        let (offers, offered) = mpsc::channel(1);
        let (there, here) = mcp::channel();
        tokio::spawn(mcp::serve_offers(mode, there, offered));
        let (sender, changes) = mpsc::unbounded_channel();
        let client = Watcher(sender).serve(here).await?;
        Ok(Self { client, changes, offers, runtime: Runtime::new(Config::default())?, gate: Arc::new(Semaphore::new(0)) })
    }

    /// A session with a tool `go` on each of these servers, which answers with the server's name. That of `held` waits for the gate.
    fn session(&self, servers: &[&str]) -> Result<Session> {
        let tool = json!({ "name": "go", "inputSchema": { "type": "object" } });
        let scope = Catalog::load(servers.iter().map(|server| (*server, vec![tool.clone()])))?
            .lacking([("broken", "it ended with exit status: 7")])
            .scope(&Grants::new().allow("*"))?;
        let gate = Arc::clone(&self.gate);
        let answer = move |call: ToolCall| {
            let gate = Arc::clone(&gate);
            async move {
                if &*call.server == "held" {
                    let _ = gate.acquire().await;
                }
                Ok(ToolReply::text(call.server.to_string()))
            }
        };
        Ok(self.runtime.session(scope, tool_fn(answer)))
    }

    /// Names and descriptions.
    async fn listed(&self) -> Result<String> {
        let tools = self.client.list_all_tools().await?;
        Ok(tools.iter().map(|tool| format!("{}: {}\n", tool.name, tool.description.as_deref().unwrap_or_default())).collect())
    }

    async fn run(&self, code: &str) -> Result<String> {
        Ok(text_of(&self.client.call_tool(call("run_code", &json!({ "code": code }))).await?))
    }
}

async fn late() -> Result<()> {
    let served = Served::new(Mode::Code).await?;
    let offer = Offer::new(served.session(&["ready"])?).without_yet(["slow".to_owned()]);
    served.offers.send(offer).await?;
    let listed = served.listed().await?;
    ensure!(
        listed.contains("the server `slow` is still starting") && listed.contains("the server `broken` cannot"),
        "{listed}"
    );
    ensure!(listed.contains("exit status: 7"), "a model is told why: {listed}");
    ensure!(listed.contains("ready") && !listed.contains("namespace slow"), "{listed}");
    let call = served.run("return await slow.go()");
    tokio::pin!(call);
    // It has been made, and is not answered.
    ensure!((&mut call).now_or_never().is_none(), "it did not wait");
    served.offers.send(Offer::new(served.session(&["ready", "slow"])?)).await?;
    let answer = call.await?;
    ensure!(answer.contains("\"value\":\"slow\""), "{answer}");
    let listed = served.listed().await?;
    ensure!(listed.contains("namespace slow") && !listed.contains("still starting"), "{listed}");
    for program in ["return await broken.go()", "const servers = { broken }; return await servers.broken.go()"] {
        let said = served.run(program).await?;
        ensure!(said.contains("the server `broken` cannot be used now") && said.contains("exit status: 7"), "{said}");
    }
    Ok(())
}

async fn told() -> Result<()> {
    for mode in [Mode::Code, Mode::Classic] {
        let mut served = Served::new(mode).await?;
        let info = served.client.peer_info().context("no handshake")?;
        let says_so = info.capabilities.tools.as_ref().and_then(|tools| tools.list_changed);
        ensure!(says_so == Some(true), "{info:?}");
        served.offers.send(Offer::new(served.session(&["one"])?)).await?;
        let before = served.listed().await?;
        served.offers.send(Offer::new(served.session(&["one", "two"])?)).await?;
        let told = tokio::time::timeout(Duration::from_secs(30), served.changes.recv()).await;
        ensure!(matches!(told, Ok(Some(()))), "{mode:?}: the client is not told");
        let after = served.listed().await?;
        ensure!(!before.contains("two") && after.contains("two"), "{mode:?}: {before} {after}");
        if mode == Mode::Classic {
            let result = served.client.call_tool(call("two__go", &json!({}))).await?;
            ensure!(text_of(&result) == "two", "{result:?}");
        }
    }
    Ok(())
}

async fn kept() -> Result<()> {
    let served = Served::new(Mode::Code).await?;
    served.offers.send(Offer::new(served.session(&["held"])?)).await?;
    let program = served.run("const first = await held.go(); return [first, await held.go()]");
    let renewed = async {
        // As soon as the program has made its call, which then is held.
        while served.runtime.metrics().live == 0 {
            tokio::task::yield_now().await;
        }
        served.offers.send(Offer::new(served.session(&["other"])?)).await?;
        // The new tools are there before the program goes on.
        while served.run("return await other.go()").await?.contains("threw") {}
        served.gate.add_permits(2);
        anyhow::Ok(())
    };
    let (answer, renewed) = tokio::join!(program, renewed);
    renewed?;
    let answer = answer?;
    ensure!(answer.contains("\"value\":[\"held\",\"held\"]"), "{answer}");
    let gone = served.run("return await held.go()").await?;
    ensure!(gone.contains("threw"), "{gone}");
    Ok(())
}
