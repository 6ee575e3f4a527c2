//! The one socket of a run: frames in and out, and no descriptors. Reading waits; so does writing, and reads meanwhile.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::exit::exit;
use crate::contract::codec::{Decode, Decoder, Encode, Maxima};
use crate::contract::guest_process::EXIT_HOST_GONE;
use crate::contract::socket::{self, ReadSize};

/// Bytes read at a time, at most.
const CHUNK_BYTES_MAX: usize = 256 << 10;

/// A socket that carries frames.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UnixStream,
    decoder: Decoder,
    read_size: ReadSize,
}

impl Channel {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, decoder: Decoder::default(), read_size: ReadSize::up_to(CHUNK_BYTES_MAX) }
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
        let received = loop {
            match socket::receive(&self.socket, self.decoder.buffer(), self.read_size.bytes()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.read_size.note(received);
        if received == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
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

    /// Writes one frame.
    pub(super) fn send(&mut self, frame: &impl Encode) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.send_bytes(&bytes);
    }

    /// Writes encoded frames. The host is gone where that fails: the process ends.
    pub(super) fn send_bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match socket::send(&self.socket, bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_room(),
                Err(_) => exit(EXIT_HOST_GONE),
            }
        }
    }

    /// Waits until there is room, and reads meanwhile: the host takes nothing from one that leaves its answers unread.
    fn wait_for_room(&mut self) {
        let mut interest = [PollFd::new(&self.socket, PollFlags::IN | PollFlags::OUT)];
        let ready = poll(&mut interest, None);
        let readable = ready.is_ok() && !interest[0].revents().difference(PollFlags::OUT).is_empty();
        if readable && self.fill().is_err() {
            exit(EXIT_HOST_GONE);
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
