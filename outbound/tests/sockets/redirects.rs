//! Redirects: what stays with its origin is followed, and nothing that was sent goes anywhere else.

use std::sync::Arc;

use isolet_outbound::{AddressKind, Body, Method, Outbound, OutboundError, Policy, Redirects, Request, Url};

use crate::server::{Names, Server, allowing, get, get_as_library, ok, operator, redirect};

fn post(url: Url) -> Request {
    let mut request = Request::new(Method::POST, url);
    request.headers.insert("x-api-key", "key".parse().unwrap());
    request.body = Body::Bytes(b"message".to_vec());
    request
}

fn anonymous(url: Url) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.redirects = Redirects::AnyOrigin;
    request
}

fn moved(status: u16) -> impl Fn(&str) -> String + Send + Sync + 'static {
    move |head: &str| if head.contains(" /old") { redirect(status, "/new/?b=2") } else { ok("new") }
}

#[tokio::test]
async fn a_redirect_within_its_origin_gets_the_whole_request_again() {
    for status in [307, 308] {
        let server = Server::answering(moved(status)).await;
        let answer = operator().send(post(server.url("/old"))).await.unwrap();
        assert_eq!((answer.body.as_slice(), answer.url.path()), (&b"new"[..], "/new/"));
        let response =
            operator().client().post(server.url("/old")).header("x-api-key", "key").body("message").send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "new");
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        for request in &requests {
            assert!(
                request.starts_with("POST /") && request.contains("x-api-key: key") && request.ends_with("\r\n\r\nmessage")
            );
        }
    }
}

#[tokio::test]
async fn a_post_never_becomes_a_get() {
    for status in [301, 302, 303] {
        let server = Server::answering(moved(status)).await;
        let expected = OutboundError::Redirected { host: "127.0.0.1".to_owned(), target: server.url("/new/").to_string() };
        assert_eq!(operator().send(post(server.url("/old"))).await.unwrap_err(), expected);
        let error = operator().client().post(server.url("/old")).body("message").send().await.unwrap_err();
        assert_eq!(OutboundError::explain(&error), Some(expected));
        assert_eq!(operator().send(Request::new(Method::GET, server.url("/old"))).await.unwrap().body, b"new");
        assert_eq!(server.requests().len(), 4);
    }
}

