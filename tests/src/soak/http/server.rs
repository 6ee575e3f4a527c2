//! The servers of the soak over HTTP.

use super::echo_server::Era;

/// How many there are.
pub(super) const SERVERS_COUNT: usize = 10;

/// One of the servers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A child of ours, in this mode of [`crate::misbehaving_server`].
    Child(&'static str),
    Http(Era),
    /// Is called to its end again and again.
    MortalChild,
    /// Ends again and again, and forgets its sessions.
    MortalHttp,
}

/// All of them. One round of calls is half of them, the next round the other half.
pub(super) static SERVERS: [Server; SERVERS_COUNT] = [
    Server { name: "first", kind: Kind::Child("complete") },
    Server { name: "sessions", kind: Kind::Http(Era::Sessions) },
    Server { name: "second", kind: Kind::Child("complete") },
    Server { name: "mortal", kind: Kind::MortalChild },
    Server { name: "stateless", kind: Kind::Http(Era::Stateless) },
    Server { name: "third", kind: Kind::Child("complete") },
    Server { name: "mortal_http", kind: Kind::MortalHttp },
    Server { name: "modern", kind: Kind::Child("modern") },
    Server { name: "stateless_too", kind: Kind::Http(Era::Stateless) },
    Server { name: "changing", kind: Kind::Child("alternates") },
];

impl Server {
    /// Whether its calls may be lost.
    pub(super) fn is_mortal(&self) -> bool {
        matches!(self.kind, Kind::MortalChild | Kind::MortalHttp)
    }

    /// Whether its calls are counted where they arrive.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.kind, Kind::Http(_))
    }
}
