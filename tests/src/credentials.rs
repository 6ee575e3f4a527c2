//! Credentials of configurations and of requests: they go out where they are meant for, and are seen nowhere else.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{
    CommandServer, Configuration, CredentialRequest, CredentialSource, Credentials, EntryCredentials, Given, Giving,
    HttpServer as Configured, Secret, SecretValue, UpstreamHost, UpstreamOptions, Upstreams,
};
use isolet::{Catalog, Config, Grants, Runtime, ToolCall, ToolError, ToolErrorCode, ToolHost as _, ToolReply};
use serde_json::{Map, Value, json};

use crate::http_server::{Answer, Asked, HttpServer, error, result, status, tool, usual, whole};
use crate::patience;
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("credentials::what_came_with_a_request_goes_out_with_that_request_alone", || block_on(what_came_with_a_request())),
    ("credentials::a_credential_is_written_in_a_file_or_what_a_command_says", || block_on(written_in_a_file_or_said())),
    ("credentials::a_server_that_is_started_has_its_credentials_and_new_ones_start_it_anew", || {
        block_on(a_server_that_is_started())
    }),
    ("credentials::what_a_server_repeats_is_in_no_value_record_error_or_log", || block_on(what_a_server_repeats())),
    ("credentials::a_credential_that_cannot_be_got_is_no_request", || block_on(a_credential_that_cannot_be_got())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE, test)
}

async fn call(host: &UpstreamHost, tool: &str) -> Result<ToolReply, ToolError> {
    host.call(ToolCall::new("scripted", tool, format!("scripted.{tool}"), Map::new(), 1)).await
}

/// A server that answers calls with what its header field `authorization` was.
fn says_who(asked: &Asked) -> Answer {
    let who = asked.header("authorization").unwrap_or("nobody").to_owned();
    // A letter is another one, so that the answer is no credential.
    let said = json!({"content": [{"type": "text", "text": who.replace('a', "4")}]});
    usual(asked).unwrap_or_else(|| result(asked, &said))
}

/// The token of one request, for one server.
struct OfRequest(&'static str);

impl CredentialSource for OfRequest {
    fn credentials<'a>(&'a self, request: CredentialRequest<'a>) -> Giving<'a> {
        let given = match Secret::new(self.0) {
            Ok(token) if request.server == "scripted" => Given::These(Credentials::bearer(&token)),
            _ => Given::Nothing,
        };
        Box::pin(async move { Ok(given) })
    }
}

async fn what_came_with_a_request() -> Result<()> {
    let server = HttpServer::start(says_who).await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let configuration = Configuration::default().with("scripted", Configured::new(server.url()?));
    let host = |user: &str, token| upstreams.host(&configuration, user).with_credentials(OfRequest(token));
    let said = async |user: &str, token| anyhow::Ok(call(&host(user, token), "echo").await?.as_json().to_owned());
    for token in ["t1-canary-one", "t2-canary-two"] {
        let expected = format!("\"Bearer {token}\"").replace('a', "4");
        let said = said("ada", token).await?;
        ensure!(said == expected, "{said}");
    }
    let sessions = server.count("initialize");
    ensure!(sessions == 2, "each credential has a connection of its own: {sessions}");
    said("ada", "t1-canary-one").await?;
    ensure!(server.count("initialize") == 2, "and the connection is used again");
    said("bob", "t1-canary-one").await?;
    ensure!(server.count("initialize") == 3, "but by no other principal");
    let of_entry = EntryCredentials::default().with_bearer(SecretValue::new(Secret::new("of-the-canary-entry")?));
    let both = Configuration::default().with("scripted", Configured::new(server.url()?).with_credentials(of_entry));
    let given = upstreams.host(&both, "ada").with_credentials(OfRequest("t3-canary-three"));
    ensure!(call(&given, "echo").await?.as_json().contains("three"), "what came with the request is what goes out");
    ensure!(call(&upstreams.host(&both, "ada"), "echo").await?.as_json().contains("of-the-c4n4ry-entry"));
    Ok(())
}

async fn written_in_a_file_or_said() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let server = HttpServer::start(|asked| match asked.header("authorization") {
        Some("Bearer good-canary-token") => usual(asked).unwrap_or_else(|| result(asked, &json!({"content": []}))),
        _ => status(401),
    })
    .await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    let write = |text: &str| -> Result<()> {
        std::fs::write(&file, text)?;
        Ok(std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?)
    };
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = |value: SecretValue| -> Result<UpstreamHost> {
        let credentials = EntryCredentials::default().with_bearer(value);
        let configured = Configured::new(server.url()?).with_credentials(credentials);
        Ok(upstreams.host(&Configuration::default().with("scripted", configured), "ada"))
    };
    let cat = SecretValue::command(["cat", &file.display().to_string()]);
    for value in [SecretValue::file(&file), cat] {
        write("good-canary-token\n")?;
        call(&host(value.clone())?, "echo").await?;
    }
    // A file that changes is read again, for the next request; a command is run again when what it said is refused.
    write("old-canary-token")?;
    let of_file = host(SecretValue::file(&file))?;
    ensure!(call(&of_file, "echo").await.is_err());
    write("good-canary-token")?;
    call(&of_file, "echo").await?;
    let script = format!("cat '{0}'; printf good-canary-token > '{0}'", file.display());
    write("old-canary-token")?;
    call(&host(SecretValue::command(["sh", "-c", &script]))?, "echo").await?;
    Ok(())
}

