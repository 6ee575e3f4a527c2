//! The writing end of a line to a peer: one message at a time, each whole; what waits is counted, and a peer that takes nothing is given up.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use isolet_bindings::visible;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio_util::sync::CancellationToken;

use crate::client_id::ClientId;
use crate::refusal::{Refusal, error_text};

/// Bytes that may wait for a peer before its next message is read, or answered.
pub const WAITING_BYTES_MAX: usize = 4 << 20;

/// Where messages to a peer are written.
#[derive(Debug)]
pub struct Output<W> {
    writer: Mutex<Option<W>>,
    stall_max: Duration,
    backlog: Arc<Backlog>,
}

/// What waits for a peer.
#[derive(Debug, Default)]
pub struct Backlog {
    bytes: AtomicUsize,
    shrinks: Notify,
    closed: CancellationToken,
}

/// The right to write the next message.
#[derive(Debug)]
pub struct Turn<'output, W> {
    writer: MutexGuard<'output, Option<W>>,
    output: &'output Output<W>,
}

/// Bytes that are counted as waiting while this lives.
struct Account {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Backlog {
    /// Cancelled when nothing will be written any more.
    pub fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// The bytes of messages that wait or are being written. What others hold too costs nothing and is not counted.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    /// Waits until at most `bytes_max` bytes wait, or the line is closed.
    pub async fn room(&self, bytes_max: usize) {
        loop {
            let shrinks = self.shrinks.notified();
            tokio::pin!(shrinks);
            // Told of a change from here on, before it looks.
            shrinks.as_mut().enable();
            if self.bytes() <= bytes_max {
                return;
            }
            tokio::select! {
                () = shrinks => {}
                () = self.closed.cancelled() => return,
            }
        }
    }
}

impl<W> Output<W> {
    /// Writes to `writer`. If that takes no byte for `stall_max`, the line is closed: what follows half a message is not understood.
    pub fn new(writer: W, stall_max: Duration) -> Arc<Self> {
        Arc::new(Self { writer: Mutex::new(Some(writer)), stall_max, backlog: Arc::default() })
    }

    /// What waits to be written.
    pub fn backlog(&self) -> &Arc<Backlog> {
        &self.backlog
    }

    /// Waits for the turn to write.
    ///
    /// # Errors
    ///
    /// When the line is closed.
    pub async fn turn(&self) -> io::Result<Turn<'_, W>> {
        tokio::select! {
            biased;
            () = self.backlog.closed.cancelled() => Err(io::ErrorKind::NotConnected.into()),
            writer = self.writer.lock() => Ok(Turn { writer, output: self }),
        }
    }

    /// Closes the line: the peer's input ends.
    pub async fn close(&self) {
        self.backlog.closed.cancel();
        drop(self.writer.lock().await.take());
    }
}

impl<W: AsyncWrite + Unpin + Send + 'static> Output<W> {
    /// Writes a message in parts, and a line feed, when its turn comes. It counts as waiting from this call on, until it is written or the future
    /// dropped.
    pub fn send(self: &Arc<Self>, parts: Vec<Arc<str>>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let own = parts.iter().filter(|part| Arc::strong_count(part) == 1);
        let account = Account::open(&self.backlog, own.map(|part| part.len()).sum());
        let output = Arc::clone(self);
        async move {
            let _account = account;
            let mut bytes: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            bytes.push(b"\n");
            output.turn().await?.write(&bytes).await
        }
    }

    /// Answers a message that is not taken, when its turn comes. The message may quote the peer.
    pub fn refuse(self: &Arc<Self>, id: Option<&ClientId>, (code, message): Refusal) {
        let id = id.map_or("null", ClientId::as_json);
        let answer = self.send(vec![error_text(id, code, &visible::line(&message), None).into()]);
        tokio::spawn(async move {
            // A line that is closed says so to whoever reads from it.
            let _ = answer.await;
        });
    }
}

impl<W: AsyncWrite + Unpin> Turn<'_, W> {
    /// Writes one message, which ends in a line feed, in parts.
    ///
    /// # Errors
    ///
    /// When it cannot be written whole: the line is closed then.
    pub async fn write(mut self, parts: &[&[u8]]) -> io::Result<()> {
        let Some(writer) = self.writer.as_mut() else { return Err(io::ErrorKind::NotConnected.into()) };
        let Output { stall_max, backlog, .. } = self.output;
        let closed = &backlog.closed;
        let written = tokio::select! {
            written = write_all(writer, parts, *stall_max) => written,
            () = closed.cancelled() => Err(io::ErrorKind::NotConnected.into()),
        };
        if written.is_err() {
            closed.cancel();
        }
        written
    }
}

/// Writes all parts, by one call where the peer has room for them.
async fn write_all<W: AsyncWrite + Unpin>(writer: &mut W, parts: &[&[u8]], stall_max: Duration) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = &mut slices[..];
    // Empty ones at the beginning are gone over.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        let written = tokio::time::timeout(stall_max, writer.write_vectored(rest)).await??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    tokio::time::timeout(stall_max, writer.flush()).await?
}

impl Account {
    fn open(backlog: &Arc<Backlog>, bytes: usize) -> Self {
        backlog.bytes.fetch_add(bytes, Ordering::AcqRel);
        Self { backlog: Arc::clone(backlog), bytes }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.backlog.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.backlog.shrinks.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_waits_is_counted_until_it_is_written_or_given_up() {
        let (writer, mut peer) = tokio::io::duplex(4);
        let output = Output::new(writer, Duration::from_secs(60));
        let first = tokio::spawn(output.send(vec!["123456".into(), "789".into()]));
        let second = output.send(vec!["abc".into()]);
        assert_eq!(output.backlog().bytes(), 12);
        drop(second);
        assert_eq!(output.backlog().bytes(), 9);
        let mut read = [0; 10];
        peer.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"123456789\n");
        first.await.unwrap().unwrap();
        output.backlog().room(0).await;
    }

    #[tokio::test]
    async fn what_others_hold_too_is_not_counted() {
        let (writer, _kept_unread) = tokio::io::duplex(4);
        let output = Output::new(writer, Duration::from_secs(60));
        let shared: Arc<str> = "x".repeat(1000).into();
        let _sent = output.send(vec!["12".into(), Arc::clone(&shared)]);
        assert_eq!(output.backlog().bytes(), 2);
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up_with_all_that_waits_for_it() {
        let (writer, _kept_unread) = tokio::io::duplex(4);
        let output = Output::new(writer, Duration::from_millis(10));
        let [first, second] = ["123456789", "abc"].map(|message| output.send(vec![message.into()]));
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::NotConnected);
        assert!(output.backlog().closed().is_cancelled() && output.backlog().bytes() == 0);
        output.backlog().room(0).await;
    }

    #[tokio::test]
    async fn a_peer_that_is_slow_is_waited_for() {
        let (writer, mut peer) = tokio::io::duplex(1);
        let output = Output::new(writer, Duration::from_millis(200));
        let text = "x".repeat(20);
        let sent = tokio::spawn(output.send(vec![text.into()]));
        // Longer than a stall as a whole, and never as long at a time.
        for _ in 0..21 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            peer.read_u8().await.unwrap();
        }
        sent.await.unwrap().unwrap();
    }
}
