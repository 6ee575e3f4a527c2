//! `isolet serve`: two users of one deployment, programs and MCP over HTTP, and what strangers, thieves and the careless get of it.

mod authorizations;
mod changes;
mod deployments;
mod endings;
mod observed;
mod proxies;
mod served;
mod tokens;
mod two;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_http::Key;
use serde_json::{Value, json};

pub(crate) use self::authorizations::asks_no_server_until_the_user_has_authorized;
pub(crate) use self::served::{Answer, STREAMS, Served, Visitor, modern};
use self::two::Two;
use crate::program;

/// Every test of these modules.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("serve::each_user_has_their_own_types_tools_and_outcomes", || on_tokio(each_user_has_their_own())),
    ("serve::a_run_is_told_as_it_happens_and_its_outcome_last", || on_tokio(a_run_is_told_as_it_happens())),
    ("serve::every_route_of_mcp_is_served_in_both_eras", || on_tokio(every_route_of_mcp())),
    ("serve::a_message_that_is_none_or_says_something_else_is_refused", || on_tokio(wrong_messages())),
    ("serve::a_real_client_finds_the_tools_and_calls_them", || on_tokio(a_real_client())),
    ("serve::a_stolen_session_is_the_id_of_nothing", || on_tokio(a_stolen_session())),
    ("serve::who_is_nobody_or_comes_from_elsewhere_is_refused_on_every_route", || on_tokio(strangers())),
    ("serve::what_is_too_large_or_too_much_is_refused", || on_tokio(too_much())),
    ("serve::roles_lower_the_limits_and_nobody_raises_them", || on_tokio(limits_of_roles())),
    ("serve::what_a_user_wants_of_the_readme_works_word_for_word", || on_tokio(the_readme())),
    ("serve::a_client_that_goes_away_ends_its_run", || on_tokio(endings::a_client_that_goes_away())),
    ("serve::a_client_that_takes_nothing_is_let_go", || on_tokio(endings::a_client_that_takes_nothing())),
    ("serve::what_is_under_way_is_finished_or_told_so_and_nothing_is_left", || on_tokio(endings::sigterm())),
    ("serve::no_silence_is_long", || on_tokio(endings::no_silence_is_long())),
    ("serve::a_client_that_waits_a_minute_for_a_word_hears_one_until_the_end", || on_tokio(endings::an_impatient_client())),
    ("serve::sessions_are_kept_so_many_and_so_long", || on_tokio(endings::sessions_are_kept())),
    ("serve::a_thousand_idle_streams_cost_nobody_anything", || on_tokio(endings::a_thousand_idle_streams())),
    ("serve::streams_that_wait_delay_nobody", || on_tokio(endings::streams_that_wait())),
    ("serve::a_tool_that_a_server_announces_is_there_soon", || on_tokio(changes::announced_tools())),
    ("serve::a_client_hears_of_the_resources_that_it_watches_also_when_their_server_was_started_again", || {
        on_tokio(changes::watched_resources())
    }),
    ("serve::a_file_that_changes_is_in_force_at_once_and_servers_that_do_not_differ_go_on", || {
        on_tokio(changes::changed_files())
    }),
    ("serve::two_files_that_change_at_once_are_in_force_together", || on_tokio(changes::two_files())),
    ("serve::a_model_is_told_which_server_failed_and_why", || on_tokio(changes::failed_servers())),
    ("serve::each_mistake_is_said_with_its_line_and_the_nearest_name", deployments::each_mistake),
    ("serve::a_pattern_that_names_nothing_keeps_it_from_serving", deployments::a_pattern_that_names_nothing),
    ("serve::strangers_are_not_served_without_a_key", deployments::strangers_are_not_served),
    ("serve::on_this_machine_there_is_a_key_in_a_private_file", || on_tokio(deployments::a_private_key())),
    ("serve::a_file_that_is_read_again_is_in_force_unless_it_is_wrong", || on_tokio(deployments::read_again())),
    ("serve::explain_names_the_line_that_decided", deployments::explain_names_the_line),
    ("serve::a_time_beyond_the_most_is_an_error", deployments::a_time_beyond_the_most),
    ("serve::claims_of_a_token_decide_by_the_rules", || on_tokio(tokens::claims_decide())),
    ("serve::an_issuer_that_is_down_costs_its_own_users_a_while", || on_tokio(tokens::an_issuer_that_is_down())),
    ("serve::issuers_come_and_go_with_the_file", || on_tokio(tokens::changed_issuers())),
    ("serve::a_token_that_came_in_goes_to_no_server", || on_tokio(tokens::a_token_that_came_in_goes_nowhere())),
    ("serve::a_user_authorizes_a_server_and_the_same_program_works", || {
        on_tokio(authorizations::the_same_program_works_after_the_consent())
    }),
    ("serve::no_server_is_asked_again_until_its_user_has_authorized_it", || on_tokio(authorizations::asked_once())),
    ("serve::a_user_is_who_a_listed_proxy_says_and_nobody_else_says_so", || on_tokio(proxies::a_listed_proxy())),
    ("serve::what_replies_were_like_is_known_to_the_next_process_for_their_user_alone", || {
        on_tokio(observed::the_next_process())
    }),
    ("serve::users_whom_only_a_proxy_knows_have_the_roles_of_the_file", || on_tokio(proxies::users_of_the_proxy())),
    ("serve::an_application_has_the_page_on_which_a_user_authorizes", || {
        on_tokio(authorizations::an_application_has_the_page())
    }),
];

