//! The frames between host and guest process: the only thing that the two sides share.
//!
//! A frame is its payload's length (u32, little endian), its kind (u8) and the payload: fixed numbers, then one text or byte
//! string that runs to the end. Every kind has a maximum, checked on the length prefix before a byte of payload is kept.
//! What the host reads is hostile input: anything that is not exactly a frame is a [`FrameError`], which costs the run its
//! process (SECURITY.md S-36).

use serde::{Deserialize, Serialize};

use crate::facts::Fact;

/// Bytes before the payload.
const HEADER_BYTES: usize = 5;

/// What one run is started with. Made by the host, trusted by the guest process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) heap_bytes_max: usize,
    pub(crate) buffer_bytes_max: usize,
    pub(crate) data_bytes_max: u64,
    pub(crate) source_nesting_max: usize,
    pub(crate) argument_bytes_max: usize,
    pub(crate) result_bytes_max: usize,
    pub(crate) calls_in_flight_max: u32,
    /// Milliseconds for which a program that has returned waits for its calls, and for all of the run.
    pub(crate) drain_ms_max: u64,
    pub(crate) wall_ms_max: u64,
    /// Milliseconds since 1970 at which the guest's clock starts.
    pub(crate) clock_ms: u64,
    /// The state from which `Math.random` starts.
    pub(crate) seed: [u32; 4],
    /// Seconds of the processor after which the kernel itself ends the process: behind the host's own limit, for when there is no
    /// host to kill.
    pub(crate) cpu_seconds_max: u64,
}

/// How a guest process is set up, before it starts V8. Made by the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Boot {
    pub(crate) jit: isolet_snapshots::flags::Jit,
    pub(crate) heap_bytes_max: usize,
    pub(crate) huge_pages: bool,
    pub(crate) jail: JailLayers,
    /// Whether a process that lacks a wall that strict isolation needs ends before it runs a program.
    pub(crate) strict: bool,
    pub(crate) readable_by_tests: bool,
    /// The build that made the scope snapshot whose descriptor travels with the frame; `None` without one. Only to spawned runs.
    pub(crate) scope_snapshot_of: Option<Build>,
}

/// Which layers of the jail a guest process closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JailLayers {
    pub(crate) files: bool,
    pub(crate) system_calls: bool,
    pub(crate) resources: bool,
}

impl JailLayers {
    pub(crate) const ALL: Self = Self { files: true, system_calls: true, resources: true };
    pub(crate) const NONE: Self = Self { files: false, system_calls: false, resources: false };
}

/// What names a build of the guest side: the SHA-256 that `build.rs` leaves. A snapshot fits the build that made it, and no other.
pub(crate) type Build = [u8; 32];

/// What a zygote or a spawned run says of the walls around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walls {
    pub(crate) huge_pages: bool,
    pub(crate) no_new_privileges: bool,
    pub(crate) landlock: bool,
    pub(crate) seccomp: bool,
    /// What could not be had, one sentence each.
    pub(crate) missing: Vec<String>,
}

impl Walls {
    /// What strict isolation needs and is not there, and why not.
    pub(crate) fn missing_for_strict(&self) -> Option<String> {
        let wanted = [("no new privileges", self.no_new_privileges), ("landlock", self.landlock), ("seccomp", self.seccomp)];
        let why = |name: &'static str| self.missing.iter().find(|reason| reason.starts_with(name)).map_or(name, String::as_str);
        let missing: Vec<_> = wanted.iter().filter(|(_, there)| !there).map(|(name, _)| why(name)).collect();
        (!missing.is_empty()).then(|| missing.join("; "))
    }
}

/// How a program ended, as its guest process says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The text is the JSON of the result.
    Returned,
    /// The text is JSON of the error's facts.
    Threw,
    /// The result is longer than the limit; there is no text.
    TooLarge,
    /// Nothing can settle the program any more; there is no text.
    Deadlock,
}

/// From a guest process that runs a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FromRun {
    Say {
        level: u8,
        text: String,
    },
    Call {
        call: u32,
        tool: u32,
        line: u32,
        column: u32,
        arguments: String,
    },
    End {
        ending: Ending,
        line: u32,
        column: u32,
        heap_bytes: u64,
        text: String,
    },
    /// What the program provably says: at most one frame, before any call.
    Facts {
        facts: Vec<Fact>,
    },
    /// Something that was assumed of the program, one sentence.
    Note {
        text: String,
    },
    /// The process could not become a guest; why.
    Refused {
        reason: String,
    },
    /// The walls that stand around the process. Only from spawned runs.
    Jailed {
        walls: Walls,
    },
}

