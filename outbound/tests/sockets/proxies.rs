//! Proxies: only the one that is named, only for https, and only for what may be called.

use std::process::Command;

use isolet_outbound::{AddressKind, Outbound, OutboundError, Policy, Proxy, Url};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::certificates::Authority;
use crate::server::{Names, Server, allowing, answer, finish, get, get_as_library, ok, operator, read_request};

/// A proxy that lets whoever has the password through, to `target` whatever is asked for.
async fn proxy(target: &Server) -> Server {
    let target = target.address;
    Server::scripted("127.0.0.1:0", move |mut stream| async move {
        let head = read_request(&mut stream).await?;
        if !head.contains("\r\nproxy-authorization: Basic dXNlcjpwYTpzcw==\r\n")
            && !head.contains("\r\nProxy-Authorization: Basic dXNlcjpwYTpzcw==\r\n")
        {
            return finish(&mut stream, answer("407 Proxy Authentication Required", &[], "").as_bytes()).await;
        }
        assert!(head.starts_with("CONNECT ") && !head.contains("s3cret"), "{head}");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        let mut onward = TcpStream::connect(target).await?;
        copy_bidirectional(&mut stream, &mut onward).await.map(drop)
    })
    .await
}

fn through(proxy: &Server, credentials: &str, authority: &Authority) -> Policy {
    let mut policy = allowing(Policy::server(), &["named.test"]);
    policy.proxy =
        Some(format!("http://{credentials}localhost:{}", proxy.address.port()).parse::<Proxy>().unwrap().except("direct.test"));
    policy.roots = authority.pem();
    policy
}

const NAMES: [&str; 3] = ["public.test", "named.test", "inside.test"];

fn outbound(policy: Policy) -> Outbound {
    let names =
        [("public.test", &[&["8.8.8.8"][..]][..]), ("inside.test", &[&["10.0.0.1"]]), ("direct.test", &[&["10.0.0.2"]])];
    Outbound::with_resolver(policy, Names::of(names)).unwrap()
}

#[tokio::test]
async fn https_goes_through_the_proxy_and_is_secured_to_its_target() {
    let authority = Authority::new();
    let target = authority.server("127.0.0.1:0", &NAMES).await;
    let proxy = proxy(&target).await;
    let outbound = outbound(through(&proxy, "user:pa%3Ass@", &authority));
    for host in ["public.test", "named.test"] {
        let url: Url = format!("https://{host}/").parse().unwrap();
        assert_eq!(get(&outbound, &url).await.unwrap().body, b"secured");
        assert_eq!(get_as_library(&outbound, &url).await.unwrap(), "secured");
    }
    assert_eq!((proxy.connections(), target.connections()), (4, 4));
}

#[tokio::test]
async fn what_must_not_be_called_is_not_called_through_a_proxy_either() {
    let authority = Authority::new();
    let target = authority.server("127.0.0.1:0", &NAMES).await;
    let proxy = proxy(&target).await;
    let outbound = outbound(through(&proxy, "user:pa%3Ass@", &authority));
    for (url, kind) in [
        ("https://inside.test/", AddressKind::Private),
        ("https://10.0.0.1/", AddressKind::Private),
        ("https://[::ffff:169.254.169.254]/", AddressKind::Metadata),
        ("https://127.0.0.1/", AddressKind::Loopback),
        ("https://localhost/", AddressKind::Loopback),
        ("https://direct.test/", AddressKind::Private),
    ] {
        let url: Url = url.parse().unwrap();
        for error in [get(&outbound, &url).await.unwrap_err(), get_as_library(&outbound, &url).await.unwrap_err()] {
            assert!(
                matches!(error, OutboundError::AddressRefused { kind: refused, .. } if refused == kind),
                "{url}: {error:?}"
            );
        }
    }
    let missing: Url = "https://missing.test/".parse().unwrap();
    assert_eq!(get(&outbound, &missing).await.unwrap_err(), OutboundError::NotFound { host: "missing.test".to_owned() });
    let plain: Url = "http://public.test/".parse().unwrap();
    assert!(matches!(get_as_library(&outbound, &plain).await.unwrap_err(), OutboundError::PlainHttp { .. }));
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    let authority = Authority::new();
    let target = authority.server("127.0.0.1:0", &NAMES).await;
    let closed = Server::scripted("127.0.0.1:0", |mut stream| async move { finish(&mut stream, b"").await }).await;
    let odd = Server::answering(|_| answer("502 Bad Gateway", &[], "no")).await;
    let endless = Server::scripted("127.0.0.1:0", |mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
        loop {
            stream.write_all(b"x: y\r\n").await?;
        }
    })
    .await;
    for proxy in [proxy(&target).await, closed, odd, endless] {
        let outbound = outbound(through(&proxy, "user:s3cret@", &authority));
        let url: Url = "https://public.test/".parse().unwrap();
        for error in [get(&outbound, &url).await.unwrap_err(), get_as_library(&outbound, &url).await.unwrap_err()] {
            assert!(matches!(&error, OutboundError::Proxy { host, .. } if host == "public.test"), "{error:?}");
        }
        let shown = format!("{outbound:?}");
        assert!(shown.contains("Proxy(http://localhost:") && !shown.contains("s3cret") && !shown.contains("user"), "{shown}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_given_up() {
    let silent = Server::scripted("127.0.0.1:0", |stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
        Ok(())
    })
    .await;
    let mut policy = through(&silent, "", &Authority::new());
    policy.limits.connect_max = std::time::Duration::from_millis(300);
    let error = get(&outbound(policy), &"https://public.test/".parse().unwrap()).await.unwrap_err();
    assert_eq!(error, OutboundError::ConnectTimedOut { host: "public.test".to_owned() });
}

#[tokio::test]
async fn this_machine_and_what_is_in_the_clear_go_past_the_proxy() {
    let server = Server::answering(|_| ok("straight")).await;
    let proxy = Server::answering(|_| ok("proxied")).await;
    let mut policy = allowing(Policy::operator(), &["http://plain.test"]);
    policy.proxy = Some(proxy.url("/").as_str().parse().unwrap());
    let outbound = Outbound::with_resolver(policy, Names::of([("plain.test", &[&["127.0.0.1"]])])).unwrap();
    for host in ["127.0.0.1", "localhost", "plain.test"] {
        assert_eq!(get(&outbound, &server.at(host, "/")).await.unwrap().body, b"straight");
        assert_eq!(get_as_library(&outbound, &server.at(host, "/")).await.unwrap(), "straight");
    }
    assert_eq!(proxy.connections(), 0);
}

const CHILD: &str = "ISOLET_TEST_ASKS_FOR";

/// The environment of a process cannot be changed while its other threads read it, so the request is made by a child.
#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if let Ok(url) = std::env::var(CHILD) {
        let url: Url = url.parse().unwrap();
        assert_eq!(get(&operator(), &url).await.unwrap().body, b"straight");
        assert_eq!(get_as_library(&operator(), &url).await.unwrap(), "straight");
        return;
    }
    let server = Server::answering(|_| ok("straight")).await;
    let proxy = Server::answering(|_| ok("proxied")).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxies::proxies_of_the_environment_are_ignored"]).env(CHILD, server.url("/").as_str());
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(variable, proxy.url("/").as_str());
    }
    for variable in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(variable);
    }
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.connections(), proxy.connections()), (2, 0));
}
