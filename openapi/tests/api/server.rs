//! A server that keeps what it is asked and answers what a test says, and a caller to it.

use std::sync::{Arc, Mutex};

use isolet_openapi::{Api, CallError, Caller, Credential, SchemeCredentialError, SchemeCredentials, SecurityScheme};
use isolet_outbound::{Outbound, Policy, Url};
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Server {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers every request with `status`, these header lines and this body.
    pub(crate) async fn answering(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let bytes = Arc::new([head.as_bytes(), body].concat());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, bytes) = (Arc::clone(&seen), Arc::clone(&bytes));
                tokio::spawn(async move {
                    // A client that goes away is a test that has seen enough.
                    let _ = serve(stream, &seen, &bytes).await;
                });
            }
        });
        Self { url, requests, task }
    }

    pub(crate) async fn ok() -> Self {
        Self::answering("200 OK", &["content-type: application/json"], r#"{"ok":true}"#).await
    }

    /// What it was asked so far, heads and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The only request: its first line, without the version.
    pub(crate) fn line(&self) -> String {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests[0].lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned()
    }

    /// The only request's header field of this name.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let requests = self.requests();
        let head = requests[0].split("\r\n\r\n").next().unwrap();
        let prefix = format!("{name}: ");
        head.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    }

    /// The only request's body.
    pub(crate) fn body(&self) -> String {
        self.requests()[0].split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &[u8]) -> std::io::Result<()> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&text).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    if head.contains("transfer-encoding: chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await?);
        }
    }
    text.extend(body);
    seen.lock().unwrap().push(String::from_utf8_lossy(&text).into_owned());
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    while stream.read_u8().await.is_ok() {}
    Ok(())
}

pub(crate) fn outbound() -> Outbound {
    Outbound::new(Policy::operator()).unwrap()
}

/// A document of this version with these paths, and whatever else.
pub(crate) fn document(version: &str, paths: Value, more: Value) -> Api {
    let mut document = serde_json::json!({ "openapi": version, "info": { "title": "t", "version": "1" }, "paths": paths });
    document.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    Api::parse(document.to_string()).unwrap()
}

/// A document with the one operation `op`.
pub(crate) fn operation(method: &str, path: &str, operation: Value) -> Api {
    let mut operation = operation;
    operation["operationId"] = "op".into();
    document("3.1.0", serde_json::json!({ path: { method: operation } }), Value::Null)
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Calls `op` of `api` without credentials.
pub(crate) async fn call(server: &Server, api: &Api, arguments: Value) -> Result<Value, CallError> {
    let caller = Caller::new(server.url.join("/base/").unwrap(), outbound(), ()).unwrap();
    caller.call(api, "op", &object(arguments)).await
}

/// The same secret for every scheme of these names.
#[derive(Clone)]
pub(crate) struct Secrets(pub(crate) &'static [(&'static str, &'static str)]);

impl SchemeCredentials for Secrets {
    async fn credential(&self, scheme: &SecurityScheme, _: &[String]) -> Result<Option<Credential>, SchemeCredentialError> {
        let found = self.0.iter().find(|(name, _)| *name == scheme.name);
        match found {
            Some((_, "fails")) => Err("the keyring is locked: open it".into()),
            found => Ok(found.map(|(_, secret)| Credential::new(*secret))),
        }
    }
}
