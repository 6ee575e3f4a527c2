//! The control socket of a zygote: frames, each with its descriptor. Reading waits; so does writing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};

use super::exit::exit;
use crate::contract::codec::{Decode, Encode, HostMaxima};
use crate::contract::guest_process::EXIT_HOST_GONE;
use crate::contract::parcel::{Parcel, ParcelReader, Sending};

#[derive(Debug)]
pub(super) struct Control {
    socket: UnixStream,
    reader: ParcelReader,
}

impl Control {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, reader: ParcelReader::default() }
    }

    /// The next order; waits for it. An error when the host is gone or sends what is no frame.
    pub(super) fn receive<Frame: Decode>(&mut self) -> io::Result<Parcel<Frame>> {
        self.reader.receive(&self.socket, &HostMaxima)
    }

    /// Writes one frame. The host is gone where that fails: the process ends.
    pub(super) fn send(&mut self, frame: &impl Encode) {
        self.send_all(Sending::<BorrowedFd<'_>>::new(frame, None));
    }

    /// Writes one frame with the descriptor that belongs to it.
    #[cfg(target_os = "linux")]
    pub(super) fn send_with(&mut self, frame: &impl Encode, descriptor: impl AsFd) {
        self.send_all(Sending::new(frame, Some(descriptor)));
    }

    fn send_all<Descriptor: AsFd>(&mut self, mut sending: Sending<Descriptor>) {
        loop {
            match sending.send(&self.socket) {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], None);
                }
                Err(_) => exit(EXIT_HOST_GONE),
            }
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