fn on_tokio(test: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(test)
}

async fn each_user_has_their_own() -> Result<()> {
    let two = Two::start("", &[])?;
    let types = [two.ada.ask("GET /v1/types", &[], "").await?, two.bob.ask("GET /v1/types", &[], "").await?];
    ensure!(types.iter().all(|types| types.status == 200), "{types:?}");
    ensure!(types[0].body.contains("delete_many(") && types[0].body.contains("hang("), "{types:?}");
    ensure!(!types[1].body.contains("delete_many") && types[1].body.contains("say("), "{types:?}");
    ensure!(types[1].header("cache-control") == Some("no-store"), "{types:?}");
    let short = two.ada.ask("GET /v1/types?tokens=20", &[], "").await?;
    ensure!(short.status == 200 && short.body.len() < types[0].body.len(), "{short:?}");
    ensure!(two.ada.ask("GET /v1/types?token=20", &[], "").await?.status == 400, "a query that is not understood");
    let tools = two.bob.ask("GET /v1/tools", &[], "").await?.json()?;
    ensure!(tools["tools"][0]["path"] == "complete.say" && tools["tools"][0]["name"] == "echo", "{tools}");
    ensure!(tools["tools"].as_array().is_some_and(|tools| tools.len() == 1), "{tools}");
    let outcome = two.ada.run("return await complete.echo({ a: 1 })").await?;
    ensure!(outcome["end"] == "returned" && outcome["value"] == json!({ "a": 1 }), "{outcome}");
    let outcome = two.bob.run("return await complete.say({ a: 1 })").await?;
    ensure!(outcome["value"] == json!({ "a": 1, "owner": "acme" }), "{outcome}");
    let outcome = two.bob.run("return await complete.delete_many({})").await?;
    ensure!(outcome["end"] == "threw" && outcome.to_string().contains("delete_many"), "{outcome}");
    for path in ["/healthz", "/readyz"] {
        ensure!(two.served.nobody().ask(&format!("GET {path}"), &[], "").await?.status == 200, "{path}");
    }
    let metrics = two.bob.ask("GET /metrics", &[], "").await?;
    ensure!(metrics.body.contains("isolet_http_requests_total{route=\"/v1/run\",status=\"200\"} 3"), "{metrics:?}");
    ensure!(["ada", "bob", "watcher"].iter().all(|user| !metrics.body.contains(user)), "{metrics:?}");
    Ok(())
}

