//! What is at the other end of a connection, a process of ours or a server at an address: how it ends, and what is said of it when it fails.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use isolet_bindings::visible;

use super::error::{Stage, UpstreamError};
use super::faults::Faults;
use super::http_line::HttpLine;
use super::server_process::ServerProcess;
use super::supervisor::END_MAX;

/// How long the process of a lost connection is waited for, to say how it ended.
const OBITUARY_MAX: Duration = Duration::from_secs(2);

/// The other end.
pub(super) enum FarEnd {
    /// A server that was started.
    Process {
        /// Its process.
        process: ServerProcess,
        /// What it did wrong on its line.
        faults: Arc<Faults>,
    },
    /// A server that is called.
    Http(Arc<HttpLine>),
}

impl FarEnd {
    /// What the server did wrong so far.
    pub(super) fn faults(&self) -> &Faults {
        match self {
            Self::Process { faults, .. } => faults,
            Self::Http(line) => &line.border.faults,
        }
    }

    /// The conversation over HTTP, if it is one.
    pub(super) fn http(&self) -> Option<&HttpLine> {
        match self {
            Self::Process { .. } => None,
            Self::Http(line) => Some(line),
        }
    }

    /// Whether nothing can be said to it any more, although the line is up.
    pub(super) fn is_lost(&self) -> bool {
        self.http().is_some_and(|line| line.lost().is_cancelled())
    }

    /// Waits until nothing can be said to it any more, although the line is up.
    pub(super) async fn lost(&self) {
        match self {
            Self::Process { .. } => std::future::pending().await,
            Self::Http(line) => line.lost().cancelled().await,
        }
    }

    /// Waits until nothing of the server is left here.
    pub(super) async fn ended(&self) {
        match self {
            Self::Process { process, .. } => process.ended().await,
            Self::Http(_) => self.lost().await,
        }
    }

    /// Waits until nothing of the server is left here, and sees to it. The line is down.
    pub(super) async fn close(&self, server: &str) {
        match self {
            Self::Process { process, .. } => {
                if process.wait(END_MAX).await.is_none() {
                    let server = visible::line(server);
                    tracing::warn!(%server, "an MCP server did not end in time: its supervisor is killed");
                    process.kill();
                    process.wait(END_MAX).await;
                }
            }
            Self::Http(line) => line.lost().cancel(),
        }
    }

    /// Waits a while for the end of a server that could not be talked to: another start never meets it.
    pub(super) async fn gone(&self) {
        if let Self::Process { process, .. } = self {
            process.wait(END_MAX).await;
        }
    }

    /// It did not answer.
    pub(super) fn silent(&self, server: &str, stage: Stage, waited: Duration) -> UpstreamError {
        let server = server.to_owned();
        match self {
            Self::Process { process, faults } => {
                UpstreamError::Silent { server, stage, waited, rubbish: faults.rubbish(), words: process.last_words() }
            }
            Self::Http(_) => UpstreamError::Slow { server, stage, waited },
        }
    }

    /// The line broke off: because a message was too long or there were too many, or because the server ended, and then how.
    pub(super) async fn broken_off(&self, server: &str, stage: Stage, message_bytes_max: usize) -> UpstreamError {
        if let Some(what) = self.faults().flooding() {
            return UpstreamError::Flooding { server: server.to_owned(), what };
        }
        match self {
            Self::Process { faults, .. } if faults.is_oversized() => {
                UpstreamError::TooLarge { server: server.to_owned(), bytes_max: message_bytes_max }
            }
            Self::Process { process, .. } => {
                let code = process.wait(OBITUARY_MAX).await.flatten().as_ref().and_then(ExitStatus::code);
                UpstreamError::Ended { server: server.to_owned(), stage, code, words: process.last_words() }
            }
            Self::Http(line) => match line.last_fault() {
                Some(fault) => fault.of(server, stage, message_bytes_max, self.faults().rubbish()),
                None => UpstreamError::BrokenOff { server: server.to_owned(), stage },
            },
        }
    }
}