async fn a_server_that_is_started() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    let write = |text: &str| -> Result<()> {
        std::fs::write(&file, text)?;
        Ok(std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?)
    };
    let executable = std::env::current_exe()?.display().to_string();
    let credentials = EntryCredentials::default().with_env("MY_SETTING", SecretValue::file(&file));
    let server = CommandServer::new(executable).with_args([crate::misbehaving_server::ARGUMENT, "good"]);
    let server = server.with_env("ROOT", "/srv/files/of/ada").with_credentials(credentials);
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = upstreams.host(&Configuration::default().with("scripted", server), "ada");
    write("first-canary-token")?;
    let environment = async || -> Result<Value> { Ok(serde_json::from_str(call(&host, "environment").await?.as_json())?) };
    let first = environment().await?;
    ensure!(first["MY_SETTING"] == "[configured value]" && first["ROOT"] == "/srv/files/of/ada", "{first}");
    ensure!(upstreams.running() == 1);
    write("second-canary-token")?;
    let second = environment().await?;
    ensure!(second["MY_SETTING"] == "[configured value]" && upstreams.running() == 1, "{second}");
    std::fs::remove_file(&file)?;
    environment().await?;
    upstreams.close().await;
    let error = call(&host, "environment").await.err().context("there is no credential")?;
    ensure!(error.code == ToolErrorCode::Unauthorised && upstreams.running() == 0, "{error:?}");
    Ok(())
}

async fn what_a_server_repeats() -> Result<()> {
    let server = HttpServer::start(|asked| {
        let key = asked.header("x-key").unwrap_or_default().to_owned();
        let list = json!({"tools": [{"name": "echo", "description": format!("for {key}"), "inputSchema": {"type": "object"}}]});
        match asked.what() {
            "tools/list" => result(asked, &list),
            "tools/call" if asked.body["params"]["name"] == "refuse" => {
                error(200, asked, -32000, &format!("bad key {key}"), &Value::Null)
            }
            "tools/call" if asked.body["params"]["name"] == "page" => whole(500, &[], format!("<p>{key}</p>").as_bytes()),
            _ => usual(asked).unwrap_or_else(|| {
                let digits: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
                result(asked, &json!({"structuredContent": {"raw": key, "hex": digits, "pin": 12_345_678}, "content": []}))
            }),
        }
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let configured = Configured::new(server.url()?).with_header("X-Key", "canary-7f3a9c").with_header("X-Pass", "12345678");
    let host = upstreams.host(&Configuration::default().with("scripted", configured), "ada");
    let discovery = host.discover().await?;
    let described = discovery.catalog.tools().next().and_then(|tool| tool.description()).unwrap_or_default().to_owned();
    ensure!(described == "for [configured value]", "{described}");
    let catalog = Catalog::load([("scripted", ["echo", "refuse", "page"].map(tool).to_vec())])?;
    let runtime = Runtime::new(Config::default())?;
    let session = runtime.session(catalog.scope(&Grants::new().allow("*"))?, host);
    let program = "
        const said = await scripted.echo({});
        console.log(JSON.stringify(said));
        const failed = async (tool) => { try { await tool({}) } catch (error) { return error.message } };
        return [said, await failed(scripted.refuse), await failed(scripted.page)]";
    let outcome = session.run(program).await?;
    let shown = format!("{outcome:?}");
    ensure!(shown.contains("bad key [configured value]") && shown.contains("configured value"), "{shown}");
    for secret in ["canary", "63616e617279", "12345678"] {
        ensure!(!shown.contains(secret), "{secret}: {shown}");
    }
    Ok(())
}

async fn a_credential_that_cannot_be_got() -> Result<()> {
    let server = HttpServer::start(says_who).await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let credentials = EntryCredentials::default().with_bearer(SecretValue::command(["sh", "-c", "echo canary-7f3a9c; exit 1"]));
    let configured = Configured::new(server.url()?).with_credentials(credentials);
    let host = upstreams.host(&Configuration::default().with("scripted", configured), "ada");
    let error = call(&host, "echo").await.err().context("there is no credential")?;
    ensure!(error.code == ToolErrorCode::Unauthorised && !error.message.contains("canary"), "{error:?}");
    let discovery = host.discover().await?;
    let said = isolet::with_causes(&**discovery.failures.first().context("it fails")?);
    ensure!(said.contains("the command `sh` gave no credential: it ended with exit status: 1"), "{said}");
    ensure!(!said.contains("canary") && server.asked().is_empty(), "nobody is called without it: {said}");
    Ok(())
}
