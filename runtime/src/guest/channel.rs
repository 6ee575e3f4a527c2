//! The one socket of a guest process: frames in and out, blocking.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::frame::{Decode, Decoder, Encode, Maxima};

/// Bytes read at a time, at first and at most. In a fresh child of fork each page of a larger buffer costs a page fault.
const CHUNK_BYTES_MIN: usize = 4 << 10;
const CHUNK_BYTES_MAX: usize = 256 << 10;

/// A socket that carries frames, and for zygotes descriptors beside them.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UnixStream,
    decoder: Decoder,
    chunk_bytes: usize,
    descriptors: VecDeque<OwnedFd>,
}

impl Channel {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, decoder: Decoder::default(), chunk_bytes: CHUNK_BYTES_MIN, descriptors: VecDeque::new() }
    }

    /// The next frame; waits for it. An error when the host is gone or sends what is no frame.
    pub(super) fn receive<Frame: Decode>(&mut self, maxima: &impl Maxima) -> io::Result<Frame> {
        loop {
            if let Some(frame) = self.received(maxima)? {
                return Ok(frame);
            }
            self.fill()?;
        }
    }

    /// A frame that has already been read, if there is one whole.
    pub(super) fn received<Frame: Decode>(&mut self, maxima: &impl Maxima) -> io::Result<Option<Frame>> {
        self.decoder.next(maxima).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Reads what has come; waits until there is something.
    pub(super) fn fill(&mut self) -> io::Result<()> {
        let buffer = self.decoder.buffer();
        let start = buffer.len();
        buffer.resize(start + self.chunk_bytes, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut slices = [IoSliceMut::new(&mut buffer[start..])];
            match rustix::net::recvmsg(&self.socket, &mut slices, &mut ancillary, RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other,
            }
        };
        let bytes = received.as_ref().map_or(0, |message| message.bytes);
        buffer.truncate(start + bytes);
        received?;
        if bytes == self.chunk_bytes {
            self.chunk_bytes = (self.chunk_bytes * 2).min(CHUNK_BYTES_MAX);
        }
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                self.descriptors.extend(rights);
            }
        }
        if bytes == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Waits until there is something to read, at most so long. False when the time has passed.
    pub(super) fn wait(&self, at_most: Duration) -> io::Result<bool> {
        let timeout = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: at_most.subsec_nanos().into() };
        let mut interest = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut interest, Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The descriptor that came with the frame that was received last.
    pub(super) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// Writes encoded frames. The host is gone where that fails: the process ends.
    pub(super) fn send_bytes(&mut self, frames: &[u8]) {
        if self.socket.write_all(frames).is_err() {
            super::exit(super::EXIT_HOST_GONE);
        }
    }

    /// Writes one frame.
    pub(super) fn send(&mut self, frame: &impl Encode) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.send_bytes(&bytes);
    }

    /// Writes one small frame with a descriptor beside it.
    pub(super) fn send_with(&mut self, frame: &impl Encode, descriptor: impl AsFd) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        let slices = [io::IoSlice::new(&bytes)];
        let sent = loop {
            match rustix::net::sendmsg(&self.socket, &slices, &mut ancillary, SendFlags::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other,
            }
        };
        match sent {
            Ok(sent) if sent == bytes.len() => {}
            Ok(sent) => self.send_bytes(&bytes[sent..]),
            Err(_) => super::exit(super::EXIT_HOST_GONE),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
