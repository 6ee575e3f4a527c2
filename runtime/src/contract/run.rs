//! What host and guest process of a run say to each other.

use serde::{Deserialize, Serialize};

use super::boot::{Boot, Walls};
use super::codec::{Decode, Encode, FrameError, Maxima, PROCESS_BYTES_MAX, Payload, json, write, write_head};
use super::facts::Fact;
use super::kind::{ANSWER, BOOT, CALL, END, FACTS, INSTALL, JAILED, NOTE, REFUSED, SAY, START};

/// What one run is started with. Made by the host, trusted by the guest process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunStart {
    pub(crate) heap_bytes_max: usize,
    pub(crate) buffer_bytes_max: usize,
    pub(crate) data_bytes_max: u64,
    pub(crate) source_nesting_max: usize,
    pub(crate) argument_bytes_max: usize,
    pub(crate) result_bytes_max: usize,
    pub(crate) calls_in_flight_max: u32,
    /// Whether an answer is `[value, content blocks]` instead of the value.
    pub(crate) keeps_content: bool,
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
        start: RunStart,
        source: String,
    },
    /// JSON text of the value, or of the error.
    Answer {
        call: u32,
        succeeded: bool,
        text: String,
    },
}

/// The maxima of what a run may send, from its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunMaxima {
    pub(crate) argument_bytes_max: usize,
    pub(crate) result_bytes_max: usize,
}

/// The longest console line, bytes: 65,536 UTF-16 units are cut in the isolate, and one is at most three bytes.
pub(super) const SAY_BYTES_MAX: usize = 256 << 10;
/// The longest description of an error, bytes: message, stack and causes are cut in the isolate.
const ERROR_BYTES_MAX: usize = 1 << 20;
/// The longest note about a program.
pub(crate) const NOTE_BYTES_MAX: usize = 1 << 10;
/// The longest facts about a program.
pub(crate) const FACTS_BYTES_MAX: usize = 32 << 10;

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
