//! One MCP server as a child process: its command, its environment, its pipes, its last words.
//!
//! Started under a [`super::supervisor`], without a shell, with an environment that holds what is listed and configured and nothing else.
//! Dropping the writing end of its input is what ends it, however that comes about.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{Quota, RateLimiter};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{Notify, watch};

use super::credential_source::Credentials;
use super::error::UpstreamError;
use super::sent::Sent;
use super::server_configuration::CommandServer;
use super::server_environment::ENVIRONMENT_KEPT;
use super::supervisor;

/// The most bytes of a server's standard error that are kept: the last ones.
const STDERR_BYTES_MAX: usize = 4096;

/// How standard error is read: in parts, so many at once, and then at a rate of 16 MiB a second if they are full.
const STDERR_PART_BYTES: usize = 16 << 10;
const STDERR_PARTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(1024).expect("not zero");
const STDERR_PARTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

/// What the end of a server's output is waited for after the end of the server.
const LAST_WORDS_MAX: Duration = Duration::from_millis(500);

/// A server's process, and what is known of it.
#[derive(Debug)]
pub(super) struct ServerProcess {
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// Its exit status, once it has ended and all of its standard error is read. `None` inside: ended, status unknown.
    ended: watch::Receiver<Option<Option<ExitStatus>>>,
    kill: Arc<Notify>,
    sent: Arc<Sent>,
}

/// The two ends of the line to a server.
pub(super) type Pipes = (ChildStdout, ChildStdin);

impl ServerProcess {
    /// Starts `server`, named `name`, with these credentials, under a supervisor that runs `supervisor` (default: this executable), with the
    /// variables of our environment that `passed` names. `sent`: what of all that is not quoted.
    ///
    /// # Errors
    ///
    /// [`UpstreamError::CommandNotFound`], [`UpstreamError::NotInitialised`], [`UpstreamError::Start`].
    pub(super) fn start(
        name: &str,
        (server, credentials): (&CommandServer, &Credentials),
        sent: &Arc<Sent>,
        supervisor: Option<&Path>,
        passed: &[String],
    ) -> Result<(Self, Pipes), UpstreamError> {
        let command = resolve(name, server)?;
        let executable = match supervisor {
            Some(executable) => executable.to_owned(),
            None if supervisor::is_initialised() => std::env::current_exe().map_err(|source| start_error(name, source))?,
            None => return Err(UpstreamError::NotInitialised),
        };
        let mut process = Command::new(executable);
        process.arg0(supervisor::NAME).arg(command).args(&server.args);
        process.env_clear().envs(environment(server, passed));
        process.envs(credentials.env().map(|(name, value)| (name, value.expose())));
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        if let Some(directory) = &server.cwd {
            process.current_dir(directory);
        }
        let mut child = process.spawn().map_err(|source| start_error(name, source))?;
        let (Some(input), Some(output), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(start_error(name, std::io::ErrorKind::BrokenPipe.into()));
        };
        let kept = Arc::default();
        let (sender, ended) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        tokio::spawn(watch_end(child, stderr, Arc::clone(&kept), Arc::clone(&kill), sender));
        Ok((Self { stderr: kept, ended, kill, sent: Arc::clone(sent) }, (output, input)))
    }

    /// Waits until nothing of the server is left, at most `time_max`: whether that is so, and its exit status if it is known.
    pub(super) async fn wait(&self, time_max: Duration) -> Option<Option<ExitStatus>> {
        let mut ended = self.ended.clone();
        let status = tokio::time::timeout(time_max, ended.wait_for(Option::is_some)).await;
        status.ok().map(|status| status.ok().and_then(|status| *status).flatten())
    }

    /// Wakes both supervisors and kills the upper one, which makes the lower one kill the server at once.
    pub(super) fn kill(&self) {
        self.kill.notify_one();
    }

    /// Waits until nothing of the server is left.
    pub(super) async fn ended(&self) {
        let _ = self.ended.clone().wait_for(Option::is_some).await;
    }

    /// The end of what it wrote to standard error, without the credentials that it was given.
    pub(super) fn last_words(&self) -> String {
        let bytes: Vec<u8> = self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        self.sent.text(String::from_utf8_lossy(&bytes).trim())
    }
}

/// Waits for the end of `child` and of its standard error, and tells it.
async fn watch_end(
    mut child: Child,
    stderr: ChildStderr,
    kept: Arc<Mutex<VecDeque<u8>>>,
    kill: Arc<Notify>,
    ended: watch::Sender<Option<Option<ExitStatus>>>,
) {
    let drain = tokio::spawn(async move { drain(stderr, &kept).await });
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
            let wake = || group.map(|group| kill_process_group(group, Signal::CONT));
            wake();
            let _ = child.start_kill();
            // The lower one sees it when it runs.
            wake();
            child.wait().await
        }
    };
    // Nothing of the server is left that could write: what is unread is in the pipe.
    let _ = tokio::time::timeout(LAST_WORDS_MAX, drain).await;
    let _ = ended.send(Some(status.ok()));
}

