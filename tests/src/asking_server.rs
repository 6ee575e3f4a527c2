//! A server that asks whoever calls it what it is told to ask, and keeps what it is answered.

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};

use anyhow::Result;
use serde_json::{Value, json};

/// The argument by which this executable becomes it.
pub(crate) const ARGUMENT: &str = "asking-server";

/// What it knows.
#[derive(Default)]
struct Server {
    /// What was declared to it.
    declared: Value,
    /// The calls that wait for the answers to its questions, by these.
    asking: HashMap<String, Value>,
    /// All answers so far, results and errors.
    answers: Vec<Value>,
    /// Calls that wait for `release`.
    held: Vec<Value>,
}

/// Becomes the server.
pub(crate) fn serve() -> Result<()> {
    let mut server = Server::default();
    for line in std::io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        for said in server.hear(&message) {
            writeln!(std::io::stdout(), "{said}")?;
        }
    }
    Ok(())
}

fn result(id: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn text(id: &Value, said: &Value, is_error: bool) -> Value {
    result(id, &json!({ "content": [{ "type": "text", "text": said.to_string() }], "isError": is_error }))
}

impl Server {
    /// What it says to that.
    fn hear(&mut self, message: &Value) -> Vec<Value> {
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str() {
            Some("initialize") => {
                self.declared = params["capabilities"].clone();
                let about = json!({ "name": "asks", "version": "1" });
                let capabilities = json!({ "tools": {} });
                vec![result(
                    id,
                    &json!({ "protocolVersion": params["protocolVersion"], "capabilities": capabilities, "serverInfo": about }),
                )]
            }
            Some("tools/list") => {
                let names = ["ask", "answers", "declared", "hold", "release"];
                let tools: Vec<Value> =
                    names.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect();
                vec![result(id, &json!({ "tools": tools }))]
            }
            Some("tools/call") => self.call(id, &params["name"], &params["arguments"]),
            Some(_) => Vec::new(),
            None => {
                let Some(call) = id.as_str().and_then(|id| self.asking.remove(id)) else { return Vec::new() };
                let is_error = message["result"].is_null();
                let answer = if is_error { &message["error"]["message"] } else { &message["result"] };
                self.answers.push(answer.clone());
                vec![text(&call, answer, is_error)]
            }
        }
    }

    fn call(&mut self, id: &Value, name: &Value, arguments: &Value) -> Vec<Value> {
        match name.as_str() {
            Some("ask") => {
                let question = format!("question {}", self.asking.len() + self.answers.len());
                self.asking.insert(question.clone(), id.clone());
                vec![json!({
                    "jsonrpc": "2.0", "id": question, "method": arguments["method"], "params": arguments["params"],
                })]
            }
            Some("answers") => vec![text(id, &json!(self.answers), false)],
            Some("declared") => vec![text(id, &self.declared, false)],
            Some("hold") => {
                self.held.push(id.clone());
                Vec::new()
            }
            _ => {
                let mut said: Vec<Value> = self.held.drain(..).map(|call| text(&call, &json!("held"), false)).collect();
                said.push(text(id, &json!("released"), false));
                said
            }
        }
    }
}
