//! `isolet config import`: the files of three clients, and what becomes of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{Configuration, Variables};
use serde_json::Value;

use crate::{program, roles};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("config_import::three_clients_files_become_one", three_clients),
    ("config_import::nothing_is_started_or_written_unasked_and_nothing_is_replaced", nothing_unasked),
    ("config_import::a_file_that_is_named_is_read_and_a_wrong_one_is_an_error", named_files),
];

/// What would tell that a server was started.
const STARTED: &str = "started";

/// The home folder of somebody who has Claude Desktop, VS Code and Codex.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Result<Self> {
        let home = Self(tempfile::tempdir()?);
        let settings = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
        home.put(
            &format!("{settings}/Claude/claude_desktop_config.json"),
            r#"{"globalShortcut": "", "mcpServers": {
                "files": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/srv/my files"]},
                "tracker": {"command": "./bin/tracker", "env": {"TOKEN": "canary-secret"}},
                "off": {"command": "touch", "args": ["started"], "disabled": true}
            }}"#,
        )?;
        home.put(
            &format!("{settings}/Code/User/mcp.json"),
            r#"{
                // What is asked for by VS Code alone.
                "inputs": [{"id": "key", "type": "promptString"}],
                "servers": {
                    "files": {"type": "stdio", "command": "npx", "args": ["-y", "other-files"]},
                    "tracker": {"command": "touch", "args": ["started"], "env": {"KEY": "${env:TRACKER_KEY}"}},
                    "asks": {"type": "http", "url": "https://mcp.example.com/asks", "headers": {"X-Key": "${input:key}"}},
                    "remote": {"type": "http", "url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${env:REMOTE_TOKEN}"}},
                },
            }"#,
        )?;
        home.put(
            ".codex/config.toml",
            "model = \"o\"\n[mcp_servers.files]\ncommand = \"npx\"\nargs = [\"-y\", \"@modelcontextprotocol/server-filesystem\", \"/srv/my files\"]\n\
             [mcp_servers.docs]\nurl = \"https://docs.example.com/mcp\"\nbearer_token_env_var = \"DOCS\"\n",
        )?;
        Ok(home)
    }

    fn put(&self, path: &str, text: &str) -> Result<()> {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        Ok(std::fs::write(path, text)?)
    }

    /// Calls `isolet config import` in this home.
    fn import(&self, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
        let output = roles::output_of(&[&[program::ARGUMENT, "config", "import"], arguments].concat(), |command| {
            command.env("HOME", self.0.path()).current_dir(self.0.path())
        })?;
        Ok((output.status.code(), String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

fn three_clients() -> Result<()> {
    let home = Home::new()?;
    let (code, output, errors) = home.import(&["--yes"])?;
    ensure!(code == Some(0), "{output} {errors}");
    for line in [
        "  files: runs npx -y @modelcontextprotocol/server-filesystem '/srv/my files'",
        "  off: is left out: it is switched off there",
        "  files: (as files_vscode) runs npx -y other-files",
        "  tracker: (as tracker_vscode) runs touch started, with the variables KEY; needs --env TRACKER_KEY",
        "  remote: calls https://mcp.example.com/mcp, with the header fields Authorization; needs --env REMOTE_TOKEN",
        "  files: is that of Claude Desktop",
        "  docs: calls https://docs.example.com/mcp",
    ] {
        ensure!(output.lines().any(|other| other == line), "`{line}` is expected:\n{output}");
    }
    ensure!(output.contains("  asks: is left out: ") && output.contains("${input:key}"), "{output}");
    ensure!(!output.contains("canary") && !errors.contains("canary"), "a value is shown: {output} {errors}");
    ensure!(errors.contains("isolet tools --config servers.json --env REMOTE_TOKEN --env TRACKER_KEY"), "{errors}");
    let written = home.path("servers.json");
    ensure!(std::fs::metadata(&written)?.permissions().mode() & 0o777 == 0o600, "others can read it");
    let text: Value = serde_json::from_str(&std::fs::read_to_string(&written)?)?;
    let folder = home.path(if cfg!(target_os = "macos") { "Library/Application Support/Claude" } else { ".config/Claude" });
    let command = text["mcpServers"]["tracker"]["command"].as_str().unwrap_or_default();
    ensure!(Path::new(command) == folder.join("./bin/tracker"), "{text}");
    // What it has is what Isolet reads.
    let environment = [("TRACKER_KEY", "k"), ("REMOTE_TOKEN", "t")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables = Variables::allowing(["TRACKER_KEY", "REMOTE_TOKEN"])
        .with_environment(environment.into_iter().chain([("DOCS".to_owned(), "d".to_owned())]).collect());
    let configuration = Configuration::read_with(&written, &variables)?;
    let names: Vec<&str> = configuration.servers().map(|(name, _)| name).collect();
    ensure!(names == ["docs", "files", "files_vscode", "remote", "tracker", "tracker_vscode"], "{names:?}");
    ensure!(!home.path(STARTED).exists(), "a server was started");
    Ok(())
}

fn nothing_unasked() -> Result<()> {
    let home = Home::new()?;
    // Nobody is at a terminal.
    let (code, output, errors) = home.import(&[])?;
    ensure!(code == Some(0) && output.contains("runs npx") && errors.contains("nothing was written"), "{output} {errors}");
    ensure!(!home.path("servers.json").exists() && !home.path(STARTED).exists(), "something was done");
    home.put("servers.json", "mine")?;
    let (code, output, errors) = home.import(&["--yes"])?;
    ensure!(code == Some(2) && output.contains("runs npx") && errors.contains("is there already"), "{output} {errors}");
    ensure!(std::fs::read_to_string(home.path("servers.json"))? == "mine", "it was replaced");
    let (code, _, errors) = home.import(&["--yes", "--replace"])?;
    ensure!(code == Some(0), "{errors}");
    ensure!(Configuration::written(home.path("servers.json"))?.len() == 6, "it was not replaced");
    Ok(())
}

fn named_files() -> Result<()> {
    let home = Home::new()?;
    home.put("mine.json", r#"{"mcpServers": {"one": {"command": "x"}}}"#)?;
    let (code, output, errors) = home.import(&["mine.json", "--to", "out.json", "--yes"])?;
    ensure!(code == Some(0) && output == "mine.json\n  one: runs x\n", "{output} {errors}");
    ensure!(Configuration::written(home.path("out.json"))?.len() == 1, "others were read too");
    home.put("wrong.json", "{")?;
    for (file, expected) in [("wrong.json", "the configuration is wrong"), ("nowhere.json", "cannot read the configuration")] {
        let (code, _, errors) = home.import(&[file, "--yes"])?;
        ensure!(code == Some(2) && errors.contains(expected), "{file}: {errors}");
    }
    let empty = Home(tempfile::tempdir()?);
    let (code, _, errors) = empty.import(&["--yes"])?;
    ensure!(code == Some(2) && errors.contains("there are no servers to import"), "{errors}");
    Ok(())
}
