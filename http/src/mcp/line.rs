//! A session with one of its faces, and the line to it: what is asked over it is answered, or cancelled when nobody waits any more.

use std::sync::Arc;

use isolet::Session;
use isolet::mcp::{ServeOptions, Transport};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::message::{Message, Params};
use super::waiting::{NotOpened, Opened, Said, Waiting};

/// Bytes on their way in each direction.
const PIPE_BYTES: usize = 64 << 10;

/// The line to one face. Dropping the last clone ends its session, and what was begun in it.
pub(super) struct Line {
    /// Requests are bounded where they come from: so many of a principal, each of so many bytes.
    outgoing: mpsc::UnboundedSender<String>,
    waiting: Arc<Waiting>,
    _session: Session,
}

/// A request that waits for its answer. Dropping it cancels what it asked for.
pub(super) struct Asked {
    number: u64,
    line: Arc<Line>,
    /// What comes before the answer.
    pub(super) progress: mpsc::Receiver<String>,
    /// The answer; an error if the face has ended without one.
    pub(super) answer: oneshot::Receiver<Said>,
}

impl Line {
    /// Serves `session` as `options` say.
    pub(super) fn open(session: Session, options: ServeOptions) -> Arc<Self> {
        let (here, there) = tokio::io::duplex(PIPE_BYTES);
        let (reader, writer) = tokio::io::split(here);
        let (outgoing, messages) = mpsc::unbounded_channel();
        let waiting = Arc::<Waiting>::default();
        let served = session.serve_with(options, Transport::pipe(there));
        tokio::spawn(async move {
            if let Err(error) = served.await {
                tracing::debug!(%error, "a face ended");
            }
        });
        tokio::spawn(write(messages, writer));
        tokio::spawn(read(reader, Arc::clone(&waiting), outgoing.downgrade()));
        Arc::new(Self { outgoing, waiting, _session: session })
    }

    /// Asks what `message` asks, whose id is `id`; `is_heard`: whether its client hears what comes before the answer.
    pub(super) fn ask(
        self: &Arc<Self>,
        message: &Message<'_>,
        params: &Params<'_>,
        id: &RawValue,
        is_heard: bool,
    ) -> Result<Asked, NotOpened> {
        let Opened { number, mut progress, answer } = self.waiting.open(id, params.progress_token())?;
        if !is_heard {
            progress.close();
        }
        let asked = Asked { number, line: Arc::clone(self), progress, answer };
        match self.outgoing.send(message.numbered(number)) {
            Ok(()) => Ok(asked),
            Err(_) => Err(NotOpened::Closed),
        }
    }

    /// The client answers what it was asked. An answer to anything else goes nowhere.
    pub(super) fn answer(&self, message: &str) {
        // A face that has ended has asked nothing. A line feed in JSON stands between its tokens.
        let _ = self.outgoing.send(message.replace(['\n', '\r'], " "));
    }

    /// The client takes back what it called `id`.
    pub(super) fn cancel(&self, id: &RawValue) {
        if let Some(number) = self.waiting.number_of(id) {
            self.cancel_number(number);
        }
    }

    fn cancel_number(&self, number: u64) {
        if self.waiting.close(number) {
            let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": number } });
            // A face that has ended has nothing to cancel.
            let _ = self.outgoing.send(cancelled.to_string());
        }
    }

    /// What is said that answers nothing, from now on. Ends with the line, and does not keep it.
    pub(super) fn hear(&self) -> mpsc::Receiver<String> {
        self.waiting.unasked().hear()
    }

    /// Whether nobody waits for an answer, or hears what answers nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_idle() && !self.waiting.unasked().is_heard()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.line.cancel_number(self.number);
    }
}

async fn write(mut messages: mpsc::UnboundedReceiver<String>, mut writer: WriteHalf<DuplexStream>) {
    while let Some(message) = messages.recv().await {
        let line = format!("{message}\n");
        if writer.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}

async fn read(reader: ReadHalf<DuplexStream>, waiting: Arc<Waiting>, outgoing: mpsc::WeakUnboundedSender<String>) {
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let (Some(answer), Some(outgoing)) = (waiting.take(&line), outgoing.upgrade()) {
            let _ = outgoing.send(answer);
        }
    }
    waiting.end();
}
