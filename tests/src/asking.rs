//! Servers that ask the user in the middle of a call: through `isolet mcp`, `isolet serve` and a channel, in both eras, from a call and from a program, and all the ways in
//! which there is no answer.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use isolet::AskKind;
use isolet_http::Key;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::asking_client::Client;
use crate::asking_server::ARGUMENT;
use crate::face_client::block_on;
use crate::serve::{Answer, STREAMS, Served, Visitor, modern};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("asking::a_call_and_a_program_ask_the_user_of_a_client_with_a_session", || block_on(with_a_session())),
    ("asking::the_time_in_which_a_user_is_asked_is_not_the_programs", || block_on(slow_user())),
    ("asking::a_call_and_a_program_ask_the_user_of_a_client_without_a_session", || block_on(without_a_session())),
    ("asking::a_client_in_the_same_process_is_asked_in_both_eras", || block_on(in_the_same_process())),
    ("asking::what_cannot_be_asked_is_an_error_that_says_so", || block_on(refused())),
    ("asking::over_http_the_request_that_caused_a_question_hears_it", || block_on(over_http())),
    ("asking::a_state_is_its_users_and_goes_on_once", || block_on(states())),
    ("asking::a_user_who_never_answers_is_waited_for_no_longer_than_that", || block_on(never_answered())),
    ("asking::a_question_ends_with_the_client_that_it_was_put_to", || block_on(vanished())),
];

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client says that answers everything.
fn everything() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} })
}

/// The arguments by which the server asks for a name.
fn name_question() -> Value {
    let schema = json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] });
    json!({ "method": "elicitation/create", "params": { "message": "What is your name?", "requestedSchema": schema } })
}

fn ada() -> Value {
    json!({ "action": "accept", "content": { "name": "Ada" } })
}

/// The program that asks this, and gives the answer or the error.
fn program_of(question: &Value) -> String {
    format!("try {{ return await asks.ask({question}) }} catch (error) {{ return [error.code, error.message] }}")
}

