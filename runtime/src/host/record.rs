//! The record of a call, from its arrival on: one `Called` and one `Answered` for each call, whatever becomes of it.

use std::time::{Duration, Instant};

use isolet_bindings::{ToolError, ToolReply};

use super::event::{Event, Listeners};
use super::gate::Target;
use super::outcome::{CallEnd, CallRecord};
use super::run_id::RunId;

/// What the warnings of a reply are that was not checked, and why.
pub(crate) fn unchecked(why: &str) -> Vec<String> {
    vec![format!("the reply was not checked against its schema: {why}")]
}

/// Where and as which a call was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    /// `None` of a classic client.
    pub(crate) run: Option<RunId>,
    /// Its number there.
    pub(crate) call: u32,
    /// The line of the program.
    pub(crate) line: u32,
}

/// A call that has arrived.
#[derive(Debug)]
pub(crate) struct OpenRecord {
    record: CallRecord,
    began: Instant,
    state: State,
    listeners: Listeners,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is not answered.
    UnderWay,
    /// It is answered; its reply may still be checked.
    Answered,
    /// Who listens was told so: nothing of it changes any more.
    Told,
}

impl OpenRecord {
    /// Begins the record of a call and tells of it.
    pub(crate) fn begin(target: Target<'_>, made: Made, argument_bytes: usize, listeners: Listeners) -> Self {
        let Made { run, call, line } = made;
        let (server, tool) = match target {
            Target::Tool(tool) => (tool.server(), tool.name()),
            Target::Prompt { server, name } => (server, name),
            Target::Own(_) | Target::Unknown => ("", ""),
        };
        let record = CallRecord {
            run,
            call,
            path: target.path().to_owned(),
            server: server.to_owned(),
            tool: tool.to_owned(),
            line,
            argument_bytes,
            reply_bytes: 0,
            duration: Duration::ZERO,
            // Until it has an answer: then this is changed once.
            end: CallEnd::Cancelled,
            warnings: Vec::new(),
        };
        listeners.tell(|| Event::Called { run, call, path: record.path.clone() });
        Self { record, began: Instant::now(), state: State::UnderWay, listeners }
    }

    /// Whether it is not answered.
    pub(crate) fn is_under_way(&self) -> bool {
        self.state == State::UnderWay
    }

    /// Notes the answer of the call. An error is told of at once; a reply once it is checked.
    pub(crate) fn answer(&mut self, answer: &Result<ToolReply, ToolError>) {
        if !self.is_under_way() {
            return;
        }
        self.state = State::Answered;
        self.record.duration = self.began.elapsed();
        match answer {
            Ok(reply) => {
                self.record.reply_bytes = reply.as_json().len();
                self.record.end = CallEnd::Answered;
            }
            Err(error) => {
                self.record.reply_bytes = error.message.len();
                self.record.end = CallEnd::Failed(error.code);
                self.tell();
            }
        }
    }

    /// Notes what the check of the reply came to, and tells that the call has ended.
    pub(crate) fn close(&mut self, warnings: Vec<String>) {
        if self.state == State::Answered {
            self.record.warnings = warnings;
            self.tell();
        }
    }

    /// Ends the wait for the check of a reply: it was not made, for this reason.
    pub(crate) fn close_unchecked(&mut self, why: &str) {
        if self.state == State::Answered {
            self.close(unchecked(why));
        }
    }

    /// Which call it is: `path at line N`.
    pub(crate) fn place(&self) -> String {
        format!("`{}` at line {}", self.record.path, self.record.line)
    }

    /// The record, of a call that is cancelled if it was not answered; tells that it has ended, unless that is told.
    pub(crate) fn ended(mut self) -> CallRecord {
        self.end();
        let record = &mut self.record;
        let [path, server, tool] = [&mut record.path, &mut record.server, &mut record.tool].map(std::mem::take);
        CallRecord { path, server, tool, end: record.end.clone(), warnings: std::mem::take(&mut record.warnings), ..*record }
    }

    fn end(&mut self) {
        if self.is_under_way() {
            self.record.duration = self.began.elapsed();
        }
        if self.state != State::Told {
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.state = State::Told;
        self.listeners.tell(|| Event::Answered(self.record.clone()));
    }
}

/// A call that nobody waits for any more has ended, too.
impl Drop for OpenRecord {
    fn drop(&mut self) {
        self.end();
    }
}
