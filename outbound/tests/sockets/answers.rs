//! Answers that are too much, too late or wrong: each ends in an error of its own, with little read and little kept.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use isolet_outbound::{Body, Method, Outbound, OutboundError, Part, Policy, Request};
use tokio::io::AsyncWriteExt;
use tokio::sync::Barrier;

use crate::server::{Server, answer, finish, get, get_as_library, ok, operator, quick, read_request};

const HOST: &str = "127.0.0.1";

/// What the kernel and the client hold between them, beyond what the client has asked for.
const IN_FLIGHT_MAX: usize = 16 << 20;

fn limited(change: impl Fn(&mut isolet_outbound::OutboundLimits)) -> Outbound {
    let mut policy = quick(Policy::operator());
    change(&mut policy.limits);
    Outbound::new(policy).unwrap()
}

/// A server that answers `first` and then `again` without end; and how many bytes it got rid of.
async fn endless(first: &'static str, again: &'static str, pause: Duration) -> (Server, Arc<AtomicUsize>) {
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let server = Server::scripted("127.0.0.1:0", move |mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            read_request(&mut stream).await?;
            stream.write_all(first.as_bytes()).await?;
            loop {
                stream.write_all(again.as_bytes()).await?;
                counter.fetch_add(again.len(), Ordering::SeqCst);
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
    })
    .await;
    (server, written)
}

fn compressed(bytes: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    bytes.for_each(|bytes| encoder.write_all(&bytes).unwrap());
    encoder.finish().unwrap()
}

/// A server that answers with `body`, which is encoded as it says.
async fn encoded(encoding: &'static str, body: Vec<u8>) -> Server {
    let body = Arc::new(body);
    Server::scripted("127.0.0.1:0", move |mut stream| {
        let body = Arc::clone(&body);
        async move {
            read_request(&mut stream).await?;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await?;
            finish(&mut stream, &body).await
        }
    })
    .await
}

#[tokio::test]
async fn a_body_is_counted_after_it_is_decompressed() {
    let server = encoded("gzip", compressed([vec![b'x'; 1000]].into_iter())).await;
    assert_eq!(get(&operator(), &server.url("/")).await.unwrap().body, vec![b'x'; 1000]);
    assert_eq!(get(&limited(|limits| limits.answer_bytes_max = 1000), &server.url("/")).await.unwrap().body.len(), 1000);
    let error = get(&limited(|limits| limits.answer_bytes_max = 999), &server.url("/")).await.unwrap_err();
    assert_eq!(error, OutboundError::TooLarge { host: HOST.to_owned(), bytes_max: 999 });
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked() {
    fn peak_kib() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }
    const SIZE: usize = 512 << 20;
    let bomb = compressed((0..SIZE >> 20).map(|_| vec![0; 1 << 20]));
    assert!(bomb.len() < SIZE / 100);
    let server = encoded("gzip", bomb).await;
    let before = peak_kib();
    let error = get(&limited(|limits| limits.answer_bytes_max = 1 << 20), &server.url("/")).await.unwrap_err();
    assert_eq!(error, OutboundError::TooLarge { host: HOST.to_owned(), bytes_max: 1 << 20 });
    let response = operator().client().get(server.url("/")).send().await.unwrap();
    let mut response = response;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        assert!(chunk.len() <= 1 << 20, "a library gets it in small pieces");
        bytes += chunk.len();
    }
    assert_eq!(bytes, SIZE);
    assert!(peak_kib() - before < 128 << 10, "{} KiB more", peak_kib() - before);
}

