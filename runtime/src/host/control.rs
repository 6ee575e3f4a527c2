//! The control socket of a zygote: frames, each with its descriptor, never blocking.
//!
//! Any thread sends; what does not fit is kept in order and written by the keeper when there is room. The keeper alone reads.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::stream::{Ready, Stream};
use crate::contract::codec::Encode;
use crate::contract::parcel::{Parcel, ParcelReader, Sending};
use crate::contract::zygote::{FromZygote, ZygoteMaxima};

/// The most orders that wait for room: a zygote that has taken none for so long is not asked for more.
const WAITING_MAX: usize = 1024;

/// The host's end of a control socket.
#[derive(Debug)]
pub(crate) struct Control {
    socket: UnixStream,
    waiting: Mutex<VecDeque<Sending<OwnedFd>>>,
    room_wanted: Notify,
}

impl Control {
    /// A pair: the host's end and the zygote's.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (here, there) = UnixStream::pair()?;
        here.set_nonblocking(true)?;
        Ok((Self { socket: here, waiting: Mutex::default(), room_wanted: Notify::new() }, there.into()))
    }

    /// Sends a frame, with a descriptor if one belongs to it. An error means that the zygote is gone, or takes nothing.
    pub(crate) fn send(&self, frame: &impl Encode, descriptor: Option<OwnedFd>) -> io::Result<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        waiting.push_back(Sending::new(frame, descriptor));
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

    fn write(&self, waiting: &mut VecDeque<Sending<OwnedFd>>) -> io::Result<()> {
        while let Some(sending) = waiting.front_mut() {
            match sending.send(&self.socket) {
                Ok(true) => drop(waiting.pop_front()),
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    waiting.clear(); // nobody will ever read it
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Reads frames until the zygote is gone, and writes what waits. Each goes to `heard`.
    pub(crate) async fn listen(&self, mut heard: impl FnMut(Parcel<FromZygote>)) -> io::Result<()> {
        let mut stream = Stream::new(self.socket.try_clone()?)?;
        let mut reader = ParcelReader::default();
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
                Ready::Readable => match stream.try_read(|socket| reader.fill(socket)) {
                    Ok(0) => return Ok(()),
                    Ok(_) => {
                        if let Some(parcel) = reader.next(&ZygoteMaxima)? {
                            heard(parcel);
                        }
                    }
                    Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                    Err(error) => return Err(error),
                },
            }
        }
    }
}

/// Writes the first frame of a process that was not spoken to before, with a descriptor if one belongs to it. It has room.
pub(crate) fn send_first(socket: &UnixStream, frame: &impl Encode, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    if Sending::new(frame, descriptor).send(socket)? { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::contract::zygote::ToZygote;

    #[test]
    fn what_a_zygote_does_not_take_waits_up_to_a_maximum_and_is_refused_then() {
        let (control, there) = Control::pair().unwrap();
        let order = ToZygote::Install { manifest: "x".repeat(1 << 20) };
        control.send(&order, None).unwrap();
        for _ in 1..WAITING_MAX {
            control.send(&ToZygote::Retire, None).unwrap();
        }
        assert_eq!(control.send(&ToZygote::Retire, None).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(there);
        assert!(control.write_waiting().is_err());
        assert!(control.waiting.lock().unwrap().is_empty(), "kept for nobody");
    }
}
