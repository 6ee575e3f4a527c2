//! What may be called, over what, and how much of everything: the rules that every request meets.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use url::{Host, Url};

use crate::address::AddressKind;
use crate::destination::Destination;
use crate::error::OutboundError;
use crate::host::{host_name, is_loopback, is_reserved, literal};
use crate::proxy::Proxy;

/// Who wrote the addresses that are called.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressSource {
    /// The operator, in a configuration. `localhost` and literal loopback addresses mean what they say.
    Operator,
    /// A server or a document: metadata, a link, a redirect. Loopback is refused like every other address that is not public.
    Server,
}

/// The rules of one [`crate::Outbound`].
///
/// https only, but for loopback and for destinations that are allowed as `http://...`; public addresses only, but for loopback that an operator
/// wrote and for destinations that are allowed. [`Policy::operator`] and [`Policy::server`] differ in nothing but the source.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who wrote the addresses.
    pub source: AddressSource,
    /// Where requests may go although the address is not public. Default none. Only the operator fills this.
    pub allowed: Vec<Destination>,
    /// The proxy that carries https. Default none; the environment is never asked.
    pub proxy: Option<Proxy>,
    /// Certificates of further authorities, as PEM. Default none: those of the platform alone.
    pub roots: String,
    /// How much of everything.
    pub limits: OutboundLimits,
}

impl Policy {
    /// The rules for addresses from the operator's configuration.
    #[must_use]
    pub fn operator() -> Self {
        Self {
            source: AddressSource::Operator,
            allowed: Vec::new(),
            proxy: None,
            roots: String::new(),
            limits: OutboundLimits::default(),
        }
    }

    /// The rules for addresses that a server or a document supplied.
    #[must_use]
    pub fn server() -> Self {
        Self { source: AddressSource::Server, ..Self::operator() }
    }

    /// The same rules for addresses of another source.
    #[must_use]
    pub fn with_source(&self, source: AddressSource) -> Self {
        Self { source, ..self.clone() }
    }

    /// Whether `url` may be called, as far as it can be said without asking for addresses.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), OutboundError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutboundError::NotHttp { scheme: url.scheme().to_owned() });
        }
        let Some(host) = url.host() else { return Err(OutboundError::NotHttp { scheme: url.scheme().to_owned() }) };
        let name = host_name(&host);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::CredentialsInAddress { host: name });
        }
        if is_reserved(&name) {
            return Err(OutboundError::NotFound { host: name });
        }
        match host {
            Host::Ipv4(address) => self.check_address(&name, address.into())?,
            Host::Ipv6(address) => self.check_address(&name, address.into())?,
            Host::Domain(_) if is_loopback(&name) => self.check_address(&name, Ipv4Addr::LOCALHOST.into())?,
            Host::Domain(_) => {}
        }
        if url.scheme() == "http" && !self.allows_plain_http(&name) {
            return Err(OutboundError::PlainHttp { host: name });
        }
        Ok(())
    }

    /// Whether `address`, to which the host `name` resolved (or which it is), may be connected to.
    pub(crate) fn check_address(&self, name: &str, address: IpAddr) -> Result<(), OutboundError> {
        let Some(kind) = AddressKind::of(address) else { return Ok(()) };
        let is_allowed = match kind {
            AddressKind::Metadata => self.allowed.iter().any(|destination| destination.is_exactly(address)),
            AddressKind::Loopback if self.source == AddressSource::Operator && is_loopback(name) => true,
            _ => self.allows_host(name) || self.allowed.iter().any(|destination| destination.has(address)),
        };
        if is_allowed { Ok(()) } else { Err(OutboundError::AddressRefused { host: name.to_owned(), address, kind }) }
    }

    /// Whether the operator allowed the host `name`, wherever it is.
    pub(crate) fn allows_host(&self, name: &str) -> bool {
        self.allowed.iter().any(|destination| destination.is_host(name))
    }

    fn allows_plain_http(&self, name: &str) -> bool {
        let is_there = |destination: &Destination| {
            destination.is_host(name) || literal(name).is_some_and(|address| destination.has(address))
        };
        is_loopback(name) || self.allowed.iter().any(|destination| destination.is_plain_http() && is_there(destination))
    }
}

/// How much of everything. Each number is a ceiling, and going past it is an error of its own.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundLimits {
    /// Looking up the host, connecting and shaking hands, a proxy included. Default 10 s. Past it: [`OutboundError::ConnectTimedOut`].
    pub connect_max: Duration,
    /// One request, from waiting for a slot to the last byte of its answer, redirects included. Default 60 s. Past it:
    /// [`OutboundError::TimedOut`]. It does not hold for [`crate::Outbound::client`], whose streams live for hours.
    pub answer_max: Duration,
    /// How long a server may say nothing, before and within an answer, on [`crate::Outbound::client`]. Default 1 h. Past it:
    /// [`OutboundError::TimedOut`]. A peer that vanished is noticed by TCP long before.
    pub silence_max: Duration,
    /// Bytes of an answer's body after decompression. Default 16 MiB. Past it: [`OutboundError::TooLarge`], and the rest is not read.
    pub answer_bytes_max: usize,
    /// Bytes of a request's body. Default 16 MiB. Past it: [`OutboundError::RequestTooLarge`].
    pub request_bytes_max: usize,
    /// Bytes of an answer's header fields. Default 64 KiB, and 100 fields at most. Past it: [`OutboundError::HeadersTooLarge`].
    pub header_bytes_max: usize,
    /// Requests under way at once; others wait. Default 64. Through [`crate::Outbound::client`] whoever holds it does the counting.
    pub requests_max: usize,
    /// Hosts that are looked up at once; others wait. Default 16: each takes a thread.
    pub lookups_max: usize,
    /// Redirects that one request follows. Default 3. Past it: [`OutboundError::TooManyRedirects`].
    pub redirects_max: usize,
}

