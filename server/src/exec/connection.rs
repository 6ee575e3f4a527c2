//! One caller: what it asks is begun in the order in which it comes, done at the same time, and answered, whatever becomes of it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use isolet::{Config, Isolation, RunOptions, Runtime, TokenBudget, visible};
use isolet_rpc::client_id::ClientId;
use isolet_rpc::client_requests::ClientRequests;
use isolet_rpc::envelope::{Envelope, object};
use isolet_rpc::messages::{LINE_BYTES_MAX, Messages, Received, too_long};
use isolet_rpc::output::Output;
use isolet_rpc::refusal::{INVALID_REQUEST, Refusal, no_message};
use isolet_rpc::standard_streams::Writer;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::calls::Calls;
use super::events::{self, EVENTS_WAITING};
use super::failure::Failure;
use super::limits;
use super::line::Line;
use super::params::{self, read};
use super::run_tools::RunTools;
use super::scopes::{SCOPES_MAX, Scopes};

/// The version of what is spoken.
const PROTOCOL: u64 = 1;

/// Requests that may be under way: as many runs as may wait for a place, and some that do not.
const REQUESTS_MAX: usize = 1024 + 256;

/// How long a caller may take nothing while something waits for it.
const STALL_MAX: Duration = Duration::from_secs(30);

/// How long what is under way may take to end when the caller has gone, and how long the last answers may take to be written.
const END_MAX: Duration = Duration::from_secs(5);

/// Serves one caller until it closes its end, asks to shut down or takes nothing any more, or `ended` is cancelled. Nothing of it is left then.
pub(super) async fn serve(input: impl AsyncRead + Unpin, output: Writer, ended: &CancellationToken) {
    let output = Output::new(output, STALL_MAX);
    let mut messages = Messages::new(input, Arc::clone(&output));
    let (line, written) = Line::new(Arc::clone(&output));
    let connection = Arc::new(Connection {
        calls: Arc::new(Calls::new(line.clone())),
        line,
        requests: ClientRequests::new(REQUESTS_MAX),
        scopes: Scopes::new(),
        runtime: OnceLock::new(),
        ended: ended.child_token(),
    });
    let mut tasks = JoinSet::new();
    let last = loop {
        let received = tokio::select! {
            biased;
            () = connection.ended.cancelled() => break None,
            received = messages.next() => received,
        };
        while tasks.try_join_next().is_some() {}
        match received {
            None => break None,
            Some(Received::TooLong(id)) => {
                if !id.as_ref().is_some_and(|id| connection.calls.lose(id, LINE_BYTES_MAX)) {
                    output.refuse(id.as_ref(), too_long());
                }
            }
            Some(Received::Text(text)) => match connection.hear(&text) {
                Ok(Heard::Nothing) => {}
                Ok(Heard::Task(task)) => drop(tasks.spawn(task)),
                Ok(Heard::Shutdown(id)) => break Some(id),
                Err((id, refusal)) => output.refuse(id.as_ref(), refusal),
            },
        }
    };
    connection.ended.cancel();
    let all = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(END_MAX, all).await;
    tasks.shutdown().await;
    connection.scopes.close_all().await;
    if let Some(id) = last {
        connection.line.say(result_text(id.as_json(), "{}")).await;
    }
    // The line ends with the last of those who could say something.
    drop(connection);
    let _ = tokio::time::timeout(END_MAX, written).await;
    // What was refused last is written beside the line.
    let _ = tokio::time::timeout(END_MAX, output.backlog().room(0)).await;
    output.close().await;
}

/// What is kept for one caller.
struct Connection {
    line: Line,
    /// Each with what cancels it.
    requests: ClientRequests<CancellationToken>,
    calls: Arc<Calls>,
    scopes: Scopes,
    /// There from the handshake on.
    runtime: OnceLock<Runtime>,
    ended: CancellationToken,
}

