//! A server under test: a process that prints its address.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_secs(60);

/// How long it may take to end after it was asked to.
const END_MAX: Duration = Duration::from_secs(15);

/// A running server. Dropping it asks it to end, and kills it if it does not.
#[derive(Debug)]
pub struct Server {
    process: Child,
    lines: Receiver<String>,
    url: String,
}

impl Server {
    /// Starts a command, and waits until it prints an address that begins with `http://`, on either output.
    ///
    /// The server is asked for under `path` there; without one under the path that was printed, or under `/mcp` where none was.
    ///
    /// # Errors
    ///
    /// When the command does not start, ends, or does not print an address within a minute.
    pub fn start(command: &[OsString], path: Option<&str>) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("there is no command: give the server's after `--`")?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{}` does not start", program.display()))?;
        let (sender, lines) = channel();
        if let Some(output) = process.stdout.take() {
            pass_on(output, sender.clone());
        }
        if let Some(output) = process.stderr.take() {
            pass_on(output, sender);
        }
        let mut server = Self { process, lines, url: String::new() };
        server.url = under(&server.address()?, path);
        Ok(server)
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first address that it prints.
    fn address(&self) -> anyhow::Result<String> {
        let until = Instant::now() + START_MAX;
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => match address_in(&line) {
                    Some(address) => return Ok(address.to_owned()),
                    None => said = said + &line + "\n",
                },
                Err(RecvTimeoutError::Timeout) => bail!("the server printed no address within {START_MAX:?}:\n{said}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended before it printed an address:\n{said}"),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            // A process that has ended already is none that can be asked.
            let _ = kill_process(pid, Signal::TERM);
        }
        let until = Instant::now() + END_MAX;
        // Its outputs close when it, and all that it started, have ended.
        while self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) != Err(RecvTimeoutError::Disconnected) {
            if Instant::now() >= until {
                let _ = self.process.kill();
                break;
            }
        }
        let _ = self.process.wait();
    }
}

/// Sends each line on, until the output closes.
fn pass_on(output: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            // Nobody reads any more once the server is being dropped, but it must not stop because its output is full.
            let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

/// The first `http://` address in a line, without what surrounds it.
fn address_in(line: &str) -> Option<&str> {
    let address = &line[line.find("http://")?..];
    let end = address.find(|character: char| character.is_whitespace() || "`'\"<>()[],;\u{1b}".contains(character));
    let address = address[..end.unwrap_or(address.len())].trim_end_matches('.');
    (address.len() > "http://".len()).then_some(address)
}

/// The address with another path.
fn under(address: &str, path: Option<&str>) -> String {
    let (scheme, rest) = address.split_at("http://".len());
    let (authority, printed) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.or(Some(printed).filter(|printed| !matches!(*printed, "" | "/"))).unwrap_or("/mcp");
    format!("{scheme}{authority}/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn shell(script: &str) -> Vec<OsString> {
        ["sh", "-c", script].map(OsString::from).to_vec()
    }

    #[test]
    fn an_address_is_found_in_what_a_server_says() {
        let found = |line: &'static str| address_in(line);
        assert_eq!(found("http://127.0.0.1:80/mcp"), Some("http://127.0.0.1:80/mcp"));
        assert_eq!(found("listening on `http://localhost:8080`, stop with ctrl-c"), Some("http://localhost:8080"));
        assert_eq!(found("ready: http://127.0.0.1:1."), Some("http://127.0.0.1:1"));
        assert_eq!(found("https://example.com is not here, nor http:// alone"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn the_path_is_the_one_that_is_asked_for_or_printed_or_the_usual_one() {
        assert_eq!(under("http://127.0.0.1:1/a", Some("/mcp/classic")), "http://127.0.0.1:1/mcp/classic");
        assert_eq!(under("http://127.0.0.1:1/a", None), "http://127.0.0.1:1/a");
        assert_eq!(under("http://127.0.0.1:1/", None), "http://127.0.0.1:1/mcp");
        assert_eq!(under("http://127.0.0.1:1", None), "http://127.0.0.1:1/mcp");
    }

    #[test]
    fn a_server_is_asked_to_end_and_waited_for() {
        // Both outputs count, and what it says at its end does not block it.
        let script =
            "trap 'seq 100000; exit' TERM; echo starting; echo at http://127.0.0.1:9 >&2; while :; do read _ <&3; done 3<&2";
        let server = Server::start(&shell(script), None).unwrap();
        assert_eq!(server.url(), "http://127.0.0.1:9/mcp");
        let pid = Pid::from_raw(i32::try_from(server.process.id()).unwrap()).unwrap();
        drop(server);
        assert!(rustix::process::test_kill_process(pid).is_err(), "it still runs");
    }

    #[test]
    fn a_server_that_ends_early_is_an_error_with_its_words() {
        let error = Server::start(&shell("echo no such option >&2; exit 2"), None).unwrap_err().to_string();
        assert!(error.contains("ended before") && error.contains("no such option"), "{error}");
        assert!(Server::start(&[], None).is_err());
    }
}
