//! What a client's model knows of a user's tools before it has asked anything, and how it is answered when it takes them for MCP tools.

use anyhow::{Context as _, Result, ensure};
use isolet::Grants;
use isolet::mcp::{Mode, Results, ServeOptions};
use serde_json::{Value, json};

use crate::face_client::{Client, block_on, call, connect_with, text_of, tracker};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("first_contact::the_tools_are_in_the_description_as_full_as_they_fit", || block_on(as_full_as_they_fit())),
    ("first_contact::a_hidden_tool_is_answered_with_the_program_that_calls_it", || block_on(answered_with_a_program())),
    ("first_contact::the_face_of_search_finds_and_calls_what_the_others_do", || block_on(found_and_called())),
    ("first_contact::a_result_is_given_once_where_that_is_asked_for", || block_on(given_once())),
];

fn options(mode: Mode, change: impl FnOnce(&mut ServeOptions)) -> ServeOptions {
    let mut options = ServeOptions::new(mode);
    change(&mut options);
    options
}

/// The names of the tools that are listed, and the description of `run_code`.
async fn listed(client: &Client) -> Result<(Vec<String>, String)> {
    let tools = client.list_all_tools().await?;
    let run = tools.iter().find(|tool| tool.name == "run_code").context("no `run_code`")?;
    let description = run.description.as_deref().unwrap_or_default().to_owned();
    Ok((tools.iter().map(|tool| tool.name.to_string()).collect(), description))
}

async fn as_full_as_they_fit() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    for (tokens, always, expected, said) in [
        (100_000, false, &["run_code"][..], "// all 34 tools\n"),
        (100_000, true, &["run_code", "search_tools", "get_types"], "// all 34 tools\n"),
        (400, false, &["run_code", "search_tools", "get_types"], "// all 34 tools by name; "),
        (60, false, &["run_code", "search_tools", "get_types"], " of 34 tools; find others with `search_tools`\n"),
    ] {
        let options = options(Mode::Code, |options| {
            options.index_tokens_max = tokens;
            options.always_offers_search = always;
        });
        let (names, description) = listed(&connect_with(&session, options.clone()).await?).await?;
        ensure!(names == expected && description.contains(said), "{tokens}: {names:?} {description}");
        let again = listed(&connect_with(&session, options).await?).await?.1;
        ensure!(description == again, "another session of the same scope sees other bytes");
    }
    let few = tracker("ada", Grants::new().allow("tracker.list_projects").allow("tracker.get_issue"))?;
    let (names, description) = listed(&connect_with(&few, Mode::Code.into()).await?).await?;
    ensure!(names == ["run_code"] && description.contains("// all 2 tools\n"), "{names:?} {description}");
    ensure!(description.contains("function list_projects(") && !description.contains("list_issues"), "{description}");
    Ok(())
}

async fn answered_with_a_program() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*").deny("tracker.delete_*"))?;
    let arguments = json!({ "limit": 2 });
    for mode in [Mode::Code, Mode::Both] {
        let client = connect_with(&session, mode.into()).await?;
        let names: &[&str] =
            if mode == Mode::Code { &["tracker__list_issues", "tracker.list_issues"] } else { &["tracker.list_issues"] };
        for name in names {
            let answer = client.call_tool(call(name, &arguments)).await?;
            let said = text_of(&answer);
            ensure!(answer.is_error == Some(true) && said.contains("`run_code`"), "{said}");
            let program = said.lines().last().context("no program")?;
            let ran = client.call_tool(call("run_code", &json!({ "code": program }))).await?;
            ensure!(ran.is_error == Some(false), "{program}: {ran:?}");
        }
        let texts = ["tracker.delete_issue", "tracker.no_such_tool"].map(|name| client.call_tool(call(name, &arguments)));
        for (answer, name) in futures::future::join_all(texts).await.into_iter().zip(["delete_issue", "no_such_tool"]) {
            let said = answer.err().map(|error| error.to_string()).unwrap_or_default().replace(name, "NAME");
            ensure!(said.contains("there is no tool `tracker.NAME`"), "{name}: {said}");
        }
    }
    Ok(())
}

async fn found_and_called() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*").deny("tracker.delete_*"))?;
    let (client, classic) =
        (connect_with(&session, Mode::Search.into()).await?, connect_with(&session, Mode::Classic.into()).await?);
    let names: Vec<String> = client.list_all_tools().await?.iter().map(|tool| tool.name.to_string()).collect();
    ensure!(names == ["search_tools", "call_tool"], "{names:?}");
    let found = text_of(&client.call_tool(call("search_tools", &json!({ "query": "list projects", "limit": 2 }))).await?);
    ensure!(found.starts_with("tracker.list_projects("), "{found}");
    let issue = json!({ "issue": "WEB-1" });
    for (tool, named, arguments) in [
        ("tracker.list_projects", "tracker__list_projects", json!({})),
        ("tracker__get_issue", "tracker__get_issue", issue.clone()),
        ("tracker.get_issue", "tracker__get_issue", json!({ "isue": 1 })),
    ] {
        let called = client.call_tool(call("call_tool", &json!({ "tool": tool, "arguments": arguments }))).await?;
        let expected = classic.call_tool(call(named, &arguments)).await?;
        ensure!(serde_json::to_value(&called)? == serde_json::to_value(&expected)?, "{tool}: {called:?}");
    }
    let hint = text_of(&client.call_tool(call("tracker.get_issue", &issue)).await?);
    let line: Value = serde_json::from_str(hint.lines().last().unwrap_or_default()).context(hint.clone())?;
    ensure!(line == json!({ "tool": "tracker.get_issue", "arguments": issue }), "{hint}");
    let mut texts = Vec::new();
    for name in ["delete_issue", "remove_issue"] {
        let refused = client.call_tool(call("call_tool", &json!({ "tool": format!("tracker.{name}") }))).await?;
        let said = text_of(&refused);
        ensure!(refused.is_error == Some(true) && said.contains("there is no tool `tracker."), "{said}");
        texts.push(said.contains("tracker.delete_issue,"));
    }
    ensure!(texts == [false, false], "a forbidden tool is named among the nearest");
    let nothing = text_of(&client.call_tool(call("search_tools", &json!({ "query": "zzzz" }))).await?);
    ensure!(nothing.contains("no tool matches") && nothing.contains("tracker ("), "{nothing}");
    Ok(())
}

async fn given_once() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    for (results, is_text, is_structured) in
        [(Results::Both, true, true), (Results::Text, true, false), (Results::Structured, false, true)]
    {
        let client = connect_with(&session, options(Mode::Code, |options| options.results = results)).await?;
        let tools = client.list_all_tools().await?;
        let run = tools.iter().find(|tool| tool.name == "run_code").context("no `run_code`")?;
        ensure!(run.output_schema.is_some() == is_structured, "{results:?}: {run:?}");
        let result = client.call_tool(call("run_code", &json!({ "code": "return 7" }))).await?;
        let given = (!result.content.is_empty(), result.structured_content.is_some());
        ensure!(given == (is_text, is_structured), "{results:?}: {result:?}");
        ensure!(!is_text || text_of(&result).contains("\"value\":7"), "{result:?}");
    }
    Ok(())
}
