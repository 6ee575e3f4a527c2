//! The tools of one user the classic way: an MCP client calls them one by one, and a model reads every answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::Context as _;
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::{RoleClient, RoleServer, ServiceExt as _};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, ReadBuf};

use crate::tracker::{Tracker, TrackerServer};

/// What may be under way between client and server, bytes.
const WIRE_BYTES: usize = 1 << 16;

/// A session of the classic kind: a server made for one user, and a client that has asked for its tools.
pub(super) struct Classic {
    client: RunningService<RoleClient, ()>,
    server: RunningService<RoleServer, TrackerServer>,
    wire: Wire,
    context_bytes: usize,
}

impl Classic {
    /// Makes a server for `user`, connects a client to it in memory, and asks for the tools.
    pub(super) async fn open(tracker: Arc<Tracker>, user: &str) -> anyhow::Result<Self> {
        let wire = Wire::default();
        let (ours, theirs) = tokio::io::duplex(WIRE_BYTES);
        let (read, write) = tokio::io::split(ours);
        let tapped = Tapped { inner: read, wire: wire.clone() };
        let server = TrackerServer::new(tracker, user)?.serve(theirs);
        let (server, client) = tokio::join!(server, ().serve((tapped, write)));
        let (server, client) = (server?, client?);
        wire.take();
        client.list_all_tools().await?;
        let context_bytes = wire.take_result()?["tools"].to_string().len();
        Ok(Self { client, server, wire, context_bytes })
    }

    /// Calls a tool. What a failed one says is read like any other answer.
    pub(super) async fn call(&mut self, tool: String, arguments: Map<String, Value>) -> anyhow::Result<()> {
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let request_bytes = serde_json::to_string(&request)?.len();
        self.client.call_tool(request).await?;
        let result = self.wire.take_result()?;
        // `structuredContent` says the same once more, and is not for the model.
        let content = result["content"].as_array().context("a result without content")?;
        let texts = content.iter().filter_map(|block| block["text"].as_str());
        self.context_bytes += request_bytes + texts.map(str::len).sum::<usize>();
        Ok(())
    }

    /// Ends client and server; what a model has read and written: definitions, calls, contents of results.
    pub(super) async fn close(self) -> anyhow::Result<usize> {
        self.client.cancel().await?;
        self.server.waiting().await?;
        Ok(self.context_bytes)
    }
}

/// The bytes that have come from the server since they were last taken.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<u8>>>);

impl Wire {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The result in the one message that has come.
    fn take_result(&self) -> anyhow::Result<Value> {
        let mut message: Value = serde_json::from_slice(&self.take()).context("other than one message has come")?;
        Ok(message["result"].take())
    }
}

/// A reader that notes on `wire` what it reads.
struct Tapped<R> {
    inner: R,
    wire: Wire,
}

impl<R: AsyncRead + Unpin> AsyncRead for Tapped<R> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        let mut seen = self.wire.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend_from_slice(&buffer.filled()[before..]);
        read
    }
}
