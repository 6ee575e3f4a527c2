//! What servers have beside tools: resources and prompts for classic clients and for programs, and what a server says while it works. The server is
//! the fixture of the conformance suite.

#![expect(deprecated, reason = "logging is on its way out of the protocol, and still in it")]

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{
    self, ClassicNames, CommandServer, Configuration, Mode, ServeOptions, Transport, UpstreamOptions, Upstreams,
};
use isolet::{Config, End, Grants, Runtime, Session};
use rmcp::model::{
    ArgumentInfo, ClientCapabilities, ClientConfig, CompleteRequestParams, GetPromptRequestParams, Implementation,
    LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, ReadResourceRequestParams, Reference,
    SetLevelRequestParams,
};
use rmcp::service::{NotificationContext, RunningService, ServiceError};
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use serde_json::{Value, json};

use crate::conformance::FIXTURE_ARGUMENT;
use crate::face_client::{block_on, call};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("resources::a_client_has_those_of_the_servers_that_its_user_has_as_a_whole", || block_on(of_whole_servers())),
    ("resources::who_has_single_tools_of_a_server_has_nothing_else_of_it", || block_on(of_single_tools())),
    ("resources::an_address_of_two_servers_names_its_server", || block_on(of_two_servers())),
    ("resources::a_program_reads_addresses_and_links_and_each_is_a_call", || block_on(in_a_program())),
    ("resources::who_asked_hears_progress_and_log_of_a_server_before_the_result", || block_on(news())),
    ("resources::names_are_bare_where_they_are_nobody_elses", || block_on(bare_names())),
];

const TEXT: &str = "test://static-text";
const TEXT_SAYS: &str = "This is the content of the static text resource.";

/// A session of a user with these grants, and what it needs: fixtures that are called so.
struct Served {
    session: Session,
    _runtime: Runtime,
    upstreams: Upstreams,
}

impl Served {
    async fn new(servers: &[&str], grants: Grants) -> Result<Self> {
        let fixture = CommandServer::new(std::env::current_exe()?.to_string_lossy()).with_args([FIXTURE_ARGUMENT]);
        let configuration = servers.iter().fold(Configuration::default(), |all, server| all.with(*server, fixture.clone()));
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = upstreams.host(&configuration, "ada");
        let discovery = host.discover().await?;
        ensure!(discovery.failures.is_empty(), "{:?}", discovery.failures);
        let runtime = Runtime::new(Config::default())?;
        let session = runtime.session(discovery.catalog.scope(&grants)?, host);
        Ok(Self { session, _runtime: runtime, upstreams })
    }

    /// A client over a line, as all but those in this process are.
    async fn client(&self, options: impl Into<ServeOptions>) -> Result<RunningService<RoleClient, Listener>> {
        let (here, there) = tokio::io::duplex(64 << 10);
        tokio::spawn(self.session.serve_with(options.into(), Transport::pipe(there)));
        Ok(Listener::default().serve(here).await?)
    }

    async fn run(&self, code: &str) -> Result<isolet::Outcome> {
        Ok(self.session.run(code).await?)
    }

    async fn value(&self, code: &str) -> Result<Value> {
        match self.run(code).await?.end {
            End::Returned(value) => Ok(value),
            end => anyhow::bail!("{end}"),
        }
    }
}

/// A client that notes what it hears.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl Listener {
    fn note(&self, heard: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("test", "1"))
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.note(format!("{} of {}", params.progress, params.total.unwrap_or_default()));
    }

    async fn on_logging_message(&self, params: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        self.note(format!("{}: {}", params.logger.unwrap_or_default(), params.data));
    }
}

/// What a resource holds, or the code of the error.
async fn read(client: &RunningService<RoleClient, Listener>, uri: &str) -> Result<String, i32> {
    match client.read_resource(ReadResourceRequestParams::new(uri)).await {
        Ok(read) => Ok(serde_json::to_string(&read.contents).unwrap_or_default()),
        Err(ServiceError::McpError(error)) => Err(error.code.0),
        Err(error) => panic!("{error}"),
    }
}

