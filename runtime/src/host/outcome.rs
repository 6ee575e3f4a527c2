//! What a run gave: value or error, notes, console lines, call records, cost.

use std::fmt;
use std::time::Duration;

use isolet_bindings::{Authorization, ToolErrorCode};

use super::left_out;
use super::run_id::RunId;

/// Completed calls that a message names.
const COMPLETED_SHOWN_MAX: usize = 10;
/// Characters of what a model is told of an error: its message, each cause.
const MESSAGE_CHARACTERS_MAX: usize = 1000;
const CAUSE_CHARACTERS_MAX: usize = 150;
/// Causes and near names that a model is told.
const CAUSES_SHOWN_MAX: usize = 3;
const NEAREST_SHOWN_MAX: usize = 5;
/// The codes of calls that were refused before they reached a server, or at its door.
const REFUSED_CODES: [ToolErrorCode; 3] =
    [ToolErrorCode::InvalidArguments, ToolErrorCode::UnknownTool, ToolErrorCode::AuthorizationRequired];

/// What a run gave. Everything that had arrived before an end is in it, whatever the end.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which run it was.
    pub run: RunId,
    /// How the program ended.
    pub end: End,
    /// What was assumed of the program, one plain sentence each: that it was taken out of a Markdown fence, that its one function was
    /// called. Empty where it ran as it was written. At most 16 of at most 500 characters, all of them visible; they come from the
    /// process of the run, so they are data as the console is.
    pub notes: Vec<String>,
    /// What it said, in order.
    pub console: Vec<ConsoleLine>,
    /// The tool calls that reached the host, in the order in which they were made.
    pub calls: Vec<CallRecord>,
    /// What the user has to authorize before calls that failed with `authorization_required` can succeed, one for each server, whatever the
    /// program did with those errors. At most 16.
    pub authorizations: Vec<Authorization>,
    /// What it took.
    pub cost: Cost,
}

impl Outcome {
    /// What a model is told: the value as JSON, or why there is none, what the user has to authorize, and the calls that were completed, which
    /// are not to be made again.
    ///
    /// Of what a program threw, the middle of a long text is left out: some 400 tokens are enough to mend it. The error has all.
    #[must_use]
    pub fn message(&self) -> String {
        let mut message = match &self.end {
            End::Returned(value) => return value.to_string(),
            End::Threw(error) => error.shortened().to_string(),
            End::Stopped(_) => self.end.to_string(),
        };
        for authorization in &self.authorizations {
            message.push_str(&format!("\n{authorization}, then run this again"));
        }
        let completed: Vec<&CallRecord> = self.calls.iter().filter(|call| call.end == CallEnd::Answered).collect();
        if !completed.is_empty() {
            let shown = completed.iter().take(COMPLETED_SHOWN_MAX);
            let shown: Vec<String> = shown.map(|call| format!("{} at line {}", call.path, call.line)).collect();
            message.push_str(&format!("\ncompleted calls, not to be repeated blindly: {}", shown.join(", ")));
            if completed.len() > shown.len() {
                message.push_str(&format!(", and {} more", completed.len() - shown.len()));
            }
        }
        message
    }

    /// Whether the program, once it is mended, can be run as if this run had never been: no call of it has reached a server.
    #[must_use]
    pub fn is_repair_safe(&self) -> bool {
        let is_harmless = |end: &CallEnd| matches!(end, CallEnd::Failed(code) if REFUSED_CODES.contains(code));
        self.calls.iter().all(|call| call.server.is_empty() || is_harmless(&call.end))
    }
}

/// How a program ended. All three are the program's doing; a fault of the host or the caller is a
/// [`RunError`](crate::RunError).
#[expect(
    clippy::exhaustive_enums,
    reason = "the three endings of a program, of which whoever reads an outcome has to look at each"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It returned. Mapped as `JSON.stringify` does; a `BigInt` is a decimal string, `Map` and `Set` are arrays, what JSON
    /// cannot say at the top is null.
    Returned(serde_json::Value),
    /// It threw, or was not a program.
    Threw(GuestError),
    /// It was ended.
    Stopped(Stop),
}

