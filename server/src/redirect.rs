//! The address on this machine to which a browser comes back after its user has agreed, or not: open for one authorization, and for nobody else.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use isolet::mcp::Url;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Connections that are served at the same time.
const CONNECTIONS_MAX: usize = 16;

/// The longest header of a request, bytes: a code may be long.
const HEADER_BYTES_MAX: usize = 32 << 10;

/// How long a browser may take to send one.
const HEADER_MAX: Duration = Duration::from_secs(10);

/// How long an answer that was given has to leave.
const LEAVING: Duration = Duration::from_millis(200);

const PATH: &str = "/callback";

/// One who came back: where to, and who waits for what he is told.
pub(crate) struct Visit {
    pub(crate) url: Url,
    told: oneshot::Sender<(bool, String)>,
}

/// The address, which is open as long as this lives.
pub(crate) struct Redirect {
    url: Url,
    visits: mpsc::Receiver<Visit>,
    serving: tokio::task::JoinHandle<()>,
}

impl Redirect {
    /// Opens one, at a port that is free.
    pub(crate) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let url = Url::parse(&format!("http://{address}{PATH}")).map_err(io::Error::other)?;
        let (sender, visits) = mpsc::channel(1);
        let serving = tokio::spawn(serve(listener, address, sender));
        Ok(Self { url, visits, serving })
    }

    /// Where a browser is to be sent.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Waits for who comes back.
    pub(crate) async fn visit(&mut self) -> Option<Visit> {
        self.visits.recv().await
    }
}

impl Drop for Redirect {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Visit {
    /// Tells the user in the browser how it went.
    pub(crate) async fn tell(self, is_good: bool, text: String) {
        let _ = self.told.send((is_good, text));
        // It is on its way when the process ends.
        tokio::time::sleep(LEAVING).await;
    }
}

async fn serve(listener: TcpListener, address: SocketAddr, visits: mpsc::Sender<Visit>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let (Ok(place), Ok((stream, _))) = (Arc::clone(&places).acquire_owned().await, listener.accept().await) {
        let visits = visits.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, address, visits.clone()));
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX).max_buf_size(HEADER_BYTES_MAX).keep_alive(false);
            // A browser that is gone is no fault.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    address: SocketAddr,
    visits: mpsc::Sender<Visit>,
) -> Result<Response<String>, Infallible> {
    // A page that gives our port a name of its own does not get in.
    let is_here = request.headers().get(HOST).and_then(|host| host.to_str().ok()) == Some(address.to_string().as_str());
    let is_callback = request.method() == Method::GET && request.uri().path() == PATH;
    let url = Url::parse(&format!("http://{address}{}", request.uri())).ok().filter(|_| is_here && is_callback);
    let Some(url) = url else { return Ok(page(StatusCode::NOT_FOUND, "There is nothing here.".to_owned())) };
    let (told, tells) = oneshot::channel();
    let is_heard = visits.send(Visit { url, told }).await.is_ok();
    Ok(match tells.await {
        Ok((true, text)) if is_heard => page(StatusCode::OK, text),
        Ok((false, text)) => page(StatusCode::BAD_REQUEST, text),
        _ => page(StatusCode::GONE, "This login has ended.".to_owned()),
    })
}

fn page(status: StatusCode, text: String) -> Response<String> {
    let mut page = Response::new(text);
    *page.status_mut() = status;
    let headers = page.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    page
}
