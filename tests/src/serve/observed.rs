//! What results were like that no server declares, kept in the file that the deployment names, for the user whose they were.

use std::time::Duration;

use anyhow::{Result, ensure};
use isolet_http::Key;
use serde_json::Value;

use super::served::{Served, Visitor, servers};

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn the_next_process() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = Value::from(folder.path().join("shapes.db").to_string_lossy().into_owned());
    let keys = [Key::new()?, Key::new()?];
    let users: String = ["ada", "bob"]
        .iter()
        .zip(&keys)
        .map(|(user, key)| format!("[users.{user}]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash()))
        .collect();
    let table = format!("[observed_shapes]\nfile = {file}\n");
    let deployment = |table: &str| anyhow::Ok(format!("{table}{}{users}", servers(&["good"])?));
    let mut served = Served::start(&deployment(&table)?, &[])?;
    let outcome = served.visitor(&keys[0]).run("return (await good.echo({ title: 'words', count: 7 })).count").await?;
    ensure!(outcome["value"] == 7, "{outcome}");
    served.terminate()?;
    served.ended_within(PATIENCE).await?;
    let served = Served::start(&deployment(&table)?, &[])?;
    let types_of = async |visitor: Visitor| anyhow::Ok(visitor.ask("GET /v1/types", &[], "").await?.body);
    let types = types_of(served.visitor(&keys[0])).await?;
    ensure!(types.contains("interface echo_result { count: number; title: string } // 1 reply"), "{types}");
    ensure!(!types.contains("words"), "a value is shown: {types}");
    let types = types_of(served.visitor(&keys[1])).await?;
    ensure!(types.contains("echo(") && !types.contains("echo_result"), "another user is shown it: {types}");
    drop(served);
    let served = Served::start(&deployment("")?, &[])?;
    let types = types_of(served.visitor(&keys[0])).await?;
    ensure!(types.contains("echo(") && !types.contains("echo_result"), "it is shown without the table: {types}");
    Ok(())
}
