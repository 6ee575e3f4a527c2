//! The line to the caller: messages go out in the order in which they were said, each whole, and who says more than the caller takes waits.

use std::sync::Arc;

use isolet_rpc::output::Output;
use isolet_rpc::standard_streams::Writer;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages that may wait to be written before their senders do; as many again are being written.
const MESSAGES_WAITING: usize = 32;

/// What messages are given to; cheap to clone.
#[derive(Clone)]
pub(super) struct Line(mpsc::Sender<String>);

impl Line {
    /// The line that writes to `output`, and what ends when all of its clones are dropped and all is written, or nothing can be.
    pub(super) fn new(output: Arc<Output<Writer>>) -> (Self, JoinHandle<()>) {
        let (sender, mut messages) = mpsc::channel::<String>(MESSAGES_WAITING);
        let written = tokio::spawn(async move {
            let (feed, mut said) = (Arc::<str>::from("\n"), Vec::new());
            // What waits is written at once: a call of the system for each message, and a caller that is woken by each, would cost more.
            while messages.recv_many(&mut said, MESSAGES_WAITING).await > 0 {
                let lines = said.drain(..).flat_map(|message| [Arc::clone(&feed), message.into()]);
                if output.send(lines.skip(1).collect()).await.is_err() {
                    break;
                }
            }
        });
        (Self(sender), written)
    }

    /// Says a message. One to a caller who takes nothing any more is lost: whoever reads from it ends the connection.
    pub(super) async fn say(&self, message: String) {
        let _ = self.0.send(message).await;
    }

    /// Says something that nobody waits for.
    pub(super) async fn notify(&self, method: &str, params: impl Serialize) {
        self.say(notification(method, params)).await;
    }

    /// Says something that may be left out: it is, if others wait already.
    pub(super) fn mention(&self, method: &str, params: impl Serialize) {
        let _ = self.0.try_send(notification(method, params));
    }

    /// Whether nothing is written any more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

fn notification(method: &str, params: impl Serialize) -> String {
    #[derive(Serialize)]
    struct Notification<'text, Params> {
        jsonrpc: &'static str,
        method: &'text str,
        params: Params,
    }

    serde_json::to_string(&Notification { jsonrpc: "2.0", method, params }).unwrap_or_default()
}
