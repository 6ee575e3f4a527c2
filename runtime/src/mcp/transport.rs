//! What a face of a session is served over: lines of JSON, whatever carries them. No type of rmcp is in it, so no major version of it is ours.

use std::fmt;

use isolet_rpc::standard_streams;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

/// Bytes that wait in a channel before their sender does: what a pipe of Linux holds.
const CHANNEL_BYTES: usize = 64 << 10;

/// The server's end of a connection with one MCP client.
pub struct Transport {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Box<dyn AsyncWrite + Send + Unpin>,
}

impl Transport {
    /// Standard input and output of this process: nothing else may write to standard output. Within a tokio runtime they are waited for
    /// without threads where they are pipes or sockets; the transport is for that runtime then.
    ///
    /// # Panics
    ///
    /// In a tokio runtime without I/O (`enable_io`), where they are pipes or sockets.
    #[must_use]
    pub fn stdio() -> Self {
        Self { reader: standard_streams::input(), writer: standard_streams::output() }
    }

    /// One JSON message a line, as over standard input and output: sockets, pipes, `tokio::io::duplex`.
    #[must_use]
    pub fn pipe(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader: Box::new(reader), writer: Box::new(writer) }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

/// A connection inside this process.
///
/// The first end is served. The second is for a client made with any library that speaks MCP over a stream of bytes, one JSON message a line;
/// rmcp takes it as it is. Up to 64 KiB wait in it each way before whoever writes them does.
#[must_use]
pub fn channel() -> (Transport, DuplexStream) {
    let (server, client) = tokio::io::duplex(CHANNEL_BYTES);
    (Transport::pipe(server), client)
}
