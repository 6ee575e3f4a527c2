//! Where an operator lets requests go although the address is not public: a host by its name, or a range of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::{Host, Url};

/// A host or a range of addresses that an operator allows: `mcp.internal`, `10.1.0.0/16`, `fd00::7`, `http://mcp.internal`.
///
/// With `http://` before it, requests may go there in the clear too; ports are not told apart. A host by its name may be at any address
/// but that of a cloud's metadata, which has to be written itself, as one address.
///
/// ```
/// use isolet_outbound::Destination;
///
/// let destination: Destination = "10.1.0.0/16".parse()?;
/// assert_eq!(destination.to_string(), "10.1.0.0/16");
/// assert!("mcp.internal:8080".parse::<Destination>().is_err());
/// # Ok::<(), isolet_outbound::NotADestination>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    kind: Kind,
    plain_http: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Host(String),
    Net(IpNet),
}

/// A text that names no [`Destination`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is nothing that can be allowed: write a host (`mcp.internal`), an address or a range (`10.1.0.0/16`), without port and path"
)]
pub struct NotADestination {
    text: String,
}

impl Destination {
    /// Whether requests may go there in the clear.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.plain_http
    }

    /// Whether it is this host, whatever its address.
    pub(crate) fn is_host(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Host(host) if host == name)
    }

    /// Whether `address` lies in it.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        matches!(&self.kind, Kind::Net(net) if net.contains(&address.to_canonical()))
    }

    /// Whether it is `address` and no other.
    pub(crate) fn is_exactly(&self, address: IpAddr) -> bool {
        matches!(&self.kind, Kind::Net(net) if net.prefix_len() == net.max_prefix_len() && net.addr() == address.to_canonical())
    }
}

impl FromStr for Destination {
    type Err = NotADestination;

    fn from_str(text: &str) -> Result<Self, NotADestination> {
        let (plain_http, rest) = match text.strip_prefix("http://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("https://").unwrap_or(text)),
        };
        let kind = net(rest).map(Kind::Net).or_else(|| host(rest).map(Kind::Host));
        kind.map(|kind| Self { kind, plain_http }).ok_or_else(|| NotADestination { text: text.to_owned() })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.plain_http {
            formatter.write_str("http://")?;
        }
        match &self.kind {
            Kind::Host(host) => formatter.write_str(host),
            Kind::Net(net) if net.prefix_len() == net.max_prefix_len() => write!(formatter, "{}", net.addr()),
            Kind::Net(net) => write!(formatter, "{net}"),
        }
    }
}

/// What `name` is called without the dot of the root at its end, which names the same host.
pub(crate) fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn net(text: &str) -> Option<IpNet> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let net = bare.parse::<IpAddr>().map(IpNet::from).or_else(|_| bare.parse()).ok()?;
    // A mapped address is looked up as what it carries, so it is kept as that.
    match net {
        IpNet::V6(v6) if v6.prefix_len() == 128 => Some(IpNet::from(IpAddr::from(v6.addr()).to_canonical())),
        net => Some(net),
    }
}

/// The host in the form that URLs have it in. Numbers that a URL would take for an address are refused: they were meant otherwise.
fn host(text: &str) -> Option<String> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "/:@?#\\*[]".contains(c)) {
        return None;
    }
    match Url::parse(&format!("https://{text}/")).ok()?.host()? {
        Host::Domain(name) => Some(without_root(name).to_owned()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let destination = text.parse::<Destination>();
        assert_eq!(destination.as_ref().map(ToString::to_string).ok().as_deref(), expected, "{text}");
    }

    #[test]
    fn hosts_and_ranges_are_places() {
        check("mcp.internal", Some("mcp.internal"));
        check("MCP.Internal.", Some("mcp.internal"));
        check("http://mcp", Some("http://mcp"));
        check("https://mcp", Some("mcp"));
        check("bücher.example", Some("xn--bcher-kva.example"));
        check("10.1.0.0/16", Some("10.1.0.0/16"));
        check("http://10.1.0.0/16", Some("http://10.1.0.0/16"));
        check("10.1.2.3", Some("10.1.2.3"));
        check("::ffff:10.1.2.3", Some("10.1.2.3"));
        check("[fd00::7]", Some("fd00::7"));
        check("fd00::/8", Some("fd00::/8"));
    }

    #[test]
    fn anything_else_is_refused_with_the_way_out() {
        for text in
            ["", "mcp:8080", "mcp/path", "a b", "*.internal", "10.1", "0x7f000001", "10.1.0.0/33", "user@host", "http://"]
        {
            check(text, None);
        }
        let error = "mcp:8080".parse::<Destination>().unwrap_err().to_string();
        assert!(error.starts_with("`mcp:8080` is nothing that can be allowed: write a host"), "{error}");
    }

    #[test]
    fn a_range_has_mapped_addresses_too() {
        let destination: Destination = "10.0.0.0/8".parse().unwrap();
        assert!(destination.has("10.1.2.3".parse().unwrap()) && destination.has("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!destination.has("11.0.0.0".parse().unwrap()) && !destination.is_exactly("10.0.0.0".parse().unwrap()));
    }
}
