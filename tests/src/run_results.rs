//! What a client gets of a program's value: all blocks of a reply, images as images, and no more than fits a model's context.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{Mode, ServeOptions};
use isolet::{Catalog, Config, Grants, Runtime, Session, ToolCall, ToolError, ToolReply, tool_fn};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use crate::face_client::{Client, block_on, call, connect_with, text_of};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("run_results::a_program_has_all_blocks_of_a_reply", || block_on(all_blocks())),
    ("run_results::only_the_promise_of_a_call_has_blocks", || block_on(only_promises())),
    ("run_results::images_and_audio_that_are_returned_are_shown", || block_on(shown())),
    ("run_results::a_long_value_is_cut_and_read_on_by_the_next_program", || block_on(read_on())),
    ("run_results::value_and_console_share_the_budget", || block_on(shared_budget())),
    ("run_results::a_program_takes_as_long_as_it_asks_for_or_the_default", || block_on(time())),
    ("run_results::a_kept_result_is_its_users_alone", || block_on(its_users_alone())),
];

const PIXEL: &str = "iVBORw0KGgo=";

/// Answers with structured content and blocks beside it, with texts, or as a host without MCP does.
async fn answer(call: ToolCall) -> Result<ToolReply, ToolError> {
    let image = json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" });
    match call.tool.as_str() {
        "shot" => {
            let blocks = json!([{ "type": "text", "text": "a shot" }, image, { "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" }]);
            let result = json!({ "content": blocks, "structuredContent": { "width": 1 } });
            isolet::mcp::reply(result.to_string(), false)
        }
        "plain" => Ok(ToolReply::from(json!({ "n": 9_007_199_254_740_993_u64 }))),
        _ => Err(ToolError::failed("no")),
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Runtime::new(Config::default())?)
}

fn session_of(runtime: &Runtime) -> Result<Session> {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    let catalog = Catalog::load([("camera", ["shot", "plain", "fails"].map(tool).to_vec())])?;
    Ok(runtime.session(catalog.scope(&Grants::new().allow("*"))?, tool_fn(answer)))
}

async fn client_of(session: &Session) -> Result<Client> {
    connect_with(session, Mode::Code.into()).await
}

/// Runs a program as a model does.
async fn run(client: &Client, code: &str) -> Result<(CallToolResult, Value)> {
    let result = client.call_tool(call("run_code", &json!({ "code": code }))).await?;
    let form = result.structured_content.clone().context("no structured content")?;
    Ok((result, form))
}

async fn all_blocks() -> Result<()> {
    let runtime = runtime()?;
    let session = session_of(&runtime)?;
    let client = client_of(&session).await?;
    for (code, expected) in [
        (
            "const call = camera.shot(); const [value, blocks] = await Promise.all([call, tools.content(call)]); return [value, blocks.map((block) => block.type)]",
            json!([{ "width": 1 }, ["text", "image", "audio"]]),
        ),
        ("const { content } = tools; return (await content(camera.plain()))[0].type", json!("text")),
        ("return (await tools.content(camera.plain()))[0].text", json!("{\"n\":9007199254740993}")),
        ("const call = camera.plain(); await tools.content(call); return (await call).n", json!("9007199254740993")),
        ("const call = tools.search('shot', 1); await tools.content(call); return (await call)[0].path", json!("camera.shot")),
        ("return await tools.content(camera.fails()).catch((error) => error.code)", json!("tool_failed")),
        // Who asks for nothing is told that there is more.
        ("await camera.shot(); return 1", json!(1)),
        // What was answered before it is asked for is there as well.
        ("const call = camera.shot(); await call; await camera.plain(); return (await tools.content(call)).length", json!(3)),
    ] {
        let (_, form) = run(&client, code).await?;
        ensure!(form["value"] == expected, "{code}: {form}");
        let is_told = form["notes"].to_string().contains("`camera.shot` has an image beside its value");
        ensure!(is_told != code.contains("content"), "{code}: {form}");
    }
    Ok(())
}

async fn only_promises() -> Result<()> {
    let runtime = runtime()?;
    let session = session_of(&runtime)?;
    let client = client_of(&session).await?;
    for argument in [
        "await camera.shot()",
        "undefined",
        "Promise.resolve(1)",
        "'camera.shot'",
        "camera.shot",
        "camera.shot().then((value) => value)",
    ] {
        let (_, form) = run(&client, &format!("return await tools.content({argument})")).await?;
        let message = form["message"].as_str().unwrap_or_default();
        ensure!(form["end"] == "threw" && message.contains("takes the promise of a call"), "{argument}: {form}");
    }
    let (_, form) = run(&client, "const name = 'con' + 'tent'; return await tools[name](camera.shot())").await?;
    ensure!(form["message"].as_str().is_some_and(|message| message.contains("by that name")), "{form}");
    Ok(())
}