/// What a message asks for.
enum Heard {
    Nothing,
    /// To do this, answer included.
    Task(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// To end, and to answer this then.
    Shutdown(ClientId),
}

/// A request as it is worked on.
struct Asked {
    method: String,
    /// Its `id`, JSON.
    id: Box<RawValue>,
    params: Option<Box<RawValue>>,
    cancel: CancellationToken,
}

impl Connection {
    /// Reads a message. The error is one that is answered at once.
    fn hear(self: &Arc<Self>, text: &str) -> Result<Heard, (Option<ClientId>, Refusal)> {
        let Ok(message) = object::<Envelope<'_>>(text) else { return Err((None, no_message(text))) };
        match (message.method(), message.id) {
            ((Some(method), _), None) => {
                self.notified(&method, message.params);
                Ok(Heard::Nothing)
            }
            ((Some(method), _), Some(id)) => self.request(&method, id, &message, text.len()),
            ((None, false), _) if message.result.is_some() || message.error.is_some() => {
                if let Some(wrong) = self.calls.answer(&message) {
                    self.warn(&wrong);
                }
                Ok(Heard::Nothing)
            }
            (_, id) => {
                let id = id.and_then(ClientId::of);
                Err((id, (INVALID_REQUEST, "a request has a `method`, which is a text".into())))
            }
        }
    }

    fn request(
        self: &Arc<Self>,
        method: &str,
        id: &RawValue,
        message: &Envelope<'_>,
        bytes: usize,
    ) -> Result<Heard, (Option<ClientId>, Refusal)> {
        let Some(client_id) = ClientId::of(id) else {
            return Err((None, (INVALID_REQUEST, "an `id` is a number or a text, of at most 256 bytes".into())));
        };
        if !message.is_marked() {
            return Err((Some(client_id), (INVALID_REQUEST, "`jsonrpc` is \"2.0\" in every message".into())));
        }
        let cancel = self.ended.child_token();
        let opened = self.requests.open(client_id.clone(), bytes, cancel.clone());
        let (number, admission) = opened.map_err(|not_taken| (Some(client_id.clone()), Refusal::from(not_taken)))?;
        if method == "shutdown" && read::<params::Nothing>(method, message.params).is_ok() {
            return Ok(Heard::Shutdown(client_id));
        }
        // The handshake comes before all that follows it.
        let at_once = (method == "initialize").then(|| self.initialize(message.params));
        let asked =
            Asked { method: method.to_owned(), id: id.to_owned(), params: message.params.map(RawValue::to_owned), cancel };
        let connection = Arc::clone(self);
        Ok(Heard::Task(Box::pin(async move {
            let answer = match at_once {
                Some(answer) => answer.map(|result| result.to_string()),
                None => {
                    let answered = AssertUnwindSafe(connection.answer(&asked)).catch_unwind().await;
                    answered.unwrap_or_else(|_| Err(Failure::panicked()))
                }
            };
            let text = match answer {
                Ok(result) => result_text(asked.id.get(), &result),
                Err(failure) => failure.answer(asked.id.get()),
            };
            // From here on its `id` may name another one; its place is free when it is said.
            connection.requests.close(number);
            connection.line.say(text).await;
            drop(admission);
        })))
    }

    /// The result of a request, JSON text.
    async fn answer(&self, asked: &Asked) -> Result<String, Failure> {
        let params = asked.params.as_deref();
        let result = match &*asked.method {
            "scope/open" => {
                self.runtime()?;
                self.scopes.open(read("scope/open", params)?, &asked.cancel).await?.as_json()
            }
            "types" => self.types(&read("types", params)?)?,
            "run" => self.run(read("run", params)?, asked).await?,
            "cancel" => json!({ "cancelled": self.cancel(read("cancel", params)?) }),
            "scope/close" => {
                let params::CloseScope { scope } = read("scope/close", params)?;
                self.scopes.close(&scope).await?;
                json!({})
            }
            "shutdown" => {
                read::<params::Nothing>("shutdown", params)?;
                json!({})
            }
            method => return Err(Failure::method(method)),
        };
        Ok(result.to_string())
    }

    /// Of the caller's notifications only a cancellation is heard.
    fn notified(&self, method: &str, params: Option<&RawValue>) {
        let wrong = match method {
            "cancel" => match read(method, params) {
                Ok(params) => {
                    self.cancel(params);
                    return;
                }
                Err(_) => "a `cancel` that names no `request` cancels nothing".to_owned(),
            },
            _ => format!("a notification `{method}` means nothing here: with an `id` it would be answered"),
        };
        self.warn(&wrong);
    }

