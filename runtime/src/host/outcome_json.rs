//! The one JSON form of an outcome, which `runtime/schemas/outcome.json` describes, and of what is told while it is made.

use std::time::{Duration, SystemTime};

use isolet_bindings::Authorization;
use serde_json::{Value, json};

use super::event::Event;
use super::outcome::{CallEnd, CallRecord, ConsoleLine, Cost, End, GuestError, Level, Outcome, Stop};

/// The version of the form: another number where a member changes its meaning.
const VERSION: u32 = 1;
/// Calls that were not answered, as far as a model is told of them one by one.
const CALLS_TOLD_MAX: usize = 20;

impl Outcome {
    /// All of it as JSON: version 1 of [the form](Self::json_schema) that `isolet run --json` prints too.
    ///
    /// Durations are milliseconds, sizes bytes.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut form = json!({
            "version": VERSION,
            "run": self.run.to_string(),
            "end": self.end.as_str(),
            "repair_safe": self.is_repair_safe(),
            "notes": self.notes,
            "console": self.console.iter().map(ConsoleLine::to_json).collect::<Vec<_>>(),
            "calls": self.calls.iter().map(call).collect::<Vec<_>>(),
            "authorizations": self.authorizations.iter().map(authorization).collect::<Vec<_>>(),
            "cost": cost(&self.cost),
        });
        match &self.end {
            End::Returned(value) => form["value"] = value.clone(),
            End::Threw(thrown) => form["error"] = error(thrown),
            End::Stopped(stop) => form["stop"] = json!({ "kind": stop.kind(), "message": stop.to_string() }),
        }
        if !matches!(self.end, End::Returned(_)) {
            form["message"] = self.message().into();
        }
        form
    }

    /// What a model needs of it, in the same form: the value or the message; notes, console lines, at most 20 calls that were not answered and what
    /// the user has to authorize, where there are any. `level` is left out where it is `log`.
    #[must_use]
    pub fn to_brief_json(&self) -> Value {
        let mut form = json!({ "end": self.end.as_str() });
        match &self.end {
            End::Returned(value) => form["value"] = value.clone(),
            End::Threw(_) | End::Stopped(_) => {
                form["message"] = self.message().into();
                form["repair_safe"] = self.is_repair_safe().into();
            }
        }
        if !self.notes.is_empty() {
            form["notes"] = self.notes.as_slice().into();
        }
        if !self.console.is_empty() {
            form["console"] = self.console.iter().map(brief_line).collect();
        }
        let not_answered = self.calls.iter().filter(|call| call.end != CallEnd::Answered).take(CALLS_TOLD_MAX);
        let not_answered: Vec<Value> = not_answered.map(brief_call).collect();
        if !not_answered.is_empty() {
            form["calls"] = not_answered.into();
        }
        if !self.authorizations.is_empty() {
            form["authorizations"] = self.authorizations.iter().map(authorization).collect();
        }
        form
    }

    /// The JSON Schema (draft 2020-12) of both.
    #[must_use]
    pub fn json_schema() -> &'static str {
        include_str!("../../schemas/outcome.json")
    }
}

impl End {
    /// `returned`, `threw`, `stopped`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Returned(_) => "returned",
            Self::Threw(_) => "threw",
            Self::Stopped(_) => "stopped",
        }
    }
}

impl Stop {
    /// A word for it that programs can compare: `wall`, `cpu`, `heap`, `data`, `guest_lost`, `calls`, `traffic`, `output`, `deadlock`,
    /// `cancelled`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Wall { .. } => "wall",
            Self::Cpu { .. } => "cpu",
            Self::Heap { .. } => "heap",
            Self::Data => "data",
            Self::GuestLost { .. } => "guest_lost",
            Self::Calls { .. } => "calls",
            Self::Traffic { .. } => "traffic",
            Self::Output { .. } => "output",
            Self::Deadlock { .. } => "deadlock",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Event {
    /// `console`, `called`, `answered`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Console { .. } => "console",
            Self::Called { .. } => "called",
            Self::Answered(_) => "answered",
        }
    }

    /// What is told of it to whoever watches a run: the line, or which call it is of, its end and how long it took.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Console { line, .. } => line.to_json(),
            Self::Called { call, path, .. } => json!({ "call": call, "path": path }),
            Self::Answered(record) => json!({
                "call": record.call, "path": record.path, "end": record.end.as_str(), "duration_ms": milliseconds(record.duration),
            }),
        }
    }
}

impl ConsoleLine {
    /// Its level and text, as [`Outcome::to_json`] has them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "level": self.level.as_str(), "text": self.text })
    }
}

impl CallEnd {
    /// `answered`, `cancelled`, or the code of the `ToolError` that the program got.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Answered => "answered",
            Self::Failed(code) => code.as_str(),
            Self::Cancelled => "cancelled",
        }
    }
}

fn error(error: &GuestError) -> Value {
    json!({
        "name": error.name, "message": error.message, "code": error.code, "stack": error.stack, "line": error.line,
        "column": error.column, "source_line": error.source_line, "causes": error.causes, "nearest": error.nearest,
    })
}

fn brief_line(line: &ConsoleLine) -> Value {
    if line.level == Level::Log { json!({ "text": line.text }) } else { line.to_json() }
}

fn call(call: &CallRecord) -> Value {
    json!({
        "call": call.call, "path": call.path, "server": call.server, "tool": call.tool, "line": call.line,
        "argument_bytes": call.argument_bytes, "reply_bytes": call.reply_bytes, "duration_ms": milliseconds(call.duration),
        "end": call.end.as_str(), "warnings": call.warnings,
    })
}

fn brief_call(call: &CallRecord) -> Value {
    json!({ "path": call.path, "line": call.line, "end": call.end.as_str() })
}

/// What the user has to do: the sentence for whoever talks to the user, and the link in it by itself.
fn authorization(needed: &Authorization) -> Value {
    let mut form = json!({ "server": needed.server, "message": needed.to_string() });
    if let Some(link) = &needed.link {
        form["link"] = link.as_str().into();
    }
    if let Some(expires) = needed.expires.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()) {
        form["expires"] = expires.as_secs().into();
    }
    form
}

fn cost(cost: &Cost) -> Value {
    json!({
        "wall_ms": milliseconds(cost.wall), "cpu_ms": milliseconds(cost.cpu), "host_cpu_ms": milliseconds(cost.host_cpu),
        "heap_bytes": cost.heap_bytes, "origin": cost.origin.as_str(),
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