async fn of_whole_servers() -> Result<()> {
    let served = Served::new(&["lib"], Grants::new().allow("lib.*").deny("lib.test_error_handling")).await?;
    let client = served.client(Mode::Classic).await?;
    let info = client.peer_info().context("no handshake")?;
    ensure!(info.capabilities.resources.is_some() && info.capabilities.prompts.is_some(), "{info:?}");
    let resources = client.list_all_resources().await?;
    ensure!(resources.iter().any(|resource| resource.uri == TEXT && resource.name == "static-text"), "{resources:?}");
    ensure!(client.list_all_resource_templates().await?.len() == 1, "templates");
    ensure!(read(&client, TEXT).await.is_ok_and(|text| text.contains(TEXT_SAYS)), "a text");
    ensure!(read(&client, "test://static-binary").await.is_ok_and(|text| text.contains("\"blob\"")), "an image");
    ensure!(read(&client, "test://template/7/data").await.is_ok_and(|text| text.contains("Data for ID: 7")), "a template");
    ensure!(read(&client, "test://nowhere").await == Err(-32002), "what is not there");
    let prompts = client.list_all_prompts().await?;
    ensure!(prompts.iter().any(|prompt| prompt.name == "lib__test_simple_prompt"), "{prompts:?}");
    let arguments = json!({ "arg1": "one", "arg2": "two" });
    let asked = GetPromptRequestParams::new("lib__test_prompt_with_arguments");
    let prompt = client.get_prompt(asked.with_arguments(arguments.as_object().cloned().unwrap_or_default())).await?;
    ensure!(serde_json::to_string(&prompt)?.contains("arg1='one', arg2='two'"), "{prompt:?}");
    for (name, said) in [("test_simple_prompt", "there is no prompt"), ("lib__test_prompt_with_arguments", "arg1")] {
        let error = client.get_prompt(GetPromptRequestParams::new(name)).await.err().context("it was given")?.to_string();
        ensure!(error.contains(said), "{name}: {error}");
    }
    let complete = async |reference: Reference, begun: &str| -> Result<Vec<String>, ServiceError> {
        let request = CompleteRequestParams::new(reference, ArgumentInfo::new("arg1", begun));
        Ok(client.complete(request).await?.completion.values)
    };
    let words = complete(Reference::for_prompt("lib__test_prompt_with_arguments"), "al").await?;
    ensure!(words == ["alder", "alpine"], "{words:?}");
    ensure!(complete(Reference::for_resource("test://template/{id}/data"), "").await?.is_empty(), "a template");
    ensure!(complete(Reference::for_prompt("test_prompt_with_arguments"), "al").await.is_err(), "of no server");
    // In the face of programs there is nothing but tools.
    let code = served.client(Mode::Code).await?;
    ensure!(code.peer_info().is_some_and(|info| info.capabilities.resources.is_none()), "code mode");
    ensure!(code.list_all_resources().await.is_err(), "code mode");
    served.upstreams.close().await;
    Ok(())
}

async fn of_single_tools() -> Result<()> {
    for grants in
        [Grants::new().allow("lib.test_simple_text"), Grants::new().allow("*").deny("lib.*").allow("lib.test_simple_text")]
    {
        let served = Served::new(&["lib"], grants).await?;
        let client = served.client(Mode::Classic).await?;
        let info = client.peer_info().context("no handshake")?;
        ensure!(info.capabilities.resources.is_none() && info.capabilities.prompts.is_none(), "{info:?}");
        ensure!(client.list_all_resources().await?.is_empty() && client.list_all_prompts().await?.is_empty(), "lists");
        ensure!(
            read(&client, TEXT).await == Err(-32002) && read(&client, "lib+test://static-text").await == Err(-32002),
            "read"
        );
        ensure!(client.get_prompt(GetPromptRequestParams::new("lib__test_simple_prompt")).await.is_err(), "a prompt");
        let outcome = served.run("return await tools.read('test://static-text')").await?;
        ensure!(outcome.end.to_string().contains("no server of this scope has resources"), "{}", outcome.end);
        served.upstreams.close().await;
    }
    Ok(())
}

async fn of_two_servers() -> Result<()> {
    let served = Served::new(&["lib", "other"], Grants::new().allow("*")).await?;
    let client = served.client(Mode::Classic).await?;
    let uris: Vec<String> = client.list_all_resources().await?.into_iter().map(|resource| resource.uri.clone()).collect();
    ensure!(uris.contains(&format!("lib+{TEXT}")) && uris.contains(&format!("other+{TEXT}")) && uris.len() == 6, "{uris:?}");
    ensure!(read(&client, &format!("other+{TEXT}")).await.is_ok_and(|text| text.contains(TEXT_SAYS)), "by its server");
    ensure!(read(&client, TEXT).await == Err(-32002), "whose it is cannot be told");
    let outcome = served.run(&format!("return await tools.read('{TEXT}')")).await?;
    let said = outcome.end.to_string();
    ensure!(said.contains("more than one server has") && said.contains(&format!("`lib+{TEXT}`")), "{said}");
    let value = served.value(&format!("return (await tools.read('lib+{TEXT}'))[0].text")).await?;
    ensure!(value == TEXT_SAYS, "{value}");
    served.upstreams.close().await;
    Ok(())
}

