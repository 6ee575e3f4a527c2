//! Standard input and output of this process as lines to a peer, with no thread in between where that can be.
//!
//! tokio gives each read and each write of them to a thread for blocking work: two switches between threads, of which a message then has four. A
//! socket and a pipe can be waited for instead. But whether a descriptor blocks is a property of what is open, and that may be open elsewhere too: in
//! a shell that reads on when this process has ended. So it is left as it is.
//!
//! | it is | it is read and written |
//! |---|---|
//! | a socket | by calls each of which says that it does not block |
//! | a pipe | opened once more, through `/proc`: what is opened then is this process's own. Where that cannot be, as a file |
//! | a file, a terminal | by tokio's threads |
//! | a pipe with a name | as a file: one that is opened when its writer has gone does not tell that it has |
#![allow(unsafe_code, reason = "tokio registers a descriptor for one direction on the caller's word that it stays open")]

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::FileType;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::unix::pipe;
use tokio::runtime::Handle;

/// What a peer is read from.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// What a peer is written to.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Parts that are written by one call, at most: the system has a maximum.
const PARTS_MAX: usize = 1024;

/// Standard input. For the tokio runtime in which it is called, if it is called in one.
///
/// # Panics
///
/// In a tokio runtime without I/O (`enable_io`), where it is a pipe or a socket.
#[must_use]
pub fn input() -> Reader {
    waited_for(std::io::stdin().as_fd(), reader).unwrap_or_else(|| Box::new(tokio::io::stdin()))
}

/// Standard output: nothing else may write to it. For the tokio runtime in which it is called, if it is called in one.
///
/// # Panics
///
/// In a tokio runtime without I/O (`enable_io`), where it is a pipe or a socket.
#[must_use]
pub fn output() -> Writer {
    waited_for(std::io::stdout().as_fd(), writer).unwrap_or_else(|| Box::new(tokio::io::stdout()))
}

/// What can be waited for is, if anything can be here and now.
fn waited_for<Stream>(
    descriptor: BorrowedFd<'_>,
    made: impl FnOnce(BorrowedFd<'_>, FileType) -> io::Result<Option<Stream>>,
) -> Option<Stream> {
    let _ = Handle::try_current().ok()?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(descriptor).ok()?.st_mode);
    made(descriptor, kind).ok().flatten()
}

fn reader(descriptor: BorrowedFd<'_>, kind: FileType) -> io::Result<Option<Reader>> {
    Ok(match kind {
        FileType::Socket => Some(Box::new(Socket::of(descriptor, Interest::READABLE)?)),
        FileType::Fifo if has_no_name(descriptor)? => {
            Some(Box::new(pipe::OpenOptions::new().open_receiver(again(descriptor))?))
        }
        _ => None,
    })
}

fn writer(descriptor: BorrowedFd<'_>, kind: FileType) -> io::Result<Option<Writer>> {
    Ok(match kind {
        FileType::Socket => Some(Box::new(Socket::of(descriptor, Interest::WRITABLE)?)),
        FileType::Fifo if has_no_name(descriptor)? => Some(Box::new(pipe::OpenOptions::new().open_sender(again(descriptor))?)),
        _ => None,
    })
}

/// Whether a pipe is in no folder.
fn has_no_name(descriptor: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(std::fs::read_link(again(descriptor))?.as_os_str().as_encoded_bytes().starts_with(b"pipe:"))
}

/// Where what a descriptor is open for can be opened once more.
fn again(descriptor: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd())
}

