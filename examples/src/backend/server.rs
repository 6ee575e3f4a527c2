//! The listener and its connections: hyper speaks HTTP/1.1, this says for how long.
//!
//! ```text
//! accept -> a place among the connections -> requests, each head in time -> closed by age, for another's sake, or at the end
//! ```

use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::{CLAIM, Connections, Place};
use super::limits::ServerLimits;

/// Connections that the system keeps until they are accepted. Of one more it forgets what its client says at once.
const BACKLOG_MAX: u32 = 4096;
/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a last answer has to get out where no request is under way.
const FLUSH_MAX: Duration = Duration::from_secs(1);
/// How long nothing is accepted when the system has no descriptor for it.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Listens on a port of this machine, for this machine only.
pub(super) fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG_MAX)
}

/// Serves until `ended`; returns when the last connection is closed, at most [`ServerLimits::shutdown_max`] later.
pub(super) async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, ended: impl Future<Output = ()>) {
    let connections = Connections::new(limits.connections_max, limits.connections_of_address_max);
    let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
    let limits = Arc::new(limits);
    let mut ended = pin!(ended);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut ended => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Some(place) = connections.admit(address.ip()).await {
            tasks.spawn(serve_one(stream, router.clone(), place, Arc::clone(&limits), end.clone()));
        }
    }
    drop(listener);
    end.cancel();
    tasks.close();
    tasks.wait().await;
}

async fn serve_one(stream: TcpStream, router: Router, place: Place, limits: Arc<ServerLimits>, end: CancellationToken) {
    // Answers are small, and each waits for nothing else.
    let _ = stream.set_nodelay(true);
    // What a client sends at once is there when hyper looks.
    let _ = tokio::time::timeout(CLAIM, stream.readable()).await;
    place.connection().waits();
    let service = TowerToHyperService::new(router.layer(Extension(place.connection())));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.head_max).max_buf_size(HEAD_BYTES_MAX);
    let mut serving = pin!(protocol.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        biased;
        _ = &mut serving => return,
        () = place.is_needed() => return,
        () = end.cancelled() => {}
        () = tokio::time::sleep(limits.connection_age_max) => {}
    }
    // The request that is under way is the last one.
    serving.as_mut().graceful_shutdown();
    let grace = if place.connection().is_waiting() { FLUSH_MAX.min(limits.shutdown_max) } else { limits.shutdown_max };
    let _ = tokio::time::timeout(grace, serving).await;
}