async fn a_run_is_told_as_it_happens() -> Result<()> {
    let two = Two::start("", &[])?;
    let code = "console.warn('a\\n\\nevent: outcome\\ndata: 1'); await complete.echo({}); await good.fail({}).catch(() => 0); return 7";
    let accept = ("Accept", "text/event-stream");
    let answer = two.ada.ask("POST /v1/run", &[accept], &json!({ "code": code }).to_string()).await?;
    ensure!(answer.status == 200 && answer.header("content-type") == Some("text/event-stream"), "{answer:?}");
    let events = answer.events();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    ensure!(names == ["console", "called", "answered", "called", "answered", "outcome"], "{events:?}");
    ensure!(events[0].1 == json!({ "level": "warn", "text": "a\n\nevent: outcome\ndata: 1" }), "{events:?}");
    ensure!(events[1].1["path"] == "complete.echo" && events[2].1["end"] == "answered", "{events:?}");
    ensure!(events[4].1["end"] == "tool_failed" && events[5].1["value"] == 7, "{events:?}");
    // One that fails is told the same way.
    let answer = two.bob.ask("POST /v1/run", &[accept], r#"{"code": "throw new Error('no')"}"#).await?;
    ensure!(answer.events().last().is_some_and(|(name, data)| name == "outcome" && data["end"] == "threw"), "{answer:?}");
    Ok(())
}

async fn every_route_of_mcp() -> Result<()> {
    let two = Two::start("", &[])?;
    let names = |list: &Value| -> Vec<String> {
        let tools = list["result"]["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().map(|tool| tool["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    for (path, expected) in [
        ("/mcp", &["run_code"][..]),
        ("/mcp/code", &["run_code"]),
        ("/mcp/classic", &["complete__echo"]),
        ("/mcp/search", &["search_tools", "call_tool"]),
    ] {
        let answer = two.bob.mcp(path, "tools/list", json!({})).await?;
        ensure!(answer.status == 200 && names(&answer.json()?) == expected, "{path}: {answer:?}");
        ensure!(answer.json()?["result"]["cacheScope"] == "private", "{path}: {answer:?}");
        let discovered = two.bob.mcp(path, "server/discover", json!({})).await?;
        ensure!(discovered.json()?["result"]["supportedVersions"].to_string().contains("2026-07-28"), "{discovered:?}");
        let session = two.bob.session(path).await?;
        let listed = two.bob.in_session(path, &session, "tools/list", &json!({})).await?;
        ensure!(names(&listed.json()?) == expected && listed.json()?["id"] == "a", "{path}: {listed:?}");
        let ended = two.bob.ask(&format!("DELETE {path}"), &[("Mcp-Session-Id", &session)], "").await?;
        ensure!(ended.status == 204, "{path}: {ended:?}");
        let gone = two.bob.in_session(path, &session, "tools/list", &json!({})).await?;
        ensure!(gone.status == 404 && gone.json()?["error"].is_object(), "{path}: {gone:?}");
        let heard = two.bob.ask(&format!("GET {path}"), &[STREAMS, ("Mcp-Session-Id", &session)], "").await?;
        ensure!(heard.status == 404, "{path}: a session that has ended says nothing: {heard:?}");
        ensure!(two.bob.ask(&format!("GET {path}"), &[], "").await?.status == 406, "{path}: there is nothing but a stream");
    }
    let call = json!({ "name": "complete__echo", "arguments": { "n": 12_345_678_901_234_567_890_u64 } });
    let answer = two.ada.mcp("/mcp/classic", "tools/call", call.clone()).await?;
    // Whole: with what no version of the protocol knows.
    let result = &answer.json()?["result"];
    ensure!(result["structuredContent"]["n"] == 12_345_678_901_234_567_890_u64, "{answer:?}");
    ensure!(result["content"][0]["type"] == "hologram", "{answer:?}");
    let session = two.ada.session("/mcp/classic").await?;
    let answer = two.ada.in_session("/mcp/classic", &session, "tools/call", &call).await?;
    ensure!(answer.json()?["result"]["content"][0]["type"] == "hologram", "{answer:?}");
    let run = json!({ "name": "run_code", "arguments": { "code": "return (await complete.say({ a: 1 })).owner" } });
    let answer = two.bob.mcp("/mcp", "tools/call", run).await?;
    ensure!(answer.json()?["result"]["structuredContent"]["value"] == "acme", "{answer:?}");
    Ok(())
}

async fn wrong_messages() -> Result<()> {
    let two = Two::start("", &[])?;
    let check = async |what: &str, status: u16, code: i64, headers: &[(&str, &str)], body: &str| -> Result<()> {
        let answer = two.ada.ask("POST /mcp/classic", headers, body).await?;
        ensure!(answer.status == status && answer.json()?["error"]["code"] == code, "{what}: {answer:?}");
        Ok(())
    };
    check("no JSON", 400, -32700, &[], "{").await?;
    check("an array", 400, -32600, &[], "[]").await?;
    check("no session", 400, -32600, &[], r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#).await?;
    check("an id that is none", 400, -32600, &[], r#"{"jsonrpc": "2.0", "id": {}, "method": "tools/list"}"#).await?;
    let nobodys = "0".repeat(64);
    check(
        "a session that is none",
        404,
        -32000,
        &[("Mcp-Session-Id", &nobodys)],
        r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#,
    )
    .await?;
    let changed = async |method: &str, params: Value, change: &[(&str, &str)]| -> Result<served::Answer> {
        let (message, headers) = modern(method, params);
        let mut headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.retain(|(name, _)| change.iter().all(|(other, _)| name != other));
        headers.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        two.ada.ask("POST /mcp/classic", &headers, &message).await
    };
    let call = json!({ "name": "complete__echo" });
    for change in [
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", ""),
        ("Mcp-Name", "other"),
        ("Mcp-Name", ""),
        ("Mcp-Protocol-Version", "2025-11-25"),
    ] {
        let answer = changed("tools/call", call.clone(), &[change]).await?;
        ensure!(answer.status == 400 && answer.json()?["error"]["code"] == -32020, "{change:?}: {answer:?}");
    }
    let answer = changed("tools/nothing", json!({}), &[]).await?;
    ensure!(answer.status == 404 && answer.json()?["error"]["code"] == -32601, "{answer:?}");
    let answer = changed("tools/call", json!({ "name": "complete__none" }), &[]).await?;
    ensure!(answer.status == 200 && answer.json()?["error"]["code"] == -32602, "{answer:?}");
    // The version of the message itself.
    let future = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let headers = [("Mcp-Protocol-Version", "2099-01-01"), ("Mcp-Method", "tools/list")];
    check("a version of later", 400, -32022, &headers, future).await?;
    let bare = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
    check(
        "no description of the sender",
        400,
        -32602,
        &[("Mcp-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")],
        bare,
    )
    .await
}

/// rmcp's client, over this project's own requests: what `isolet run` calls servers with.
async fn a_real_client() -> Result<()> {
    let two = Two::start("", &[])?;
    let url = |path: &str| format!("http://{}{path}", two.served.address);
    let authorization = format!("Bearer {}", two.ada.key.as_deref().unwrap_or_default());
    let server = |path: &str| json!({ "url": url(path), "headers": { "Authorization": authorization } });
    let servers = json!({ "classic": server("/mcp/classic"), "code": server("/mcp") });
    let code = "const said = await classic.complete__echo({ a: [1] });\n\
        const ran = await code.run_code({ code: 'return (await good.echo({ b: 2 })).b' });\n\
        const failed = await classic.good__fail({}).catch((error) => error.message);\n\
        return [said.a, ran.value, failed]";
    let ran = tokio::task::spawn_blocking(move || program::run(code, servers, &["--json"])).await??;
    let outcome: Value = serde_json::from_str(&ran.output).with_context(|| format!("{} {}", ran.output, ran.errors))?;
    ensure!(outcome["value"] == json!([[1], 2, "no such issue"]), "{outcome}");
    Ok(())
}

async fn a_stolen_session() -> Result<()> {
    let two = Two::start("", &[])?;
    let session = two.ada.session("/mcp/classic").await?;
    for (who, path) in [(&two.bob, "/mcp/classic"), (&two.ada, "/mcp"), (&two.ada, "/mcp/search")] {
        let answer = who.in_session(path, &session, "tools/list", &json!({})).await?;
        ensure!(answer.status == 404, "{path}: {answer:?}");
        let answer = who.ask(&format!("DELETE {path}"), &[("Mcp-Session-Id", &session)], "").await?;
        ensure!(answer.status == 404, "{path}: {answer:?}");
    }
    let answer = two.served.nobody().in_session("/mcp/classic", &session, "tools/list", &json!({})).await?;
    ensure!(answer.status == 401, "{answer:?}");
    let answer = two.ada.in_session("/mcp/classic", &session, "tools/list", &json!({})).await?;
    ensure!(answer.status == 200 && answer.body.contains("complete__delete-many"), "it is unharmed: {answer:?}");
    Ok(())
}

async fn strangers() -> Result<()> {
    let two = Two::start("", &[])?;
    let program = r#"{"code": "return 1"}"#;
    let routes = [
        "POST /v1/run",
        "GET /v1/types",
        "GET /v1/tools",
        "POST /mcp",
        "DELETE /mcp",
        "POST /mcp/classic",
        "GET /metrics",
        "GET /nowhere",
    ];
    let wrong = Visitor { key: Some(Key::new()?.as_str().to_owned()), ..two.ada.clone() };
    for route in routes {
        let answer = two.served.nobody().ask(route, &[], program).await?;
        ensure!(answer.status == 401 && answer.header("www-authenticate") == Some("Bearer"), "{route}: {answer:?}");
        let answer = wrong.ask(route, &[], program).await?;
        let challenge = answer.header("www-authenticate");
        ensure!(answer.status == 401 && challenge == Some("Bearer error=\"invalid_token\""), "{route}: {answer:?}");
    }
    for route in routes.into_iter().chain(["GET /healthz", "GET /readyz"]) {
        for header in [("Host", "evil.example"), ("Origin", "https://evil.example"), ("Origin", "null")] {
            let answer = two.ada.ask(route, &[header], program).await?;
            ensure!(answer.status == 403, "{route} {header:?}: {answer:?}");
        }
    }
    let origin = format!("http://{}", two.served.address);
    ensure!(two.ada.ask("POST /v1/run", &[("Origin", &origin)], program).await?.status == 200, "its own origin");
    for route in ["POST /v1/run", "POST /mcp", "POST /mcp/classic"] {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let answer = two.ada.ask(route, &[("Content-Type", content_type)], program).await?;
            ensure!(answer.status == 415, "{route} {content_type}: {answer:?}");
        }
    }
    Ok(())
}

async fn too_much() -> Result<()> {
    let two = Two::start("[capacity]\nbody_bytes_max = 4096\nrequests_of_user_max = 3\n", &[])?;
    for route in ["POST /v1/run", "POST /mcp"] {
        let answer = two.ada.ask(route, &[], &" ".repeat(4097)).await?;
        ensure!(answer.status == 413, "{route}: {answer:?}");
    }
    let answer = two.ada.ask("GET /v1/types", &[("X-Large", &"x".repeat(64 << 10))], "").await;
    ensure!(answer.as_ref().map_or(true, |answer| answer.status == 431), "{answer:?}");
    for (body, what) in [("{}", "missing field `code`"), (r#"{"code": "", "cod": 1}"#, "unknown field `cod`"), ("7", "not `{")]
    {
        let answer = two.ada.ask("POST /v1/run", &[], body).await?;
        ensure!(answer.status == 400 && answer.body.contains(what), "{body}: {answer:?}");
    }
    // Three that wait; a fourth is one too many, and another user's is none.
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(two.ada.send("POST /v1/run", &[], r#"{"code": "await good.hang({})"}"#).await?);
    }
    two.watcher.metric_becomes("isolet_runs_live", 3).await?;
    let answer = two.ada.ask("GET /v1/types", &[], "").await?;
    ensure!(answer.status == 429 && answer.header("retry-after").is_some(), "{answer:?}");
    ensure!(two.bob.run("return 1").await?["value"] == 1, "another user");
    drop(waiting);
    two.watcher.metric_becomes("isolet_runs_live", 0).await?;
    ensure!(two.ada.run("return 1").await?["value"] == 1, "there is room again");
    Ok(())
}

async fn limits_of_roles() -> Result<()> {
    let two = Two::start("[limits]\nwall_seconds_max = 40\n", &[])?;
    let ask = async |who: &Visitor, wall_ms_max: u64| -> Result<served::Answer> {
        who.ask("POST /v1/run", &[], &json!({ "code": "return 1", "wall_ms_max": wall_ms_max }).to_string()).await
    };
    // Longer than the default of the library, since the file says so.
    for (who, most) in [(&two.ada, 40_000), (&two.bob, 5_000)] {
        ensure!(ask(who, most).await?.status == 200, "{most}");
        let answer = ask(who, most + 1).await?;
        ensure!(answer.status == 400 && answer.body.contains(&format!("up to {most}")), "{answer:?}");
    }
    let calls = "for (let n = 0; n < 4; n++) await complete.say({}); return 'done'";
    let outcome = two.bob.run(calls).await?;
    ensure!(outcome["end"] == "stopped" && outcome.to_string().contains("the limit is 3"), "{outcome}");
    ensure!(two.ada.run(&calls.replace("say", "echo")).await?["value"] == "done", "another role");
    let run = json!({ "name": "run_code", "arguments": { "code": calls } });
    let answer = two.bob.mcp("/mcp", "tools/call", run).await?;
    ensure!(answer.body.contains("the limit is 3"), "by MCP too: {answer:?}");
    Ok(())
}

/// The lines that begin with `curl` of the README, in a shell, with the address and the key that it says to set.
async fn the_readme() -> Result<()> {
    let two = Two::start("", &[])?;
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"))?;
    let (_, section) = readme.split_once("## Over HTTP").context("the README has no section on HTTP")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let block =
        section.split("```sh\n").find(|block| block.lines().any(|line| line.starts_with("curl "))).context("no curl")?;
    let script = block.split("```").next().unwrap_or_default().replace("\\\n", " ");
    let mut answers = Vec::new();
    for line in script.lines().filter(|line| line.starts_with("curl ")) {
        let shell = tokio::process::Command::new("sh")
            .args(["-c", line])
            .env("ISOLET", format!("http://{}", two.served.address))
            .env("KEY", two.ada.key.as_deref().unwrap_or_default())
            .output();
        let output = tokio::time::timeout(Duration::from_secs(60), shell).await??;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{line}\n{answer}{}", String::from_utf8_lossy(&output.stderr));
        answers.push(answer);
    }
    let expected = ["declare", "\"value\":", "event: outcome", "run_code", "isolet_runs_total"];
    ensure!(answers.len() == expected.len(), "{answers:?}");
    for (answer, expected) in answers.iter().zip(expected) {
        ensure!(answer.contains(expected), "`{expected}` is expected: {answer}");
    }
    ensure!(STREAMS.1.contains("text/event-stream"), "what a client of MCP takes");
    Ok(())
}