impl Default for OutboundLimits {
    fn default() -> Self {
        Self {
            connect_max: Duration::from_secs(10),
            answer_max: Duration::from_secs(60),
            silence_max: Duration::from_secs(60 * 60),
            answer_bytes_max: 16 << 20,
            request_bytes_max: 16 << 20,
            header_bytes_max: 64 << 10,
            requests_max: 64,
            lookups_max: 16,
            redirects_max: 3,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[track_caller]
    fn check(policy: &Policy, url: &str, expected: &str) {
        let said =
            policy.check_url(&Url::parse(url).unwrap()).map_or_else(|error| error.to_string(), |()| "allowed".to_owned());
        assert!(said.starts_with(expected), "{url}: {said}");
    }

    fn allowing(destinations: &[&str]) -> Policy {
        let allowed = destinations.iter().map(|destination| destination.parse().unwrap()).collect();
        Policy { allowed, ..Policy::operator() }
    }

    #[test]
    fn https_to_names_and_public_addresses_is_allowed() {
        for policy in [Policy::operator(), Policy::server()] {
            check(&policy, "https://example.com/mcp", "allowed");
            check(&policy, "https://8.8.8.8:8443/mcp", "allowed");
            check(&policy, "https://[2606:4700::1111]/", "allowed");
        }
    }

    #[test]
    fn every_way_to_write_an_address_is_the_address() {
        for policy in [Policy::operator(), Policy::server()] {
            for host in [
                "169.254.169.254",
                "2852039166",
                "0xa9fea9fe",
                "0251.0376.0251.0376",
                "169.254.43518",
                "169.16689662",
                "0xa9.0xfe.0xa9.0xfe",
                "[::ffff:169.254.169.254]",
                "[::ffff:a9fe:a9fe]",
                "[64:ff9b::169.254.169.254]",
                "[2002:a9fe:a9fe::]",
                "169.254.169.254.",
                "１６９.２５４.１６９.２５４",
                "%31%36%39.254.169.254",
            ] {
                check(&policy, &format!("https://{host}/latest/"), "`");
                let error = policy.check_url(&Url::parse(&format!("https://{host}/")).unwrap()).unwrap_err();
                assert!(matches!(error, OutboundError::AddressRefused { kind: AddressKind::Metadata, .. }), "{host}: {error}");
            }
            for host in ["10.1.2.3", "192.168.0.1", "[fe80::1]", "[fd00::1]", "0.0.0.0", "[::]", "224.0.0.1", "100.64.0.1"] {
                check(&policy, &format!("https://{host}/"), "`");
            }
        }
    }

    #[test]
    fn loopback_is_for_the_operator() {
        for host in
            ["localhost", "LOCALHOST.", "mcp.localhost", "127.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433"]
        {
            for scheme in ["http", "https"] {
                check(&Policy::operator(), &format!("{scheme}://{host}:1234/"), "allowed");
                check(&Policy::server(), &format!("{scheme}://{host}:1234/"), "`");
            }
        }
        check(&Policy { source: AddressSource::Server, ..allowing(&["http://localhost"]) }, "http://localhost:1/", "allowed");
        check(&Policy::operator(), "http://localhost.example.com/", "`http://localhost.example.com`");
    }

    #[test]
    fn in_the_clear_only_where_it_is_allowed() {
        check(&Policy::operator(), "http://example.com/", "`http://example.com` would be sent in the clear");
        check(&allowing(&["example.com"]), "http://example.com/", "`http://example.com` would be sent in the clear");
        check(&allowing(&["http://example.com"]), "http://example.com/", "allowed");
        check(&allowing(&["http://example.com"]), "http://www.example.com/", "`http://www.example.com`");
        check(&allowing(&["http://10.0.0.0/8"]), "http://10.1.2.3:80/", "allowed");
        check(&allowing(&["10.0.0.0/8"]), "http://10.1.2.3/", "`http://10.1.2.3`");
    }

    #[test]
    fn what_is_allowed_is_allowed_and_its_neighbour_is_not() {
        check(&allowing(&["10.1.0.0/16"]), "https://10.1.255.255/", "allowed");
        check(&allowing(&["10.1.0.0/16"]), "https://[::ffff:10.1.2.3]/", "allowed");
        check(&allowing(&["10.1.0.0/16"]), "https://10.2.0.0/", "`10.2.0.0` is a private address");
        let by_name = allowing(&["mcp.internal"]);
        assert!(by_name.check_address("mcp.internal", "10.2.0.0".parse().unwrap()).is_ok());
        assert!(by_name.check_address("other.internal", "10.2.0.0".parse().unwrap()).is_err());
    }

    #[test]
    fn metadata_is_allowed_by_its_very_address_alone() {
        let metadata: IpAddr = "169.254.169.254".parse().unwrap();
        for destinations in [&["169.254.0.0/16"][..], &["0.0.0.0/0"], &["metadata.internal"]] {
            assert!(allowing(destinations).check_address("metadata.internal", metadata).is_err(), "{destinations:?}");
        }
        assert!(allowing(&["169.254.169.254"]).check_address("metadata.internal", metadata).is_ok());
    }

    #[test]
    fn credentials_and_other_schemes_are_refused() {
        check(
            &Policy::operator(),
            "https://user:secret@example.com/",
            "the address of `example.com` has a user or a password in it",
        );
        for url in ["ftp://example.com/", "file:///etc/passwd", "unix:/run/x", "data:text/plain,x"] {
            check(&Policy::operator(), url, "`");
        }
    }
}
