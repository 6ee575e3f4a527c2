//! Servers that do not end when they are told to, or attack what ends them: no process of theirs is left.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{CommandServer, UpstreamHost, UpstreamOptions, Upstreams};
use serde_json::json;

use super::misbehaving::{PATIENCE, block_on, call, configuration};
use crate::misbehaving_server;

/// The argument by which this executable becomes a host that is to be killed; the path of a FIFO follows.
pub(super) const HOST_ARGUMENT: &str = "host-to-be-killed";

/// Is the host that is to be killed, and does not return unless it fails.
pub(super) fn host(fifo: &Path, how: Option<&str>) -> Result<()> {
    block_on(async {
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = upstreams.host(&configuration(stubborn(fifo)?), "ada");
        call(&host, "process", json!({})).await?;
        if let Some(how) = how {
            attack(&host, how).await;
        }
        std::future::pending().await
    })
}

pub(super) fn closing_leaves_no_process_of_a_stubborn_server() -> Result<()> {
    let fifo = Fifo::new("close")?;
    let end = fifo.end()?;
    block_on(async {
        let upstreams = Upstreams::new(UpstreamOptions::default());
        call(&upstreams.host(&configuration(stubborn(&fifo.path)?), "ada"), "process", json!({})).await?;
        upstreams.close().await;
        // Not at some time: when `close` returns, they are gone.
        end.recv_timeout(Duration::from_millis(100)).context("a process is left")
    })
}

pub(super) fn dropping_leaves_no_process_of_a_stubborn_server() -> Result<()> {
    let fifo = Fifo::new("drop")?;
    let end = fifo.end()?;
    block_on(async {
        let upstreams = Upstreams::new(UpstreamOptions::default());
        call(&upstreams.host(&configuration(stubborn(&fifo.path)?), "ada"), "process", json!({})).await?;
        Ok(())
    })?;
    end.recv_timeout(PATIENCE).context("a process is left")
}

pub(super) fn a_host_that_is_killed_leaves_no_process_of_a_stubborn_server() -> Result<()> {
    let fifo = Fifo::new("kill")?;
    let (opened, end) = fifo.watch()?;
    let mut host = Command::new(std::env::current_exe()?).arg(HOST_ARGUMENT).arg(&fifo.path).stdin(Stdio::null()).spawn()?;
    // The descendants run: all of them have the FIFO open, the first opened it before the others were started.
    opened.recv_timeout(PATIENCE).context("the server did not start")?;
    host.kill()?;
    host.wait()?;
    end.recv_timeout(PATIENCE).context("a process is left")
}

/// What a server does to its supervisors, and then it ignores all that it is told.
#[cfg(target_os = "linux")]
const ATTACKS: [&str; 5] = ["kill lower", "kill upper", "stop lower", "stop upper", "stop both"];
#[cfg(not(target_os = "linux"))]
const ATTACKS: [&str; 0] = [];

/// Lets the server do that. It may be ended before it says so.
async fn attack(host: &UpstreamHost, how: &str) {
    let _ = call(host, "attack", json!({"how": how})).await;
}

pub(super) fn a_server_that_attacks_its_supervisors_is_ended() -> Result<()> {
    for how in ATTACKS {
        let fifo = Fifo::new(&how.replace(' ', "-"))?;
        let end = fifo.end()?;
        block_on(async {
            let upstreams = Upstreams::new(UpstreamOptions::default());
            let host = upstreams.host(&configuration(stubborn(&fifo.path)?), "ada");
            call(&host, "process", json!({})).await?;
            attack(&host, how).await;
            upstreams.close().await;
            Ok(())
        })?;
        end.recv_timeout(PATIENCE).with_context(|| format!("{how}: a process is left"))?;
    }
    Ok(())
}

pub(super) fn a_server_that_attacks_its_supervisors_does_not_outlive_a_host_that_is_killed() -> Result<()> {
    for how in ATTACKS {
        let fifo = Fifo::new(&format!("{}-host", how.replace(' ', "-")))?;
        let (opened, end) = fifo.watch()?;
        // In a session of its own, as a host of a terminal or a service has it: whoever inherits its children is in another one.
        let mut host = Command::new("setsid");
        host.arg(std::env::current_exe()?).arg(HOST_ARGUMENT).arg(&fifo.path).arg(how);
        let mut host = host.stdin(Stdio::null()).spawn()?;
        // While the server is at it, or before, or after: it may be gone by then, with all that it has started.
        let started = opened.recv_timeout(PATIENCE);
        ensure!(started != Err(mpsc::RecvTimeoutError::Timeout), "{how}: the server did not start");
        host.kill()?;
        host.wait()?;
        end.recv_timeout(PATIENCE).with_context(|| format!("{how}: a process is left"))?;
    }
    Ok(())
}

/// A FIFO that every process of a server holds open for writing: its reader sees the end when the last of them has gone.
struct Fifo {
    path: PathBuf,
}

impl Fifo {
    fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("isolet-test-{}-{name}", std::process::id()));
        ensure!(Command::new("mkfifo").arg(&path).status()?.success(), "mkfifo failed");
        Ok(Self { path })
    }

    /// Told when it is first opened, and when it has been closed by all.
    fn watch(&self) -> Result<(mpsc::Receiver<()>, mpsc::Receiver<()>)> {
        let (opened, is_opened) = mpsc::channel();
        let (ended, is_ended) = mpsc::channel();
        let path = self.path.clone();
        std::thread::Builder::new().spawn(move || {
            let Ok(mut file) = std::fs::File::open(path) else { return };
            let mut started = [0; 1];
            // The last process to start writes one byte.
            if file.read_exact(&mut started).is_ok() {
                let _ = opened.send(());
            }
            let _ = file.read_to_end(&mut Vec::new());
            let _ = ended.send(());
        })?;
        Ok((is_opened, is_ended))
    }

    fn end(&self) -> Result<mpsc::Receiver<()>> {
        Ok(self.watch()?.1)
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A server that ignores the end of its input and SIGTERM, with a grandchild that does so too, in a session of its own where there is `setsid`.
fn stubborn(fifo: &Path) -> Result<CommandServer> {
    let script = r#"
        exec 9>"$2"
        trap '' TERM HUP
        $(command -v setsid) sh -c 'echo >&9; while :; do sleep 1000; done' </dev/null >/dev/null 2>&1 &
        exec "$0" "$1" ignores_end
    "#;
    let executable = std::env::current_exe()?;
    let [executable, fifo] = [&executable, fifo].map(|path| path.to_string_lossy().into_owned());
    Ok(CommandServer::new("sh").with_args(["-c", script, &executable, misbehaving_server::ARGUMENT, &fifo]))
}
