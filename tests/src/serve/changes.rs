//! Servers that come, go and change while they are served.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_http::Key;
use serde_json::json;

use super::served::{Served, servers};

/// Less than it takes until servers are asked again of which nothing is heard.
const SOON: Duration = Duration::from_secs(25);

/// A deployment of one user with these servers, and the key.
fn deployment(modes: &[&str]) -> Result<(String, Key)> {
    let key = Key::new()?;
    let user = format!("[users.ada]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash());
    Ok((format!("{user}{}", servers(modes)?), key))
}

pub(super) async fn announced_tools() -> Result<()> {
    let (deployment, key) = deployment(&["grows", "complete"])?;
    let served = Served::start(&deployment, &[])?;
    let ada = served.visitor(&key);
    let before = ada.ask("GET /v1/types", &[], "").await?;
    ensure!(before.body.contains("change(") && !before.body.contains("later("), "{before:?}");
    let outcome = ada.run("await grows.change({}); return 1").await?;
    ensure!(outcome["value"] == 1, "{outcome}");
    let is_there = async {
        loop {
            let types = ada.ask("GET /v1/types", &[], "").await?;
            // What is said of one server says nothing against the others.
            ensure!(types.body.contains("delete_many("), "{types:?}");
            if types.body.contains("later(") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, is_there).await.context("what the server announced is not there")?
}

pub(super) async fn failed_servers() -> Result<()> {
    let (deployment, key) = deployment(&["exits", "complete"])?;
    let served = Served::start(&deployment, &[])?;
    let ada = served.visitor(&key);
    let listed = ada.mcp("/mcp", "tools/list", json!({})).await?.json()?;
    let description = listed["result"]["tools"][0]["description"].as_str().unwrap_or_default();
    ensure!(
        description.contains("the server `exits` cannot be used now") && description.contains("no licence file"),
        "{listed}"
    );
    let outcome = ada.run("return await exits.echo({})").await?;
    let said = outcome["message"].as_str().unwrap_or_default();
    ensure!(outcome["end"] == "threw" && said.contains("cannot be used now") && said.contains("no licence file"), "{outcome}");
    // What a program does without it is done.
    let outcome = ada.run("return await complete.echo({ a: 1 })").await?;
    ensure!(outcome["value"]["a"] == 1, "{outcome}");
    Ok(())
}
