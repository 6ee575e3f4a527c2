//! Bytes, and descriptors beside them, on a Unix socket: what `read` and `write` cannot carry. Both sides use it.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

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

/// Appends what has come to `bytes`, at most `bytes_max`, and the descriptors beside it to `descriptors`; how many bytes it
/// was, 0 at the end of the stream. Waits for it if the socket is one that waits.
pub(crate) fn receive(
    socket: &UnixStream,
    bytes: &mut Vec<u8>,
    bytes_max: usize,
    descriptors: &mut VecDeque<OwnedFd>,
) -> io::Result<usize> {
    let start = bytes.len();
    bytes.resize(start + bytes_max, 0);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    let received = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes[start..])], &mut ancillary, flags);
    bytes.truncate(start + received.as_ref().map_or(0, |message| message.bytes));
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    Ok(received?.bytes)
}

/// Sends what there is room for, with a descriptor beside its first byte; how many bytes it was. Never waits: without room it
/// is `WouldBlock`.
pub(crate) fn send(socket: &UnixStream, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|descriptor| [descriptor]);
    if let Some(descriptors) = &descriptors {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    #[cfg(target_os = "linux")]
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    // Rust's start-up code has the process ignore SIGPIPE.
    #[cfg(not(target_os = "linux"))]
    let flags = SendFlags::DONTWAIT;
    Ok(rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags)?)
}

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
        assert_eq!(send(&here, b"take this", Some(sent.as_fd())).unwrap(), 9);
        drop(sent);
        let (mut bytes, mut descriptors) = (b"> ".to_vec(), VecDeque::new());
        assert_eq!(receive(&there, &mut bytes, 100, &mut descriptors).unwrap(), 9);
        assert_eq!(bytes, b"> take this");
        // It is the same socket: what goes into one end comes out of the other.
        let received = UnixStream::from(descriptors.pop_front().unwrap());
        send(&received, b"x", None).unwrap();
        assert_eq!(receive(&kept, &mut bytes, 100, &mut descriptors).unwrap(), 1);
        assert!(descriptors.is_empty());
    }

    #[test]
    fn a_socket_without_room_is_told_and_not_waited_for() {
        let (here, _there) = UnixStream::pair().unwrap();
        let chunk = vec![0; 64 << 10];
        let full = std::iter::repeat_with(|| send(&here, &chunk, None)).find_map(Result::err);
        assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    }

    #[test]
    fn the_end_of_the_stream_is_no_bytes() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert_eq!(receive(&there, &mut Vec::new(), 100, &mut VecDeque::new()).unwrap(), 0);
    }
}
