//! Which addresses are connected to: looked at from the other end, where nobody must have knocked.

use std::sync::Arc;

use isolet_outbound::{AddressKind, Outbound, OutboundError, Policy, Url};

use crate::server::{Names, Server, allowing, get, get_as_library, ok, operator, quick};

#[tokio::test]
async fn no_connection_is_opened_to_an_address_that_is_refused() {
    let server = Server::answering(|_| ok("inside")).await;
    let names = Names::of([("inside.test", &[&["127.0.0.1"]]), ("hidden.test", &[&["::ffff:127.0.0.1", "64:ff9b::7f00:1"]])]);
    let outbound = Outbound::with_resolver(quick(Policy::server()), names).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::1]",
        "0.0.0.0",
        "[::]",
        "localhost",
        "localhost.",
        "a.localhost",
        "inside.test",
        "hidden.test",
        "hidden.test.",
    ] {
        for scheme in ["http", "https"] {
            let url: Url = format!("{scheme}://{host}:{}/", server.address.port()).parse().unwrap();
            for error in [get(&outbound, &url).await.unwrap_err(), get_as_library(&outbound, &url).await.unwrap_err()] {
                let is_refused = matches!(error, OutboundError::AddressRefused { .. } | OutboundError::PlainHttp { .. });
                assert!(is_refused, "{url}: {error:?}");
                assert!(!error.is_retryable());
            }
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_operator_reaches_this_machine_by_its_own_names_alone() {
    let server = Server::answering(|_| ok("here")).await;
    let names = Names::of([("inside.test", &[&["127.0.0.1"]])]);
    let policy = allowing(Policy::operator(), &["http://other.test"]);
    let outbound = Outbound::with_resolver(policy, Arc::clone(&names) as _).unwrap();
    for host in ["127.0.0.1", "localhost", "mcp.localhost"] {
        assert_eq!(get(&outbound, &server.at(host, "/")).await.unwrap().body, b"here");
        assert_eq!(get_as_library(&outbound, &server.at(host, "/")).await.unwrap(), "here");
    }
    assert_eq!(names.lookups(), 0, "a name of this machine is nothing to ask a DNS server for");
    let error = get(&outbound, &server.https("inside.test")).await.unwrap_err();
    assert!(matches!(error, OutboundError::AddressRefused { kind: AddressKind::Loopback, .. }), "{error}");
    assert_eq!(server.connections(), 6);
}

#[tokio::test]
async fn a_host_that_is_allowed_by_name_is_reached_in_the_clear_only_if_that_is_allowed_too() {
    let server = Server::answering(|_| ok("inside")).await;
    let outbound = |place: &str| {
        let names = Names::of([("inside.test", &[&["127.0.0.1"]])]);
        Outbound::with_resolver(allowing(Policy::server(), &[place]), names).unwrap()
    };
    let url = server.at("inside.test", "/");
    assert_eq!(get(&outbound("http://inside.test"), &url).await.unwrap().body, b"inside");
    assert_eq!(get_as_library(&outbound("http://inside.test"), &url).await.unwrap(), "inside");
    for error in [
        get(&outbound("inside.test"), &url).await.unwrap_err(),
        get_as_library(&outbound("inside.test"), &url).await.unwrap_err(),
    ] {
        assert_eq!(error, OutboundError::PlainHttp { host: "inside.test".to_owned() });
    }
    assert_eq!(server.connections(), 2);
}

/// 127.0.0.2 is another host to everyone but the kernel.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn dns_that_changes_between_check_and_connect_changes_nothing() {
    let authority = crate::certificates::Authority::new();
    let good = authority.server("127.0.0.2:0", &["changing.test"]).await;
    let bad = Server::answering_at(&format!("127.0.0.1:{}", good.address.port()), |_| ok("inside")).await;
    let names = Names::of([("changing.test", &[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.1", "127.0.0.2"], &["127.0.0.1"]])]);
    let mut policy = allowing(Policy::server(), &["127.0.0.2"]);
    policy.roots = authority.pem();
    let outbound = Outbound::with_resolver(policy, Arc::clone(&names) as _).unwrap();
    let url = good.https("changing.test");
    assert_eq!(get(&outbound, &url).await.unwrap().body, b"secured");
    assert_eq!(names.lookups(), 1, "what is checked is what is connected to: nothing is looked up twice");
    let error = get(&outbound, &url).await.unwrap_err();
    let refused = |error: &OutboundError| matches!(error, OutboundError::AddressRefused { host, address, .. } if host == "changing.test" && address.to_string() == "127.0.0.1");
    assert!(refused(&error), "{error}");
    assert_eq!(get_as_library(&outbound, &url).await.unwrap(), "secured", "of two addresses the allowed one is taken");
    let error = get_as_library(&outbound, &url).await.unwrap_err();
    assert!(refused(&error), "{error}");
    assert_eq!((bad.connections(), names.lookups()), (0, 4));
}

#[tokio::test]
async fn a_host_without_an_address_is_said_to_have_none() {
    let outbound = Outbound::with_resolver(quick(Policy::server()), Names::of([("empty.test", &[&[]])])).unwrap();
    for host in ["empty.test", "missing.test", "a.proxy.route.isolet.invalid"] {
        let url: Url = format!("https://{host}/").parse().unwrap();
        let expected = OutboundError::NotFound { host: host.to_owned() };
        assert_eq!(get(&outbound, &url).await.unwrap_err(), expected);
        assert_eq!(get_as_library(&outbound, &url).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn nobody_at_a_port_is_unreachable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    for error in [get(&operator(), &url).await.unwrap_err(), get_as_library(&operator(), &url).await.unwrap_err()] {
        assert!(matches!(&error, OutboundError::Unreachable { host, .. } if host == "127.0.0.1"), "{error:?}");
        assert!(error.is_retryable() && error.to_string().contains("efused"), "{error}");
    }
}
