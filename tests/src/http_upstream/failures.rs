//! Servers over HTTP that fail: what is said of them, and what is shown to nobody.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::ToolErrorCode;
use isolet::mcp::{UpstreamOptions, Upstreams, Url};
use serde_json::{Value, json};

use super::scripted::{CANARY, PATIENCE, failure, host, refused};
use crate::http_server::{Answer, Asked, HttpServer, Part, echo, error, event, message, result, status, stream, usual, whole};

/// What a server answers.
type Script = Box<dyn Fn(&Asked) -> Answer + Send + Sync>;

pub(super) async fn a_reply_that_is_too_large_is_an_error() -> Result<()> {
    let zeros = vec![b' '; 8 << 20];
    let long = |asked: &Asked| json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": "x".repeat(200_000)});
    let scripts: [(&str, Script); 4] = [
        ("a body", Box::new(move |asked| message(200, &long(asked)))),
        ("an event", Box::new(move |asked| vec![stream(), event(&long(asked)), Part::Hang])),
        (
            "lines without end",
            Box::new(|_| {
                let mut parts = vec![stream()];
                parts.extend((0..100).map(|_| Part::Bytes(b"data: 0123456789\n".repeat(1000))));
                parts.push(Part::Hang);
                parts
            }),
        ),
        (
            "a gzip bomb",
            Box::new(move |_| {
                let bomb = gzip(&zeros);
                whole(200, &[("content-type", "application/json"), ("content-encoding", "gzip")], &bomb)
            }),
        ),
    ];
    for (what, script) in scripts {
        let server = HttpServer::start(move |asked| usual(asked).unwrap_or_else(|| script(asked))).await?;
        let mut options = UpstreamOptions::default();
        options.message_bytes_max = 100_000;
        let upstreams = Upstreams::new(options);
        let host = host(&upstreams, &server)?;
        let error = refused(&host).await?;
        ensure!(error.code == ToolErrorCode::TooLarge, "{what}: {error:?}");
        // The connection is as good as before.
        host.discover().await?;
        ensure!(server.count("initialize") == 1, "{what}");
    }
    Ok(())
}

pub(super) async fn what_cannot_be_reached_or_read_is_said() -> Result<()> {
    let html = |status, text: &'static str| move |_: &Asked| whole(status, &[("content-type", "text/html")], text.as_bytes());
    let scripts: [(&str, Script); 9] = [
        (
            "answered the handshake with what is not MCP; it wrote: `<p>Sign in</p>`: update it",
            Box::new(html(200, "<p>Sign in</p>")),
        ),
        ("answered the handshake with HTTP 401; it wrote: `who?`: give it the header field", Box::new(html(401, "who?"))),
        (
            "answered the handshake with HTTP 403: give it the header field",
            Box::new(|asked| error(403, asked, -32000, "no", &Value::Null)),
        ),
        ("answered the handshake with HTTP 404; it wrote: `nothing here`: is its `url`", Box::new(html(404, "nothing here"))),
        ("answered the handshake with HTTP 429", Box::new(html(429, "slow down"))),
        ("answered the handshake with HTTP 503; it wrote: `down`: try later", Box::new(html(503, "down"))),
        ("refused the handshake: busy (-32000)", Box::new(|asked| error(500, asked, -32000, "busy", &Value::Null))),
        ("answered the handshake with what is not MCP", Box::new(|_| message(200, &json!([1, 2])))),
        ("answered the handshake with what is not MCP", Box::new(|asked| result(asked, &json!({"protocolVersion": 7})))),
    ];
    for (expected, script) in scripts {
        let server = HttpServer::start(move |asked| script(asked)).await?;
        let error = failure(&Upstreams::new(UpstreamOptions::default()), server.url()?).await?;
        ensure!(
            error.starts_with(&format!("server `scripted` {expected}"))
                || (expected.contains("403") && error.contains("HTTP 403")),
            "{error}"
        );
        ensure!(!error.contains(CANARY), "{error}");
    }
    let gone = HttpServer::start(|_| Vec::new()).await?;
    let url = gone.url()?;
    drop(gone);
    let error = failure(&Upstreams::new(UpstreamOptions::default()), url).await?;
    ensure!(error.contains("cannot be reached for the handshake"), "{error}");
    Ok(())
}

pub(super) async fn private_addresses_are_not_called() -> Result<()> {
    let upstreams = Upstreams::new(UpstreamOptions::default());
    for (url, expected) in [
        ("https://10.1.2.3/mcp", "`10.1.2.3` is a private address"),
        ("https://169.254.169.254/mcp", "the address of a cloud's metadata"),
        ("http://example.com/mcp", "would be sent in the clear"),
        ("ftp://example.com/mcp", "ftp"),
        ("https://user:canary-7f3a9c@example.com/mcp", "has a user or a password in it"),
    ] {
        let error = failure(&upstreams, Url::parse(url)?).await?;
        ensure!(error.contains(expected) && !error.contains(CANARY), "{url}: {error}");
    }
    for status in [301, 302, 307, 308] {
        let server = HttpServer::start(move |_| whole(status, &[("location", "http://169.254.169.254/latest")], b"")).await?;
        let error = failure(&upstreams, server.url()?).await?;
        ensure!(error.starts_with("server `scripted` cannot be reached for the handshake: "), "{status}: {error}");
        ensure!(server.asked().len() == 1, "{status}");
    }
    Ok(())
}