#[tokio::test]
async fn a_body_that_cannot_be_decompressed_is_no_answer() {
    let twice = compressed([compressed([b"x".to_vec()].into_iter())].into_iter());
    let mut corrupt = compressed([vec![b'x'; 5000]].into_iter());
    corrupt[12] ^= 0xff;
    let mut cut = compressed((0_u32..5000).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes().to_vec()));
    cut.truncate(cut.len() / 2);
    for (encoding, body) in [
        ("gzip, gzip", twice),
        ("br", b"x".to_vec()),
        ("zstd", b"x".to_vec()),
        ("gzip", b"not gzip at all".to_vec()),
        ("gzip", corrupt),
    ] {
        let server = encoded(encoding, body).await;
        let error = get(&operator(), &server.url("/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Encoding { .. }), "{encoding}: {error:?}");
    }
    let error = get(&operator(), &encoded("gzip", cut).await.url("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Encoding { .. } | OutboundError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_body_is_left_where_it_is_too_much() {
    let outbound = limited(|limits| limits.answer_bytes_max = 1 << 20);
    let too_large = OutboundError::TooLarge { host: HOST.to_owned(), bytes_max: 1 << 20 };
    const CHUNK: &str = "10\r\n0123456789abcdef\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (head, again) in [(chunked, CHUNK), ("HTTP/1.1 200 OK\r\n\r\n", "0123456789abcdef")] {
        let (server, written) = endless(head, again, Duration::ZERO).await;
        assert_eq!(get(&outbound, &server.url("/")).await.unwrap_err(), too_large);
        let read = written.load(Ordering::SeqCst);
        assert!(read < (4 << 20) + IN_FLIGHT_MAX, "{read} bytes were taken");
    }
    let (server, _) = endless("HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n", "x", Duration::from_secs(1)).await;
    assert_eq!(get(&outbound, &server.url("/")).await.unwrap_err(), too_large, "the announcement is enough");
}

#[tokio::test]
async fn a_request_may_ask_for_less_than_the_policy_but_not_for_more() {
    let server = Server::answering(|_| ok("0123456789")).await;
    let asking = |bytes_max| {
        let mut request = Request::new(Method::GET, server.url("/"));
        request.answer_bytes_max = Some(bytes_max);
        request
    };
    let outbound = limited(|limits| limits.answer_bytes_max = 9);
    assert_eq!(outbound.send(asking(100)).await.unwrap_err(), OutboundError::TooLarge { host: HOST.to_owned(), bytes_max: 9 });
    assert_eq!(operator().send(asking(4)).await.unwrap_err(), OutboundError::TooLarge { host: HOST.to_owned(), bytes_max: 4 });
    assert_eq!(operator().send(asking(10)).await.unwrap().body, b"0123456789");
}

#[tokio::test]
async fn a_server_that_takes_its_time_is_given_up() {
    let timed_out = OutboundError::TimedOut { host: HOST.to_owned() };
    let outbound = limited(|limits| limits.answer_max = Duration::from_millis(300));
    let drip = Duration::from_millis(20);
    for (first, again) in [
        ("", ""),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "y"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "x"),
        ("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
    ] {
        let (server, _) = endless(first, again, drip).await;
        assert_eq!(get(&outbound, &server.url("/")).await.unwrap_err(), timed_out, "{first}{again}");
    }
    let mut request = Request::new(Method::GET, endless("", "", drip).await.0.url("/"));
    let (server, _) = endless("", "", drip).await;
    request.url = server.url("/");
    request.answer_max = Some(Duration::from_millis(50));
    assert_eq!(operator().send(request).await.unwrap_err(), timed_out);
}

#[tokio::test]
async fn a_library_is_told_of_silence_and_not_of_slowness() {
    let outbound = limited(|limits| limits.silence_max = Duration::from_secs(2));
    let timed_out = OutboundError::TimedOut { host: HOST.to_owned() };
    let (mute, _) = endless("", "", Duration::from_millis(20)).await;
    let (half, _) = endless("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "", Duration::from_millis(20)).await;
    let slow = Server::scripted("127.0.0.1:0", |mut stream| async move {
        read_request(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await?;
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            stream.write_all(b"x").await?;
        }
        Ok(())
    })
    .await;
    let urls = [mute.url("/"), half.url("/"), slow.url("/")];
    let ended = tokio::join!(
        get_as_library(&outbound, &urls[0]),
        get_as_library(&outbound, &urls[1]),
        get_as_library(&outbound, &urls[2]),
    );
    assert_eq!(ended, (Err(timed_out.clone()), Err(timed_out), Ok("xxxxxxxxxx".to_owned())));
}

#[tokio::test]
async fn a_flood_of_headers_is_stopped() {
    let outbound = operator();
    for (first, again) in [
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyyyyyyyyyy"),
        ("HTTP/1.1 200 OK\r\n", "xxxxxxxxxxxxxxxx"),
        ("HTTP/1.1 200 ", "OK"),
        ("", "\r\n"),
    ] {
        let (server, written) = endless(first, again, Duration::ZERO).await;
        let error = get(&outbound, &server.url("/")).await.unwrap_err();
        let is_stopped = matches!(error, OutboundError::HeadersTooLarge { .. } | OutboundError::Malformed { .. });
        assert!(is_stopped, "{first}{again}: {error:?}");
        assert!(written.load(Ordering::SeqCst) < IN_FLIGHT_MAX);
    }
}

#[tokio::test]
async fn header_fields_are_counted_and_measured() {
    let server = |fields: usize, length: usize| {
        let lines: Vec<String> = (0..fields).map(|number| format!("x-{number}: {}", "y".repeat(length))).collect();
        Server::answering(move |_| answer("200 OK", &lines.iter().map(String::as_str).collect::<Vec<_>>(), ""))
    };
    let too_large = OutboundError::HeadersTooLarge { host: HOST.to_owned() };
    assert!(get(&operator(), &server(98, 10).await.url("/")).await.is_ok());
    assert_eq!(get(&operator(), &server(99, 10).await.url("/")).await.unwrap_err(), too_large);
    assert!(get(&operator(), &server(60, 1000).await.url("/")).await.is_ok());
    assert_eq!(get(&operator(), &server(70, 1000).await.url("/")).await.unwrap_err(), too_large);
}

#[tokio::test]
async fn a_connection_that_ends_within_the_answer_is_no_answer() {
    for (sent, is_malformed) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\n", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", false),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhalf", false),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhalf", false),
        ("HTTP/9.9 200 OK\r\n\r\n", true),
        ("220 smtp.example ESMTP\r\n", true),
        ("\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}", true),
    ] {
        let server = Server::answering(move |_| sent.to_owned()).await;
        let error = get(&operator(), &server.url("/")).await.unwrap_err();
        let is_right = match error {
            OutboundError::Malformed { .. } => is_malformed || sent.contains("zz"),
            OutboundError::Broken { .. } => !is_malformed,
            _ => false,
        };
        assert!(is_right, "{sent:?}: {error:?}");
    }
}

