//! What those who connect can take of a server.

use std::time::Duration;

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
    /// How long a client may take nothing of what it is sent. Default 30 s. Past it the connection is closed, and its run ends (Linux).
    pub taking_max: Duration,
    /// The life of a connection. Default 10 minutes. Past it the connection is closed with the answer that is under way, which may take
    /// [`ServerLimits::last_answer_max`].
    pub connection_age_max: Duration,
    /// How long an answer may go on on a connection that is past its age. Default 1 hour: a run, or a stream, ends by its own limits.
    pub last_answer_max: Duration,
    /// From the beginning of the end to the end of the requests that are under way. Default 10 s. Past it they are told so and cut off.
    pub shutdown_max: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 384,
            connections_of_address_max: 192,
            head_max: Duration::from_secs(10),
            taking_max: Duration::from_secs(30),
            connection_age_max: Duration::from_secs(600),
            last_answer_max: Duration::from_secs(3600),
            shutdown_max: Duration::from_secs(10),
        }
    }
}