/// What a program threw, as bounded text that was made inside the isolate.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestError {
    /// `TypeError`, `ToolError`, …; `Thrown` for what is no error.
    pub name: String,
    /// Its message.
    pub message: String,
    /// Its `code`, where that is a text: of a `ToolError` always.
    pub code: Option<String>,
    /// Its `stack`: head and the frames that are the program's.
    pub stack: Option<String>,
    /// Line in the program, from 1.
    pub line: Option<u32>,
    /// Column in the program, from 1, in UTF-16 units.
    pub column: Option<u32>,
    /// That line of the program.
    pub source_line: Option<String>,
    /// Causes and aggregated errors, `name: message`.
    pub causes: Vec<String>,
    /// Names of this scope that are near to the one that is not there.
    pub nearest: Vec<String>,
}

impl GuestError {
    /// The same, with so much of each text as a model needs.
    fn shortened(&self) -> Self {
        let mut error = self.clone();
        error.message = left_out::within_characters(&self.message, MESSAGE_CHARACTERS_MAX);
        error.nearest.truncate(NEAREST_SHOWN_MAX);
        error.causes.truncate(CAUSES_SHOWN_MAX);
        error.causes.iter_mut().for_each(|cause| *cause = left_out::within_characters(cause, CAUSE_CHARACTERS_MAX));
        error
    }
}

/// Why a run was ended. Each `Display` says what the model can do about it in one sentence.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Out of time on the wall.
    Wall {
        /// The limit.
        limit: Duration,
        /// Calls that were not answered.
        pending: usize,
    },
    /// Out of time on a processor.
    Cpu {
        /// The limit.
        limit: Duration,
    },
    /// V8's heap was at its limit.
    Heap {
        /// The limit, bytes.
        limit: usize,
    },
    /// The system refused memory below the heap's limit, or killed the process for it.
    Data,
    /// The process ended in another way: an engine or memory limit ended it.
    GuestLost {
        /// What ended it, for operators.
        how: String,
    },
    /// Too many tool calls.
    Calls {
        /// The limit.
        limit: u32,
    },
    /// Too many bytes in all tool calls together.
    Traffic {
        /// Whose bytes.
        what: Traffic,
        /// The limit, bytes.
        limit: usize,
    },
    /// Too much console output, or a result that is too large.
    Output {
        /// What was too much.
        what: String,
    },
    /// The program waits for something that can never happen.
    Deadlock {
        /// Calls that were answered.
        answered: usize,
        /// The last call, `path at line N`.
        last_call: Option<String>,
    },
    /// The caller cancelled it.
    Cancelled,
}

/// The bytes of tool calls that have a limit for all calls of a run together.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// What a program sends.
    Arguments,
    /// What tools answer.
    Replies,
}

impl fmt::Display for Stop {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wall { limit, pending } => write!(
                to,
                "out of time: the limit is {limit:?}, {pending} tool calls were pending: do less in one program, or call tools at \
                 the same time with `Promise.all`"
            ),
            Self::Cpu { limit } => {
                write!(to, "out of processor time: the limit is {limit:?}: compute less, or let a tool do it")
            }
            Self::Heap { limit } => {
                write!(to, "out of memory: the heap's limit is {} MiB: hold less at a time", limit >> 20)
            }
            Self::Data => to.write_str("out of memory: the system gave the process no more: hold less at a time"),
            Self::GuestLost { .. } => to.write_str(
                "an engine or memory limit ended the process of the program: avoid single huge strings, arrays and sources",
            ),
            Self::Calls { limit } => write!(to, "too many tool calls: the limit is {limit}: ask for more with each call"),
            Self::Traffic { what: Traffic::Arguments, limit } => write!(
                to,
                "too much data: the limit is {limit} bytes for the arguments of all tool calls together: send less, or send it once"
            ),
            Self::Traffic { what: Traffic::Replies, limit } => write!(
                to,
                "too much data: the limit is {limit} bytes for the replies to all tool calls together: ask for less, or for a page at \
                 a time of what is needed"
            ),
            Self::Output { what } => write!(to, "too much output: {what}: return and print a summary"),
            Self::Deadlock { answered, last_call } => {
                write!(
                    to,
                    "deadlock: the program waits for something that can never happen: {answered} tool calls were answered"
                )?;
                if let Some(last_call) = last_call {
                    write!(to, ", the last was {last_call}")?;
                }
                to.write_str(": settle every promise that is awaited")
            }
            Self::Cancelled => to.write_str("cancelled by the caller"),
        }
    }
}

