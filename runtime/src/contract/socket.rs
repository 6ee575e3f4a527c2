//! Bytes on a Unix socket, and a descriptor beside them: what `read` and `write` cannot carry. Both sides use it.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};

/// How much is read at a time: little at first, and twice as much after each read that it did not suffice for. In a fresh child of
/// fork each page of a larger buffer costs a page fault.
#[derive(Debug)]
pub(crate) struct ReadSize {
    bytes: usize,
    bytes_max: usize,
}

impl ReadSize {
    const BYTES_MIN: usize = 4 << 10;

    pub(crate) fn up_to(bytes_max: usize) -> Self {
        Self { bytes: Self::BYTES_MIN, bytes_max }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Notes how much was read.
    pub(crate) fn note(&mut self, bytes: usize) {
        if bytes == self.bytes {
            self.bytes = (self.bytes * 2).min(self.bytes_max);
        }
    }
}

/// What came beside bytes.
#[derive(Debug, Default)]
pub(crate) enum Beside {
    #[default]
    Nothing,
    Descriptor(OwnedFd),
    /// A descriptor that the kernel could not deliver: this process may open no more (`MSG_CTRUNC`).
    Undelivered,
}

/// Appends what has come to `bytes`, at most `bytes_max`; how many bytes it was, 0 at the end of the stream. Waits for it if the
/// socket is one that waits. A descriptor that came beside them is closed.
pub(crate) fn receive(socket: &UnixStream, bytes: &mut Vec<u8>, bytes_max: usize) -> io::Result<usize> {
    let start = bytes.len();
    bytes.resize(start + bytes_max, 0);
    let received = rustix::net::recv(socket, &mut bytes[start..], RecvFlags::empty());
    let received = received.map(|(_, received)| received);
    bytes.truncate(start + received.unwrap_or(0));
    Ok(received?)
}

/// As [`receive`], with what came beside the bytes.
pub(crate) fn receive_with(socket: &UnixStream, bytes: &mut Vec<u8>, bytes_max: usize) -> io::Result<(usize, Beside)> {
    let start = bytes.len();
    bytes.resize(start + bytes_max, 0);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes[start..])], &mut ancillary, flags);
    bytes.truncate(start + received.as_ref().map_or(0, |message| message.bytes));
    let message = received?;
    let mut beside = Beside::Nothing;
    for rights in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = rights {
            beside = rights.last().map_or(beside, Beside::Descriptor);
        }
    }
    if message.flags.contains(ReturnFlags::CTRUNC) {
        beside = Beside::Undelivered;
    }
    Ok((message.bytes, beside))
}

/// Sends what there is room for; how many bytes it was. Never waits: without room it is `WouldBlock`.
pub(crate) fn send(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SEND_FLAGS)?)
}

/// As [`send`], with a descriptor beside the first byte.
pub(crate) fn send_with(socket: &UnixStream, bytes: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    Ok(rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SEND_FLAGS)?)
}

#[cfg(target_os = "linux")]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);
// Rust's start-up code has the process ignore SIGPIPE.
#[cfg(not(target_os = "linux"))]
const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn more_is_read_at_a_time_while_it_does_not_suffice() {
        let mut size = ReadSize::up_to(10_000);
        for (read, next) in [(4095, 4096), (4096, 8192), (100, 8192), (8192, 10_000), (10_000, 10_000)] {
            size.note(read);
            assert_eq!(size.bytes(), next);
        }
    }

    #[test]
    fn a_descriptor_travels_with_its_bytes() {
        let (here, there) = UnixStream::pair().unwrap();
        let (kept, sent) = UnixStream::pair().unwrap();
        assert_eq!(send_with(&here, b"take this", sent.as_fd()).unwrap(), 9);
        drop(sent);
        let mut bytes = b"> ".to_vec();
        let (received, beside) = receive_with(&there, &mut bytes, 100).unwrap();
        assert_eq!((received, &*bytes), (9, b"> take this".as_slice()));
        let Beside::Descriptor(descriptor) = beside else { panic!("{beside:?}") };
        // It is the same socket: what goes into one end comes out of the other.
        send(&UnixStream::from(descriptor), b"x").unwrap();
        assert_eq!(receive(&kept, &mut bytes, 100).unwrap(), 1);
    }

    #[test]
    fn who_wants_bytes_alone_keeps_no_descriptor() {
        let (here, there) = UnixStream::pair().unwrap();
        let (kept, sent) = UnixStream::pair().unwrap();
        send_with(&here, b"take this", sent.as_fd()).unwrap();
        drop(sent);
        assert_eq!(receive(&there, &mut Vec::new(), 100).unwrap(), 9);
        // The end of the stream: nobody holds the other end any more.
        assert_eq!(receive(&kept, &mut Vec::new(), 100).unwrap(), 0);
    }

    #[test]
    fn a_socket_without_room_is_told_and_not_waited_for() {
        let (here, _there) = UnixStream::pair().unwrap();
        let chunk = vec![0; 64 << 10];
        let full = std::iter::repeat_with(|| send(&here, &chunk)).find_map(Result::err);
        assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    }

    #[test]
    fn the_end_of_the_stream_is_no_bytes() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert_eq!(receive(&there, &mut Vec::new(), 100).unwrap(), 0);
        assert_eq!(receive_with(&there, &mut Vec::new(), 100).unwrap().0, 0);
    }
}
