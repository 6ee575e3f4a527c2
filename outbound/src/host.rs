//! The names of hosts: as rules and messages have them, and which of them mean this machine or nothing outside.

use std::net::IpAddr;

use url::Host;

use crate::address::AddressKind;
use crate::destination::without_root;

/// The end of the names by which a client asks for a route. `.invalid` never exists (RFC 6761), and addresses that end so are refused before they get here.
pub(crate) const ROUTE_SUFFIX: &str = "route.isolet.invalid";

/// The name of a host as rules and messages have it: without the dot at its end, addresses without brackets.
pub(crate) fn host_name(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => without_root(name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// Whether `name` says by itself that it is this machine.
pub(crate) fn is_loopback(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || literal(name).is_some_and(|address| AddressKind::of(address) == Some(AddressKind::Loopback))
}

/// The address that `name` is.
pub(crate) fn literal(name: &str) -> Option<IpAddr> {
    name.parse().ok()
}

/// Whether the host `name` is one of ours, which no address may have.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == ROUTE_SUFFIX || name.strip_suffix(ROUTE_SUFFIX).is_some_and(|rest| rest.ends_with('.'))
}
