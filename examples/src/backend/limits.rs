//! What those who connect can take of the service.

use std::time::Duration;

/// The most bytes of a request: a program has at most 256 KiB, and JSON may write each of them as two.
pub(super) const BODY_BYTES_MAX: usize = 512 << 10;

/// What those who connect can take. Past each of them it is their own connection or request that ends.
///
/// With the runtime's live runs, three descriptors each, the defaults stay below 1,024 descriptors.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Connections at a time. Default 384. One more takes the place of the one that has waited longest for a user's request; it is
    /// closed where none waits.
    pub connections_max: usize,
    /// Connections of one address at a time, in the same way. Default 192. Behind a proxy all have one address.
    pub connections_of_address_max: usize,
    /// From the opening of a connection, or its last answer, to the end of a request's head. Default 10 s. Past it the connection is closed.
    pub head_max: Duration,
    /// From a request's head to the end of its body. Default 10 s. Past it: 408.
    pub body_max: Duration,
    /// From a request's body to its answer. Default 60 s, twice what a run may take. Past it: 503.
    pub answer_max: Duration,
    /// The life of a connection. Default 10 minutes. Past it the connection is closed with the answer that is under way.
    pub connection_age_max: Duration,
    /// From SIGTERM to the end of the requests that are under way. Default 10 s. Past it they are dropped.
    pub shutdown_max: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 384,
            connections_of_address_max: 192,
            head_max: Duration::from_secs(10),
            body_max: Duration::from_secs(10),
            answer_max: Duration::from_secs(60),
            connection_age_max: Duration::from_secs(600),
            shutdown_max: Duration::from_secs(10),
        }
    }
}
