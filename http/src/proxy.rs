//! Whose a request is by the word of a proxy that has authenticated it: taken from proxies that are listed, and from nobody else.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderName;
use axum::http::request::Parts;
use ipnet::IpNet;

use crate::refusal::Refusal;

/// The most bytes of a user's name.
const USER_BYTES_MAX: usize = 256;

/// Who is at the other end of the connection of a request: an extension of its head, which [`crate::serve`] puts there. An application with a server of
/// its own puts it there itself.
#[expect(clippy::exhaustive_structs, reason = "an application with a listener of its own makes it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Addresses of proxies: one, or a network such as `10.1.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRange(IpNet);

/// A text that is no address of a proxy.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPeerRange {
    /// It is none at all.
    #[error("this is no address: write one such as `10.0.0.7`, or a network such as `10.1.0.0/16`")]
    NotAnAddress,
    /// It is every address.
    #[error("this is every address, so anybody could say who they are: write those of the proxy")]
    Anybody,
}

impl FromStr for PeerRange {
    type Err = NotAPeerRange;

    fn from_str(text: &str) -> Result<Self, NotAPeerRange> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match network {
            Ok(network) if network.prefix_len() == 0 => Err(NotAPeerRange::Anybody),
            Ok(network) => Ok(Self(network)),
            Err(_) => Err(NotAPeerRange::NotAnAddress),
        }
    }
}

/// Proxies that say in a header field whose a request is. They have to take that field out of what they are sent.
#[derive(Clone, Debug)]
pub struct TrustedProxy {
    peers: Vec<PeerRange>,
    user_header: HeaderName,
}

impl TrustedProxy {
    /// Takes the word of `peers` in the field `user_header`. None if that is no name of one, or one that says something else.
    #[must_use]
    pub fn new(user_header: &str, peers: impl IntoIterator<Item = PeerRange>) -> Option<Self> {
        const OTHERS: [&str; 6] = ["authorization", "cookie", "host", "origin", "content-type", "content-length"];
        let user_header = user_header.parse::<HeaderName>().ok().filter(|name| !OTHERS.contains(&name.as_str()))?;
        Some(Self { peers: peers.into_iter().collect(), user_header })
    }

    /// The field.
    #[must_use]
    pub fn user_header(&self) -> &str {
        self.user_header.as_str()
    }

    /// The user of the request with this head; none if nothing is said of it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where somebody else says so, or it is said twice, or as nothing that is a name.
    pub fn user<'a>(&self, head: &'a Parts) -> Result<Option<&'a str>, Refusal> {
        let mut said = head.headers.get_all(&self.user_header).iter();
        let Some(value) = said.next() else { return Ok(None) };
        let user = value.to_str().ok().map(str::trim).filter(|user| !user.is_empty() && user.len() <= USER_BYTES_MAX);
        match user {
            Some(user) if said.next().is_none() && self.is_from_proxy(head) => Ok(Some(user)),
            _ => Err(Refusal::unauthenticated()),
        }
    }

    /// An address of the older protocol is the same whichever way it is written.
    fn is_from_proxy(&self, head: &Parts) -> bool {
        let peer = head.extensions.get::<Peer>().map(|peer| peer.0.to_canonical());
        peer.is_some_and(|peer| self.peers.iter().any(|range| range.0.contains(&peer)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::http::{HeaderValue, Request};

    use super::*;

    fn said_by(peer: Option<&str>, values: &[&[u8]]) -> Result<Option<String>, Refusal> {
        let peers = ["10.1.0.0/16", "2001:db8::7"].map(|range| range.parse().unwrap());
        let mut request = Request::new(());
        for value in values {
            request.headers_mut().append("x-forwarded-user", HeaderValue::from_bytes(value).unwrap());
        }
        request.extensions_mut().extend(
            peer.map(|peer| {
                let mut one = axum::http::Extensions::new();
                one.insert(Peer(peer.parse().unwrap()));
                one
            })
            .unwrap_or_default(),
        );
        let (head, ()) = request.into_parts();
        TrustedProxy::new("X-Forwarded-User", peers).unwrap().user(&head).map(|user| user.map(str::to_owned))
    }

    #[test]
    fn a_user_is_taken_from_a_listed_proxy_and_from_nobody_else() {
        for peer in ["10.1.255.9", "::ffff:10.1.0.1", "2001:db8::7"] {
            assert_eq!(said_by(Some(peer), &[b" ada "]), Ok(Some("ada".to_owned())), "{peer}");
        }
        for peer in [Some("10.2.0.1"), Some("127.0.0.1"), Some("2001:db8::8"), Some("::1"), None] {
            assert_eq!(said_by(peer, &[b"ada"]), Err(Refusal::unauthenticated()), "{peer:?}");
            assert_eq!(said_by(peer, &[]), Ok(None));
        }
    }

    #[test]
    fn what_is_said_twice_or_is_no_name_is_refused() {
        let long = [b'a'; USER_BYTES_MAX + 1];
        for values in [&[&b"ada"[..], b"bob"][..], &[b"ada", b"ada"], &[b""], &[b"  "], &[b"\xff"], &[&long]] {
            assert_eq!(said_by(Some("10.1.0.1"), values), Err(Refusal::unauthenticated()), "{values:?}");
        }
        assert!(said_by(Some("10.1.0.1"), &[&long[1..]]).is_ok_and(|user| user.is_some()));
    }

    #[test]
    fn nobody_lists_everybody_or_a_field_that_says_something_else() {
        for (text, expected) in [
            ("0.0.0.0/0", NotAPeerRange::Anybody),
            ("::/0", NotAPeerRange::Anybody),
            ("10.0.0.0/33", NotAPeerRange::NotAnAddress),
            ("proxy.example.com", NotAPeerRange::NotAnAddress),
            ("", NotAPeerRange::NotAnAddress),
        ] {
            assert_eq!(text.parse::<PeerRange>(), Err(expected), "{text}");
        }
        for name in ["Authorization", "Host", "no header", ""] {
            assert!(TrustedProxy::new(name, []).is_none(), "{name}");
        }
    }
}