async fn shown() -> Result<()> {
    let runtime = runtime()?;
    let session = session_of(&runtime)?;
    let client = client_of(&session).await?;
    let (result, form) = run(&client, "const blocks = await tools.content(camera.shot()); return ['look', ...blocks]").await?;
    let [_, ContentBlock::Image(image), ContentBlock::Audio(audio)] = result.content.as_slice() else {
        anyhow::bail!("{result:?}")
    };
    ensure!(image.data == PIXEL && image.mime_type == "image/png" && audio.mime_type == "audio/wav", "{result:?}");
    ensure!(!form.to_string().contains(PIXEL) && form["value"][1]["text"] == "a shot", "{form}");
    ensure!(!text_of(&result).contains(PIXEL), "the image is in the text too");
    let (result, _) = run(&client, "return (await tools.content(camera.shot()))[1]").await?;
    ensure!(matches!(result.content.as_slice(), [ContentBlock::Text(_), ContentBlock::Image(_)]), "{result:?}");
    let (result, _) = run(&client, "return { type: 'image', data: 'not base64', mimeType: 'image/png' }").await?;
    ensure!(matches!(result.content.as_slice(), [ContentBlock::Text(_)]), "{result:?}");
    Ok(())
}

async fn read_on() -> Result<()> {
    let runtime = runtime()?;
    let session = session_of(&runtime)?;
    let client = client_of(&session).await?;
    let long = "return Array.from({ length: 20000 }, (_, number) => ({ number, name: `issue ${number}` }))";
    let (result, form) = run(&client, long).await?;
    ensure!(result.is_error == Some(false) && text_of(&result).len() < 20_000, "{} bytes", text_of(&result).len());
    let value = form["value"].as_array().context("no array")?;
    ensure!(value[0]["number"] == 0 && value.last().is_some_and(|last| last["number"] == 19_999), "{form}");
    let cut = form["cut"].as_str().context("it does not say how to go on")?;
    let handle = cut.split("tools.result(\"").nth(1).and_then(|rest| rest.split('"').next()).context("no handle")?;
    let (_, form) = run(&client, &format!("return (await tools.result({handle:?})).length")).await?;
    ensure!(form["value"] == 20_000, "{form}");
    let (_, form) = run(&client, &format!("return await tools.result({handle:?}, 10000, 10002)")).await?;
    ensure!(
        form["value"] == json!([{ "number": 10_000, "name": "issue 10000" }, { "number": 10_001, "name": "issue 10001" }]),
        "{form}"
    );
    let (_, form) = run(&client, "return await tools.result('0123')").await?;
    ensure!(form["message"].as_str().is_some_and(|message| message.contains("not kept any more")), "{form}");
    let (_, form) = run(&client, "return 'x'.repeat(200000)").await?;
    ensure!(form["value"].as_str().is_some_and(|text| text.contains("of 200000 characters left out")), "{form}");
    let (_, form) = run(&client, "return [1, 2, 3]").await?;
    ensure!(form.get("cut").is_none(), "{form}");
    Ok(())
}

async fn shared_budget() -> Result<()> {
    let runtime = runtime()?;
    let session = session_of(&runtime)?;
    let mut options = ServeOptions::new(Mode::Code);
    options.result_tokens_max = 500;
    let client = connect_with(&session, options).await?;
    let code = "for (let line = 0; line < 200; line++) console.log(`line ${line}`); return 'y'.repeat(10000)";
    let (result, form) = run(&client, code).await?;
    ensure!(text_of(&result).len() < 500 * 4 && !form["console"].is_null(), "{} bytes: {form}", text_of(&result).len());
    ensure!(form["console"].to_string().contains("of 200 elements left out"), "{form}");
    let (_, form) = run(&client, "for (let line = 0; line < 40; line++) console.log(`line ${line}`); return 1").await?;
    ensure!(form["console"].as_array().is_some_and(|lines| lines.len() == 40), "{form}");
    Ok(())
}

async fn its_users_alone() -> Result<()> {
    let runtime = runtime()?;
    let (ada, again, bob) =
        (session_of(&runtime)?.of_user("ada"), session_of(&runtime)?.of_user("ada"), session_of(&runtime)?.of_user("bob"));
    let (_, form) = run(&client_of(&ada).await?, "return 'x'.repeat(100000)").await?;
    let cut = form["cut"].as_str().context("it is not cut")?;
    let handle = cut.split("tools.result(\"").nth(1).and_then(|rest| rest.split('"').next()).context("no handle")?;
    let code = format!("return (await tools.result({handle:?})).length");
    let (_, form) = run(&client_of(&again).await?, &code).await?;
    ensure!(form["value"] == 100_000, "{form}");
    for other in [bob, session_of(&runtime)?] {
        let (_, form) = run(&client_of(&other).await?, &code).await?;
        ensure!(form["message"].as_str().is_some_and(|message| message.contains("not kept any more")), "{form}");
    }
    Ok(())
}

async fn time() -> Result<()> {
    let runtime = runtime()?;
    let session = session_of(&runtime)?;
    let mut options = ServeOptions::new(Mode::Code);
    options.wall_default = Some(Duration::from_millis(200));
    let client = connect_with(&session, options).await?;
    for (asked, expected) in
        [(json!(null), "the limit is 200ms"), (json!(400), "the limit is 400ms"), (json!(100), "the limit is 100ms")]
    {
        let arguments = json!({ "code": "for (;;) {}", "timeout_ms": asked });
        let answer = text_of(&client.call_tool(call("run_code", &arguments)).await?);
        ensure!(answer.contains(expected), "{asked}: {answer}");
    }
    // What it cannot have is said, and nothing runs.
    let wall_ms_max = u64::try_from(session.limits().wall_max.as_millis())?;
    let arguments = json!({ "code": "return 1", "timeout_ms": wall_ms_max + 1 });
    let answer = text_of(&client.call_tool(call("run_code", &arguments)).await?);
    ensure!(answer.contains(&format!("it can be up to {wall_ms_max}")), "{answer}");
    Ok(())
}
