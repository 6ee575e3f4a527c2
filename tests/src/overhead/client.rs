//! A client that asks the same on both sides.

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::channel;
use isolet::{End, Session};
use rmcp::RoleClient;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RunningService, ServiceExt as _};
use serde_json::{Value, json};

use super::deployment::Deployment;
use crate::keep_alive::KeptAlive;
use crate::serve::{STREAMS, Visitor, modern};

const ADD: &str = "return 1 + 1";
const ONE_CALL: &str = "return (await test.tool_0({ value: 7 })).value";
const TOOL: &str = "test__tool_0";
/// What it says.
const TEXT: &str = "{\"value\":7}";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A program without a call.
    Add,
    /// A program with a call.
    OneCall,
    /// A call by itself, as of 2026-07-28.
    CallAlone,
    /// A call in a session, as of 2025-11-25.
    CallInSession,
    /// A program with a call, by MCP, by itself.
    RunCode,
}

impl What {
    pub(super) const ALL: [Self; 5] = [Self::Add, Self::OneCall, Self::CallAlone, Self::CallInSession, Self::RunCode];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Add => "`/v1/run`, `return 1 + 1`",
            Self::OneCall => "`/v1/run`, one call",
            Self::CallAlone => "`/mcp/classic`, a call by itself",
            Self::CallInSession => "`/mcp/classic`, a call in a session",
            Self::RunCode => "`/mcp`, `run_code` with one call",
        }
    }

    /// What stands in the answer over HTTP.
    fn expected(self) -> &'static str {
        match self {
            Self::Add => "\"value\":2",
            Self::OneCall | Self::RunCode => "\"value\":7",
            // As a text within JSON.
            Self::CallAlone | Self::CallInSession => "\\\"value\\\":7",
        }
    }
}

/// A client, with a session in this process for each face and a connection over HTTP.
pub(super) struct Client {
    deployment: Deployment,
    classic: RunningService<RoleClient, ()>,
    code: RunningService<RoleClient, ()>,
    connection: KeptAlive,
    session: String,
    /// What is served ends with its session.
    _served: [Session; 2],
}

impl Client {
    pub(super) async fn new(deployment: &Deployment) -> Result<Self> {
        let served = [deployment.session(), deployment.session()];
        let (there, here) = channel();
        tokio::spawn(served[0].serve_classic(there));
        let classic = ().serve(here).await?;
        let (there, here) = channel();
        tokio::spawn(served[1].serve_code_mode(there));
        let code = ().serve(here).await?;
        let session = deployment.visitor.session("/mcp/classic").await?;
        let connection = KeptAlive::to(deployment.visitor.address);
        Ok(Self { deployment: deployment.clone(), classic, code, connection, session, _served: served })
    }

    /// Asks, over HTTP or in this process, and checks the answer.
    pub(super) async fn ask(&mut self, what: What, is_http: bool) -> Result<()> {
        if is_http { self.ask_over_http(what).await } else { self.ask_here(what).await }
    }

    async fn ask_over_http(&mut self, what: What) -> Result<()> {
        let request = request(&self.deployment.visitor, what, &self.session);
        let answer = self.connection.ask(&request).await?;
        ensure!(answer.status == 200 && answer.body.contains(what.expected()), "{what:?}: {answer:?}");
        Ok(())
    }

    async fn ask_here(&self, what: What) -> Result<()> {
        let (client, name, arguments) = match what {
            What::Add => return self.run_here(ADD, 2).await,
            What::OneCall => return self.run_here(ONE_CALL, 7).await,
            What::CallAlone | What::CallInSession => (&self.classic, TOOL, json!({ "value": 7 })),
            What::RunCode => (&self.code, "run_code", json!({ "code": ONE_CALL })),
        };
        let arguments = arguments.as_object().cloned().context("an object")?;
        let result = client.call_tool(CallToolRequestParams::new(name).with_arguments(arguments)).await?;
        // A program's value is structured, that of a tool which declares no schema is the text that it gave.
        let text = result.content.first().and_then(|block| block.as_text()).map(|text| text.text.as_str());
        let is_structured = result.structured_content.as_ref().is_some_and(|content| content["value"] == 7);
        ensure!(result.is_error != Some(true) && (is_structured || text == Some(TEXT)), "{what:?}: {result:?}");
        Ok(())
    }

    async fn run_here(&self, program: &str, expected: i32) -> Result<()> {
        let outcome = self.deployment.session().run(program).await?;
        let End::Returned(value) = &outcome.end else { anyhow::bail!("{}", outcome.end) };
        ensure!(value.as_f64() == Some(f64::from(expected)), "{value}");
        Ok(())
    }
}

/// The request, as it is written.
fn request(visitor: &Visitor, what: What, session: &str) -> String {
    let program = |code: &str| visitor.text_of("POST /v1/run", &[], &json!({ "code": code }).to_string());
    let alone = |path: &str, params: Value| {
        let (message, headers) = modern("tools/call", params);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        visitor.text_of(&format!("POST {path}"), &headers, &message)
    };
    let call = json!({ "name": TOOL, "arguments": { "value": 7 } });
    match what {
        What::Add => program(ADD),
        What::OneCall => program(ONE_CALL),
        What::CallAlone => alone("/mcp/classic", call),
        What::RunCode => alone("/mcp", json!({ "name": "run_code", "arguments": { "code": ONE_CALL } })),
        What::CallInSession => {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call }).to_string();
            let headers = [STREAMS, ("Mcp-Session-Id", session), ("Mcp-Protocol-Version", "2025-11-25")];
            visitor.text_of("POST /mcp/classic", &headers, &message)
        }
    }
}