/// To a guest process that runs a program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ToRun {
    Boot(Boot),
    /// JSON of the scope's manifest.
    Install {
        manifest: String,
    },
    Start {
        start: Start,
        source: String,
    },
    /// JSON text of the value, or of the error.
    Answer {
        call: u32,
        succeeded: bool,
        text: String,
    },
}

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
    const ALL: [Self; 3] = [Self::Receive, Self::Fork, Self::PidfdOpen];

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

/// From a process that makes a scope snapshot. It is told what to make as a run is: [`ToRun::Boot`], then [`ToRun::Install`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FromMaker {
    /// Which build its executable is: before it is told anything.
    Build { build: Build },
    /// The snapshot.
    Made { snapshot: Vec<u8> },
    /// The process could not make one; why.
    Refused { reason: String },
}

/// Bytes that are no frame.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of kind {kind} has {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong { kind: u8, bytes: usize, bytes_max: usize },
    #[error("there is no frame of kind {kind} in this direction")]
    UnknownKind { kind: u8 },
    #[error("a frame of kind {kind} is not well formed")]
    Malformed { kind: u8 },
}

/// The longest frames of a direction, bytes of payload by kind.
pub(crate) trait Maxima {
    /// `None` for a kind that does not exist.
    fn bytes_max(&self, kind: u8) -> Option<usize>;
}

/// The maxima of what a run may send, from its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunMaxima {
    pub(crate) argument_bytes_max: usize,
    pub(crate) result_bytes_max: usize,
}

/// The longest console line, bytes: 65,536 UTF-16 units are cut in the isolate, and one is at most three bytes.
const SAY_BYTES_MAX: usize = 256 << 10;
/// The longest description of an error, bytes: message, stack and causes are cut in the isolate.
const ERROR_BYTES_MAX: usize = 1 << 20;
/// The longest note about a program.
pub(crate) const NOTE_BYTES_MAX: usize = 1 << 10;
/// The longest facts about a program.
pub(crate) const FACTS_BYTES_MAX: usize = 32 << 10;
/// The longest text about a process.
const PROCESS_BYTES_MAX: usize = 64 << 10;

