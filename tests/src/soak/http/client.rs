//! One client: makes its calls in its own way, five a round, and knows each answer before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::server::{SERVERS, SERVERS_COUNT, Server};
use super::tally::Tally;
use crate::keep_alive::KeptAlive;
use crate::serve::{Answer, STREAMS, Visitor, modern};

/// Calls of one round; two rounds call every server.
pub(super) const CALLS_OF_ROUND: usize = SERVERS_COUNT / 2;
/// How long a call that was lost to the death of its server is asked again, and how soon.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(60);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Numbers of one client begin at its number times this.
const NUMBERS: u64 = 1_000_000_000;

/// How a client calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Programs: `POST /v1/run`.
    Programs,
    /// MCP in code mode, each message by itself.
    Code,
    /// Classic MCP, each message by itself.
    Alone,
    /// Classic MCP in a session.
    Session,
}

const WAYS: [Way; 4] = [Way::Programs, Way::Session, Way::Code, Way::Alone];

/// One client.
pub(super) struct Client {
    number: u64,
    way: Way,
    visitor: Visitor,
    connection: KeptAlive,
    session: Option<String>,
    calls: u64,
    tally: Arc<Tally>,
}

/// One call.
#[derive(Clone, Copy)]
struct Call {
    server: &'static Server,
    number: u64,
}

impl Client {
    /// The client with this number, of the user who is `visitor`.
    pub(super) fn new(number: usize, visitor: Visitor, tally: &Arc<Tally>) -> Self {
        let connection = KeptAlive::to(visitor.address);
        let (way, tally) = (WAYS[number % WAYS.len()], Arc::clone(tally));
        Self { number: number as u64 + 1, way, visitor, connection, session: None, calls: 0, tally }
    }

    /// Makes the calls of one round. Those to servers that die are apart: whatever becomes of them is nobody else's.
    pub(super) async fn round(&mut self) {
        let calls: Vec<Call> = (0..CALLS_OF_ROUND).map(|_| self.next()).collect();
        let (mortal, others): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(|call| call.server.is_mortal());
        for mut calls in [others, mortal] {
            let began = Instant::now();
            while !calls.is_empty() {
                let answers = self.answers(&calls).await;
                calls = self.judge(calls, answers, began.elapsed() < ASK_AGAIN_MAX);
                if !calls.is_empty() {
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
            }
        }
    }

    fn next(&mut self) -> Call {
        let server = &SERVERS[usize::try_from(self.calls).unwrap_or_default() % SERVERS_COUNT];
        self.calls += 1;
        Call { server, number: self.number * NUMBERS + self.calls }
    }

    /// The calls that are to be made again.
    fn judge(&self, calls: Vec<Call>, answers: Result<Vec<Value>>, is_asked_again: bool) -> Vec<Call> {
        let answers: Vec<Result<Value, String>> = match answers {
            Ok(answers) if answers.len() == calls.len() => answers.into_iter().map(Ok).collect(),
            Ok(answers) => vec![Err(format!("{} answers to {} calls", answers.len(), calls.len())); calls.len()],
            Err(error) => vec![Err(format!("{error:#}")); calls.len()],
        };
        let mut again = Vec::new();
        for (call, answer) in calls.into_iter().zip(answers) {
            match answer {
                Ok(value) if value["value"] == self.told(call) => {
                    self.tally.right.fetch_add(1, Ordering::Relaxed);
                    if call.server.is_counted() {
                        self.tally.right_at_counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
                // It failed, which is no answer of somebody else.
                Ok(value) if call.server.is_mortal() && value.get("failed").is_some() && is_asked_again => {
                    self.tally.is_lost(call.server.name);
                    again.push(call);
                }
                answer => self.tally.is_wrong(format!("{:?} {}, {}: {answer:?}", self.way, call.number, call.server.name)),
            }
        }
        again
    }

    /// What a server is told, and says.
    fn told(&self, call: Call) -> Value {
        json!({ "client": self.number, "number": call.number, "server": call.server.name })
    }

    /// The answers to all of `calls`: `{"value": ...}`, or `{"failed": ...}`.
    async fn answers(&mut self, calls: &[Call]) -> Result<Vec<Value>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        if matches!(self.way, Way::Programs | Way::Code) {
            let outcome = self.run(&self.program(calls)).await?;
            let failed = || vec![json!({ "failed": outcome }); calls.len()];
            return Ok(outcome["value"].as_array().cloned().unwrap_or_else(failed));
        }
        let mut answers = Vec::new();
        for call in calls {
            answers.push(self.call(*call).await?);
        }
        Ok(answers)
    }

    /// A program that makes all of them at once.
    fn program(&self, calls: &[Call]) -> String {
        let said = calls.iter().map(|call| format!("said({}.echo({}))", call.server.name, self.told(*call)));
        format!(
            "const said = (call) => call.then((value) => ({{ value }}), (error) => ({{ failed: error.code ?? String(error) }}));\n\
             return await Promise.all([{}]);",
            said.collect::<Vec<_>>().join(", ")
        )
    }

    /// What became of a program.
    async fn run(&mut self, program: &str) -> Result<Value> {
        if self.way == Way::Programs {
            let request = self.visitor.text_of("POST /v1/run", &[], &json!({ "code": program }).to_string());
            return answered(&self.connection.ask(&request).await?);
        }
        let run = json!({ "name": "run_code", "arguments": { "code": program } });
        Ok(self.ask_alone("/mcp", run).await?["result"]["structuredContent"].take())
    }

    /// One call by classic MCP.
    async fn call(&mut self, call: Call) -> Result<Value> {
        let params = json!({ "name": format!("{}__echo", call.server.name), "arguments": self.told(call) });
        let mut answer = match self.way {
            Way::Session => self.ask_in_session(&params).await?,
            _ => self.ask_alone("/mcp/classic", params).await?,
        };
        let is_answered = answer["result"].is_object() && answer["result"]["isError"] != true;
        Ok(if is_answered {
            json!({ "value": answer["result"]["structuredContent"].take() })
        } else {
            json!({ "failed": answer })
        })
    }

    async fn ask_alone(&mut self, path: &str, params: Value) -> Result<Value> {
        let (message, headers) = modern("tools/call", params);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = self.visitor.text_of(&format!("POST {path}"), &headers, &message);
        answered(&self.connection.ask(&request).await?)
    }

    /// A session that has ended is begun again, once for a call.
    async fn ask_in_session(&mut self, params: &Value) -> Result<Value> {
        for _ in 0..2 {
            let session = match self.session.take() {
                Some(session) => session,
                None => self.visitor.session("/mcp/classic").await?,
            };
            let id = self.calls;
            let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
            let headers = [STREAMS, ("Mcp-Session-Id", &session), ("Mcp-Protocol-Version", "2025-11-25")];
            let answer = self.connection.ask(&self.visitor.text_of("POST /mcp/classic", &headers, &message)).await?;
            if answer.status == 404 {
                self.tally.begun_again.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.session = Some(session);
            let answer = answered(&answer)?;
            ensure!(answer["id"] == id, "the answer to another request: {answer}");
            return Ok(answer);
        }
        bail!("its session always ends")
    }
}

fn answered(answer: &Answer) -> Result<Value> {
    ensure!(answer.status == 200, "{answer:?}");
    answer.json()
}
