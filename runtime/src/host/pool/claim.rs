//! A process for one run, as the pool gives it away.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::contract::boot::Walls;
use crate::host::outcome::Origin;
use crate::host::process::GuestProcess;
use crate::host::walls::KnownWalls;
use crate::host::zygote::Zygote;

/// A process for one run: killed when it is dropped.
pub(crate) struct Claim {
    /// Taken by the conversation.
    socket: Option<UnixStream>,
    pub(crate) process: Arc<GuestProcess>,
    pub(crate) origin: Origin,
    /// What has to be written before the start: a boot, bindings.
    preamble: Vec<u8>,
    /// Where the walls around a spawned process become known, once it says them.
    walls_of_spawned: Option<Arc<KnownWalls>>,
}

impl Claim {
    /// Asks a zygote for a run, without waiting for it. Under the pool's lock, as every retirement is: a zygote that is told to retire
    /// after it was asked forks first, and one that was told before is not asked.
    pub(crate) fn fork(zygote: &Zygote, origin: Origin, preamble: Vec<u8>) -> io::Result<Self> {
        let (socket, there) = UnixStream::pair()?;
        let process = zygote.fork_run(there.into())?;
        Ok(Self { socket: Some(socket), process, origin, preamble, walls_of_spawned: None })
    }

    /// A process that is spawned for the run, and says its walls first.
    pub(crate) fn spawned(socket: UnixStream, process: Arc<GuestProcess>, preamble: Vec<u8>, walls: Arc<KnownWalls>) -> Self {
        Self { socket: Some(socket), process, origin: Origin::Spawned, preamble, walls_of_spawned: Some(walls) }
    }

    /// The socket, and what has to be written to it first. There is one conversation with a process.
    pub(crate) fn take_socket(&mut self) -> io::Result<(UnixStream, Vec<u8>)> {
        let socket = self.socket.take().ok_or(io::ErrorKind::NotConnected)?;
        Ok((socket, std::mem::take(&mut self.preamble)))
    }

    /// Whether this is a spawned process that has not said yet which walls stand around it: no program has run in it.
    pub(crate) fn owes_walls(&self) -> bool {
        self.walls_of_spawned.is_some()
    }

    /// Notes the walls around a spawned process.
    pub(crate) fn note_walls(&mut self, walls: &Walls) {
        if let Some(known) = self.walls_of_spawned.take() {
            known.note_spawned(walls);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.process.kill();
    }
}