impl Maxima for RunMaxima {
    fn bytes_max(&self, kind: u8) -> Option<usize> {
        match kind {
            SAY => Some(SAY_BYTES_MAX),
            // The isolate counts UTF-16 units, one of which is at most three bytes.
            CALL => Some(self.argument_bytes_max.saturating_mul(3).saturating_add(16)),
            END => Some(self.result_bytes_max.max(ERROR_BYTES_MAX).saturating_add(17)),
            NOTE => Some(NOTE_BYTES_MAX),
            FACTS => Some(FACTS_BYTES_MAX),
            REFUSED | JAILED => Some(PROCESS_BYTES_MAX),
            _ => None,
        }
    }
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

/// The host is trusted: no maximum but that of the length prefix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostMaxima;

impl Maxima for HostMaxima {
    fn bytes_max(&self, _kind: u8) -> Option<usize> {
        Some(u32::MAX as usize)
    }
}

/// Memory that a decoder keeps for further frames.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// Takes frames out of a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// The place for the next bytes: read into it with `extend`.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        &mut self.buffer
    }

    /// The next whole frame, `None` while it has not come whole.
    pub(crate) fn next<Frame: Decode>(&mut self, maxima: &impl Maxima) -> Result<Option<Frame>, FrameError> {
        Ok(self.take(maxima, 0)?.map(|(frame, _)| frame))
    }

    /// As [`Self::next`], on a socket that carries descriptors: whether one belongs to the frame.
    pub(crate) fn next_with_flag<Frame: Decode>(&mut self, maxima: &impl Maxima) -> Result<Option<(Frame, bool)>, FrameError> {
        self.take(maxima, WITH_DESCRIPTOR)
    }

    /// The bytes up to the end of the header, or of the frame, that is being read: none of the next frame.
    pub(crate) fn missing(&self) -> usize {
        let read = self.buffer.len() - self.taken;
        match self.header() {
            None => HEADER_BYTES - read,
            Some((bytes, _)) => (HEADER_BYTES + bytes).saturating_sub(read),
        }
    }

    /// The next frame, and whether its kind has the bits of `flag`.
    fn take<Frame: Decode>(&mut self, maxima: &impl Maxima, flag: u8) -> Result<Option<(Frame, bool)>, FrameError> {
        let Some((kind, is_flagged, bytes)) = self.announced(maxima, flag)? else {
            return Ok(None);
        };
        let start = self.taken + HEADER_BYTES;
        let Some(payload) = self.buffer.get(start..start + bytes) else {
            return Ok(None);
        };
        let frame = Frame::decode(kind, Payload { kind, bytes: payload })?;
        self.taken = start + bytes;
        if self.taken == self.buffer.len() && self.buffer.capacity() > KEPT_BYTES_MAX {
            *self = Self::default();
        }
        Ok(Some((frame, is_flagged)))
    }

    /// The bytes of payload that the next frame has, once its length has come: they may still be on their way.
    pub(crate) fn next_bytes(&self, maxima: &impl Maxima) -> Result<Option<usize>, FrameError> {
        Ok(self.announced(maxima, 0)?.map(|(_, _, bytes)| bytes))
    }

    /// Length and kind, flags included, of the next frame, once its header has come.
    fn header(&self) -> Option<(usize, u8)> {
        let [a, b, c, d, kind] = *self.buffer[self.taken..].first_chunk::<HEADER_BYTES>()?;
        Some((u32::from_le_bytes([a, b, c, d]) as usize, kind))
    }

    /// Kind and length of the next frame, if it may be so long, and whether the kind has the bits of `flag`.
    fn announced(&self, maxima: &impl Maxima, flag: u8) -> Result<Option<(u8, bool, usize)>, FrameError> {
        let Some((bytes, flagged)) = self.header() else {
            return Ok(None);
        };
        let (kind, is_flagged) = (flagged & !flag, flagged & flag != 0);
        let bytes_max = maxima.bytes_max(kind).ok_or(FrameError::UnknownKind { kind })?;
        if bytes > bytes_max {
            Err(FrameError::TooLong { kind, bytes, bytes_max })
        } else {
            Ok(Some((kind, is_flagged, bytes)))
        }
    }
}

/// A frame that can be written.
pub(crate) trait Encode {
    /// Appends the frame.
    fn encode(&self, to: &mut Vec<u8>);
}

/// A frame that can be read.
pub(crate) trait Decode: Sized {
    /// Reads a payload; it must be used up.
    fn decode(kind: u8, payload: Payload<'_>) -> Result<Self, FrameError>;
}

const BOOT: u8 = 1;
const INSTALL: u8 = 2;
const START: u8 = 3;
const ANSWER: u8 = 4;
const FORK: u8 = 5;
const SCOPE: u8 = 6;
const RETIRE: u8 = 7;
const KILL: u8 = 8;
const LOWER: u8 = 9;
const SAY: u8 = 16;
const CALL: u8 = 17;
const END: u8 = 18;
const REFUSED: u8 = 19;
const JAILED: u8 = 20;
const NOTE: u8 = 21;
const FACTS: u8 = 22;
const READY: u8 = 32;
const FORKED: u8 = 33;
const NOT_FORKED: u8 = 34;
const EXITED: u8 = 35;
const STOPPED: u8 = 36;
const BUILD: u8 = 48;
const MADE: u8 = 49;

/// Beside a kind: a descriptor belongs to the frame. Only on sockets that carry descriptors; elsewhere there is no such kind.
const WITH_DESCRIPTOR: u8 = 0x80;

/// A frame for a socket that carries descriptors, and says whether one belongs to it.
pub(crate) fn encoded(frame: &impl Encode, with_descriptor: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    if let Some(kind) = bytes.get_mut(HEADER_BYTES - 1).filter(|_| with_descriptor) {
        *kind |= WITH_DESCRIPTOR;
    }
    bytes
}

/// Writes one frame: its numbers, then its text.
fn write(to: &mut Vec<u8>, kind: u8, numbers: &[&[u8]], text: &[u8]) {
    to.reserve(HEADER_BYTES + numbers.iter().map(|number| number.len()).sum::<usize>() + text.len());
    write_head(to, kind, numbers, text.len());
    to.extend_from_slice(text);
}

/// Writes one frame but for its text, which has so many bytes.
fn write_head(to: &mut Vec<u8>, kind: u8, numbers: &[&[u8]], text_bytes: usize) {
    let bytes = numbers.iter().map(|number| number.len()).sum::<usize>() + text_bytes;
    // A longer frame cannot be written by either side: every text has a limit far below, whatever a configuration says.
    let prefix = u32::try_from(bytes).unwrap_or(u32::MAX);
    to.extend_from_slice(&prefix.to_le_bytes());
    to.push(kind);
    for number in numbers {
        to.extend_from_slice(number);
    }
}

/// The JSON of a value of ours; it cannot fail for these types. If it did, there would be no text, which every reader refuses: it is
/// closed, never open.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The unread part of a payload.
pub(crate) struct Payload<'a> {
    kind: u8,
    bytes: &'a [u8],
}