/// Reads `stream` to its end, so that its writer never waits for long, and keeps the last bytes. One that floods waits for its turn to be read.
async fn drain(mut stream: impl AsyncRead + Unpin, kept: &Mutex<VecDeque<u8>>) {
    let rate = RateLimiter::direct(Quota::per_second(STDERR_PARTS_PER_SECOND).allow_burst(STDERR_PARTS_AT_ONCE));
    let mut buffer = vec![0; STDERR_PART_BYTES];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(&buffer[read.saturating_sub(STDERR_BYTES_MAX)..read]);
            let excess = kept.len().saturating_sub(STDERR_BYTES_MAX);
            kept.drain(..excess);
        }
        rate.until_ready().await;
    }
}

fn start_error(name: &str, source: std::io::Error) -> UpstreamError {
    UpstreamError::Start { server: name.to_owned(), source }
}

/// The program that `server` names, found before anything is started, so that a wrong name is a clear error.
fn resolve(name: &str, server: &CommandServer) -> Result<PathBuf, UpstreamError> {
    let directory = match &server.cwd {
        Some(directory) if !directory.is_dir() => {
            return Err(UpstreamError::NoDirectory { server: name.to_owned(), directory: directory.clone() });
        }
        Some(directory) => Ok(directory.clone()),
        None => std::env::current_dir(),
    };
    let directory = directory.map_err(|source| start_error(name, source))?;
    let search = server.env.get("PATH").map(OsString::from).or_else(|| std::env::var_os("PATH"));
    which::which_in(&server.command, search, directory)
        .map_err(|_| UpstreamError::CommandNotFound { server: name.to_owned(), command: server.command.clone() })
}

/// The whole environment of `server`, which gets what `passed` names too.
fn environment(server: &CommandServer, passed: &[String]) -> Vec<(OsString, OsString)> {
    let names = ENVIRONMENT_KEPT.into_iter().chain(passed.iter().map(String::as_str));
    let kept = names.filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    // A later entry of the same name replaces an earlier one.
    kept.chain(server.env.iter().map(|(name, value)| (name.into(), value.into()))).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_command_is_looked_for_in_the_path_of_the_server() {
        assert!(resolve("a", &CommandServer::new("sh")).is_ok());
        assert!(resolve("a", &CommandServer::new("/bin/sh")).is_ok());
        let elsewhere = CommandServer::new("sh").with_env("PATH", "/nowhere");
        let error = resolve("a", &elsewhere).unwrap_err().to_string();
        assert!(error.contains("`sh`") && error.contains("server `a`"), "{error}");
        assert!(matches!(
            resolve("a", &CommandServer::new("no-such-command-here")),
            Err(UpstreamError::CommandNotFound { .. })
        ));
        let nowhere = CommandServer { cwd: Some("/nowhere".into()), ..CommandServer::new("sh") };
        assert!(matches!(resolve("a", &nowhere), Err(UpstreamError::NoDirectory { .. })));
    }

    #[test]
    fn the_environment_is_what_is_kept_and_what_is_configured() {
        let server = CommandServer::new("x").with_env("TOKEN", "t").with_env("HOME", "/srv");
        let environment: std::collections::HashMap<_, _> =
            environment(&server, &["CARGO_PKG_NAME".to_owned()]).into_iter().collect();
        assert_eq!(environment.get(&OsString::from("TOKEN")), Some(&OsString::from("t")));
        assert_eq!(environment.get(&OsString::from("HOME")), Some(&OsString::from("/srv")));
        assert!(!environment.contains_key(&OsString::from("CARGO_MANIFEST_DIR")));
        assert_eq!(environment.get(&OsString::from("CARGO_PKG_NAME")), std::env::var_os("CARGO_PKG_NAME").as_ref());
        assert_eq!(environment.get(&OsString::from("PATH")), std::env::var_os("PATH").as_ref());
    }

    #[tokio::test]
    async fn the_last_bytes_of_standard_error_are_kept() {
        let kept = Mutex::default();
        drain(&b"abc"[..], &kept).await;
        assert_eq!(*kept.lock().unwrap(), b"abc");
        drain(&[b'x'; STDERR_BYTES_MAX - 1][..], &kept).await;
        let kept = kept.into_inner().unwrap();
        assert_eq!(kept.len(), STDERR_BYTES_MAX);
        assert_eq!(kept.iter().take(2).copied().collect::<Vec<u8>>(), b"cx");
    }
}
