//! What upstream servers may cost, where they may be, and what they see.

use std::path::PathBuf;
use std::time::Duration;

use isolet_bindings::LIST_BYTES_MAX;
use isolet_outbound::Policy;

/// What upstream servers may cost. Every field is a maximum.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct UpstreamOptions {
    /// From the start of a server to the end of its handshake. Default 60 s: package runners download on their first start.
    pub start_max: Duration,
    /// All pages of a `tools/list`. Default 30 s.
    pub list_max: Duration,
    /// One call; past it the server is told to cancel, and the guest gets `timed_out`. Progress does not extend it. Default 60 s.
    pub call_max: Duration,
    /// How long one question of a server to the user waits for its answer; past it the call that it belongs to fails with `cannot_ask`. That time is part
    /// of no other limit. Default 5 min.
    pub answer_max: Duration,
    /// How long a server runs without a call before it is ended, and what it remembers with it. Default 60 s; [`Duration::MAX`]: never.
    pub idle_max: Duration,
    /// One message of a server, bytes. A longer one ends the connection, and the calls that wait on it fail with `too_large`. Default 16 MiB.
    pub message_bytes_max: usize,
    /// All definitions of one server, bytes. Default [`LIST_BYTES_MAX`], which is also the most that a catalog takes.
    pub list_bytes_max: usize,
    /// Servers that are starting at the same time; others wait. Default 4.
    pub starts_max: usize,
    /// Servers that run at the same time, of all users. Past it the one that has been idle longest is ended; if none is, the call fails. Default 64.
    pub servers_max: usize,
    /// The executable that supervises servers, which must call [`crate::init`] first thing in its `main`. Default: this process's own.
    pub executable: Option<PathBuf>,
    /// The variables of this process's environment that servers get beside those of [`crate::mcp::ENVIRONMENT_KEPT`]. Default: none.
    pub environment: Vec<String>,
    /// Where servers may be that are called over HTTP. Default [`Policy::operator`]: https to public addresses, and this machine.
    pub policy: Policy,
}

impl Default for UpstreamOptions {
    fn default() -> Self {
        Self {
            start_max: Duration::from_secs(60),
            list_max: Duration::from_secs(30),
            call_max: Duration::from_secs(60),
            answer_max: Duration::from_secs(300),
            idle_max: Duration::from_secs(60),
            message_bytes_max: 16 << 20,
            list_bytes_max: LIST_BYTES_MAX,
            starts_max: 4,
            servers_max: 64,
            executable: None,
            environment: Vec::new(),
            policy: Policy::operator(),
        }
    }
}
