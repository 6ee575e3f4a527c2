//! What kind of address an IP address is, whatever form it hides in: only public ones are called without being asked for.
//!
//! The ranges are those of IANA's special-purpose registries. An IPv6 address that carries an IPv4 address (mapped, compatible,
//! translated, NAT64, 6to4, Teredo, ISATAP) is of the kind of what it carries: a translator on the way would take it there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Why an address is not public.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// This machine.
    Loopback,
    /// This network, its neighbours, or a carrier's: RFC 1918, unique local, site local, shared address space.
    Private,
    /// This link.
    LinkLocal,
    /// Where a cloud hands out the credentials of its machines.
    Metadata,
    /// Many machines.
    Multicast,
    /// No machine, which systems take for this one.
    Unspecified,
    /// For documentation, benchmarks, tunnels, or nothing yet.
    Reserved,
}

impl fmt::Display for AddressKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a cloud's metadata",
            Self::Multicast => "a multicast address",
            Self::Unspecified => "the unspecified address",
            Self::Reserved => "a reserved address",
        })
    }
}

/// Metadata services: AWS, Azure, Google, Oracle and most others; AWS containers and pods; Tencent; Azure's wire server; Alibaba; Oracle's
/// older one.
const METADATA_V4: [Ipv4Addr; 7] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(169, 254, 0, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same over IPv6: AWS, its pods, Google, OpenStack.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

const RANGES_V4: [(Ipv4Net, AddressKind); 17] = [
    (net_v4([0, 0, 0, 0], 32), AddressKind::Unspecified),
    (net_v4([0, 0, 0, 0], 8), AddressKind::Reserved),
    (net_v4([10, 0, 0, 0], 8), AddressKind::Private),
    (net_v4([100, 64, 0, 0], 10), AddressKind::Private),
    (net_v4([127, 0, 0, 0], 8), AddressKind::Loopback),
    (net_v4([169, 254, 0, 0], 16), AddressKind::LinkLocal),
    (net_v4([172, 16, 0, 0], 12), AddressKind::Private),
    (net_v4([192, 0, 0, 0], 24), AddressKind::Reserved),
    (net_v4([192, 0, 2, 0], 24), AddressKind::Reserved),
    (net_v4([192, 31, 196, 0], 24), AddressKind::Reserved),
    (net_v4([192, 88, 99, 0], 24), AddressKind::Reserved),
    (net_v4([192, 168, 0, 0], 16), AddressKind::Private),
    (net_v4([198, 18, 0, 0], 15), AddressKind::Reserved),
    (net_v4([198, 51, 100, 0], 24), AddressKind::Reserved),
    (net_v4([203, 0, 113, 0], 24), AddressKind::Reserved),
    (net_v4([224, 0, 0, 0], 4), AddressKind::Multicast),
    (net_v4([240, 0, 0, 0], 4), AddressKind::Reserved),
];

/// Within 2000::/3, which alone is routed; and what lies outside and has a name of its own.
const RANGES_V6: [(Ipv6Net, AddressKind); 13] = [
    (net_v6([0; 8], 128), AddressKind::Unspecified),
    (net_v6([0, 0, 0, 0, 0, 0, 0, 1], 128), AddressKind::Loopback),
    (net_v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), AddressKind::Private),
    (net_v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), AddressKind::Private),
    (net_v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::LinkLocal),
    (net_v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), AddressKind::Private),
    (net_v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), AddressKind::Multicast),
    (net_v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), AddressKind::Reserved),
    (net_v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), AddressKind::Reserved),
    (net_v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Reserved),
    (net_v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), AddressKind::Reserved),
    (net_v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), AddressKind::Reserved),
    (net_v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), AddressKind::Reserved),
];

/// What is routed to the internet at large.
const GLOBAL_V6: Ipv6Net = net_v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const fn net_v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn net_v6([a, b, c, d, e, f, g, h]: [u16; 8], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)
}

impl AddressKind {
    /// The kind of `address`; `None` if it is public.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Option<Self> {
        if METADATA_V4.contains(&address) {
            return Some(Self::Metadata);
        }
        RANGES_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind)
    }

    fn of_v6(address: Ipv6Addr) -> Option<Self> {
        if METADATA_V6.contains(&address) {
            return Some(Self::Metadata);
        }
        if let Some(kind) = carried(address).into_iter().flatten().find_map(Self::of_v4) {
            return Some(kind);
        }
        if let Some((_, kind)) = RANGES_V6.iter().find(|(net, _)| net.contains(&address)) {
            return Some(*kind);
        }
        let is_public = GLOBAL_V6.contains(&address) || is_translated(address);
        if is_public { None } else { Some(Self::Reserved) }
    }
}

/// `::ffff:a.b.c.d` and `64:ff9b::a.b.c.d`: public where the IPv4 address is.
fn is_translated(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _])
}