    fn initialize(&self, params: Option<&RawValue>) -> Result<Value, Failure> {
        let params: params::Initialize = read("initialize", params)?;
        if params.protocol != PROTOCOL {
            return Err(Failure::params(format!(
                "the program `isolet` {} speaks version {PROTOCOL} of the protocol, and is asked for version {}: use the program and the \
                 package of the same release",
                env!("CARGO_PKG_VERSION"),
                params.protocol,
            )));
        }
        if self.runtime.get().is_some() {
            return Err(Failure::request("`initialize` comes once"));
        }
        if let Some(client) = &params.client {
            let (name, version) = (visible::line_within(&client.name, 100), visible::line_within(&client.version, 100));
            tracing::debug!(name = %name, version = %version, "caller");
        }
        let mut config = Config::default();
        params.limits.set(&mut config.limits);
        config.live_runs_max = params.live_runs_max.unwrap_or(config.live_runs_max);
        // One caller, whose scopes take turns: each may have all places.
        config.waiting_runs_of_user_max = config.waiting_runs_max;
        if params.strict {
            config.isolation = Isolation::Strict;
        } else if let Some(tier) = params.isolation {
            config.isolation = tier.isolation();
        }
        let runtime = Runtime::new(config)?;
        let result = json!({
            "protocol": PROTOCOL,
            "program": { "name": "isolet", "version": env!("CARGO_PKG_VERSION") },
            "limits": limits::as_json(runtime.limits()),
            "maxima": { "line_bytes": LINE_BYTES_MAX, "requests": REQUESTS_MAX, "scopes": SCOPES_MAX },
        });
        let _ = self.runtime.set(runtime);
        Ok(result)
    }

    fn runtime(&self) -> Result<&Runtime, Failure> {
        self.runtime.get().ok_or_else(|| Failure::request("begin with `initialize`"))
    }

    fn types(&self, params: &params::Types) -> Result<Value, Failure> {
        let scope = self.scopes.find(&params.scope)?;
        let types = match params.budget {
            None => scope.scope().typescript().to_owned(),
            Some(tokens) => scope.scope().types(TokenBudget::new(tokens)).text,
        };
        Ok(json!({ "types": types }))
    }

    async fn run(&self, params: params::Run, asked: &Asked) -> Result<Value, Failure> {
        let runtime = self.runtime()?;
        let scope = self.scopes.find(&params.scope)?;
        let (events, seen) = params.events.then(|| mpsc::channel(EVENTS_WAITING)).unzip();
        let options = RunOptions::default().with(|options| {
            options.limits = params.limits.lower();
            options.clock_ms = params.clock_ms;
            options.seed = params.seed;
            options.events = events;
            options.cancel = asked.cancel.clone();
        });
        let tools = RunTools { scope: Arc::clone(&scope), calls: Arc::clone(&self.calls), run: asked.id.clone() };
        let session = runtime.session(scope.scope().clone(), tools).of_user(scope.name());
        let run = async {
            let run = session.run_with(&params.program, options);
            tokio::pin!(run);
            tokio::select! {
                outcome = &mut run => outcome,
                () = scope.ended().cancelled() => {
                    asked.cancel.cancel();
                    run.await
                }
            }
        };
        let told = async {
            if let Some(seen) = seen {
                events::tell(&self.line, &asked.id, seen).await;
            }
        };
        let (outcome, ()) = tokio::join!(run, told);
        Ok(outcome?.to_json())
    }

    /// Cancels a request that is under way; whether there is one.
    fn cancel(&self, params: params::Cancel) -> bool {
        let cancel = ClientId::of(&params.request).and_then(|id| self.requests.kept_of(&id));
        cancel.map(|cancel| cancel.cancel()).is_some()
    }

    /// Says what is wrong with a message that cannot be answered.
    fn warn(&self, message: &str) {
        self.line.mention("warning", json!({ "message": visible::line_within(message, 1000) }));
    }
}

fn result_text(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}