pub(super) async fn a_server_that_says_nothing_is_given_up() -> Result<()> {
    let mut options = UpstreamOptions::default();
    (options.start_max, options.call_max) = (Duration::from_millis(200), Duration::from_millis(200));
    let silent = HttpServer::start(|_| vec![Part::Hang]).await?;
    let error = failure(&Upstreams::new(options.clone()), silent.url()?).await?;
    ensure!(error.contains("did not answer the handshake within 200ms"), "{error}");
    options.start_max = PATIENCE;
    let server = HttpServer::start(|asked| usual(asked).unwrap_or_else(|| vec![stream(), Part::Hang])).await?;
    let upstreams = Upstreams::new(options);
    let host = host(&upstreams, &server)?;
    let error = refused(&host).await?;
    ensure!(error.code == ToolErrorCode::TimedOut, "{error:?}");
    tokio::time::timeout(PATIENCE, server.was_left()).await.context("the call is cancelled")??;
    Ok(())
}

pub(super) async fn a_header_that_a_server_echoes_is_not_shown() -> Result<()> {
    let server =
        HttpServer::start(|asked| whole(400, &[], format!("bad key {}", asked.header("x-key").unwrap_or_default()).as_bytes()))
            .await?;
    let said = failure(&Upstreams::new(UpstreamOptions::default()), server.url()?).await?;
    ensure!(said.contains("bad key [configured value]") && !said.contains(CANARY), "{said}");
    let server = HttpServer::start(|asked| {
        let said = format!("{} is no key", asked.header("x-key").unwrap_or_default());
        usual(asked).unwrap_or_else(|| error(200, asked, -32000, &said, &Value::Null))
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let error = refused(&host).await?;
    ensure!(error.message.contains("[configured value] is no key"), "{error:?}");
    ensure!(!format!("{host:?} {upstreams:?}").contains(CANARY));
    Ok(())
}

pub(super) async fn the_program_uses_such_servers_and_shows_no_secret() -> Result<()> {
    let server = HttpServer::start(|asked| match asked.header("x-key") {
        Some(CANARY) => usual(asked).unwrap_or_else(|| result(asked, &echo(asked))),
        _ => status(401),
    })
    .await?;
    let place = tempfile::tempdir()?;
    let [config, program] = ["servers.json", "main.ts"].map(|name| place.path().join(name));
    std::fs::write(&program, "return await scripted.echo({ a: 1 })")?;
    let text = format!(
        r#"{{ // mine
        "mcpServers": {{
            "scripted": {{ "url": "{url}", "headers": {{ "X-Key": "{CANARY}" }} }},
            "keyless": {{ "url": "{url}" }},
            "inside": {{ "url": "https://10.1.2.3/mcp" }},
            "wrong": {{ "command": "x", "args": ["${{SECRET}}"] }},
        }},
    }}"#,
        url = server.url()?
    );
    std::fs::write(&config, text)?;
    let (config, program) = (config.display().to_string(), program.display().to_string());
    let ran = async |arguments: &[&str]| -> Result<crate::program::Ran> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let run = move || crate::program::isolet(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await?
    };
    let run = ran(&["run", &program, "--config", &config]).await?;
    ensure!(
        run.code == Some(0) && serde_json::from_str::<Value>(&run.output)? == json!({"a": 1}),
        "{:?} {} {}",
        run.code,
        run.output,
        run.errors
    );
    for expected in ["`keyless` answered the handshake with HTTP 401", "`10.1.2.3` is a private address", "--env SECRET"] {
        ensure!(run.errors.contains(expected), "{expected}: {}", run.errors);
    }
    let tools = ran(&["tools", "--config", &config]).await?;
    ensure!(tools.output.starts_with("scripted.echo "), "{}", tools.output);
    let doctor = ran(&["doctor", "--config", &config]).await?;
    ensure!(doctor.output.contains("scripted: 1 tools") && doctor.output.contains("HTTP 401"), "{}", doctor.output);
    let denied = ran(&["tools", "--config", &config, "--deny", "wrong.*", "--deny", "keyless.*", "--deny", "inside.*"]).await?;
    ensure!(denied.errors.is_empty(), "{}", denied.errors);
    for said in [run, tools, doctor, denied] {
        ensure!(!said.output.contains(CANARY) && !said.errors.contains(CANARY), "{} {}", said.output, said.errors);
    }
    Ok(())
}

/// `bytes` as gzip.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
