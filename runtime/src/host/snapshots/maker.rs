//! The process that makes one scope snapshot, as the host sees it: asked which build it is, then told what to make. It is killed
//! when this is dropped.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::contract::boot::{Boot, Build};
use crate::contract::codec::{Decoder, Encode as _, FrameError};
use crate::contract::maker::{FromMaker, MakerMaxima};
use crate::contract::run::ToRun;
use crate::host::keeper::Keeper;
use crate::host::process::GuestProcess;

/// The longest that a maker may take for one answer: a hundred times what 5,000 tools take.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Why there is no snapshot of a scope.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakerError {
    #[error("no process could be spoken to")]
    System(#[from] io::Error),
    #[error("the process that makes it ended early")]
    Ended,
    #[error("the process that makes it refused: {0}")]
    Refused(String),
    #[error("the process that makes it did not answer in {ANSWER_MAX:?}")]
    Silent,
    #[error("the process that makes it speaks another language")]
    Frame(#[from] FrameError),
    #[error("the process that makes it answered something else")]
    Other,
}

/// A maker that was started.
pub(crate) struct SnapshotMaker {
    process: Arc<GuestProcess>,
    socket: UnixStream,
    decoder: Decoder,
}

impl SnapshotMaker {
    /// Starts one. Call it where the keeper's tokio runtime is entered.
    pub(crate) fn start(keeper: &Keeper) -> Result<Self, MakerError> {
        let (here, there) = UnixStream::pair()?;
        let there = there.into_std()?;
        there.set_nonblocking(false)?;
        let process = Arc::new(GuestProcess::starting());
        keeper.start_maker(Arc::clone(&process), there.into());
        Ok(Self { process, socket: here, decoder: Decoder::default() })
    }

    /// Which build its executable is.
    pub(crate) async fn build(&mut self) -> Result<Build, MakerError> {
        match self.answer().await? {
            FromMaker::Build { build } => Ok(build),
            FromMaker::Refused { reason } => Err(MakerError::Refused(reason)),
            FromMaker::Made { .. } => Err(MakerError::Other),
        }
    }

    /// The snapshot of the scope with this manifest.
    pub(crate) async fn make(&mut self, boot: Boot, manifest: String) -> Result<Vec<u8>, MakerError> {
        let mut order = Vec::new();
        ToRun::Boot(boot).encode(&mut order);
        ToRun::Install { manifest }.encode(&mut order);
        self.socket.write_all(&order).await?;
        match self.answer().await? {
            FromMaker::Made { snapshot } => Ok(snapshot),
            FromMaker::Refused { reason } => Err(MakerError::Refused(reason)),
            FromMaker::Build { .. } => Err(MakerError::Other),
        }
    }

    async fn answer(&mut self) -> Result<FromMaker, MakerError> {
        tokio::time::timeout(ANSWER_MAX, self.frame()).await.map_err(|_| MakerError::Silent)?
    }

    async fn frame(&mut self) -> Result<FromMaker, MakerError> {
        loop {
            if let Some(frame) = self.decoder.next(&MakerMaxima)? {
                return Ok(frame);
            }
            let buffer = self.decoder.buffer();
            buffer.reserve(CHUNK_BYTES);
            if self.socket.read_buf(buffer).await? == 0 {
                return Err(MakerError::Ended);
            }
        }
    }
}

impl Drop for SnapshotMaker {
    fn drop(&mut self) {
        self.process.kill();
    }
}