/// The call of a tool and the call of a program that ask this.
fn both(question: &Value) -> [(&'static str, Value); 2] {
    [("asks__ask", question.clone()), ("run_code", json!({ "code": program_of(question) }))]
}

/// What came of such a call: the answer, or code and message of the error.
fn outcome(result: &Value) -> Result<Value> {
    if let Some(value) = result["structuredContent"].get("value") {
        return Ok(value.clone());
    }
    let said = result["content"][0]["text"].as_str().with_context(|| format!("no text: {result}"))?;
    match &result["_meta"]["io.isolet/error"]["code"] {
        Value::Null => Ok(serde_json::from_str(said)?),
        code => Ok(json!([code, said])),
    }
}

async fn with_a_session() -> Result<()> {
    is_asked_in_a_session(Client::with_session(&["elicitation", "sampling", "roots"], everything()).await?).await
}

async fn without_a_session() -> Result<()> {
    is_asked_without_a_session(Client::without_session(&["elicitation"], everything()).await?).await
}

async fn in_the_same_process() -> Result<()> {
    let all = BTreeSet::from([AskKind::Form, AskKind::Url, AskKind::Sampling, AskKind::Roots]);
    is_asked_in_a_session(Client::with_session_here(all, everything()).await?).await?;
    is_asked_without_a_session(Client::without_session_here(BTreeSet::from([AskKind::Form]), everything()).await?).await
}

async fn is_asked_in_a_session(mut client: Client) -> Result<()> {
    let page = json!({ "mode": "url", "message": "Pay here", "url": "https://pay.example/7", "elicitationId": "7" });
    let messages = json!([{ "role": "user", "content": { "type": "text", "text": "Hi" } }]);
    let said = json!({ "role": "assistant", "content": { "type": "text", "text": "Hello" }, "model": "m", "x": 1.5 });
    let folders = json!({ "roots": [{ "uri": "file:///work" }] });
    let questions = [
        (name_question(), "The server `asks` asks:\n\nWhat is your name?", ada()),
        (name_question(), "The server `asks` asks:\n\nWhat is your name?", json!({ "action": "decline" })),
        (json!({ "method": "elicitation/create", "params": page }), "of the host `pay.example`", json!({ "action": "accept" })),
        (json!({ "method": "sampling/createMessage", "params": { "messages": messages, "maxTokens": 9 } }), "", said),
        (json!({ "method": "roots/list" }), "", folders),
    ];
    for (question, shown, answer) in questions {
        for (name, arguments) in both(&question) {
            let id = client.request("tools/call", json!({ "name": name, "arguments": arguments })).await?;
            let asked = client.question().await?;
            ensure!(asked["method"] == question["method"], "{asked}");
            ensure!(asked["params"]["message"].as_str().unwrap_or_default().contains(shown), "{asked}");
            let meta = &asked["params"]["_meta"];
            ensure!(
                meta["io.isolet/server"] == "asks" && meta["io.isolet/request"] == id,
                "whose it is, and for what: {asked}"
            );
            client.say(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": answer })).await?;
            let result = client.answer_to(id).await?;
            ensure!(outcome(&result)? == answer, "{name} {question}: {result}");
        }
    }
    Ok(())
}

async fn slow_user() -> Result<()> {
    let mut client = Client::with_session(&["elicitation"], everything()).await?;
    let code = program_of(&name_question());
    // What a program takes that has been run once is far less than this.
    client
        .answer("tools/call", json!({ "name": "run_code", "arguments": { "code": "return await asks.declared({})" } }))
        .await?;
    let arguments = json!({ "code": code, "timeout_ms": 3000 });
    let id = client.request("tools/call", json!({ "name": "run_code", "arguments": arguments })).await?;
    let asked = client.question().await?;
    // The user thinks for longer than the program may take.
    tokio::time::sleep(Duration::from_millis(3500)).await;
    client.say(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": ada() })).await?;
    let result = client.answer_to(id).await?;
    ensure!(outcome(&result)? == ada(), "{result}");
    let endless = json!({ "code": "await asks.hold({})", "timeout_ms": 300 });
    let result = client.answer("tools/call", json!({ "name": "run_code", "arguments": endless })).await?;
    ensure!(result["structuredContent"]["end"] == "stopped", "without a question it counts: {result}");
    Ok(())
}

async fn is_asked_without_a_session(mut client: Client) -> Result<()> {
    for (name, arguments) in both(&name_question()) {
        let call = json!({ "name": name, "arguments": arguments });
        let asked = client.answer("tools/call", call.clone()).await?;
        ensure!(asked["resultType"] == "input_required", "{asked}");
        let (question, request) = only_question(&asked)?;
        ensure!(request["method"] == "elicitation/create", "{asked}");
        let message = request["params"]["message"].as_str().unwrap_or_default();
        ensure!(message == "The server `asks` asks:\n\nWhat is your name?", "{asked}");
        // Without the answer it is asked again, and goes on with that.
        let mut again = call.clone();
        again["requestState"] = asked["requestState"].clone();
        again["inputResponses"] = json!({ "other": ada(), question.as_str(): 7 });
        let asked = client.answer("tools/call", again).await?;
        ensure!(asked["resultType"] == "input_required", "{asked}");
        let (question, _) = only_question(&asked)?;
        let mut last = call.clone();
        last["requestState"] = asked["requestState"].clone();
        last["inputResponses"] = json!({ question: ada() });
        let result = client.answer("tools/call", last).await?;
        ensure!(result["resultType"] == "complete" && outcome(&result)? == ada(), "{result}");
    }
    // Two at once.
    let question = name_question();
    let code = format!("return await Promise.all([asks.ask({question}), asks.ask({question})])");
    let call = json!({ "name": "run_code", "arguments": { "code": code } });
    let mut asked = client.answer("tools/call", call.clone()).await?;
    let mut rounds = 0;
    while asked["resultType"] == "input_required" {
        rounds += 1;
        ensure!(rounds <= 2, "{asked}");
        asked = client.answer("tools/call", answered(&call, &asked, usize::MAX)?).await?;
    }
    ensure!(outcome(&asked)? == json!([ada(), ada()]), "{asked}");
    // Three at once, of which each time one is answered.
    let code = format!("return await Promise.all([1, 2, 3].map(() => asks.ask({question})))");
    let call = json!({ "name": "run_code", "arguments": { "code": code } });
    let mut asked = client.answer("tools/call", call.clone()).await?;
    let mut rounds = 0;
    while asked["resultType"] == "input_required" {
        rounds += 1;
        ensure!(rounds <= 9, "{asked}");
        asked = client.answer("tools/call", answered(&call, &asked, 1)?).await?;
    }
    ensure!(outcome(&asked)? == json!([ada(), ada(), ada()]), "{asked}");
    Ok(())
}

/// `call` once more, with answers to so many of what was `asked`.
fn answered(call: &Value, asked: &Value, count: usize) -> Result<Value> {
    let names = asked["inputRequests"].as_object().context("no questions")?.keys();
    let answers: serde_json::Map<String, Value> = names.take(count).map(|name| (name.clone(), ada())).collect();
    let mut next = call.clone();
    (next["requestState"], next["inputResponses"]) = (asked["requestState"].clone(), answers.into());
    Ok(next)
}

/// The question of such a result, and what it is called.
fn only_question(result: &Value) -> Result<(String, Value)> {
    let questions = result["inputRequests"].as_object().with_context(|| format!("no questions: {result}"))?;
    ensure!(questions.len() == 1, "{result}");
    questions.iter().next().map(|(name, question)| (name.clone(), question.clone())).context("no question")
}

/// Whether the client has a session; what the server's entry allows; what the client declares; questions, each with why it is not asked.
type Case<'a> = (bool, &'a [&'a str], Value, &'a [(&'a Value, &'a str)]);

async fn refused() -> Result<()> {
    let mut secret = name_question();
    secret["params"]["message"] = "Type your password".into();
    let mut forged = json!({ "method": "elicitation/create" });
    forged["params"] =
        json!({ "mode": "url", "message": "Pay", "url": "https://bank.example@evil.example/", "elicitationId": "7" });
    let name = &name_question();
    let not_switched_on = "with `ask` in the server's entry";
    let cases: [Case<'_>; 4] = [
        (true, &[], everything(), &[(name, not_switched_on)]),
        (false, &["sampling", "roots"], everything(), &[(name, not_switched_on)]),
        (false, &["elicitation"], json!({ "sampling": {} }), &[(name, "the client does not answer questions")]),
        (
            true,
            &["elicitation"],
            everything(),
            &[(&secret, "a password, a key or a token"), (&forged, "names a user in front of its host")],
        ),
    ];
    for (has_session, asks, capabilities, questions) in cases {
        let mut client = if has_session {
            Client::with_session(asks, capabilities).await?
        } else {
            Client::without_session(asks, capabilities).await?
        };
        for (question, why) in questions {
            for (name, arguments) in both(question) {
                let result = client.answer("tools/call", json!({ "name": name, "arguments": arguments })).await?;
                let came = outcome(&result)?;
                ensure!(came[0] == "cannot_ask", "{name} {asks:?}: {result}");
                ensure!(came[1].as_str().is_some_and(|message| message.contains(why)), "{name} {asks:?}: {result}");
            }
        }
        if asks.is_empty() {
            let result = client.answer("tools/call", json!({ "name": "asks__declared", "arguments": {} })).await?;
            ensure!(outcome(&result)? == json!({}), "a server is told of nothing that it may not ask for: {result}");
        }
    }
    Ok(())
}

/// A deployment of two users with a server that asks, and their keys.
fn deployment(upstream: &str) -> Result<(String, Key, Key)> {
    let (ada, bob) = (Key::new()?, Key::new()?);
    let user = |name: &str, key: &Key| format!("[users.{name}]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash());
    let executable = Value::from(std::env::current_exe()?.to_string_lossy().into_owned());
    let server =
        |name: &str| format!("[servers.{name}]\ncommand = {executable}\nargs = [\"{ARGUMENT}\"]\nask = [\"elicitation\"]\n");
    let servers = server("asks") + &server("other");
    Ok((format!("{}{}{upstream}{servers}", user("ada", &ada), user("bob", &bob)), ada, bob))
}

/// A stream that is read.
struct Stream {
    connection: TcpStream,
    said: String,
}

impl Stream {
    /// Calls a tool in a session; the stream on which it is answered.
    async fn call(visitor: &Visitor, session: &str, id: u64, tool: &str, arguments: &Value) -> Result<Self> {
        let params = json!({ "name": tool, "arguments": arguments });
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
        let headers = [STREAMS, ("Mcp-Session-Id", session), ("Mcp-Protocol-Version", "2025-11-25")];
        let connection = visitor.send("POST /mcp/classic", &headers, &message).await?;
        Ok(Self { connection, said: String::new() })
    }

    /// Reads what comes within a moment, if anything does.
    async fn read_soon(&mut self) -> Result<()> {
        let mut bytes = [0; 4096];
        if let Ok(read) = tokio::time::timeout(Duration::from_millis(100), self.connection.read(&mut bytes)).await {
            self.said += &String::from_utf8_lossy(&bytes[..read?]);
        }
        Ok(())
    }

    /// The first message that has come with `member`.
    async fn message_with(&mut self, member: &str) -> Result<Value> {
        let reading = async {
            let mut bytes = [0; 4096];
            loop {
                let data = self.said.lines().filter_map(|line| line.strip_prefix("data: "));
                let messages = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
                if let Some(message) = messages.into_iter().find(|message| message.get(member).is_some()) {
                    return Ok(message);
                }
                let read = self.connection.read(&mut bytes).await?;
                ensure!(read > 0, "it ended: {}", self.said);
                self.said += &String::from_utf8_lossy(&bytes[..read]);
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.with_context(|| format!("there is no `{member}`"))?
    }
}

/// Answers a question in a session.
async fn answer(visitor: &Visitor, session: &str, question: &Value, result: &Value) -> Result<()> {
    let headers = [STREAMS, ("Mcp-Session-Id", session), ("Mcp-Protocol-Version", "2025-11-25")];
    let message = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }).to_string();
    let answer = visitor.ask("POST /mcp/classic", &headers, &message).await?;
    ensure!(answer.status == 202, "{answer:?}");
    Ok(())
}

async fn over_http() -> Result<()> {
    let (deployment, ada_key, _) = deployment("")?;
    let served = Served::start(&deployment, &[])?;
    let visitor = served.visitor(&ada_key);
    let session = visitor.session_of("/mcp/classic", &everything()).await?;
    let release = json!({ "name": "other__release", "arguments": {} });
    // One that waits longer, for a server that asks nothing.
    let mut held = Stream::call(&visitor, &session, 1, "other__hold", &json!({})).await?;
    let mut asking = Stream::call(&visitor, &session, 2, "asks__ask", &name_question()).await?;
    let question = asking.message_with("method").await?;
    ensure!(question["method"] == "elicitation/create", "{question}");
    ensure!(question["params"]["_meta"]["io.isolet/request"] == 2, "{question}");
    answer(&visitor, &session, &question, &ada()).await?;
    let result = asking.message_with("result").await?;
    ensure!(result["id"] == 2 && outcome(&result["result"])? == ada(), "{result}");
    // There it may come before the other is held.
    while !held.said.contains("held") {
        let released = visitor.in_session("/mcp/classic", &session, "tools/call", &release).await?;
        ensure!(released.status == 200, "{released:?}");
        held.read_soon().await?;
    }
    ensure!(!held.said.contains("elicitation/create"), "the question went to another request: {}", held.said);
    // A client that hears nothing before the answer is not asked.
    let params = json!({ "name": "asks__ask", "arguments": name_question() });
    let message = json!({ "jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": params }).to_string();
    let headers = [("Accept", "application/json"), ("Mcp-Session-Id", &session), ("Mcp-Protocol-Version", "2025-11-25")];
    let refused = visitor.ask("POST /mcp/classic", &headers, &message).await?.json()?;
    ensure!(outcome(&refused["result"])?[0] == "cannot_ask", "{refused}");
    // A program of `POST /v1/run` has nobody to ask.
    let outcome = visitor.run(&program_of(&name_question())).await?;
    ensure!(outcome["value"][0] == "cannot_ask", "{outcome}");
    Ok(())
}

/// A message by itself of a client that declares everything, with these members more.
async fn alone(visitor: &Visitor, path: &str, name: &str, arguments: &Value, more: Value) -> Result<Answer> {
    let mut params = more;
    (params["name"], params["arguments"]) = (name.into(), arguments.clone());
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = everything();
    let (message, headers) = modern("tools/call", params);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    visitor.ask(&format!("POST {path}"), &headers, &message).await
}

async fn states() -> Result<()> {
    let (deployment, ada_key, bob_key) = deployment("")?;
    let served = Served::start(&deployment, &[])?;
    let (visitor, other) = (served.visitor(&ada_key), served.visitor(&bob_key));
    let calls =
        [("/mcp/classic", "asks__ask", name_question()), ("/mcp", "run_code", json!({ "code": program_of(&name_question()) }))];
    for (path, name, arguments) in calls {
        let asked = alone(&visitor, path, name, &arguments, json!({})).await?.json()?["result"].clone();
        ensure!(asked["resultType"] == "input_required", "{asked}");
        let (question, _) = only_question(&asked)?;
        let state = asked["requestState"].as_str().context("no state")?.to_owned();
        let responses = json!({ question: ada() });
        let bring = |state: &str| json!({ "requestState": state, "inputResponses": responses });
        let is_refused = |answer: &Answer| Ok::<bool, anyhow::Error>(answer.json()?["error"]["code"] == -32602);
        let stolen = alone(&other, path, name, &arguments, bring(&state)).await?;
        ensure!(is_refused(&stolen)?, "another user's: {stolen:?}");
        let tampered = alone(&visitor, path, name, &arguments, bring(&format!("{state}0"))).await?;
        ensure!(is_refused(&tampered)?, "{tampered:?}");
        let mut others = arguments.clone();
        others["more"] = 1.into();
        let moved = alone(&visitor, path, name, &others, bring(&state)).await?;
        ensure!(is_refused(&moved)?, "another request's: {moved:?}");
        let result = alone(&visitor, path, name, &arguments, bring(&state)).await?.json()?["result"].clone();
        ensure!(result["resultType"] == "complete" && outcome(&result)? == ada(), "{result}");
        let again = alone(&visitor, path, name, &arguments, bring(&state)).await?;
        ensure!(is_refused(&again)?, "it was used: {again:?}");
    }
    Ok(())
}

async fn never_answered() -> Result<()> {
    let (deployment, ada_key, _) = deployment("[upstream]\nanswer_seconds_max = 1\n")?;
    let served = Served::start(&deployment, &[])?;
    let visitor = served.visitor(&ada_key);
    let session = visitor.session_of("/mcp/classic", &everything()).await?;
    let mut asking = Stream::call(&visitor, &session, 1, "asks__ask", &name_question()).await?;
    let result = asking.message_with("result").await?;
    let came = outcome(&result["result"])?;
    ensure!(came[0] == "cannot_ask" && came[1].as_str().is_some_and(|why| why.contains("no answer within 1s")), "{result}");
    // One who was asked by an answer, and does not come back in time.
    let asked = alone(&visitor, "/mcp/classic", "asks__ask", &name_question(), json!({})).await?.json()?["result"].clone();
    let (question, _) = only_question(&asked)?;
    answers_become(&visitor, 2).await?;
    let late = json!({ "requestState": asked["requestState"], "inputResponses": { question: ada() } });
    let refused = alone(&visitor, "/mcp/classic", "asks__ask", &name_question(), late).await?.json()?;
    ensure!(refused["error"]["code"] == -32602, "{refused}");
    Ok(())
}

/// Waits until the server has so many answers; all of them.
async fn answers_become(visitor: &Visitor, count: usize) -> Result<Vec<Value>> {
    let becomes = async {
        loop {
            let outcome = visitor.run("return await asks.answers({})").await?;
            let answers = outcome["value"].as_array().cloned().with_context(|| format!("no answers: {outcome}"))?;
            if answers.len() >= count {
                return Ok(answers);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, becomes).await {
        Ok(answers) => answers,
        Err(_) => bail!("the server does not get {count} answers"),
    }
}

async fn vanished() -> Result<()> {
    let (deployment, ada_key, _) = deployment("")?;
    let served = Served::start(&deployment, &[])?;
    let visitor = served.visitor(&ada_key);
    let session = visitor.session_of("/mcp/classic", &everything()).await?;
    let mut asking = Stream::call(&visitor, &session, 1, "asks__ask", &name_question()).await?;
    asking.message_with("method").await?;
    drop(asking);
    let answers = answers_become(&visitor, 1).await?;
    ensure!(answers[0].as_str().is_some_and(|why| why.contains("nobody waits")), "{answers:?}");
    // The session goes on, and its next question is asked.
    let mut asking = Stream::call(&visitor, &session, 2, "asks__ask", &name_question()).await?;
    let question = asking.message_with("method").await?;
    answer(&visitor, &session, &question, &ada()).await?;
    let result = asking.message_with("result").await?;
    ensure!(outcome(&result["result"])? == ada(), "{result}");
    Ok(())
}
