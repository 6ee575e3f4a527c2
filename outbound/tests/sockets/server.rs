//! Scripted servers, a resolver that a test fills, and a client under short limits.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use isolet_outbound::dns::{Addrs, Name, Resolve, Resolving};
use isolet_outbound::{Answer, Method, Outbound, OutboundError, Policy, Request, Url};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on this machine that counts who connects; it ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Runs `script` on each connection.
    pub(crate) async fn scripted<F, S>(at: &str, script: S) -> Self
    where
        S: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(stream));
            }
        });
        Self { address, connections, heads: Arc::default(), task }
    }

    /// Answers each request with what `answer` makes of its head, and closes.
    pub(crate) async fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::answering_at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn answering_at(at: &str, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, answer) = (Arc::clone(&heads), Arc::new(answer));
        let mut server = Self::scripted(at, move |mut stream| {
            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
            async move {
                let head = read_request(&mut stream).await?;
                let text = answer(&head);
                seen.lock().unwrap().push(head);
                finish(&mut stream, text.as_bytes()).await
            }
        })
        .await;
        server.heads = heads;
        server
    }

    /// How many have connected.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, bodies included.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.at("127.0.0.1", path)
    }

    pub(crate) fn at(&self, host: &str, path: &str) -> Url {
        format!("http://{host}:{}{path}", self.address.port()).parse().unwrap()
    }

    pub(crate) fn https(&self, host: &str) -> Url {
        format!("https://{host}:{}/", self.address.port()).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a request: its head, and as much of a body as it announces.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut text = Vec::new();
    loop {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        text.push(byte[0]);
        if text.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8_lossy(&text).into_owned();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(head + &String::from_utf8_lossy(&body))
}

/// Writes the last bytes and waits until the other side has closed, so that nothing is cut off.
pub(crate) async fn finish(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// An answer with this status, these header lines and this body.
pub(crate) fn answer(status: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn ok(body: &str) -> String {
    answer("200 OK", &[], body)
}

pub(crate) fn redirect(status: u16, to: &str) -> String {
    answer(&format!("{status} Moved"), &[&format!("location: {to}")], "")
}

/// A resolver that gives what a test put in, one answer after the other; the last one stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    lookups: AtomicUsize,
}

impl Names {
    pub(crate) fn of<const N: usize>(names: [(&str, &[&[&str]]); N]) -> Arc<Self> {
        let parsed = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let answers =
            names.into_iter().map(|(name, answers)| (name.to_owned(), answers.iter().map(parsed).collect())).collect();
        Arc::new(Self { answers: Mutex::new(answers), lookups: AtomicUsize::new(0) })
    }

    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let found = answers
            .get_mut(name.as_str())
            .and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
        Box::pin(async move {
            let found = found.ok_or("no such name")?;
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// A policy under which tests end soon.
pub(crate) fn quick(mut policy: Policy) -> Policy {
    policy.limits.connect_max = Duration::from_secs(20);
    policy.limits.answer_max = Duration::from_secs(40);
    policy
}

pub(crate) fn allowing(mut policy: Policy, places: &[&str]) -> Policy {
    policy.allowed = places.iter().map(|place| place.parse().unwrap()).collect();
    quick(policy)
}

pub(crate) fn operator() -> Outbound {
    Outbound::new(quick(Policy::operator())).unwrap()
}

/// `url` as a request with a secret in its query and its headers, which no error may repeat.
pub(crate) fn secret_request(url: &Url) -> Request {
    let mut request = Request::new(Method::GET, url.clone());
    request.url.query_pairs_mut().append_pair("token", "s3cret");
    request.headers.insert("x-api-key", "s3cret".parse().unwrap());
    request
}

/// Sends [`secret_request`], and looks whether the error keeps it.
pub(crate) async fn get(outbound: &Outbound, url: &Url) -> Result<Answer, OutboundError> {
    let result = outbound.send(secret_request(url)).await;
    if let Err(error) = &result {
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    result
}

/// The same through the client that libraries get.
pub(crate) async fn get_as_library(outbound: &Outbound, url: &Url) -> Result<String, OutboundError> {
    let request = secret_request(url);
    let result = async {
        let response = outbound.client().get(request.url).headers(request.headers).send().await?;
        response.text().await
    };
    result.await.map_err(|error| {
        let error = OutboundError::explain(&error).unwrap();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        error
    })
}
