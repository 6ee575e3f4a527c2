//! What host and zygote say to each other.

use super::boot::{Boot, Walls};
use super::codec::{Decode, Encode, FrameError, Maxima, PROCESS_BYTES_MAX, Payload, json, write};
use super::kind::{BOOT, EXITED, FORK, FORKED, INSTALL, KILL, LOWER, NOT_FORKED, READY, REFUSED, RETIRE, SCOPE, STOPPED};

/// A call of a zygote that the system refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusedCall {
    /// The descriptor that came with the order was not delivered.
    Receive,
    Fork,
    /// The child has no name that could not become another's, and was killed.
    PidfdOpen,
}

impl RefusedCall {
    pub(super) const ALL: [Self; 3] = [Self::Receive, Self::Fork, Self::PidfdOpen];

    /// What the kernel calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Receive => "recvmsg",
            Self::Fork => "fork",
            Self::PidfdOpen => "pidfd_open",
        }
    }
}

/// From a zygote to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FromZygote {
    /// It can fork; the walls that stand around it.
    Ready { walls: Walls },
    /// A child was forked; its pidfd travels with the frame, unless there are none on this system.
    Forked { run: u64, process: u32 },
    /// No child could be forked.
    NotForked { run: u64, call: RefusedCall, error: i32 },
    /// A child was stopped by a signal from outside: it can send itself none.
    Stopped { run: u64 },
    /// A child has ended. `code` is its exit code, or minus the signal that killed it.
    Exited { run: u64, code: i32, cpu_us: u64 },
    /// The process could not become a zygote; why.
    Refused { reason: String },
}

/// To a zygote.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ToZygote {
    Boot(Boot),
    /// Fork a run; its socket travels with the frame.
    Fork {
        run: u64,
    },
    /// Fork a zygote for one scope; its control socket travels with the frame.
    Scope {
        run: u64,
    },
    /// Install these bindings: JSON of a manifest. Only to the zygote of a scope, as its first frame.
    Install {
        manifest: String,
    },
    /// Kill a child, which has no pidfd: nobody else can be sure of its number.
    Kill {
        run: u64,
    },
    /// Let a child have what others leave of the processor.
    Lower {
        run: u64,
    },
    /// Fork no more, end after the last child.
    Retire,
}

/// The maxima of what a zygote may send: it never ran guest text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ZygoteMaxima;

impl Maxima for ZygoteMaxima {
    fn bytes_max(&self, kind: u8) -> Option<usize> {
        match kind {
            READY | REFUSED => Some(PROCESS_BYTES_MAX),
            STOPPED => Some(8),
            FORKED => Some(12),
            NOT_FORKED => Some(13),
            EXITED => Some(20),
            _ => None,
        }
    }
}

impl Encode for FromZygote {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Ready { walls } => write(to, READY, &[], &json(walls)),
            Self::Forked { run, process } => write(to, FORKED, &[&run.to_le_bytes(), &process.to_le_bytes()], &[]),
            Self::NotForked { run, call, error } => {
                write(to, NOT_FORKED, &[&run.to_le_bytes(), &[*call as u8], &error.to_le_bytes()], &[]);
            }
            Self::Stopped { run } => write(to, STOPPED, &[&run.to_le_bytes()], &[]),
            Self::Exited { run, code, cpu_us } => {
                write(to, EXITED, &[&run.to_le_bytes(), &code.to_le_bytes(), &cpu_us.to_le_bytes()], &[]);
            }
            Self::Refused { reason } => write(to, REFUSED, &[], reason.as_bytes()),
        }
    }
}

impl Decode for FromZygote {
    fn decode(kind: u8, mut payload: Payload<'_>) -> Result<Self, FrameError> {
        let frame = match kind {
            READY => Self::Ready { walls: payload.json()? },
            FORKED => Self::Forked { run: payload.u64()?, process: payload.u32()? },
            NOT_FORKED => {
                let (run, call) = (payload.u64()?, payload.u8()?);
                let call = RefusedCall::ALL.get(usize::from(call)).copied().ok_or_else(|| payload.malformed())?;
                Self::NotForked { run, call, error: payload.i32()? }
            }
            STOPPED => Self::Stopped { run: payload.u64()? },
            EXITED => Self::Exited { run: payload.u64()?, code: payload.i32()?, cpu_us: payload.u64()? },
            REFUSED => Self::Refused { reason: payload.text()? },
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        payload.end(frame)
    }
}

impl Encode for ToZygote {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Boot(boot) => write(to, BOOT, &[], &json(boot)),
            Self::Fork { run } => write(to, FORK, &[&run.to_le_bytes()], &[]),
            Self::Scope { run } => write(to, SCOPE, &[&run.to_le_bytes()], &[]),
            Self::Install { manifest } => write(to, INSTALL, &[], manifest.as_bytes()),
            Self::Kill { run } => write(to, KILL, &[&run.to_le_bytes()], &[]),
            Self::Lower { run } => write(to, LOWER, &[&run.to_le_bytes()], &[]),
            Self::Retire => write(to, RETIRE, &[], &[]),
        }
    }
}

impl Decode for ToZygote {
    fn decode(kind: u8, mut payload: Payload<'_>) -> Result<Self, FrameError> {
        let frame = match kind {
            BOOT => Self::Boot(payload.json()?),
            FORK => Self::Fork { run: payload.u64()? },
            SCOPE => Self::Scope { run: payload.u64()? },
            INSTALL => Self::Install { manifest: payload.text()? },
            KILL => Self::Kill { run: payload.u64()? },
            LOWER => Self::Lower { run: payload.u64()? },
            RETIRE => Self::Retire,
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        payload.end(frame)
    }
}
