//! One frame and the descriptor that belongs to it: what control sockets carry, and the first frame of a spawned run.
//!
//! A frame says in its kind whether a descriptor belongs to it, and a descriptor travels beside the first byte of its frame. A reader takes
//! one frame at a time and never a byte of the next. So what came beside the bytes of a frame can be no other frame's: nothing is
//! counted, nothing waits in a queue. One that the kernel could not deliver is missing from its own frame and from no other.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;

use crate::contract::codec;
use crate::contract::codec::{Decode, Decoder, Encode, Maxima};
use crate::contract::socket::{self, Beside};

/// The most that is read at a time, bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// A frame and what belongs to it.
#[derive(Debug)]
pub(crate) struct Parcel<Frame> {
    pub(crate) frame: Frame,
    /// The descriptor that belongs to the frame, or why the system did not deliver it.
    pub(crate) descriptor: Option<io::Result<OwnedFd>>,
}

/// Reads parcels.
#[derive(Debug, Default)]
pub(crate) struct ParcelReader {
    decoder: Decoder,
    /// What came beside the bytes of the frame that is being read.
    beside: Beside,
}

impl ParcelReader {
    /// Reads what has come of the next frame; how many bytes it was, 0 at the end of the stream. Waits for it if the socket is one
    /// that waits.
    pub(crate) fn fill(&mut self, socket: &UnixStream) -> io::Result<usize> {
        let bytes_max = self.decoder.missing().min(CHUNK_BYTES);
        let (received, beside) = socket::receive_with(socket, self.decoder.buffer(), bytes_max)?;
        match (&self.beside, beside) {
            (_, Beside::Nothing) => {}
            (Beside::Nothing, beside) => self.beside = beside,
            _ => return Err(out_of_place("two descriptors beside one frame")),
        }
        Ok(received)
    }

    /// The frame that was read, if it is whole.
    pub(crate) fn next<Frame: Decode>(&mut self, maxima: &impl Maxima) -> io::Result<Option<Parcel<Frame>>> {
        let Some((frame, has_descriptor)) = self.decoder.next_with_flag(maxima).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let descriptor = match (has_descriptor, std::mem::take(&mut self.beside)) {
            (true, Beside::Descriptor(descriptor)) => Some(Ok(descriptor)),
            (true, Beside::Undelivered | Beside::Nothing) => Some(Err(Errno::MFILE.into())),
            (false, Beside::Nothing) => None,
            (false, _) => return Err(out_of_place("a descriptor beside a frame that has none")),
        };
        Ok(Some(Parcel { frame, descriptor }))
    }

    /// The next frame; waits for it. An error when the other side is gone or sends what is no frame.
    pub(crate) fn receive<Frame: Decode>(&mut self, socket: &UnixStream, maxima: &impl Maxima) -> io::Result<Parcel<Frame>> {
        loop {
            match self.fill(socket) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if let Some(parcel) = self.next(maxima)? {
                return Ok(parcel);
            }
        }
    }
}

/// Bytes of a frame on their way, with the descriptor that belongs to it.
#[derive(Debug)]
pub(crate) struct Sending<Descriptor> {
    bytes: Vec<u8>,
    sent: usize,
    descriptor: Option<Descriptor>,
}

impl<Descriptor: AsFd> Sending<Descriptor> {
    pub(crate) fn new(frame: &impl Encode, descriptor: Option<Descriptor>) -> Self {
        Self { bytes: codec::encoded(frame, descriptor.is_some()), sent: 0, descriptor }
    }

    /// Sends what there is room for; whether that is all of it. Never waits: without room it is `WouldBlock`.
    pub(crate) fn send(&mut self, socket: &UnixStream) -> io::Result<bool> {
        let bytes = &self.bytes[self.sent..];
        self.sent += match &self.descriptor {
            Some(descriptor) => socket::send_with(socket, bytes, descriptor.as_fd())?,
            None => socket::send(socket, bytes)?,
        };
        self.descriptor = None; // it went with the first byte
        Ok(self.sent == self.bytes.len())
    }
}

