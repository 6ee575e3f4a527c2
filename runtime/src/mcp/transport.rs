//! What a face of a session is served over: standard input and output, a pipe, or a channel inside this process.

use std::borrow::Cow;
use std::fmt;

use rmcp::service::{RxJsonRpcMessage, ServiceRole, TxJsonRpcMessage};
use rmcp::{RoleClient, RoleServer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// Messages that wait in a channel before their sender does.
const MESSAGES_WAITING: usize = 64;

/// The server's end of a connection with one MCP client.
#[derive(Debug)]
pub struct Transport(pub(super) Kind);

pub(super) enum Kind {
    Stdio,
    Pipe(Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>),
    Channel(Channel<RoleServer>),
}

impl Transport {
    /// Standard input and output of this process: nothing else may write to standard output.
    #[must_use]
    pub fn stdio() -> Self {
        Self(Kind::Stdio)
    }

    /// One JSON message a line, as over standard input and output: sockets, pipes, `tokio::io::duplex`.
    #[must_use]
    pub fn pipe(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self(Kind::Pipe(Box::new(reader), Box::new(writer)))
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdio => "Stdio",
            Self::Pipe(..) => "Pipe",
            Self::Channel(_) => "Channel",
        })
    }
}

/// A connection inside this process, over which messages go as they are: nothing is serialised.
///
/// The first end is served; the second is the transport of a client made with rmcp 3.
#[must_use]
pub fn channel() -> (Transport, ClientTransport) {
    let (to_server, from_client) = mpsc::channel(MESSAGES_WAITING);
    let (to_client, from_server) = mpsc::channel(MESSAGES_WAITING);
    let server = Channel { sender: to_client, receiver: from_client };
    let client = Channel { sender: to_server, receiver: from_server };
    (Transport(Kind::Channel(server)), ClientTransport(client))
}

/// The client's end of a [`channel`]: a transport of rmcp.
pub struct ClientTransport(Channel<RoleClient>);

impl fmt::Debug for ClientTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTransport")
    }
}

impl rmcp::transport::Transport<RoleClient> for ClientTransport {
    type Error = Closed;

    fn name() -> Cow<'static, str> {
        "isolet channel".into()
    }

    fn send(&mut self, message: TxJsonRpcMessage<RoleClient>) -> impl Future<Output = Result<(), Closed>> + Send + 'static {
        self.0.send(message)
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<RoleClient>>> + Send {
        self.0.receive()
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Closed>> + Send {
        self.0.close()
    }
}

/// The other end of a [`channel`] is gone.
#[derive(Debug, thiserror::Error)]
#[error("the other end of the channel is gone")]
pub struct Closed;

/// One end of a channel of messages.
pub(super) struct Channel<R: ServiceRole> {
    sender: mpsc::Sender<TxJsonRpcMessage<R>>,
    receiver: mpsc::Receiver<RxJsonRpcMessage<R>>,
}

impl<R: ServiceRole> rmcp::transport::Transport<R> for Channel<R> {
    type Error = Closed;

    fn send(&mut self, message: TxJsonRpcMessage<R>) -> impl Future<Output = Result<(), Closed>> + Send + 'static {
        let sender = self.sender.clone();
        async move { sender.send(message).await.map_err(|_| Closed) }
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<R>>> + Send {
        self.receiver.recv()
    }

    async fn close(&mut self) -> Result<(), Closed> {
        self.receiver.close();
        Ok(())
    }
}
