//! Callers on a Unix socket: of the same user, which the kernel says, and no more than so many at a time.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection;
use crate::fault::Fault;
use crate::terminal;

/// Callers at a time, each with a runtime of its own; the next one waits.
const CONNECTIONS_MAX: usize = 16;

/// Serves all callers until `ended` is cancelled. The socket is gone then.
pub(super) async fn serve(path: &Path, ended: &CancellationToken) -> Result<(), Fault> {
    let socket = Socket::bind(path).map_err(Fault::Usage)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut callers = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((place, socket.listener.accept().await?.0))
        };
        let accepted = tokio::select! {
            () = ended.cancelled() => break,
            accepted = accepted => accepted,
        };
        while callers.try_join_next().is_some() {}
        let (place, caller) = match accepted {
            Ok(accepted) => accepted,
            // Descriptors are short for a moment, or the caller has gone already.
            Err(error) => {
                terminal::say(&format!("a caller could not be accepted: {error}"));
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        if let Err(error) = is_of_this_user(&caller) {
            terminal::say(&format!("{error:#}"));
            continue;
        }
        let ended = ended.clone();
        callers.spawn(async move {
            let (input, output) = caller.into_split();
            connection::serve(input, Box::new(output), &ended).await;
            drop(place);
        });
    }
    while callers.join_next().await.is_some() {}
    Ok(())
}

/// The kernel says who is at the other end: the mode of the file kept others out, and this holds where somebody has changed it.
fn is_of_this_user(caller: &UnixStream) -> anyhow::Result<()> {
    let caller = caller.peer_cred().context("the system does not say who calls")?.uid();
    let own = rustix::process::geteuid().as_raw();
    if caller == own {
        Ok(())
    } else {
        Err(anyhow!("a caller is refused: it is user {caller}, and this program is of user {own}"))
    }
}

/// A socket that is listened on, and its file.
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes a socket that only this user may connect to, from its first moment on: it gets its mode in a folder that is closed to others.
    fn bind(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let absolute = std::path::absolute(path).with_context(|| format!("the socket `{shown}` cannot be made"))?;
        let folder = absolute.parent().ok_or_else(|| anyhow!("`{shown}` is no name of a socket"))?;
        let unusable = || {
            format!(
                "the socket `{shown}` cannot be made: name a path in a folder that this user may write to, of at most 70 bytes"
            )
        };
        let closed = tempfile::Builder::new().prefix(".isolet-").tempdir_in(folder).with_context(unusable)?;
        let made = closed.path().join("s");
        let listener = UnixListener::bind(&made).with_context(unusable)?;
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600)).with_context(unusable)?;
        renameat_with(CWD, &made, CWD, &absolute, RenameFlags::NOREPLACE).map_err(|error| match error {
            rustix::io::Errno::EXIST => {
                anyhow!("`{shown}` is there already: remove it if no `isolet exec` uses it, or name another path")
            }
            error => anyhow::Error::new(io::Error::from(error)).context(unusable()),
        })?;
        Ok(Self { listener, path: absolute })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