/// One direction of a socket that may block.
struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    fn of(descriptor: BorrowedFd<'_>, interest: Interest) -> io::Result<Self> {
        let own = descriptor.try_clone_to_owned()?;
        // SAFETY: the registration owns the descriptor, which is closed when it is dropped and is no other one meanwhile.
        Ok(Self(unsafe { AsyncFd::register_with_interest(own, interest) }?))
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        send: impl Fn(&OwnedFd) -> rustix::io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut room = ready!(self.0.poll_write_ready(context))?;
            if let Ok(sent) = room.try_io(|socket| Ok(send(socket.get_ref())?)) {
                return Poll::Ready(sent);
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut come = ready!(self.0.poll_read_ready(context))?;
            let read = come.try_io(|socket| Ok(recv(socket.get_ref(), into.initialize_unfilled(), RecvFlags::DONTWAIT)?));
            if let Ok(read) = read {
                let (bytes, _) = read?;
                into.advance(bytes);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(context, |socket| send(socket, bytes, SendFlags::DONTWAIT))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let parts = &parts[..parts.len().min(PARTS_MAX)];
        self.poll_send(context, |socket| sendmsg(socket, parts, &mut SendAncillaryBuffer::default(), SendFlags::DONTWAIT))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The socket stays open: it is not this one's alone.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::unix::net::UnixStream;

    use rustix::fs::{OFlags, fcntl_getfl};
    use rustix::pipe::{PipeFlags, pipe_with};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// More than a pipe or a socket holds.
    const BYTES: usize = 4 << 20;

    /// Both ends of what programs are started with.
    fn lines() -> [(OwnedFd, OwnedFd); 2] {
        let (socket, other) = UnixStream::pair().unwrap();
        [pipe_with(PipeFlags::CLOEXEC).unwrap(), (socket.into(), other.into())]
    }

    #[tokio::test]
    async fn a_pipe_and_a_socket_are_waited_for_and_stay_as_whoever_shares_them_has_them() {
        for (read_end, write_end) in lines() {
            let mut input = waited_for(read_end.as_fd(), reader).unwrap();
            let mut output = waited_for(write_end.as_fd(), writer).unwrap();
            let text: Vec<u8> = (0..BYTES).map(|place| u8::try_from(place % 251).unwrap()).collect();
            let write = async {
                let parts = [IoSlice::new(b"first, "), IoSlice::new(b""), IoSlice::new(b"second\n")];
                assert_eq!(output.write_vectored(&parts).await.unwrap(), "first, second\n".len(), "by one call");
                output.write_all(&text).await.unwrap();
                output.flush().await.unwrap();
            };
            let read = async {
                let mut read = vec![0; "first, second\n".len() + BYTES];
                input.read_exact(&mut read).await.unwrap();
                assert!(read.starts_with(b"first, second\n") && read.ends_with(&text));
            };
            tokio::join!(write, read);
            for end in [&read_end, &write_end] {
                assert!(!fcntl_getfl(end).unwrap().contains(OFlags::NONBLOCK));
            }
            drop((output, write_end));
            assert_eq!(input.read(&mut [0]).await.unwrap(), 0, "the end is seen");
        }
    }

    #[tokio::test]
    async fn a_peer_that_has_gone_is_an_error_and_no_signal() {
        for (read_end, write_end) in lines() {
            let mut output = waited_for(write_end.as_fd(), writer).unwrap();
            drop(read_end);
            assert_eq!(output.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[tokio::test]
    async fn what_was_said_by_a_peer_that_has_gone_is_heard_to_its_end() {
        for (read_end, write_end) in lines() {
            waited_for(write_end.as_fd(), writer).unwrap().write_all(b"said").await.unwrap();
            drop(write_end);
            let mut heard = String::new();
            waited_for(read_end.as_fd(), reader).unwrap().read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "said");
        }
    }

    #[tokio::test]
    async fn a_pipe_with_a_name_is_left_to_threads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        let both = std::fs::File::options().read(true).write(true).open(&path).unwrap();
        assert!(waited_for(both.as_fd(), reader).is_none());
        assert!(waited_for(both.as_fd(), writer).is_none());
    }

    #[tokio::test]
    async fn a_file_is_left_to_threads() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert!(waited_for(null.as_fd(), reader).is_none());
        assert!(waited_for(null.as_fd(), writer).is_none());
    }
}