/// The IPv4 addresses that `address` carries.
fn carried(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let segments = address.segments();
    let pair = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [pair(high, low), None],
        [0x2002, high, low, ..] => [pair(high, low), None],
        // Teredo: its server, and its client with all bits turned.
        [0x2001, 0, server_high, server_low, _, _, high, low] => [pair(server_high, server_low), pair(!high, !low)],
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => [pair(high, low), None],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(addresses: &[&str], expected: Option<AddressKind>) {
        for address in addresses {
            assert_eq!(AddressKind::of(address.parse().expect(address)), expected, "{address}");
        }
    }

    #[test]
    fn what_the_internet_routes_is_public() {
        check(&["1.1.1.1", "8.8.8.8", "93.184.216.34", "223.255.255.255", "100.63.255.255", "100.128.0.0"], None);
        check(&["172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "9.255.255.255", "11.0.0.0"], None);
        check(&["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "198.17.255.255", "198.20.0.0"], None);
        check(&["2606:4700:4700::1111", "2a00:1450:4001:82a::200e", "2001:200::1", "2001:4860:4860::8888", "2003::1"], None);
    }

    #[test]
    fn every_special_range_of_ipv4_is_known_at_both_ends() {
        check(&["127.0.0.0", "127.0.0.1", "127.255.255.255"], Some(AddressKind::Loopback));
        check(&["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255"], Some(AddressKind::Private));
        check(&["192.168.0.0", "192.168.255.255", "100.64.0.0", "100.127.255.255"], Some(AddressKind::Private));
        check(&["169.254.0.0", "169.254.255.255"], Some(AddressKind::LinkLocal));
        check(&["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200"], Some(AddressKind::Metadata));
        check(&["169.254.170.23", "169.254.0.23"], Some(AddressKind::Metadata));
        check(&["224.0.0.0", "239.255.255.255"], Some(AddressKind::Multicast));
        check(&["0.0.0.0"], Some(AddressKind::Unspecified));
        check(
            &["0.0.0.1", "0.255.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.0", "198.19.255.255"],
            Some(AddressKind::Reserved),
        );
        check(&["198.51.100.7", "203.0.113.7", "192.88.99.1", "240.0.0.0", "255.255.255.255"], Some(AddressKind::Reserved));
    }

    #[test]
    fn every_special_range_of_ipv6_is_known() {
        check(&["::"], Some(AddressKind::Unspecified));
        check(&["::1"], Some(AddressKind::Loopback));
        check(&["fe80::1", "febf:ffff::"], Some(AddressKind::LinkLocal));
        check(&["fc00::1", "fdff:ffff::1", "fec0::1", "64:ff9b:1::1"], Some(AddressKind::Private));
        check(&["ff00::1", "ff02::1"], Some(AddressKind::Multicast));
        check(&["fd00:ec2::254", "fd20:ce::254", "fd00:ec2::23", "fe80::a9fe:a9fe"], Some(AddressKind::Metadata));
        check(&["100::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1"], Some(AddressKind::Reserved));
        check(&["4000::1", "5f00::1", "1fff::1", "::2:3:4:5"], Some(AddressKind::Reserved));
    }

    #[test]
    fn an_address_within_an_address_is_of_the_kind_that_it_carries() {
        for (form, suffix) in [
            ("::", ""),
            ("::ffff:", ""),
            ("::ffff:0:", ""),
            ("64:ff9b::", ""),
            ("2002:", "::1"),
            ("2606:4700::5efe:", ""),
            ("2606:4700::200:5efe:", ""),
            ("2001:0:", ":0:0:f8f8:f8f8"),
        ] {
            for (carried, kind) in [
                ("7f00:0001", AddressKind::Loopback),
                ("0a00:0001", AddressKind::Private),
                ("c0a8:0001", AddressKind::Private),
                ("6440:0001", AddressKind::Private),
                ("a9fe:0001", AddressKind::LinkLocal),
                ("a9fe:a9fe", AddressKind::Metadata),
                ("e000:0001", AddressKind::Multicast),
            ] {
                check(&[&format!("{form}{carried}{suffix}")], Some(kind));
            }
        }
        // Teredo turns the bits of its client: these are 10.0.0.1 and 169.254.169.254.
        check(&["2001:0:808:808:0:0:f5ff:fffe"], Some(AddressKind::Private));
        check(&["2001:0:808:808:0:0:5601:5601"], Some(AddressKind::Metadata));
    }

    #[test]
    fn a_public_address_within_a_translated_one_is_public_and_within_a_tunnel_is_not() {
        check(&["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::5efe:808:808"], None);
        check(&["::8.8.8.8", "::ffff:0:8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7"], Some(AddressKind::Reserved));
    }
}