/// Its `Display` is for the model: what happened and what to do about it.
impl std::error::Error for Stop {}

/// Its causes are in [`GuestError::causes`], as text.
impl std::error::Error for GuestError {}

impl fmt::Display for GuestError {
    /// Several lines: name and message, the place, the source line with a caret, near names, causes.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.name, self.message)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(to, "\n    at main.ts:{line}:{column}")?;
            if let Some(source) = &self.source_line {
                let margin = line.to_string();
                let caret = usize::try_from(column).unwrap_or(1).saturating_sub(1).min(source.chars().count());
                write!(to, "\n{margin} | {source}\n{} | {}^", " ".repeat(margin.len()), " ".repeat(caret))?;
            }
        }
        if !self.nearest.is_empty() {
            write!(to, "\nnearest names: {}", self.nearest.join(", "))?;
        }
        for cause in &self.causes {
            write!(to, "\ncaused by {cause}")?;
        }
        Ok(())
    }
}

impl fmt::Display for End {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(value) => write!(to, "{value}"),
            Self::Threw(error) => error.fmt(to),
            Self::Stopped(stop) => write!(to, "stopped: {stop}"),
        }
    }
}

/// The level of a console line.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `console.debug`, `console.trace`.
    Debug,
    /// `console.log`.
    Log,
    /// `console.info`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`, failed assertions, unhandled rejections.
    Error,
}

impl Level {
    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            _ => Self::Log,
        }
    }

    /// `debug`, `log`, `info`, `warn`, `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Log => "log",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One line that the program said.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleLine {
    /// Its level.
    pub level: Level,
    /// Its text: hostile, and data wherever it is shown.
    pub text: String,
}

/// One tool call of a run, for audit.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// In this run; `None` for a call of a classic client.
    pub run: Option<RunId>,
    /// Its number in the run, or in the connection of the client: from 1.
    pub call: u32,
    /// As the program wrote it, `github.create_issue`; `?` for a call that names no tool of this scope.
    pub path: String,
    /// The server, and the tool's exact name there; empty where the call reached none.
    pub server: String,
    /// The exact name of the tool.
    pub tool: String,
    /// The line of the program that made the call; 0 if it is not known.
    pub line: u32,
    /// Bytes of JSON that went in.
    pub argument_bytes: usize,
    /// Bytes that came back: JSON of the value, or the message of an error.
    pub reply_bytes: usize,
    /// From the call's arrival at the host to its answer.
    pub duration: Duration,
    /// How it ended.
    pub end: CallEnd,
    /// Where the result does not match the tool's `outputSchema`.
    pub warnings: Vec<String>,
}

/// How a tool call ended.
#[expect(
    clippy::exhaustive_enums,
    reason = "a call is answered, fails or is cancelled, and whoever reads records has to look at each"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The program got its value.
    Answered,
    /// The program got a `ToolError`; its code.
    Failed(ToolErrorCode),
    /// The run, the client or the session ended before the answer; the call was cancelled at its next await.
    Cancelled,
}

/// Where the process of a run came from.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Forked ahead from the zygote of the scope.
    Ready,
    /// Forked on demand from the zygote of the scope.
    Forked,
    /// Forked on demand from the base zygote, bindings installed in the run.
    Cold,
    /// A process of its own from exec on.
    Spawned,
}

impl Origin {
    /// `ready`, `forked`, `cold`, `spawned`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Forked => "forked",
            Self::Cold => "cold",
            Self::Spawned => "spawned",
        }
    }
}

/// What a run took.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Cost {
    /// From the request to the outcome.
    pub wall: Duration,
    /// Processor time of the run's process.
    pub cpu: Duration,
    /// Processor time of this process for the run: reading and checking arguments, replies and the result, searching among the tools. What
    /// takes a few microseconds is not counted.
    pub host_cpu: Duration,
    /// V8's heap in use at the end, bytes; 0 if the program was ended.
    pub heap_bytes: u64,
    /// Where the process came from.
    pub origin: Origin,
}