impl<'a> Payload<'a> {
    fn malformed(&self) -> FrameError {
        FrameError::Malformed { kind: self.kind }
    }

    fn take<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], FrameError> {
        let (taken, rest) = self.bytes.split_first_chunk::<BYTES>().ok_or_else(|| self.malformed())?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, FrameError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Result<i32, FrameError> {
        self.take().map(i32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, FrameError> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<String, FrameError> {
        let text = std::str::from_utf8(self.bytes).map_err(|_| self.malformed())?;
        self.bytes = &[];
        Ok(text.to_owned())
    }

    fn json<Value: for<'de> Deserialize<'de>>(&mut self) -> Result<Value, FrameError> {
        let value = serde_json::from_slice(self.bytes).map_err(|_| self.malformed())?;
        self.bytes = &[];
        Ok(value)
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes).to_vec()
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self.bytes.split_at_checked(length as usize).ok_or_else(|| self.malformed())?;
        self.bytes = rest;
        Ok(taken)
    }

    fn end<Frame>(self, frame: Frame) -> Result<Frame, FrameError> {
        if self.bytes.is_empty() { Ok(frame) } else { Err(self.malformed()) }
    }
}

impl FromRun {
    /// Appends a console line without copying its text first.
    pub(crate) fn say(level: u8, text: &str, to: &mut Vec<u8>) {
        write(to, SAY, &[&[level]], text.as_bytes());
    }

    /// Appends a note without copying its text first.
    pub(crate) fn note(text: &str, to: &mut Vec<u8>) {
        write(to, NOTE, &[], text.as_bytes());
    }

    /// Appends a call without copying its arguments first. `place`: line and column.
    pub(crate) fn call(call: u32, tool: u32, place: [u32; 2], arguments: &str, to: &mut Vec<u8>) {
        let numbers = [call, tool, place[0], place[1]].map(u32::to_le_bytes);
        write(to, CALL, &[numbers.as_flattened()], arguments.as_bytes());
    }
}

impl Encode for FromRun {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Say { level, text } => Self::say(*level, text, to),
            Self::Call { call, tool, line, column, arguments } => Self::call(*call, *tool, [*line, *column], arguments, to),
            Self::End { ending, line, column, heap_bytes, text } => {
                let how = match ending {
                    Ending::Returned => 0,
                    Ending::Threw => 1,
                    Ending::TooLarge => 2,
                    Ending::Deadlock => 3,
                };
                let numbers: [&[u8]; 4] = [&[how], &line.to_le_bytes(), &column.to_le_bytes(), &heap_bytes.to_le_bytes()];
                write(to, END, &numbers, text.as_bytes());
            }
            Self::Facts { facts } => write(to, FACTS, &[], &json(facts)),
            Self::Note { text } => Self::note(text, to),
            Self::Refused { reason } => write(to, REFUSED, &[], reason.as_bytes()),
            Self::Jailed { walls } => write(to, JAILED, &[], &json(walls)),
        }
    }
}