#[tokio::test]
async fn another_origin_gets_nothing() {
    let other = Server::answering(|_| ok("other")).await;
    let target = other.at("localhost", "/there?code=s3cret");
    for status in [301, 302, 303, 307, 308] {
        let to = target.to_string();
        let server = Server::answering(move |_| redirect(status, &to)).await;
        for error in [
            get(&operator(), &server.url("/")).await.unwrap_err(),
            get_as_library(&operator(), &server.url("/")).await.unwrap_err(),
        ] {
            let expected = format!("http://localhost:{}/there", other.address.port());
            assert_eq!(error, OutboundError::Redirected { host: "127.0.0.1".to_owned(), target: expected });
        }
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn the_same_host_at_another_port_or_in_the_clear_is_another_origin() {
    let other = Server::answering(|_| ok("other")).await;
    for target in
        [other.url("/").to_string(), format!("//127.0.0.1:{}/", other.address.port()), "https://127.0.0.1/".to_owned()]
    {
        let server = Server::answering(move |_| redirect(307, &target)).await;
        assert!(matches!(get(&operator(), &server.url("/")).await.unwrap_err(), OutboundError::Redirected { .. }));
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_does_not_say_who_we_are() {
    let server =
        Server::answering(
            |head| if head.contains(" /old") { redirect(307, &head_host(head, "user:forged@")) } else { ok("new") },
        )
        .await;
    let error = get(&operator(), &server.url("/old")).await.unwrap_err();
    assert_eq!(error, OutboundError::CredentialsInAddress { host: "127.0.0.1".to_owned() });
    assert_eq!(server.requests().len(), 1);
}

/// The address that a request was sent to, with `user` in it.
fn head_host(head: &str, user: &str) -> String {
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    format!("http://{user}{host}/new")
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::answering(|_| redirect(307, "/again")).await;
    let expected = OutboundError::TooManyRedirects { host: "127.0.0.1".to_owned(), redirects_max: 3 };
    assert_eq!(get(&operator(), &server.url("/")).await.unwrap_err(), expected);
    assert_eq!(server.requests().len(), 4);
    assert_eq!(get_as_library(&operator(), &server.url("/")).await.unwrap_err(), expected);
    assert_eq!(server.requests().len(), 8);
}

/// `a.test` redirects to `b.test`, and that to what is given.
async fn chain(last: String) -> (Server, Server, Outbound) {
    let second = Server::answering(move |_| redirect(302, &last)).await;
    let to = second.at("b.test", "/").to_string();
    let first = Server::answering(move |_| redirect(301, &to)).await;
    let policy = allowing(Policy::operator(), &["http://a.test", "http://b.test", "http://c.test"]);
    let names: [(&str, &[&[&str]]); 4] = [
        ("a.test", &[&["127.0.0.1"]]),
        ("b.test", &[&["127.0.0.1"]]),
        ("c.test", &[&["127.0.0.1"]]),
        ("inside.test", &[&["10.0.0.1"]]),
    ];
    (first, second, Outbound::with_resolver(policy, Names::of(names)).unwrap())
}

#[tokio::test]
async fn a_request_that_carries_nothing_may_go_from_origin_to_origin() {
    let third = Server::answering(|_| ok("third")).await;
    let (first, second, outbound) = chain(third.at("c.test", "/").to_string()).await;
    let answer = outbound.send(anonymous(first.at("a.test", "/"))).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.url.host_str()), (&b"third"[..], Some("c.test")));
    assert_eq!((first.connections(), second.connections()), (1, 1));
}

#[tokio::test]
async fn a_chain_of_redirects_does_not_lead_inside_even_where_the_operator_may_go() {
    let inside = Server::answering(|_| ok("inside")).await;
    for target in [inside.url("/"), inside.at("localhost", "/"), inside.at("[::ffff:127.0.0.1]", "/"), inside.at("0", "/")] {
        let (first, second, outbound) = chain(target.to_string()).await;
        let error = outbound.send(anonymous(first.at("a.test", "/"))).await.unwrap_err();
        assert!(matches!(error, OutboundError::AddressRefused { .. }), "{target}: {error:?}");
        assert_eq!((first.connections(), second.connections()), (1, 1));
    }
    for (target, kind) in [
        ("https://169.254.169.254/latest/meta-data/", AddressKind::Metadata),
        ("https://[fd00:ec2::254]/", AddressKind::Metadata),
        ("https://192.168.0.1/", AddressKind::Private),
        ("https://inside.test/", AddressKind::Private),
    ] {
        let (first, _second, outbound) = chain(target.to_owned()).await;
        let error = outbound.send(anonymous(first.at("a.test", "/"))).await.unwrap_err();
        assert!(matches!(error, OutboundError::AddressRefused { kind: refused, .. } if refused == kind), "{target}: {error:?}");
    }
    for target in ["ftp://a.test/", "file:///etc/passwd", "http://user:password@a.test/", "http://public.test/"] {
        let (first, _second, outbound) = chain(target.to_owned()).await;
        assert!(outbound.send(anonymous(first.at("a.test", "/"))).await.is_err(), "{target}");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_request_that_carries_something_does_not_leave_with_leave_to_wander() {
    let server = Arc::new(Server::answering(|_| ok("")).await);
    let with_header = |name: &'static str| {
        let mut request = anonymous(server.url("/"));
        request.headers.insert(name, "v".parse().unwrap());
        request
    };
    let mut with_body = post(server.url("/"));
    with_body.redirects = Redirects::AnyOrigin;
    for request in [with_header("x-api-key"), with_header("authorization"), with_header("cookie"), with_body] {
        let error = operator().send(request).await.unwrap_err();
        assert_eq!(error, OutboundError::HeadersAcrossOrigins { host: "127.0.0.1".to_owned() });
    }
    assert_eq!(server.connections(), 0);
    assert!(operator().send(with_header("accept")).await.is_ok());
}

#[tokio::test]
async fn a_redirect_may_be_the_answer() {
    let server = Server::answering(|_| redirect(302, "http://169.254.169.254/")).await;
    let mut request = Request::new(Method::GET, server.url("/"));
    request.redirects = Redirects::None;
    assert_eq!(operator().send(request).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_no_redirect() {
    let server = Server::answering(|_| redirect(302, "http://[")).await;
    assert!(matches!(get(&operator(), &server.url("/")).await.unwrap_err(), OutboundError::Malformed { .. }));
    let silent = Server::answering(|_| crate::server::answer("302 Found", &[], "where?")).await;
    assert_eq!(get(&operator(), &silent.url("/")).await.unwrap().status, 302);
}

#[tokio::test]
async fn what_a_server_wrote_is_not_repeated_at_length() {
    let to = format!("https://{}.example/{}", vec!["a".repeat(60); 100].join("."), "ignore-all-that/".repeat(1_000));
    let server = Server::answering(move |_| redirect(302, &to)).await;
    for error in [
        get(&operator(), &server.url("/")).await.unwrap_err(),
        get_as_library(&operator(), &server.url("/")).await.unwrap_err(),
    ] {
        assert!(matches!(error, OutboundError::Redirected { .. }), "{error:?}");
        assert!(error.to_string().len() < 500, "{}", error.to_string().len());
    }
}
