//! What is logged about servers: so much of each in a time, whatever they do, and whatever programs do with them.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use isolet_bindings::visible;

use super::error::UpstreamError;

/// Lines about one server in [`WINDOW`].
const LINES_MAX: u32 = 10;

/// The time in which they are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Servers whose lines are counted. Where there are more within [`WINDOW`], nothing is said about the others.
const SERVERS_MAX: usize = 256;

/// The lines about each server in the last time.
#[derive(Default)]
pub(super) struct LogGate(Mutex<HashMap<String, Lines>>);

struct Lines {
    since: Instant,
    written: u32,
    left_out: u64,
}

impl LogGate {
    /// Logs that a call of `path` failed at `server`.
    pub(super) fn call_failed(&self, server: &str, path: &str, error: &UpstreamError) {
        if let Some(left_out) = self.admit(server, Instant::now()) {
            let path = visible::line(path);
            let error = error as &dyn Error;
            if left_out == 0 {
                tracing::warn!(%path, error, "a tool call failed at its server");
            } else {
                tracing::warn!(%path, error, "a tool call failed at its server, as {left_out} did of which nothing was said");
            }
        }
    }

    /// Whether a line about `server` may be written; how many were not, since the last that was.
    fn admit(&self, server: &str, now: Instant) -> Option<u64> {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !servers.contains_key(server) {
            if servers.len() >= SERVERS_MAX {
                servers.retain(|_, lines| now.duration_since(lines.since) < WINDOW);
            }
            if servers.len() >= SERVERS_MAX {
                return None;
            }
        }
        let lines = servers.entry(server.to_owned()).or_insert(Lines { since: now, written: 0, left_out: 0 });
        if now.duration_since(lines.since) >= WINDOW {
            (lines.since, lines.written) = (now, 0);
        }
        if lines.written == LINES_MAX {
            lines.left_out += 1;
            return None;
        }
        lines.written += 1;
        Some(std::mem::take(&mut lines.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_lines_and_what_is_left_out_is_counted() {
        let (gate, now) = (LogGate::default(), Instant::now());
        let written = |server: &str, now| (0..1000).filter(|_| gate.admit(server, now).is_some()).count();
        assert_eq!((written("a", now), written("b", now)), (10, 10));
        assert_eq!(gate.admit("a", now + WINDOW), Some(990));
        assert_eq!(gate.admit("a", now + WINDOW), Some(0));
    }

    #[test]
    fn no_more_servers_are_kept_than_there_may_be() {
        let (gate, now) = (LogGate::default(), Instant::now());
        let admitted = (0..10_000).filter(|server| gate.admit(&server.to_string(), now).is_some()).count();
        assert_eq!(admitted, SERVERS_MAX);
        assert_eq!(gate.admit("later", now + WINDOW), Some(0));
        assert_eq!(gate.0.lock().unwrap_or_else(PoisonError::into_inner).len(), 1);
    }
}
