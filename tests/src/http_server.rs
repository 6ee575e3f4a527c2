//! A scripted HTTP server: what it is asked is kept, and what it answers is written byte for byte, in parts, as the script says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use isolet::mcp::Url;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The longest request that is read, bytes.
const REQUEST_BYTES_MAX: usize = 64 << 20;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    target: String,
    headers: Vec<(String, String)>,
    /// The body, as JSON if it is.
    pub(crate) body: Value,
    text: String,
}

/// A part of an answer.
pub(crate) enum Part {
    Bytes(Vec<u8>),
    /// The next part is written when this is true.
    Until(watch::Receiver<bool>),
    /// These bytes again and again, with so much time between them, for ever.
    Drip(Vec<u8>, Duration),
    /// Nothing more is written, and the connection stays.
    Hang,
}

/// What is written for a request; after the last part the connection ends.
pub(crate) type Answer = Vec<Part>;

/// The server; it ends when it is dropped.
pub(crate) struct HttpServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// How many connections broke off while their answer was not complete.
    left: watch::Receiver<usize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Asked {
    /// The header field `name`, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether `text` stands anywhere in it.
    pub(crate) fn has(&self, text: &str) -> bool {
        let is_in = |value: &str| value.contains(text);
        is_in(&self.target) || is_in(&self.text) || self.headers.iter().any(|(name, value)| is_in(name) || is_in(value))
    }

    /// The body, as it came.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The method of the JSON-RPC message in it, or the HTTP method where there is none.
    pub(crate) fn what(&self) -> &str {
        self.body["method"].as_str().unwrap_or(&self.method)
    }
}

impl HttpServer {
    /// Starts a server that answers as `script` says.
    pub(crate) async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (asked, script) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::new(script));
        let (leaves, left) = watch::channel(0);
        let accepting = {
            let asked = Arc::clone(&asked);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (asked, script, leaves) = (Arc::clone(&asked), Arc::clone(&script), leaves.clone());
                    tokio::spawn(async move {
                        // A client that is gone is no fault.
                        let _ = answer(stream, &asked, &*script, &leaves).await;
                    });
                }
            })
        };
        Ok(Self { address, asked, left, accepting })
    }

    /// Its address.
    pub(crate) fn url(&self) -> Result<Url> {
        Url::parse(&format!("http://{}/mcp", self.address)).context("it is an address")
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was asked `what`.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.asked().iter().filter(|asked| asked.what() == what).count()
    }

    /// Waits until a client has left before its answer was complete.
    pub(crate) async fn was_left(&self) -> Result<()> {
        self.left.clone().wait_for(|left| *left > 0).await?;
        Ok(())
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    asked: &Mutex<Vec<Asked>>,
    script: &(impl Fn(&Asked) -> Answer + ?Sized),
    leaves: &watch::Sender<usize>,
) -> Result<()> {
    let request = read(&mut stream).await?;
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let (mut reading, mut writing) = stream.into_split();
    let parts = async {
        for part in script(&request) {
            match part {
                Part::Bytes(bytes) => writing.write_all(&bytes).await?,
                Part::Until(mut held) => drop(held.wait_for(|is_true| *is_true).await?),
                Part::Drip(bytes, pause) => loop {
                    // Whoever has left is noticed where they are read from.
                    if writing.write_all(&bytes).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                    tokio::time::sleep(pause).await;
                },
                Part::Hang => std::future::pending().await,
            }
        }
        writing.shutdown().await?;
        anyhow::Ok(())
    };
    let gone = async {
        let mut buffer = [0; 64];
        while matches!(reading.read(&mut buffer).await, Ok(1..)) {}
    };
    tokio::select! {
        written = parts => written,
        () = gone => {
            leaves.send_modify(|left| *left += 1);
            Ok(())
        }
    }
}

async fn read(stream: &mut TcpStream) -> Result<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0 && bytes.len() < REQUEST_BYTES_MAX, "no whole request");
    };
    let head = String::from_utf8(bytes[..head_end].to_vec())?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    let length: usize = length.unwrap_or(0);
    let body_start = head_end + 4;
    while bytes.len() < body_start + length {
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "no whole body");
    }
    let body = serde_json::from_slice(&bytes[body_start..]).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[body_start..]).into_owned();
    Ok(Asked { method, target, headers, body, text })
}

/// A whole answer.
pub(crate) fn whole(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    vec![Part::Bytes([head.as_bytes(), b"\r\n", body].concat())]
}

/// An answer without a body.
pub(crate) fn status(status: u16) -> Answer {
    whole(status, &[], b"")
}

/// A JSON-RPC message as an answer.
pub(crate) fn message(status: u16, message: &Value) -> Answer {
    whole(status, &[("content-type", "application/json")], message.to_string().as_bytes())
}

/// The result of `asked`.
pub(crate) fn result(asked: &Asked, result: &Value) -> Answer {
    message(200, &json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": result}))
}

/// An error for `asked`.
pub(crate) fn error(status: u16, asked: &Asked, code: i32, text: &str, data: &Value) -> Answer {
    let error = json!({"code": code, "message": text, "data": data});
    message(status, &json!({"jsonrpc": "2.0", "id": asked.body["id"], "error": error}))
}

/// The head of a stream of events, which goes on.
pub(crate) fn stream() -> Part {
    Part::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec())
}

/// One event with a message.
pub(crate) fn event(message: &Value) -> Part {
    Part::Bytes(format!("data: {message}\n\n").into_bytes())
}

/// What any server says outside of calls, in the era with sessions; `None` for a call.
pub(crate) fn usual(asked: &Asked) -> Option<Answer> {
    Some(match asked.what() {
        "initialize" => {
            let result = json!({
                "protocolVersion": asked.body["params"]["protocolVersion"], "capabilities": {"tools": {"listChanged": true}},
                "serverInfo": {"name": "scripted", "version": "1"},
            });
            let result = json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": result});
            let headers = [("content-type", "application/json"), ("mcp-session-id", "session-1")];
            whole(200, &headers, result.to_string().as_bytes())
        }
        "tools/list" => result(asked, &json!({"tools": [tool("echo")]})),
        "tools/call" => return None,
        "GET" => status(405),
        "DELETE" => status(200),
        _ => status(202),
    })
}

/// The definition of a tool that takes anything.
pub(crate) fn tool(name: &str) -> Value {
    json!({"name": name, "description": "Says what it is told.", "inputSchema": {"type": "object"}})
}

/// The result of a tool that says what it was told.
pub(crate) fn echo(asked: &Asked) -> Value {
    json!({"content": [{"type": "text", "text": asked.body["params"]["arguments"].to_string()}]})
}
