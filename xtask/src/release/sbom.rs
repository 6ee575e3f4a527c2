//! The bill of materials: every crate that the program is made of, in CycloneDX, as `cargo-sbom` reads it from Cargo's own resolution.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::entry::Entry;
use super::program::Program;
use super::stamp::Stamp;
use crate::workspace::Workspace;

/// The version that is known to say what is expected here.
const TOOL: &str = "cargo-sbom@0.10.0";

/// `isolet.cdx.json`.
///
/// # Errors
///
/// When `cargo-sbom` is missing, or does not say what is expected of it.
pub(super) fn of(program: &Program, stamp: Stamp, workspace: &Workspace) -> anyhow::Result<Entry> {
    let tool = tool(workspace)?;
    let arguments = ["sbom", "--cargo-package", "isolet-server", "--output-format", "cyclone_dx_json_1_6"];
    let output =
        Command::new(tool).args(arguments).current_dir(workspace.root()).output().context("`cargo-sbom` does not start")?;
    ensure!(output.status.success(), "`cargo-sbom` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let said = serde_json::from_slice(&output.stdout).context("`cargo-sbom` wrote no JSON")?;
    let text = settled(said, stamp, &format!("file://{}", workspace.root().display()))?;
    Ok(Entry::file(format!("isolet-{}.cdx.json", program.version), text.into_bytes()))
}

/// The program `cargo-sbom`, where `.ci/run` puts such tools or on the `PATH`.
///
/// # Errors
///
/// When it is missing.
pub(super) fn tool(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let tool = workspace.target().join("tools/bin/cargo-sbom");
    if tool.is_file() {
        return Ok(tool);
    }
    which::which("cargo-sbom").with_context(|| format!("`cargo-sbom` is missing: `cargo install --locked {TOOL}`"))
}

/// The same for the same sources: without a number of this very file and a name of who wrote it, with the time of the sources, without the place of the
/// checkout, and in one order: nothing in a bill depends on it, and the tool has another one each time.
fn settled(mut bill: Value, stamp: Stamp, root: &str) -> anyhow::Result<String> {
    let members = bill.as_object_mut().context("`cargo-sbom` wrote no object")?;
    members.shift_remove("serialNumber");
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("authors");
        metadata.insert("timestamp".to_owned(), stamp.text().into());
    }
    ensure!(
        members.get("components").and_then(Value::as_array).is_some_and(|all| !all.is_empty()),
        "`cargo-sbom` lists no component"
    );
    order(&mut bill);
    Ok(format!("{bill:#}\n").replace(root, "file:///isolet"))
}

/// Puts the elements of every list in the order of their texts.
fn order(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.iter_mut().for_each(order);
            elements.sort_by_cached_key(Value::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(order),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_bill_says_nothing_of_when_and_where_it_was_written() {
        let bill = |serial: &str, time: &str, place: &str| {
            let isolet = json!({ "name": "isolet", "bom-ref": format!("path+file://{place}/runtime#isolet@0.1.0") });
            let other = json!({ "name": "serde", "licence": "MIT" });
            let components = if place == "/a" { [isolet, other] } else { [other, isolet] };
            json!({ "serialNumber": serial, "metadata": { "authors": [place], "timestamp": time }, "components": components })
        };
        let one = settled(bill("urn:uuid:1", "2026-01-01T00:00:00Z", "/a"), Stamp::OF_TESTS, "file:///a").unwrap();
        let other = settled(bill("urn:uuid:2", "2026-01-02T00:00:00Z", "/b"), Stamp::OF_TESTS, "file:///b").unwrap();
        assert_eq!(one, other);
        assert!(one.contains("path+file:///isolet/runtime") && one.contains("2023-11-14T22:13:20Z"), "{one}");
        assert!(settled(json!({ "components": [] }), Stamp::OF_TESTS, "file:///a").is_err());
    }
}
