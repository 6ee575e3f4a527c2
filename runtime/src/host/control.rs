//! The control socket of a zygote: frames and descriptors, never blocking.
//!
//! Any thread sends; what does not fit is kept in order and written by the keeper when there is room. The keeper alone reads.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::stream::{Ready, Stream};
use crate::frame::{Decoder, Encode, FromZygote, ZygoteMaxima};
use crate::socket;

/// The most that is read at a time.
const CHUNK_BYTES: usize = 4096;

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
            let descriptor = message.descriptor.as_ref().map(|descriptor| descriptor.as_fd());
            match socket::send(&self.socket, &message.bytes[message.written..], descriptor) {
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
        let mut stream = Stream::new(self.socket.try_clone()?)?;
        let mut decoder = Decoder::default();
        let mut descriptors = VecDeque::new();
        let mut waits_for_room = false;
        loop {
            // Room is waited for beside reading: a zygote that is busy does neither.
            let ready = tokio::select! {
                ready = stream.ready(true, waits_for_room) => ready?,
                () = self.room_wanted.notified(), if !waits_for_room => {
                    waits_for_room = true;
                    continue;
                }
            };
            match ready {
                Ready::Writable => waits_for_room = !self.write_waiting()?,
                Ready::Readable => {
                    let read = |socket: &UnixStream| socket::receive(socket, decoder.buffer(), CHUNK_BYTES, &mut descriptors);
                    match stream.try_read(read) {
                        Ok(0) => return Ok(()),
                        Ok(_) => {}
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                        Err(error) => return Err(error),
                    }
                    while let Some(frame) = decoder.next::<FromZygote>(&ZygoteMaxima).map_err(io::Error::other)? {
                        let descriptor =
                            if matches!(frame, FromZygote::Forked { .. }) { descriptors.pop_front() } else { None };
                        heard(frame, descriptor);
                    }
                }
            }
        }
    }
}

/// Writes the first frame of a process that was not spoken to before, with a descriptor if there is one. It has room.
pub(crate) fn send_first(socket: &UnixStream, frame: &impl Encode, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    let sent = socket::send(socket, &bytes, descriptor)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}
