//! The lines that a peer writes: each with a maximum, read without holding more.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// What is kept of a line beyond its maximum, of its beginning and of its end: enough to tell whose it was.
const PART_BYTES_MAX: usize = 4096;

/// The lines of `R`.
#[derive(Debug)]
pub struct LineReader<R> {
    input: BufReader<R>,
    bytes_max: usize,
    /// What is read of the current line; while it is skipped, its last part.
    line: Vec<u8>,
    /// The rest of a line that was too long is still to be skipped.
    is_skipping: bool,
}

/// A line without its line feed.
#[expect(clippy::exhaustive_enums, reason = "whoever reads lines has to say what becomes of each kind")]
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// The beginning of one that is longer than the maximum, as soon as it is; the rest is skipped.
    TooLong(Vec<u8>),
    /// The end of that one, when it is there.
    EndOfTooLong(Vec<u8>),
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// The lines of `input`, each of at most `bytes_max` bytes.
    pub fn new(input: R, bytes_max: usize) -> Self {
        Self { input: BufReader::new(input), bytes_max, line: Vec::new(), is_skipping: false }
    }

    /// The next line; none at the end, where a line without a line feed is one too. A future that is dropped loses nothing.
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.input.fill_buf().await?;
            if available.is_empty() {
                let is_line = self.is_skipping || !self.line.is_empty();
                return Ok(is_line.then(|| self.take_line()));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            let taken = part.len() + usize::from(end.is_some());
            if self.is_skipping {
                self.line.extend_from_slice(&part[part.len().saturating_sub(PART_BYTES_MAX)..]);
                self.line.drain(..self.line.len().saturating_sub(PART_BYTES_MAX));
            } else if part.len() > self.bytes_max - self.line.len() {
                // What is beyond the maximum is read again, as the end.
                let room = self.bytes_max - self.line.len();
                self.line.extend_from_slice(&part[..room]);
                self.input.consume(room);
                self.is_skipping = true;
                let mut beginning = std::mem::take(&mut self.line);
                self.line.extend_from_slice(&beginning[beginning.len().saturating_sub(PART_BYTES_MAX)..]);
                beginning.truncate(PART_BYTES_MAX);
                beginning.shrink_to_fit();
                return Ok(Some(Line::TooLong(beginning)));
            } else {
                self.line.extend_from_slice(part);
            }
            self.input.consume(taken);
            if end.is_some() {
                return Ok(Some(self.take_line()));
            }
        }
    }

    fn take_line(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_skipping) { Line::EndOfTooLong(line) } else { Line::Whole(line) }
    }
}

/// The text of `line`: without a byte order mark, a carriage return and space around it; U+FFFD for what is no UTF-8.
pub fn text_of(line: &[u8]) -> std::borrow::Cow<'_, str> {
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
    async fn a_line_up_to_the_maximum_is_whole_and_of_a_longer_one_only_both_ends_are_kept() {
        let too_long = |beginning: &str, end: &str| {
            [Line::TooLong(beginning.as_bytes().to_vec()), Line::EndOfTooLong(end.as_bytes().to_vec())]
        };
        let [beginning, end] = too_long("12345", "123456");
        assert_eq!(
            lines("12345\n\n123456\n1234\nlast", 5).await,
            [whole("12345"), whole(""), beginning, end, whole("1234"), whole("last")]
        );
        assert_eq!(lines("123456789", 5).await, too_long("12345", "123456789"));
        let long = format!("{}{}", "x".repeat(PART_BYTES_MAX * 2), "y".repeat(PART_BYTES_MAX));
        assert_eq!(lines(&long, PART_BYTES_MAX * 2).await, too_long(&long[..PART_BYTES_MAX], &long[PART_BYTES_MAX * 2..]));
    }

    #[test]
    fn a_mark_of_the_byte_order_and_what_is_no_text_cost_nothing() {
        assert_eq!(text_of(b"\xef\xbb\xbf {\"a\":1}\r"), "{\"a\":1}");
        assert_eq!(text_of(b"caf\xe9"), "caf\u{fffd}");
    }
}