/// The kernel takes no more connections for a listener that accepts none: to whoever connects it looks like a host that is gone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_that_does_not_answer_at_all_is_given_up() {
    use tokio::net::{TcpSocket, TcpStream};

    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let outbound = limited(|limits| limits.connect_max = Duration::from_millis(300));
    let url = format!("http://{address}/").parse().unwrap();
    let expected = OutboundError::ConnectTimedOut { host: HOST.to_owned() };
    assert_eq!(get(&outbound, &url).await.unwrap_err(), expected);
    assert_eq!(get_as_library(&outbound, &url).await.unwrap_err(), expected);
}

#[tokio::test]
async fn requests_beyond_the_most_wait_for_a_place() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (Arc::clone(&now), Arc::clone(&most), Arc::new(Barrier::new(2)));
    let server = Server::scripted("127.0.0.1:0", move |mut stream| {
        let (now, most, pair) = counters.clone();
        async move {
            read_request(&mut stream).await?;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Two are there at once; a third would have come meanwhile.
            pair.wait().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            most.fetch_max(now.load(Ordering::SeqCst), Ordering::SeqCst);
            now.fetch_sub(1, Ordering::SeqCst);
            finish(&mut stream, ok("done").as_bytes()).await
        }
    })
    .await;
    let outbound = limited(|limits| limits.requests_max = 2);
    let url = server.url("/");
    let requests = (0..6).map(|_| {
        let (outbound, url) = (outbound.clone(), url.clone());
        tokio::spawn(async move { get(&outbound, &url).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap().unwrap().body, b"done");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() {
    let server = Server::answering(|head| ok(&head.len().to_string())).await;
    let with = |body| {
        let mut request = Request::new(Method::POST, server.url("/"));
        request.body = body;
        request
    };
    // A part has a name of four bytes, and 150 are for what separates it from the next.
    let part = |length| Part { name: "file".to_owned(), file_name: None, content_type: None, bytes: vec![b'x'; length] };
    for (most, fits, is_too_large) in [
        (10, Body::Bytes(vec![b'x'; 10]), Body::Bytes(vec![b'x'; 11])),
        (318, Body::Multipart(vec![part(5), part(5)]), Body::Multipart(vec![part(5), part(6)])),
    ] {
        let outbound = limited(|limits| limits.request_bytes_max = most);
        assert!(outbound.send(with(fits)).await.is_ok());
        let expected = OutboundError::RequestTooLarge { host: HOST.to_owned(), bytes: most + 1, bytes_max: most };
        assert_eq!(outbound.send(with(is_too_large)).await.unwrap_err(), expected);
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_has_its_status_its_headers_and_its_body_whatever_the_status() {
    let server = Server::answering(|head| {
        assert!(head.contains("\r\nuser-agent: isolet/") && head.contains("\r\naccept-encoding: gzip\r\n"));
        answer("503 Service Unavailable", &["retry-after: 7", "set-cookie: a=b"], "later")
    })
    .await;
    let outbound = operator();
    for _ in 0..2 {
        let answer = get(&outbound, &server.url("/")).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (503, &b"later"[..]));
        assert_eq!(answer.headers.get("retry-after").unwrap(), "7");
        assert_eq!(format!("{answer:?}"), format!("Answer(503 Service Unavailable from http://{}, 5 bytes)", server.address));
    }
    assert!(server.requests().iter().all(|request| !request.contains("cookie:")), "cookies are not kept");
}

#[test]
fn what_is_shown_of_a_request_has_no_secret() {
    let request = crate::server::secret_request(&"https://example.com/path".parse().unwrap());
    assert_eq!(format!("{request:?}"), r#"Request(GET https://example.com, ["x-api-key"], 0 bytes)"#);
}

#[tokio::test]
async fn no_name_of_a_part_ends_its_line() {
    let server = Server::answering(|_| ok("")).await;
    let send = |name: &str, file_name: Option<&str>, content_type: Option<&str>| {
        let mut request = Request::new(Method::POST, server.url("/"));
        request.body = Body::Multipart(vec![Part {
            name: name.to_owned(),
            file_name: file_name.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            bytes: b"x".to_vec(),
        }]);
        async move { operator().send(request).await }
    };
    for bad in ["a\r\nx: y", "a\n", "a\r", "a\u{0}b"] {
        for result in [send(bad, None, None).await, send("a", Some(bad), None).await, send("a", None, Some(bad)).await] {
            assert!(matches!(result, Err(OutboundError::NotARequest { .. })), "{bad:?}: {result:?}");
        }
    }
    assert_eq!(server.connections(), 0);
    send("a \"b\" [ü]", Some("c \"d\".txt"), Some("text/plain; charset=utf-8")).await.unwrap();
    let sent = server.requests().remove(0);
    assert!(sent.contains("name=\"a %22b%22 [ü]\"; filename=\"c \\\"d\\\".txt\"\r\nContent-Type: text/plain"), "{sent}");
}

#[tokio::test]
async fn what_separates_parts_counts() {
    let server = Server::answering(|_| ok("")).await;
    let part = Part { name: "n".repeat(100), file_name: None, content_type: None, bytes: Vec::new() };
    let mut request = Request::new(Method::POST, server.url("/"));
    request.body = Body::Multipart(vec![part; 100]);
    let outbound = limited(|limits| limits.request_bytes_max = 20_000);
    assert!(matches!(outbound.send(request).await, Err(OutboundError::RequestTooLarge { .. })));
    assert_eq!(server.connections(), 0);
}
