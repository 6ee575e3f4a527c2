//! The socket to a guest process, as the host's tasks wait for it.
//!
//! It is registered for reading alone. One that waits for room to write too is woken each time the other side reads, which is once for
//! every answer of a call: two switches between threads for nothing. So room is waited for only while something does not fit.
#![allow(unsafe_code, reason = "tokio registers a descriptor for one direction on the caller's word that it stays open")]

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A socket that never blocks a thread.
pub(crate) struct Stream {
    socket: AsyncFd<UnixStream>,
    /// The same socket, registered for writing, while something does not fit.
    room: Option<AsyncFd<OwnedFd>>,
}

/// What a socket is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Something has come, or the other side is gone.
    Readable,
    /// There is room again.
    Writable,
}

impl Stream {
    pub(crate) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: registered(socket, Interest::READABLE)?, room: None })
    }

    /// Waits until something can be read, if anything is to be, or until there is room, if something waits for it. May be dropped
    /// and called again.
    pub(crate) async fn ready(&mut self, reads: bool, wants_room: bool) -> io::Result<Ready> {
        if !wants_room {
            self.room = None;
            let _ = self.socket.readable().await?;
            return Ok(Ready::Readable);
        }
        let room = match &mut self.room {
            Some(room) => room,
            none => none.insert(registered(self.socket.get_ref().try_clone()?.into(), Interest::WRITABLE)?),
        };
        tokio::select! {
            readable = self.socket.readable(), if reads => readable.map(|_| Ready::Readable),
            writable = room.writable() => {
                // Before the attempt: room that comes after it is told anew.
                writable?.clear_ready();
                Ok(Ready::Writable)
            }
        }
    }

    /// Calls `read` on what [`Self::ready`] said is readable; it has to read until it would block, or be called again.
    pub(crate) fn try_read<T>(&self, read: impl FnOnce(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        self.socket.try_io(Interest::READABLE, read)
    }

    /// Appends what has come to `buffer`, at most as much as it has room for.
    pub(crate) fn try_read_into(&self, buffer: &mut Vec<u8>, bytes_max: usize) -> io::Result<usize> {
        let start = buffer.len();
        buffer.resize(start + bytes_max, 0);
        let read = self.try_read(|mut socket| socket.read(&mut buffer[start..]));
        buffer.truncate(start + read.as_ref().map_or(0, |bytes| *bytes));
        read
    }

    /// Writes what there is room for.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = self.socket.get_ref();
        socket.write(bytes)
    }
}

fn registered<T: Into<OwnedFd> + AsRawFd>(socket: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: the registration owns the socket, which closes its descriptor when it is dropped and gives no other one meanwhile.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}
