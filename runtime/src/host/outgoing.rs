//! What the host has to tell a guest process and has not written yet.
//!
//! A guest that does not read keeps answers in this process. How many bytes, and of how many calls, is known here, and held of the run's budget
//! until it is written. A long reply is written from where it is, not copied.

use std::collections::VecDeque;

use isolet_bindings::ToolReply;

use super::frame_tap::FrameTap;
use super::held::Held;
use super::stream::Stream;
use crate::contract::codec::Encode as _;
use crate::contract::run::ToRun;

/// A reply up to this length is copied among the frames around it: one write for all of them is quicker.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// Memory for frames that is kept for further ones.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Frames on their way to one guest process.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// In the order in which they are written.
    pieces: VecDeque<Piece>,
    /// Of the first piece.
    written: usize,
    /// Bytes of all pieces that are not written.
    waiting: usize,
    /// Bytes that were written since the beginning.
    written_in_all: usize,
    /// Where in the whole stream each answer ends that was not written whole, and what it holds: the guest counts its call as in flight.
    answers: VecDeque<(usize, Held)>,
    tap: FrameTap,
}

#[derive(Debug)]
enum Piece {
    /// Frames, or the beginning of one whose text follows.
    Frames(Vec<u8>),
    /// The text of a frame.
    Text(ToolReply),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Frames(bytes) => bytes,
            Self::Text(reply) => reply.as_json().as_bytes(),
        }
    }
}

impl Outgoing {
    /// Begins with frames that are encoded already.
    pub(crate) fn new(preamble: Vec<u8>, tap: FrameTap) -> Self {
        tap.say(&preamble);
        Self { tap, waiting: preamble.len(), pieces: VecDeque::from([Piece::Frames(preamble)]), ..Self::default() }
    }

    pub(crate) fn push(&mut self, frame: &ToRun) {
        self.append(|frames| frame.encode(frames));
    }

    /// Appends the reply to a call.
    pub(crate) fn push_reply(&mut self, call: u32, reply: &ToolReply, held: Held) {
        let text = reply.as_json();
        if text.len() <= COPIED_BYTES_MAX {
            self.append(|frames| ToRun::answer(call, true, text, frames));
        } else {
            self.append(|frames| ToRun::answer_without_text(call, true, text.len(), frames));
            self.tap.say(text.as_bytes());
            self.pieces.push_back(Piece::Text(reply.clone()));
            self.waiting += text.len();
        }
        self.answers.push_back((self.end(), held));
    }

    /// Appends the error that a call came to: JSON text.
    pub(crate) fn push_error(&mut self, call: u32, error: &str, held: Held) {
        self.append(|frames| ToRun::answer(call, false, error, frames));
        self.answers.push_back((self.end(), held));
    }

    fn append(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if !matches!(self.pieces.back(), Some(Piece::Frames(_))) {
            self.pieces.push_back(Piece::Frames(Vec::new()));
        }
        if let Some(Piece::Frames(frames)) = self.pieces.back_mut() {
            let before = frames.len();
            encode(frames);
            self.tap.say(&frames[before..]);
            self.waiting += frames.len() - before;
        }
    }

    /// Where in the whole stream all of this ends.
    fn end(&self) -> usize {
        self.written_in_all + self.waiting
    }

    /// Bytes that wait for room.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting
    }

    /// Answers of which something waits for room.
    pub(crate) fn waiting_answers(&self) -> usize {
        self.answers.len()
    }

    /// Writes what there is room for.
    pub(crate) fn write(&mut self, socket: &Stream) {
        while self.waiting > 0 {
            let Some(piece) = self.pieces.front() else { return };
            let rest = &piece.bytes()[self.written..];
            if rest.is_empty() {
                self.pieces.pop_front();
                self.written = 0;
                continue;
            }
            match socket.try_write(rest) {
                Ok(bytes) => self.note_written(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // The process is gone, which reading will tell: nobody waits for this any more.
                Err(_) => return self.forget(),
            }
        }
    }

    fn note_written(&mut self, bytes: usize) {
        self.written += bytes;
        self.written_in_all += bytes;
        self.waiting -= bytes;
        while self.answers.front().is_some_and(|(end, _)| *end <= self.written_in_all) {
            self.answers.pop_front();
        }
        // What was written is not kept until all is; moving the rest costs less than writing it did.
        if let Some(Piece::Frames(frames)) = self.pieces.front_mut()
            && self.written * 2 >= frames.len()
        {
            frames.drain(..self.written);
            self.written = 0;
            if frames.is_empty() && frames.capacity() > KEPT_BYTES_MAX {
                *frames = Vec::new();
            }
        }
    }

    fn forget(&mut self) {
        self.written_in_all += std::mem::take(&mut self.waiting);
        self.pieces.clear();
        self.answers.clear();
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::os::unix::net::UnixStream;

    use tokio::io::AsyncReadExt as _;

    use super::super::held::{Budget, CommonBudget};
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
        let common = CommonBudget::new(usize::MAX);
        let budget = Budget::new(&common, usize::MAX);
        let mut outgoing = Outgoing::default();
        let replies = [500_000, 3, 500_000, 20_000, 500_000, 0].map(|bytes| ToolReply::text("x".repeat(bytes)));
        let (mut expected, mut ends) = (Vec::new(), Vec::new());
        for (reply, call) in replies.iter().zip(1..) {
            let text = reply.as_json();
            outgoing.push_reply(call, reply, budget.hold(text.len()));
            ToRun::answer(call, true, text, &mut expected);
            ends.push(expected.len());
            outgoing.write(&here);
        }
        outgoing.push_error(7, "{}", budget.hold(2));
        ToRun::answer(7, false, "{}", &mut expected);
        ends.push(expected.len());
        assert_eq!(outgoing.waiting_answers(), 7, "none of them fits");
        assert!(outgoing.waiting_bytes() > 1_000_000 && common.held() > 1_000_000, "{}", outgoing.waiting_bytes());
        let mut received = Vec::new();
        while received.len() < expected.len() {
            tokio::select! {
                read = there.read_buf(&mut received) => drop(read.unwrap()),
                ready = here.ready(false, true), if outgoing.waiting_bytes() > 0 => {
                    assert_eq!(ready.unwrap(), Ready::Writable);
                    outgoing.write(&here);
                }
            }
            let whole = ends.iter().filter(|end| **end <= received.len()).count();
            assert!(outgoing.waiting_answers() <= 7 - whole, "an answer that was read still waits");
        }
        assert_eq!(received, expected);
        assert_eq!((outgoing.waiting_answers(), outgoing.waiting_bytes(), common.held()), (0, 0, 0));
        assert!(outgoing.pieces.iter().all(|piece| piece.bytes().is_empty()), "what was written is kept");
    }

    #[tokio::test]
    async fn nothing_waits_for_a_process_that_is_gone() {
        let (here, there) = pair();
        drop(there);
        let budget = Budget::new(&CommonBudget::new(0), 0);
        let mut outgoing = Outgoing::new(b"preamble".to_vec(), FrameTap::default());
        outgoing.push_reply(1, &ToolReply::text("x".repeat(100_000)), budget.hold(100_000));
        outgoing.write(&here);
        assert_eq!((outgoing.waiting_answers(), outgoing.waiting_bytes()), (0, 0));
        assert!(budget.try_hold(usize::MAX / 2).is_some(), "what nobody waits for is held");
    }
}
