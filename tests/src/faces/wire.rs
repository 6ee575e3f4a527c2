//! A client without a library: lines of JSON.

use anyhow::{Context as _, Result};
use isolet::Session;
use isolet::mcp::{Mode, Transport};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::face_client::PATIENCE;

/// One client: what it writes, and what it is answered.
pub(super) struct Wire {
    lines: tokio::io::Lines<BufReader<tokio::io::ReadHalf<tokio::io::DuplexStream>>>,
    writer: tokio::io::WriteHalf<tokio::io::DuplexStream>,
}

impl Wire {
    pub(super) fn open(session: &Session, mode: Mode) -> Self {
        let (here, there) = tokio::io::duplex(64 << 10);
        tokio::spawn(session.serve(mode, Transport::pipe(there)));
        let (reader, writer) = tokio::io::split(here);
        Self { lines: BufReader::new(reader).lines(), writer }
    }

    pub(super) async fn initialize(&mut self) -> Result<Value> {
        let request =
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
        let answer = self.ask("initialize", request).await?;
        self.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(answer)
    }

    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        self.send(method, 1, &params).await?;
        self.receive().await
    }

    pub(super) async fn send(&mut self, method: &str, id: u32, params: &Value) -> Result<()> {
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await
    }

    async fn write(&mut self, message: &Value) -> Result<()> {
        self.write_line(&message.to_string()).await
    }

    pub(super) async fn write_line(&mut self, line: &str) -> Result<()> {
        self.write_bytes(format!("{line}\n").as_bytes()).await
    }

    pub(super) async fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.writer.write_all(bytes).await?)
    }

    pub(super) async fn receive(&mut self) -> Result<Value> {
        Ok(serde_json::from_str(&self.receive_text().await?)?)
    }

    pub(super) async fn receive_text(&mut self) -> Result<String> {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.context("no answer")??;
        line.context("the server is gone")
    }
}
