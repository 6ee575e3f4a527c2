//! What the process that makes a scope snapshot says to the host. It is told what to make as a run is.

use super::boot::Build;
use super::codec::{Decode, Encode, FrameError, Maxima, PROCESS_BYTES_MAX, Payload, write};
use super::kind::{BUILD, MADE, REFUSED};

/// From a process that makes a scope snapshot. It is told what to make as a run is: [`Boot`](super::run::ToRun::Boot), then [`Install`](super::run::ToRun::Install).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FromMaker {
    /// Which build its executable is: before it is told anything.
    Build { build: Build },
    /// The snapshot.
    Made { snapshot: Vec<u8> },
    /// The process could not make one; why.
    Refused { reason: String },
}

/// The largest scope snapshot, bytes: some ten times that of a scope of 5,000 tools.
pub(crate) const SNAPSHOT_BYTES_MAX: usize = 32 << 20;

/// The maxima of what the maker of a scope snapshot may send: it never ran guest text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MakerMaxima;

impl Maxima for MakerMaxima {
    fn bytes_max(&self, kind: u8) -> Option<usize> {
        match kind {
            BUILD => Some(size_of::<Build>()),
            MADE => Some(SNAPSHOT_BYTES_MAX),
            REFUSED => Some(PROCESS_BYTES_MAX),
            _ => None,
        }
    }
}

impl Encode for FromMaker {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Build { build } => write(to, BUILD, &[], build),
            Self::Made { snapshot } => write(to, MADE, &[], snapshot),
            Self::Refused { reason } => write(to, REFUSED, &[], reason.as_bytes()),
        }
    }
}

impl Decode for FromMaker {
    fn decode(kind: u8, mut payload: Payload<'_>) -> Result<Self, FrameError> {
        let frame = match kind {
            BUILD => Self::Build { build: payload.take()? },
            MADE => Self::Made { snapshot: payload.rest() },
            REFUSED => Self::Refused { reason: payload.text()? },
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        payload.end(frame)
    }
}
