//! The namespace `test` that the attack corpus calls, for two users, and a tool that answers when it is told to.
//!
//! Everything that must not leave is planted here: a credential in the tool host, a tool outside of the scope.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use isolet::{Catalog, Grants, Scope, ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

/// In the environment of the host.
pub(crate) const CANARY_ENVIRONMENT: &str = "canary-env-6f1d";
/// In the host's tool host, as the credential of its user.
pub(crate) const CANARY_CREDENTIAL: &str = "canary-cred-0001";
/// In a file in the host's working directory.
pub(crate) const CANARY_FILE: &str = "canary-file-93ab";
/// The answer of a tool that is not in the scope.
pub(crate) const CANARY_SECRET: &str = "canary-secret-value";
/// All of them.
pub(crate) const CANARIES: [&str; 4] = [CANARY_ENVIRONMENT, CANARY_CREDENTIAL, CANARY_FILE, CANARY_SECRET];

/// What one user's upstream has received, and whether calls of `hold.until_told` are answered.
pub(crate) struct Upstream {
    user: String,
    received: Mutex<Vec<(String, Map<String, Value>)>>,
    running: AtomicUsize,
    told: watch::Sender<bool>,
}

impl Upstream {
    /// The upstream of one user. What must not leave has the user's name in it.
    pub(crate) fn new(user: &str) -> Arc<Self> {
        Arc::new(Self {
            user: user.to_owned(),
            received: Mutex::default(),
            running: AtomicUsize::new(0),
            told: watch::Sender::new(false),
        })
    }

    /// The calls that arrived since the last time: the tool and its arguments.
    pub(crate) fn take_received(&self) -> Vec<(String, Map<String, Value>)> {
        std::mem::take(&mut self.received.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many calls have arrived and are not answered.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Answers the calls of `hold.until_told`, now and from now on; or holds those that come from now on.
    pub(crate) fn tell(&self, told: bool) {
        self.told.send_replace(told);
    }
}

/// Counts a call as long as it runs, also when it is cancelled.
struct Running<'count>(&'count AtomicUsize);

impl<'count> Running<'count> {
    fn new(count: &'count AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The tool host of one user.
pub(crate) struct TestTools(pub(crate) Arc<Upstream>);

impl ToolHost for TestTools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let upstream = &self.0;
        // What a real tool host sends with its request: it is in this process's memory and in no answer.
        let credential = std::hint::black_box(format!("{CANARY_CREDENTIAL} of {}", upstream.user));
        if credential.is_empty() {
            return Err(ToolError::failed("no credential"));
        }
        upstream
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((call.tool.clone(), call.arguments.as_map().clone()));
        let _running = Running::new(&upstream.running);
        let argument = |name: &str| call.arguments.get(name).cloned().unwrap_or(Value::Null);
        let number = |name: &str| argument(name).as_f64().unwrap_or(0.0);
        match call.tool.as_str() {
            "echo" => Ok(json!({ "value": argument("value") }).into()),
            "add" => Ok(json!({ "sum": number("a") + number("b") }).into()),
            "slow" => {
                tokio::time::sleep(Duration::from_secs_f64(number("ms").clamp(0.0, 60_000.0) / 1000.0)).await;
                Ok(json!({ "slept": argument("ms") }).into())
            }
            "big" => {
                let bytes = argument("bytes").as_u64().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
                Ok(ToolReply::text("b".repeat(bytes.min(64 << 20))))
            }
            "secret" => Ok(ToolReply::text(format!("{CANARY_SECRET} of {}", upstream.user))),
            "until_told" => {
                // The sender lives as long as this does.
                let _ = upstream.told.subscribe().wait_for(|told| *told).await;
                Ok(json!({ "id": argument("id") }).into())
            }
            _ => Err(ToolError::failed(argument("message").as_str().unwrap_or_default())),
        }
    }
}

/// The scopes of the tests: `test` without `test.secret`, `hold`, and both.
pub(crate) struct Scopes {
    pub(crate) test: Scope,
    pub(crate) hold: Scope,
    pub(crate) both: Scope,
}

/// Makes the scopes.
pub(crate) fn scopes() -> anyhow::Result<Scopes> {
    let tool = |name: &str, properties: Value, required: Value| json!({ "name": name, "inputSchema": { "type": "object", "properties": properties, "required": required } });
    let test = vec![
        tool("echo", json!({ "value": {} }), json!([])),
        tool("add", json!({ "a": { "type": "number" }, "b": { "type": "number" } }), json!(["a", "b"])),
        tool("fail", json!({ "message": { "type": "string" } }), json!([])),
        tool("slow", json!({ "ms": { "type": "number" } }), json!(["ms"])),
        tool("big", json!({ "bytes": { "type": "integer" } }), json!(["bytes"])),
        tool("secret", json!({}), json!([])),
    ];
    let hold = vec![tool("until_told", json!({ "id": {} }), json!([]))];
    let catalog = Catalog::load([("test", test), ("hold", hold)])?;
    Ok(Scopes {
        test: catalog.scope(&Grants::new().allow("test.*").deny("test.secret"))?,
        hold: catalog.scope(&Grants::new().allow("hold.*"))?,
        both: catalog.scope(&Grants::new().allow("*").deny("test.secret"))?,
    })
}
