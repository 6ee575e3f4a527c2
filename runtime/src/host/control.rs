//! The control socket of a zygote: frames and descriptors, never blocking.
//!
//! Any thread sends; what does not fit is kept in order and written by the keeper when there is room. The keeper alone reads.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::sync::Notify;

use super::socket::{Ready, Socket};
use crate::frame::{Decoder, Encode, FromZygote, ZygoteMaxima};

/// A message that was not written whole yet.
struct Message {
    bytes: Vec<u8>,
    written: usize,
    descriptor: Option<OwnedFd>,
}

/// The host's end of a control socket.
pub(crate) struct Control {
    socket: UnixStream,
    waiting: Mutex<VecDeque<Message>>,
    room_wanted: Notify,
}

impl Control {
    /// A pair: the host's end and the zygote's.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (here, there) = UnixStream::pair()?;
        here.set_nonblocking(true)?;
        Ok((Self { socket: here, waiting: Mutex::default(), room_wanted: Notify::new() }, there.into()))
    }

    /// Sends a frame, with a descriptor if there is one. An error means that the zygote is gone.
    pub(crate) fn send(&self, frame: &impl Encode, descriptor: Option<OwnedFd>) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(Message { bytes, written: 0, descriptor });
        let sent = self.write(&mut waiting);
        if !waiting.is_empty() {
            self.room_wanted.notify_one();
        }
        sent
    }

    /// Writes what waits; whether that is all.
    fn write_waiting(&self) -> io::Result<bool> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut waiting)?;
        Ok(waiting.is_empty())
    }

    fn write(&self, waiting: &mut VecDeque<Message>) -> io::Result<()> {
        while let Some(message) = waiting.front_mut() {
            let descriptor = message.descriptor.as_ref().map(OwnedFd::as_fd);
            match send_part(&self.socket, &message.bytes[message.written..], descriptor) {
                Ok(sent) => {
                    message.written += sent;
                    message.descriptor = None; // it went with the first byte
                    if message.written == message.bytes.len() {
                        waiting.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads frames until the zygote is gone, and writes what waits. Each frame goes to `heard`, with its descriptor.
    pub(crate) async fn listen(&self, mut heard: impl FnMut(FromZygote, Option<OwnedFd>)) -> io::Result<()> {
        let mut socket = Socket::new(self.socket.try_clone()?)?;
        let mut decoder = Decoder::default();
        let mut descriptors = VecDeque::new();
        let mut waits_for_room = false;
        loop {
            // Room is waited for beside reading: a zygote that cannot write does not read either.
            let ready = tokio::select! {
                ready = socket.ready(waits_for_room) => ready?,
                () = self.room_wanted.notified(), if !waits_for_room => {
                    waits_for_room = true;
                    continue;
                }
            };
            match ready {
                Ready::Writable => waits_for_room = !self.write_waiting()?,
                Ready::Readable => match socket.try_read(|_| self.read(&mut decoder, &mut descriptors)) {
                    Ok(0) => return Ok(()),
                    Ok(_) => {
                        while let Some(frame) = decoder.next::<FromZygote>(&ZygoteMaxima).map_err(io::Error::other)? {
                            let descriptor =
                                if matches!(frame, FromZygote::Forked { .. }) { descriptors.pop_front() } else { None };
                            heard(frame, descriptor);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }

    fn read(&self, decoder: &mut Decoder, descriptors: &mut VecDeque<OwnedFd>) -> io::Result<usize> {
        const CHUNK_BYTES: usize = 4096;
        let buffer = decoder.buffer();
        let start = buffer.len();
        buffer.resize(start + CHUNK_BYTES, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        #[cfg(target_os = "linux")]
        let flags = RecvFlags::CMSG_CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        let flags = RecvFlags::empty();
        let received = rustix::net::recvmsg(&self.socket, &mut [IoSliceMut::new(&mut buffer[start..])], &mut ancillary, flags);
        buffer.truncate(start + received.as_ref().map_or(0, |message| message.bytes));
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        Ok(received?.bytes)
    }
}

/// Writes the first frame of a process that was not spoken to before, with a descriptor if there is one. It has room.
pub(crate) fn send_first(socket: &UnixStream, frame: &impl Encode, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    let sent = send_part(socket, &bytes, descriptor)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

fn send_part(socket: &UnixStream, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|descriptor| [descriptor]);
    if let Some(descriptors) = &descriptors {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    #[cfg(target_os = "linux")]
    let flags = SendFlags::NOSIGNAL;
    #[cfg(not(target_os = "linux"))]
    let flags = SendFlags::empty();
    Ok(rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags)?)
}
