//! What the documents show of the program, word for word: a deployment and what `isolet explain` says of it, three clients' files and what becomes of them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_http::Key;
use serde_json::json;

use crate::http_server::{HttpServer, result, tool, usual};
use crate::upstream::Test;
use crate::{patience, program, roles};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("shown::explain_says_of_the_readmes_deployment_what_the_readme_shows", || patience::within(PATIENCE, explained())),
    ("shown::three_clients_files_become_what_the_page_shows", imported),
];

/// A file of the checkout.
fn page(name: &str) -> Result<String> {
    Ok(std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name))?)
}

/// The block in `text` that begins with these lines, without them.
fn block<'text>(text: &'text str, begin: &str) -> Result<&'text str> {
    let (_, rest) = text.split_once(begin).with_context(|| format!("no block begins with `{begin}`"))?;
    Ok(rest.split("```").next().unwrap_or_default())
}

async fn explained() -> Result<()> {
    let server = HttpServer::start(|asked| match asked.what() {
        "tools/list" => result(asked, &json!({ "tools": [tool("list_issues"), tool("delete_repo")] })),
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let readme = page("README.md")?;
    let shown = block(&readme, "```toml\n[listener]\n")?;
    let deployment = format!("[listener]\n{shown}").replace("https://mcp.example.com/github", server.url()?.as_str());
    let deployment = deployment.replace("sha256:...", &Key::new()?.hash().to_string());
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("isolet.toml"), deployment)?;
    let command = "isolet explain ada github.delete_repo\n";
    let expected = block(&readme, &format!("```console\n$ {command}"))?;
    let arguments: Vec<String> = command.split_ascii_whitespace().skip(1).map(str::to_owned).collect();
    let explained = tokio::task::spawn_blocking({
        let folder = folder.path().to_owned();
        move || {
            let arguments: Vec<&str> = std::iter::once(program::ARGUMENT).chain(arguments.iter().map(String::as_str)).collect();
            roles::output_of(&arguments, |command| command.current_dir(folder).env("GITHUB_TOKEN", "token"))
        }
    });
    let output = explained.await??;
    let (said, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success() && said == expected, "{said}\n{errors}");
    Ok(())
}

/// What the three clients of the page have.
const FILES: [(&str, &str); 3] = [
    (
        ".config/Claude/claude_desktop_config.json",
        r#"{ "mcpServers": {
            "files": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/my notes"] },
            "github": {
                "command": "docker",
                "args": ["run", "-i", "--rm", "-e", "GITHUB_TOKEN", "ghcr.io/github/github-mcp-server"],
                "env": { "GITHUB_TOKEN": "canary-token" }
            }
        } }"#,
    ),
    (
        ".cursor/mcp.json",
        r#"{ "mcpServers": {
            "files": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/my notes"] },
            "github": { "url": "https://api.githubcopilot.com/mcp/", "headers": { "Authorization": "Bearer ${env:GITHUB_TOKEN}" } },
            "old": { "type": "sse", "url": "https://old.example.com/sse" },
        } }"#,
    ),
    (
        ".codex/config.toml",
        "model = \"o\"\n[mcp_servers.db]\ncommand = \"db-mcp\"\nenabled = false\n[mcp_servers.docs]\nurl = \"https://docs.example.com/mcp\"\n",
    ),
];

fn imported() -> Result<()> {
    if cfg!(target_os = "macos") {
        // The page shows the folders of Linux.
        return Ok(());
    }
    let home = tempfile::tempdir()?;
    for (name, text) in FILES {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        std::fs::write(path, text)?;
    }
    let output = roles::output_of(&[program::ARGUMENT, "config", "import", "--yes"], |command| {
        command.env("HOME", home.path()).current_dir(home.path())
    })?;
    let shown = page("docs/config-import.md")?;
    let shown = block(&shown, "```console\n$ isolet config import\n")?;
    // What is asked on a terminal, and what is said when it is done, is not on standard output.
    let (listed, asked) = shown.split_once("isolet: ").context("it asks")?;
    let (_, done) = asked.split_once("isolet: ").context("it says that it is done")?;
    let at_home = |text: Vec<u8>| String::from_utf8_lossy(&text).replace(&*home.path().to_string_lossy(), "/home/ada");
    let (said, errors) = (at_home(output.stdout), at_home(output.stderr));
    ensure!(output.status.success() && said == listed, "{said}\n{errors}");
    ensure!(errors.contains(done.trim_end()), "`{done}` is expected: {errors}");
    ensure!(!said.contains("canary") && !errors.contains("canary"), "a value is shown: {said} {errors}");
    let written = home.path().join("servers.json");
    ensure!(std::fs::read_to_string(written)?.contains("github_cursor"), "it is written");
    Ok(())
}
