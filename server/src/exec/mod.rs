//! `isolet exec`: the runtime as a child process of a program in another language. `docs/exec.md` says what is spoken.
//!
//! ```text
//! caller -> (isolet-rpc) -> connection -- scopes -> a run -> gate -> run_tools -- calls -> line -> caller
//!                                                                              -- upstream servers
//! ```
//!
//! The caller is the operator: it says what may be called, and may name commands. It is bounded all the same, since a caller with a fault must cost
//! neither memory nor processes; and all that it has started ends with it.

mod calls;
mod connection;
mod events;
mod failure;
mod limits;
mod line;
mod open_scope;
mod params;
mod run_tools;
mod scopes;
mod socket;

use std::process::ExitCode;

use isolet_rpc::standard_streams;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::command_line::ExecCommand;
use crate::fault::Fault;
use crate::terminal;

/// Serves the caller on standard input and output until it goes, or callers on a socket until a signal asks to end.
pub(crate) async fn exec(command: ExecCommand) -> Result<ExitCode, Fault> {
    let mut terminated = signal(SignalKind::terminate()).map_err(Fault::host)?;
    let ended = CancellationToken::new();
    let serve = async {
        match command.socket {
            Some(path) => socket::serve(&path, &ended).await,
            None => {
                let ended = ended.clone();
                // In a task: what `block_on` drives is woken through one thread more.
                let served = tokio::spawn(async move {
                    connection::serve(standard_streams::input(), terminal::line_out(), &ended).await;
                });
                served.await.map_err(Fault::host)
            }
        }
    };
    tokio::pin!(serve);
    let served = tokio::select! {
        served = &mut serve => served,
        _ = terminated.recv() => { ended.cancel(); serve.await }
        _ = tokio::signal::ctrl_c() => { ended.cancel(); serve.await }
    };
    served.map(|()| ExitCode::SUCCESS)
}
