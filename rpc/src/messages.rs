//! What a peer sends, message by message: lines with a maximum, arrays of messages, and nothing at all while it takes no answers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use isolet_bindings::without_half_surrogates;
use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client_id::ClientId;
use crate::line_reader::{Line, LineReader, text_of};
use crate::lost_id;
use crate::output::{Output, WAITING_BYTES_MAX};
use crate::refusal::{INVALID_REQUEST, PARSE_ERROR, Refusal};

/// The longest line, bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Messages in one array.
const BATCH_MAX: usize = 1000;

/// The messages of one peer, whose answers go to an output.
#[derive(Debug)]
pub struct Messages<R, W> {
    lines: LineReader<R>,
    output: Arc<Output<W>>,
    /// The rest of an array.
    batch: VecDeque<Box<RawValue>>,
    /// A line that is too long is being skipped, and there was no `id` in its beginning.
    is_skipping_nameless: bool,
}

/// What a peer sent.
#[expect(clippy::exhaustive_enums, reason = "whoever reads messages has to say what becomes of each kind")]
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// What may be a message: not empty, no array.
    Text(String),
    /// A line beyond [`LINE_BYTES_MAX`], with the `id` that stands in it, where one can be found. It is lost.
    TooLong(Option<ClientId>),
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin + Send + 'static> Messages<R, W> {
    /// The messages that are read from `input`.
    pub fn new(input: R, output: Arc<Output<W>>) -> Self {
        Self { lines: LineReader::new(input, LINE_BYTES_MAX), output, batch: VecDeque::new(), is_skipping_nameless: false }
    }

    /// The next one; none when the peer has closed its end or takes nothing any more. An array that is none of messages is refused here.
    pub async fn next(&mut self) -> Option<Received> {
        let backlog = Arc::clone(self.output.backlog());
        loop {
            backlog.room(WAITING_BYTES_MAX).await;
            if let Some(message) = self.batch.pop_front() {
                return Some(Received::Text(message.get().to_owned()));
            }
            let line = tokio::select! {
                biased;
                () = backlog.closed().cancelled() => return None,
                line = self.lines.next() => line,
            };
            match line {
                Ok(Some(Line::Whole(line))) => {
                    let text = text_of(&line);
                    let text = without_half_surrogates(&text);
                    if text.starts_with('[') {
                        self.open_batch(&text);
                    } else if !text.is_empty() {
                        return Some(Received::Text(text.into_owned()));
                    }
                }
                Ok(Some(Line::TooLong(beginning))) => match lost_id::in_beginning(&text_of(&beginning)) {
                    Some(id) => return Some(Received::TooLong(Some(id))),
                    None => self.is_skipping_nameless = true,
                },
                Ok(Some(Line::EndOfTooLong(end))) => {
                    if std::mem::take(&mut self.is_skipping_nameless) {
                        return Some(Received::TooLong(lost_id::in_end(&text_of(&end))));
                    }
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn open_batch(&mut self, text: &str) {
        match batch(text) {
            Ok(messages) if messages.is_empty() => {
                self.output.refuse(None, (INVALID_REQUEST, "an array of messages has some".into()));
            }
            Ok(messages) => self.batch = messages,
            Err(error) if error.is_data() => self.output.refuse(None, (INVALID_REQUEST, error.to_string().into())),
            Err(error) => self.output.refuse(None, (PARSE_ERROR, format!("this is no JSON: {error}").into())),
        }
    }
}

/// How a request is answered whose line is too long.
#[must_use]
pub fn too_long() -> Refusal {
    (INVALID_REQUEST, format!("a message may have {LINE_BYTES_MAX} bytes: send less at a time").into())
}

/// The messages of an array; none of them is looked into.
fn batch(text: &str) -> Result<VecDeque<Box<RawValue>>, serde_json::Error> {
    struct Reader;

    impl<'de> Visitor<'de> for Reader {
        type Value = VecDeque<Box<RawValue>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "at most {BATCH_MAX} messages")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let mut messages = VecDeque::new();
            while let Some(message) = array.next_element()? {
                if messages.len() == BATCH_MAX {
                    return Err(serde::de::Error::invalid_length(BATCH_MAX + 1, &self));
                }
                messages.push_back(message);
            }
            Ok(messages)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    let messages = deserializer.deserialize_seq(Reader)?;
    deserializer.end()?;
    Ok(messages)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;

    #[tokio::test]
    async fn messages_come_one_by_one_and_what_is_none_is_refused() {
        let (mut peer, input) = tokio::io::duplex(1 << 20);
        let (output, peer_input) = tokio::io::duplex(1 << 20);
        let mut messages = Messages::new(input, Output::new(output, Duration::from_secs(60)));
        peer.write_all(b"\n{\"a\":1}\r\n[1, {\"b\":2}]\n[]\n[1\n{\"c\":3}").await.unwrap();
        drop(peer);
        for expected in ["{\"a\":1}", "1", "{\"b\":2}", "{\"c\":3}"] {
            assert_eq!(messages.next().await, Some(Received::Text(expected.to_owned())));
        }
        assert_eq!(messages.next().await, None);
        let mut lines = BufReader::new(peer_input).lines();
        for expected in ["has some", "this is no JSON"] {
            assert!(lines.next_line().await.unwrap().unwrap().contains(expected));
        }
    }

    #[tokio::test]
    async fn of_a_line_that_is_too_long_there_is_the_id() {
        let (mut peer, input) = tokio::io::duplex(1 << 16);
        let (output, _peer_input) = tokio::io::duplex(1 << 16);
        let mut messages = Messages::new(input, Output::new(output, Duration::from_secs(60)));
        tokio::spawn(async move {
            let long = "x".repeat(LINE_BYTES_MAX);
            for line in
                [format!("{{\"id\":7,\"x\":\"{long}\"}}\n"), format!("{{\"x\":\"{long}\",\"id\":8}}\n"), format!("{long}x\n")]
            {
                peer.write_all(line.as_bytes()).await.unwrap();
            }
        });
        for expected in [Some("7"), Some("8"), None] {
            let Some(Received::TooLong(id)) = messages.next().await else { panic!("a lost line is expected") };
            assert_eq!(id.as_ref().map(ClientId::as_json), expected);
        }
        assert_eq!(messages.next().await, None);
    }
}