impl Decode for FromRun {
    fn decode(kind: u8, mut payload: Payload<'_>) -> Result<Self, FrameError> {
        let frame = match kind {
            SAY => Self::Say { level: payload.u8()?, text: payload.text()? },
            CALL => Self::Call {
                call: payload.u32()?,
                tool: payload.u32()?,
                line: payload.u32()?,
                column: payload.u32()?,
                arguments: payload.text()?,
            },
            END => Self::End {
                ending: match payload.u8()? {
                    0 => Ending::Returned,
                    1 => Ending::Threw,
                    2 => Ending::TooLarge,
                    3 => Ending::Deadlock,
                    _ => return Err(payload.malformed()),
                },
                line: payload.u32()?,
                column: payload.u32()?,
                heap_bytes: payload.u64()?,
                text: payload.text()?,
            },
            FACTS => Self::Facts { facts: payload.json()? },
            NOTE => Self::Note { text: payload.text()? },
            REFUSED => Self::Refused { reason: payload.text()? },
            JAILED => Self::Jailed { walls: payload.json()? },
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        payload.end(frame)
    }
}

impl Encode for ToRun {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Self::Boot(boot) => write(to, BOOT, &[], &json(boot)),
            Self::Install { manifest } => write(to, INSTALL, &[], manifest.as_bytes()),
            Self::Start { start, source } => {
                let start = json(start);
                let length = u32::try_from(start.len()).unwrap_or(u32::MAX).to_le_bytes();
                write(to, START, &[&length, &start], source.as_bytes());
            }
            Self::Answer { call, succeeded, text } => Self::answer(*call, *succeeded, text, to),
        }
    }
}

impl ToRun {
    /// Appends an answer without copying its text first.
    pub(crate) fn answer(call: u32, succeeded: bool, text: &str, to: &mut Vec<u8>) {
        Self::answer_without_text(call, succeeded, text.len(), to);
        to.extend_from_slice(text.as_bytes());
    }

    /// Appends an answer but for its text, which is to follow and has so many bytes.
    pub(crate) fn answer_without_text(call: u32, succeeded: bool, text_bytes: usize, to: &mut Vec<u8>) {
        write_head(to, ANSWER, &[&call.to_le_bytes(), &[u8::from(succeeded)]], text_bytes);
    }
}

