//! A connection that stays open, as clients have it: one request after the other, each answer read to its end.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::serve::Answer;

/// A connection, opened when it is needed.
pub(crate) struct KeptAlive {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl KeptAlive {
    /// To the server at `address`.
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// The answer to a request, byte for byte as it is written. A server may close a connection on which nothing is under way: a request that it cannot have
    /// answered, since not a byte came back on a connection that was used before, is made once more on a new one.
    pub(crate) async fn ask(&mut self, request: &str) -> Result<Answer> {
        if let Some(stream) = self.stream.take()
            && let Some(answer) = self.asked(stream, request).await?
        {
            return Ok(answer);
        }
        let stream = TcpStream::connect(self.address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        self.asked(BufReader::new(stream), request).await?.context("the connection was closed without an answer")
    }

    /// The answer, if a byte of it comes; the connection is kept if the server keeps it.
    async fn asked(&mut self, mut stream: BufReader<TcpStream>, request: &str) -> Result<Option<Answer>> {
        if stream.write_all(request.as_bytes()).await.is_err() || !matches!(stream.fill_buf().await, Ok([_, ..])) {
            return Ok(None);
        }
        let answer = read(&mut stream).await?;
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(Some(answer))
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Result<Answer> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(stream.read_line(&mut head).await? > 0, "the answer breaks off: `{head}`");
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
    let mut answer = Answer { status, head, body: String::new() };
    let mut body = Vec::new();
    if answer.header("transfer-encoding") == Some("chunked") {
        while let length @ 1.. = chunk_length(stream).await? {
            read_more(stream, &mut body, length).await?;
            ensure!(stream.read_u16().await? == u16::from_be_bytes(*b"\r\n"), "a chunk without an end");
        }
        ensure!(stream.read_u16().await? == u16::from_be_bytes(*b"\r\n"), "chunks without an end");
    } else {
        let length = answer.header("content-length").map_or(Ok(0), str::parse)?;
        read_more(stream, &mut body, length).await?;
    }
    answer.body = String::from_utf8(body).context("a body that is no text")?;
    Ok(answer)
}

async fn chunk_length(stream: &mut BufReader<TcpStream>) -> Result<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    usize::from_str_radix(line.trim_end(), 16).with_context(|| format!("no length of a chunk: `{line}`"))
}

async fn read_more(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>, length: usize) -> Result<()> {
    let read = body.len();
    body.resize(read + length, 0);
    stream.read_exact(&mut body[read..]).await.context("the body breaks off")?;
    Ok(())
}