fn out_of_place(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::io::Write as _;

    use super::*;
    use crate::contract::boot::Walls;
    use crate::contract::codec::HostMaxima;
    use crate::contract::zygote::{FromZygote, ToZygote, ZygoteMaxima};

    /// A pair of sockets, one end of which is marked by what can be read from it.
    fn marked(mark: u8) -> (UnixStream, OwnedFd) {
        let (mut kept, sent) = UnixStream::pair().unwrap();
        kept.write_all(&[mark]).unwrap();
        (kept, sent.into())
    }

    #[track_caller]
    fn assert_mark(descriptor: Option<io::Result<OwnedFd>>, mark: u8) {
        let socket = UnixStream::from(descriptor.unwrap().unwrap());
        let mut read = Vec::new();
        socket::receive(&socket, &mut read, 1).unwrap();
        assert_eq!(read, [mark]);
    }

    fn put(socket: &UnixStream, frame: &impl Encode, descriptor: Option<OwnedFd>) {
        assert!(Sending::new(frame, descriptor).send(socket).unwrap());
    }

    #[test]
    fn a_descriptor_is_that_of_its_frame_whatever_came_before_in_one_read() {
        let (here, there) = UnixStream::pair().unwrap();
        let (_kept, of_b) = marked(b'B');
        put(&here, &FromZygote::Forked { run: 1, process: 10 }, None);
        put(&here, &FromZygote::Forked { run: 2, process: 20 }, Some(of_b));
        put(&here, &FromZygote::Forked { run: 3, process: 30 }, None);
        let mut reader = ParcelReader::default();
        let mut next = || reader.receive::<FromZygote>(&there, &ZygoteMaxima).unwrap();
        assert!(next().descriptor.is_none(), "A has none, and gets none");
        let of_b = next();
        assert_eq!(of_b.frame, FromZygote::Forked { run: 2, process: 20 });
        assert_mark(of_b.descriptor, b'B');
        assert!(next().descriptor.is_none());
    }

    #[test]
    fn a_frame_of_many_reads_keeps_its_descriptor() {
        let (here, there) = UnixStream::pair().unwrap();
        let (_kept, descriptor) = marked(b'D');
        let long = ToZygote::Install { manifest: "x".repeat(3 * CHUNK_BYTES) };
        let writer = std::thread::spawn(move || {
            let mut sending = Sending::new(&long, Some(descriptor));
            while !sending
                .send(&here)
                .or_else(|error| if error.kind() == io::ErrorKind::WouldBlock { Ok(false) } else { Err(error) })
                .unwrap()
            {
                std::thread::yield_now();
            }
            put(&here, &ToZygote::Retire, None);
        });
        let mut reader = ParcelReader::default();
        let parcel = reader.receive::<ToZygote>(&there, &HostMaxima).unwrap();
        assert!(matches!(&parcel.frame, ToZygote::Install { manifest } if manifest.len() == 3 * CHUNK_BYTES));
        assert_mark(parcel.descriptor, b'D');
        let parcel = reader.receive::<ToZygote>(&there, &HostMaxima).unwrap();
        assert_eq!((parcel.frame, parcel.descriptor.is_none()), (ToZygote::Retire, true));
        writer.join().unwrap();
    }

    #[test]
    fn a_frame_that_lacks_its_descriptor_says_so_and_one_that_has_none_must_not_bring_any() {
        let (here, there) = UnixStream::pair().unwrap();
        let fork = ToZygote::Fork { run: 1 };
        socket::send(&here, &codec::encoded(&fork, true)).unwrap();
        let parcel = ParcelReader::default().receive::<ToZygote>(&there, &HostMaxima).unwrap();
        assert_eq!(parcel.descriptor.unwrap().unwrap_err().raw_os_error(), Some(Errno::MFILE.raw_os_error()));
        let (_kept, descriptor) = marked(b'X');
        socket::send_with(&here, &codec::encoded(&fork, false), descriptor.as_fd()).unwrap();
        let refused = ParcelReader::default().receive::<ToZygote>(&there, &HostMaxima);
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_length_beyond_the_maximum_is_refused_with_the_header() {
        let (mut here, there) = UnixStream::pair().unwrap();
        here.write_all(&[0xff, 0xff, 0xff, 0xff, 32, 1, 2, 3]).unwrap();
        let mut reader = ParcelReader::default();
        assert!(reader.receive::<FromZygote>(&there, &ZygoteMaxima).is_err());
        put(&here, &FromZygote::Ready { walls: Walls::default() }, None);
        assert!(reader.receive::<FromZygote>(&there, &ZygoteMaxima).is_err(), "it stays refused");
    }
}
