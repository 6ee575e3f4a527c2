//! The listener and its connections: hyper speaks HTTP/1.1, this says for how long.
//!
//! ```text
//! accept -> a slot among the connections -> requests, each head in time -> closed by age, for another's sake, or at the end
//! ```

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::task::TaskTracker;

use crate::connections::{CLAIM, ConnectionSlot, Connections};
use crate::ending::Ending;
use crate::limits::ServerLimits;
use crate::proxy::Peer;

/// Connections that the system keeps until they are accepted. Of one more it forgets what its client says at once.
const BACKLOG_MAX: u32 = 4096;
/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a last answer has to get out where no request is under way.
const FLUSH_MAX: Duration = Duration::from_secs(1);
/// How long nothing is accepted when the system has no descriptor for it.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Listens at `address`, with room for many who connect at once.
///
/// # Errors
///
/// The system's: the address is taken, or not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG_MAX)
}

/// Serves until `ending` begins. Then nothing more is accepted, and what is under way goes on, for [`ServerLimits::shutdown_max`] at most; past that it
/// is cut off. Returns when the last connection is closed.
pub async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, ending: Ending) {
    let connections = Connections::new(limits.connections_max, limits.connections_of_address_max);
    let tasks = TaskTracker::new();
    let limits = Arc::new(limits);
    loop {
        let accepted = tokio::select! {
            biased;
            () = ending.begun() => break,
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
        if let Some(slot) = connections.admit(address.ip()).await {
            tasks.spawn(serve_one(stream, router.clone(), slot, Peer(address.ip()), Arc::clone(&limits), ending.clone()));
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.shutdown_max, tasks.wait()).await.is_err() {
        ending.cut();
        tasks.wait().await;
    }
}

async fn serve_one(
    stream: TcpStream,
    router: Router,
    slot: ConnectionSlot,
    peer: Peer,
    limits: Arc<ServerLimits>,
    ending: Ending,
) {
    // Answers are small, and each waits for nothing else.
    let _ = stream.set_nodelay(true);
    close_if_nothing_is_taken(&stream, limits.taking_max);
    // What a client sends at once is there when hyper looks.
    let _ = tokio::time::timeout(CLAIM, stream.readable()).await;
    slot.connection().waits();
    let service = TowerToHyperService::new(router.layer(Extension(slot.connection())).layer(Extension(peer)));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.head_max).max_buf_size(HEAD_BYTES_MAX);
    let mut serving = pin!(protocol.serve_connection(TokioIo::new(stream), service));
    let is_ending = tokio::select! {
        biased;
        _ = &mut serving => return,
        () = slot.is_needed() => return,
        () = ending.begun() => true,
        () = tokio::time::sleep(limits.connection_age_max) => false,
    };
    // The request that is under way is the last one.
    serving.as_mut().graceful_shutdown();
    let last_answer_max = match (slot.connection().is_waiting(), is_ending) {
        (true, _) => FLUSH_MAX.min(limits.shutdown_max),
        // It is cut off before.
        (false, true) => limits.shutdown_max + FLUSH_MAX,
        (false, false) => limits.last_answer_max,
    };
    tokio::select! {
        _ = &mut serving => {}
        () = tokio::time::sleep(last_answer_max) => {}
        () = cut_off(&ending) => {}
    }
}

/// Waits until what is under way is cut off, and has had time to say so.
async fn cut_off(ending: &Ending) {
    ending.is_cut().await;
    tokio::time::sleep(FLUSH_MAX).await;
}

/// Has the system close a connection whose client takes nothing of what it is sent for so long.
#[cfg(target_os = "linux")]
fn close_if_nothing_is_taken(stream: &TcpStream, taking_max: Duration) {
    let milliseconds = u32::try_from(taking_max.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds) {
        tracing::debug!(%error, "a client that takes nothing is waited for");
    }
}

/// Where the system has no such clock, the age of a connection is its bound.
#[cfg(not(target_os = "linux"))]
fn close_if_nothing_is_taken(_: &TcpStream, _: Duration) {}
