//! What the host has to tell a guest process and has not written yet.
//!
//! A guest that does not read keeps answers in this process. How many bytes, and of how many calls, is known here.

use std::collections::VecDeque;

use super::stream::Stream;
use crate::frame::{Encode as _, ToRun};

/// Frames on their way to one guest process.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    /// Of `bytes`.
    written: usize,
    /// Bytes of the whole stream that were dropped from the front of `bytes`.
    dropped: usize,
    /// Where in the whole stream each answer ends that was not written whole: the guest counts its call as in flight.
    answers: VecDeque<usize>,
}

impl Outgoing {
    /// Begins with frames that are encoded already.
    pub(crate) fn new(preamble: Vec<u8>) -> Self {
        Self { bytes: preamble, ..Self::default() }
    }

    pub(crate) fn push(&mut self, frame: &ToRun) {
        frame.encode(&mut self.bytes);
    }

    /// Appends the answer of a call: JSON text of the value, or of the error.
    pub(crate) fn push_answer(&mut self, call: u32, succeeded: bool, text: &str) {
        ToRun::answer(call, succeeded, text, &mut self.bytes);
        self.answers.push_back(self.dropped + self.bytes.len());
    }

    /// Bytes that wait for room.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Answers of which something waits for room.
    pub(crate) fn waiting_answers(&self) -> usize {
        self.answers.len()
    }

    /// Writes what there is room for.
    pub(crate) fn write(&mut self, socket: &Stream) {
        while self.waiting_bytes() > 0 {
            match socket.try_write(&self.bytes[self.written..]) {
                Ok(bytes) => self.note_written(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // The process is gone, which reading will tell: nobody waits for this any more.
                Err(_) => self.note_written(self.waiting_bytes()),
            }
        }
    }

    fn note_written(&mut self, bytes: usize) {
        self.written += bytes;
        let written = self.dropped + self.written;
        while self.answers.front().is_some_and(|end| *end <= written) {
            self.answers.pop_front();
        }
        // What was written is not kept until all is; moving the rest costs less than writing it did.
        if self.written * 2 >= self.bytes.len() {
            self.bytes.drain(..self.written);
            self.dropped += self.written;
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::os::unix::net::UnixStream;

    use tokio::io::AsyncReadExt as _;

    use super::super::stream::Ready;
    use super::*;

    fn pair() -> (Stream, tokio::net::UnixStream) {
        let (here, there) = UnixStream::pair().unwrap();
        there.set_nonblocking(true).unwrap();
        (Stream::new(here).unwrap(), tokio::net::UnixStream::from_std(there).unwrap())
    }

    #[tokio::test]
    async fn what_is_not_read_waits_and_comes_in_order() {
        let (mut here, mut there) = pair();
        let (mut outgoing, text) = (Outgoing::default(), format!("\"{}\"", "x".repeat(500_000)));
        let mut expected = Vec::new();
        for call in 1..=4 {
            outgoing.push_answer(call, true, &text);
            ToRun::answer(call, true, &text, &mut expected);
            outgoing.write(&here);
        }
        assert_eq!(outgoing.waiting_answers(), 4, "none of them fits");
        assert!(outgoing.waiting_bytes() > 1_000_000, "{}", outgoing.waiting_bytes());
        let mut received = Vec::new();
        while received.len() < expected.len() {
            tokio::select! {
                read = there.read_buf(&mut received) => drop(read.unwrap()),
                ready = here.ready(false, true), if outgoing.waiting_bytes() > 0 => {
                    assert_eq!(ready.unwrap(), Ready::Writable);
                    outgoing.write(&here);
                }
            }
            let whole = received.len() / (expected.len() / 4);
            assert!(outgoing.waiting_answers() <= 4 - whole, "an answer that was read still waits");
        }
        assert_eq!(received, expected);
        assert_eq!((outgoing.waiting_answers(), outgoing.waiting_bytes()), (0, 0));
        assert!(outgoing.bytes.is_empty(), "what was written is kept");
    }

    #[tokio::test]
    async fn nothing_waits_for_a_process_that_is_gone() {
        let (here, there) = pair();
        drop(there);
        let mut outgoing = Outgoing::new(b"preamble".to_vec());
        outgoing.push_answer(1, true, "1");
        outgoing.write(&here);
        assert_eq!((outgoing.waiting_answers(), outgoing.waiting_bytes()), (0, 0));
    }
}
