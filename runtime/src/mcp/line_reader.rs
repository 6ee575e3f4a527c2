//! The lines that a peer writes: each with a maximum, read without holding more.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// What is kept of a line beyond its maximum: enough to tell whose it was.
const BEGINNING_BYTES_MAX: usize = 4096;

/// The lines of `R`.
pub(super) struct LineReader<R> {
    input: BufReader<R>,
    bytes_max: usize,
    line: Vec<u8>,
    /// The rest of a line that was too long is still to be skipped.
    is_skipping: bool,
}

/// A line without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// The beginning of one that is longer than the maximum; the rest is skipped.
    TooLong(Vec<u8>),
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    pub(super) fn new(input: R, bytes_max: usize) -> Self {
        Self { input: BufReader::new(input), bytes_max, line: Vec::new(), is_skipping: false }
    }

    /// The next line; none at the end, where a line without a line feed is one too. A future that is dropped loses nothing.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.input.fill_buf().await?;
            if available.is_empty() {
                let is_line = !self.line.is_empty();
                return Ok(is_line.then(|| Line::Whole(std::mem::take(&mut self.line))));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            let taken = part.len() + usize::from(end.is_some());
            let was_skipping = self.is_skipping;
            if !was_skipping {
                let room = self.bytes_max - self.line.len();
                self.line.extend_from_slice(&part[..part.len().min(room)]);
                self.is_skipping = part.len() > room;
            }
            let is_too_long = self.is_skipping && !was_skipping;
            self.is_skipping &= end.is_none();
            self.input.consume(taken);
            if is_too_long {
                let mut beginning = std::mem::take(&mut self.line);
                beginning.truncate(BEGINNING_BYTES_MAX);
                beginning.shrink_to_fit();
                return Ok(Some(Line::TooLong(beginning)));
            }
            if end.is_some() && !was_skipping {
                return Ok(Some(Line::Whole(std::mem::take(&mut self.line))));
            }
        }
    }
}

/// The text of `line`: without a byte order mark, a carriage return and space around it; U+FFFD for what is no UTF-8.
pub(super) fn text_of(line: &[u8]) -> std::borrow::Cow<'_, str> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
    String::from_utf8_lossy(line)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    async fn lines(text: &str, bytes_max: usize) -> Vec<Line> {
        // In parts of three bytes, as pipes give what they have.
        let (mut writer, parts) = tokio::io::duplex(3);
        let text = text.to_owned();
        tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut writer, text.as_bytes()).await });
        let mut reader = LineReader::new(parts, bytes_max);
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await.unwrap() {
            lines.push(line);
        }
        lines
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_line_up_to_the_maximum_is_whole_and_of_a_longer_one_only_the_beginning_is_kept() {
        assert_eq!(
            lines("12345\n\n123456\n1234\nlast", 5).await,
            [whole("12345"), whole(""), Line::TooLong(b"12345".to_vec()), whole("1234"), whole("last")]
        );
        assert_eq!(lines("123456789", 5).await, [Line::TooLong(b"12345".to_vec())]);
        let long = "x".repeat(BEGINNING_BYTES_MAX * 3);
        assert_eq!(
            lines(&long, BEGINNING_BYTES_MAX * 2).await,
            [Line::TooLong(long.as_bytes()[..BEGINNING_BYTES_MAX].to_vec())]
        );
    }

    #[test]
    fn a_mark_of_the_byte_order_and_what_is_no_text_cost_nothing() {
        assert_eq!(text_of(b"\xef\xbb\xbf {\"a\":1}\r"), "{\"a\":1}");
        assert_eq!(text_of(b"caf\xe9"), "caf\u{fffd}");
    }
}
