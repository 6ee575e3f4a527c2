//! Prism, serving one document at a port of its own choice, refusing whatever the document does not allow.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use isolet_outbound::Url;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long it may take to read a document.
const START_MAX: Duration = Duration::from_secs(300);

/// A running mock; it ends when it is dropped.
pub(crate) struct Mock {
    pub(crate) url: Url,
    _process: Child,
}

impl Mock {
    pub(crate) async fn start(folder: &Path, document: &Path) -> Result<Self> {
        let program = folder.join("node_modules/@stoplight/prism-cli/dist/index.js");
        let mut process = Command::new("node")
            .arg(program)
            .args(["mock", "--errors", "--host", "127.0.0.1", "--port", "0"])
            .arg(document)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await? {
                if let Some((_, url)) = line.split_once("listening on ") {
                    return Ok(url.trim().parse()?);
                }
            }
            anyhow::bail!("the mock ended without listening")
        };
        let url = tokio::time::timeout(START_MAX, listening).await.context("the mock did not start in time")??;
        // It writes a line for each request, and would stop at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { url, _process: process })
    }
}
