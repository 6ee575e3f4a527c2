//! A session as an MCP server, whose programs run in the program `isolet`.

use anyhow::{Context as _, ensure};
use isolet::Session;
use isolet::mcp::{Mode, channel};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// Each face lists what it has and answers calls; the fault of a program and of a tool is a result that says so.
pub(crate) async fn check(session: &Session) -> anyhow::Result<()> {
    let run = |code: &str| ("tools/call", json!({ "name": "run_code", "arguments": { "code": code } }));
    let call = |tool: &str| ("tools/call", json!({ "name": tool, "arguments": { "a": 1 } }));
    let lists = || ("tools/list", json!({}));

    let code =
        asked(session, Mode::Code, vec![lists(), run("return (await test.echo({ a: 7 })).a"), run("return ("), call("no")]);
    let [listed, value, wrong, unknown]: [Value; 4] = code.await?.try_into().ok().context("four answers")?;
    ensure!(listed["result"]["tools"][0]["name"] == "run_code", "{listed}");
    ensure!(value["result"]["structuredContent"] == json!({ "end": "returned", "value": 7 }), "{value}");
    ensure!(wrong["result"]["isError"] == true && wrong.to_string().contains("SyntaxError"), "{wrong}");
    ensure!(unknown["error"]["code"] == -32602, "{unknown}");

    let classic = asked(session, Mode::Classic, vec![lists(), call("test__echo"), call("test__fail")]);
    let [listed, value, failed]: [Value; 3] = classic.await?.try_into().ok().context("three answers")?;
    ensure!(listed["result"]["tools"].as_array().is_some_and(|tools| tools.len() == 3), "{listed}");
    ensure!(value["result"]["isError"] == false && value.to_string().contains("\\\"a\\\":1"), "{value}");
    ensure!(failed["result"]["isError"] == true && failed.to_string().contains("tool_failed"), "{failed}");
    Ok(())
}

/// What a client of this face is answered, one request after the other.
async fn asked(session: &Session, mode: Mode, requests: Vec<(&str, Value)>) -> anyhow::Result<Vec<Value>> {
    let (there, here) = channel();
    let served = tokio::spawn(session.serve(mode, there));
    let (reader, mut writer) = tokio::io::split(here);
    let mut lines = BufReader::new(reader).lines();
    let client =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
    let mut answers = Vec::new();
    for (id, (method, params)) in std::iter::once(("initialize", client)).chain(requests).enumerate() {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writer.write_all(format!("{request}\n").as_bytes()).await?;
        let answer: Value = serde_json::from_str(&lines.next_line().await?.context("the face is gone")?)?;
        ensure!(answer["id"] == id, "{answer}");
        answers.push(answer);
        if id == 0 {
            writer.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").await?;
        }
    }
    drop((lines, writer));
    served.await??;
    answers.remove(0);
    Ok(answers)
}