impl Decode for ToRun {
    fn decode(kind: u8, mut payload: Payload<'_>) -> Result<Self, FrameError> {
        let frame = match kind {
            BOOT => Self::Boot(payload.json()?),
            INSTALL => Self::Install { manifest: payload.text()? },
            START => {
                let length = payload.u32()?;
                let start = payload.bytes(length)?;
                let start = serde_json::from_slice(start).map_err(|_| payload.malformed())?;
                Self::Start { start, source: payload.text()? }
            }
            ANSWER => Self::Answer { call: payload.u32()?, succeeded: payload.u8()? == 1, text: payload.text()? },
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        payload.end(frame)
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use proptest::prelude::*;

    use super::*;

    const MAXIMA: RunMaxima = RunMaxima { argument_bytes_max: 100, result_bytes_max: 100 };
    const GENEROUS: RunMaxima = RunMaxima { argument_bytes_max: 1000, result_bytes_max: 1000 };

    fn bytes_of(frame: &impl Encode) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &Result<Option<FromRun>, FrameError>) {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(bytes);
        assert_eq!(&decoder.next::<FromRun>(&MAXIMA), expected);
    }

    #[test]
    fn frames_come_back_as_they_were_sent() {
        let frames = [
            FromRun::Say { level: 3, text: "grüße".into() },
            FromRun::Call { call: 1, tool: 7, line: 3, column: 9, arguments: "{}".into() },
            FromRun::End { ending: Ending::Returned, line: 0, column: 0, heap_bytes: 5, text: "null".into() },
        ];
        let mut decoder = Decoder::default();
        for frame in &frames {
            frame.encode(decoder.buffer());
        }
        for frame in frames {
            assert_eq!(decoder.next(&MAXIMA), Ok(Some(frame)));
        }
        assert_eq!(decoder.next::<FromRun>(&MAXIMA), Ok(None));
    }

    #[test]
    fn a_frame_is_not_there_before_its_last_byte() {
        let bytes = bytes_of(&FromRun::Say { level: 1, text: "hello".into() });
        check(&bytes[..bytes.len() - 1], &Ok(None));
        check(&bytes, &Ok(Some(FromRun::Say { level: 1, text: "hello".into() })));
    }

    #[test]
    fn an_oversize_length_is_refused_before_the_payload() {
        check(
            &[0xff, 0xff, 0xff, 0xff, SAY],
            &Err(FrameError::TooLong { kind: SAY, bytes: 0xffff_ffff, bytes_max: SAY_BYTES_MAX }),
        );
    }

    #[test]
    fn a_frame_of_the_other_direction_is_refused() {
        check(
            &bytes_of(&ToRun::Answer { call: 1, succeeded: true, text: "1".into() }),
            &Err(FrameError::UnknownKind { kind: ANSWER }),
        );
    }

    #[test]
    fn a_short_frame_and_one_that_is_not_utf8_are_refused() {
        check(&[3, 0, 0, 0, CALL, 1, 2, 3], &Err(FrameError::Malformed { kind: CALL }));
        check(&[2, 0, 0, 0, SAY, 1, 0xff], &Err(FrameError::Malformed { kind: SAY }));
    }

    /// What the decoder makes of bytes: frames until there is none, or none can be.
    fn decoded<Frame: Decode>(bytes: &[u8], maxima: &impl Maxima) -> Vec<Frame> {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(bytes);
        std::iter::from_fn(|| decoder.next(maxima).ok().flatten()).collect()
    }

    /// The bytes of texts in frames of a run: what they keep allocated.
    fn text_bytes(frames: &[FromRun]) -> usize {
        let text = |frame: &FromRun| match frame {
            FromRun::Say { text, .. } | FromRun::Note { text } | FromRun::End { text, .. } => text.len(),
            FromRun::Call { arguments, .. } => arguments.len(),
            FromRun::Facts { facts } => facts.len(),
            FromRun::Refused { reason } => reason.len(),
            FromRun::Jailed { walls } => walls.missing.iter().map(String::len).sum(),
        };
        frames.iter().map(text).sum()
    }

    fn frames_of_runs() -> impl Strategy<Value = FromRun> {
        let ending = prop_oneof![Just(Ending::Returned), Just(Ending::Threw), Just(Ending::TooLarge), Just(Ending::Deadlock)];
        prop_oneof![
            (any::<u8>(), ".{0,40}").prop_map(|(level, text)| FromRun::Say { level, text }),
            (any::<[u32; 4]>(), ".{0,40}").prop_map(|([call, tool, line, column], arguments)| FromRun::Call {
                call,
                tool,
                line,
                column,
                arguments
            }),
            (ending, any::<[u32; 2]>(), any::<u64>(), ".{0,40}").prop_map(|(ending, [line, column], heap_bytes, text)| {
                FromRun::End { ending, line, column, heap_bytes, text }
            }),
            ".{0,40}".prop_map(|text| FromRun::Note { text }),
            (any::<u32>(), any::<bool>(), ".{0,40}").prop_map(|(line, is_reached, text)| FromRun::Facts {
                facts: vec![Fact { line, column: 1, is_reached, said: crate::facts::Said::Rounded { text } }]
            }),
            ".{0,40}".prop_map(|reason| FromRun::Refused { reason }),
            (any::<[bool; 4]>(), proptest::collection::vec(".{0,20}", 0..3)).prop_map(
                |([huge_pages, no_new_privileges, landlock, seccomp], missing)| FromRun::Jailed {
                    walls: Walls { huge_pages, no_new_privileges, landlock, seccomp, missing }
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_frames_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let frames = decoded::<FromRun>(&bytes, &MAXIMA);
            prop_assert!(text_bytes(&frames) <= bytes.len());
            decoded::<FromZygote>(&bytes, &ZygoteMaxima);
            decoded::<ToRun>(&bytes, &HostMaxima);
            decoded::<ToZygote>(&bytes, &HostMaxima);
        }

        #[test]
        fn frames_come_back_however_they_are_cut(
            frames in proptest::collection::vec(frames_of_runs(), 0..8),
            chunk_bytes in 1_usize..50,
        ) {
            let stream: Vec<u8> = frames.iter().flat_map(bytes_of).collect();
            let (mut decoder, mut back) = (Decoder::default(), Vec::new());
            for chunk in stream.chunks(chunk_bytes) {
                decoder.buffer().extend_from_slice(chunk);
                while let Some(frame) = decoder.next::<FromRun>(&GENEROUS).unwrap() {
                    back.push(frame);
                }
            }
            prop_assert_eq!(back, frames);
        }

        #[test]
        fn a_changed_frame_is_another_one_or_refused(
            frames in proptest::collection::vec(frames_of_runs(), 1..5),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut stream: Vec<u8> = frames.iter().flat_map(bytes_of).collect();
            for (place, byte) in &changes {
                let place = place.index(stream.len());
                stream[place] = *byte;
            }
            stream.truncate(cut.index(stream.len()) + 1);
            let changed = decoded::<FromRun>(&stream, &GENEROUS);
            prop_assert!(text_bytes(&changed) <= stream.len());
        }
    }

    #[test]
    fn nothing_is_kept_of_a_frame_whose_length_is_a_lie() {
        let mut decoder = Decoder::default();
        let longest = u32::try_from(16 + MAXIMA.argument_bytes_max * 3).unwrap();
        decoder.buffer().extend_from_slice(&longest.to_le_bytes());
        decoder.buffer().extend_from_slice(&[CALL, 1, 2, 3]);
        assert_eq!(decoder.next::<FromRun>(&MAXIMA), Ok(None), "it may still come");
        assert!(decoder.buffer().capacity() < 64, "memory for it: {}", decoder.buffer().capacity());
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&(longest + 1).to_le_bytes());
        decoder.buffer().push(CALL);
        assert!(matches!(decoder.next::<FromRun>(&MAXIMA), Err(FrameError::TooLong { .. })));
    }

    #[test]
    fn a_maker_says_its_build_and_a_snapshot_of_any_bytes() {
        let frames = [FromMaker::Build { build: [7; 32] }, FromMaker::Made { snapshot: vec![0xff, 0, 0xfe] }];
        let mut decoder = Decoder::default();
        for frame in &frames {
            frame.encode(decoder.buffer());
        }
        for frame in frames {
            assert_eq!(decoder.next(&MakerMaxima), Ok(Some(frame)));
        }
    }

    #[test]
    fn a_snapshot_beyond_its_maximum_is_refused_before_its_bytes() {
        let bytes = SNAPSHOT_BYTES_MAX + 1;
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&u32::try_from(bytes).unwrap_or(0).to_le_bytes());
        decoder.buffer().push(MADE);
        let refused = FrameError::TooLong { kind: MADE, bytes, bytes_max: SNAPSHOT_BYTES_MAX };
        assert_eq!(decoder.next::<FromMaker>(&MakerMaxima), Err(refused));
    }

    #[test]
    fn a_text_that_could_not_be_made_is_refused_by_who_reads_it() {
        let empty = |kind| Payload { kind, bytes: &[] };
        assert_eq!(FromZygote::decode(READY, empty(READY)), Err(FrameError::Malformed { kind: READY }));
        assert_eq!(FromRun::decode(JAILED, empty(JAILED)), Err(FrameError::Malformed { kind: JAILED }));
        assert_eq!(ToRun::decode(BOOT, empty(BOOT)), Err(FrameError::Malformed { kind: BOOT }));
        assert_eq!(ToZygote::decode(BOOT, empty(BOOT)), Err(FrameError::Malformed { kind: BOOT }));
        let start = Payload { kind: START, bytes: &[0, 0, 0, 0, b'1'] };
        assert_eq!(ToRun::decode(START, start), Err(FrameError::Malformed { kind: START }));
    }

    #[test]
    fn what_strict_isolation_lacks_is_named_with_its_reason() {
        let walls = Walls { no_new_privileges: true, missing: vec!["landlock: it is off".to_owned()], ..Walls::default() };
        assert_eq!(walls.missing_for_strict().as_deref(), Some("landlock: it is off; seccomp"));
        let walls = Walls { landlock: true, seccomp: true, missing: vec!["huge pages".to_owned()], ..walls };
        assert_eq!(walls.missing_for_strict(), None);
    }

    #[test]
    fn a_run_cannot_say_that_a_descriptor_belongs_to_its_frame() {
        let bytes = encoded(&FromRun::Say { level: 1, text: "hello".into() }, true);
        check(&bytes, &Err(FrameError::UnknownKind { kind: SAY | WITH_DESCRIPTOR }));
    }

    #[test]
    fn a_refused_call_comes_back_and_an_unknown_one_is_refused() {
        for call in RefusedCall::ALL {
            let frame = FromZygote::NotForked { run: 7, call, error: 24 };
            assert_eq!(decoded::<FromZygote>(&bytes_of(&frame), &ZygoteMaxima), [frame], "{}", call.name());
        }
        let unknown = Payload { kind: NOT_FORKED, bytes: &[7, 0, 0, 0, 0, 0, 0, 0, 3, 24, 0, 0, 0] };
        assert_eq!(FromZygote::decode(NOT_FORKED, unknown), Err(FrameError::Malformed { kind: NOT_FORKED }));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&[13, 0, 0, 0, FORKED, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        assert!(matches!(decoder.next::<FromZygote>(&ZygoteMaxima), Err(FrameError::TooLong { .. })));
        assert_eq!(
            FromZygote::decode(FORKED, Payload { kind: FORKED, bytes: &[0; 13] }),
            Err(FrameError::Malformed { kind: FORKED })
        );
    }
}