async fn in_a_program() -> Result<()> {
    let served = Served::new(&["lib"], Grants::new().allow("*")).await?;
    let outcome = served.run(&format!("return (await tools.read('{TEXT}'))[0].text")).await?;
    ensure!(matches!(&outcome.end, End::Returned(value) if value == TEXT_SAYS), "{}", outcome.end);
    let record = outcome.calls.first().context("no record")?;
    ensure!(record.path == "tools.read" && outcome.calls.len() == 1 && record.reply_bytes > TEXT_SAYS.len(), "{record:?}");
    for (code, expected) in [
        ("return (await tools.read({ type: 'resource_link', uri: 'test://static-text' }))[0].mimeType", json!("text/plain")),
        ("return (await tools.read('test://static-binary'))[0].blob.length > 10", json!(true)),
        (
            "return await tools.read('test://nowhere').catch((error) => [error.name, error.code])",
            json!(["ToolError", "tool_failed"]),
        ),
        ("return await tools.read(7).catch((error) => error.code)", json!("invalid_arguments")),
        ("return await tools.read().catch((error) => error.code)", json!("invalid_arguments")),
        (
            "return await tools.read('x'.repeat(9000)).catch((error) => error.message.includes('the limit is 8192'))",
            json!(true),
        ),
    ] {
        let value = served.value(code).await?;
        ensure!(value == expected, "{code}: {value}");
    }
    served.upstreams.close().await;
    Ok(())
}

async fn news() -> Result<()> {
    let served = Served::new(&["lib"], Grants::new().allow("*")).await?;
    let client = served.client(Mode::Classic).await?;
    let heard = client.service().clone();
    client.call_tool(call("lib__test_tool_with_progress", &json!({}))).await?;
    // rmcp's client asks for the progress of each of its calls.
    ensure!(heard.take() == ["0 of 100", "50 of 100", "100 of 100"], "progress");
    client.call_tool(call("lib__test_tool_with_logging", &json!({}))).await?;
    ensure!(heard.take().is_empty(), "who did not ask hears no log");
    client.set_level(SetLevelRequestParams::new(LoggingLevel::Warning)).await?;
    client.call_tool(call("lib__test_tool_with_logging", &json!({}))).await?;
    ensure!(heard.take().is_empty(), "what is not grave enough");
    client.set_level(SetLevelRequestParams::new(LoggingLevel::Info)).await?;
    client.call_tool(call("lib__test_tool_with_logging", &json!({}))).await?;
    let lines = heard.take();
    ensure!(lines.len() == 3 && lines[0] == "fixture: \"Tool execution started\"", "{lines:?}");
    served.upstreams.close().await;
    Ok(())
}

async fn bare_names() -> Result<()> {
    let mut options = ServeOptions::new(Mode::Classic);
    options.names = ClassicNames::Bare;
    let served = Served::new(&["lib"], Grants::new().allow("*")).await?;
    let client = served.client(options.clone()).await?;
    ensure!(client.list_all_tools().await?.iter().any(|tool| tool.name == "test_simple_text"), "a tool");
    ensure!(client.list_all_prompts().await?.iter().any(|prompt| prompt.name == "test_simple_prompt"), "a prompt");
    ensure!(client.call_tool(call("test_simple_text", &json!({}))).await?.is_error != Some(true), "it is called so");
    client.get_prompt(GetPromptRequestParams::new("test_simple_prompt")).await?;
    served.upstreams.close().await;
    let served = Served::new(&["lib", "other"], Grants::new().allow("*")).await?;
    let (there, here) = mcp::channel();
    tokio::spawn(served.session.serve_with(options, there));
    let client = Listener::default().serve(here).await?;
    let tools = client.list_all_tools().await?;
    ensure!(tools.iter().all(|tool| tool.name.starts_with("lib__") || tool.name.starts_with("other__")), "of both");
    ensure!(client.list_all_resources().await?.len() == 6, "of both servers");
    served.upstreams.close().await;
    Ok(())
}
