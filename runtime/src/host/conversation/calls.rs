//! The calls of one run: counted, made, answered, and their replies checked.

use std::sync::Arc;

use futures::FutureExt as _;
use isolet_bindings::{ToolError, ToolReply};

use super::{Answered, Conversation, Heard};
use crate::host::call::Request;
use crate::host::ending;
use crate::host::outcome::{End, Stop, Traffic};
use crate::host::reply_content;

/// Answers of this length together are written before others are noted.
const WRITTEN_AT_ONCE_BYTES: usize = 64 << 10;
/// Replies whose check is more than a moment's work and has not been made yet. Further ones are not checked.
const CHECKS_WAITING_MAX: usize = 8;
/// The most servers that one outcome names as to be authorized.
const AUTHORIZATIONS_MAX: usize = 16;

impl Conversation<'_> {
    pub(super) fn hear_call(&mut self, line: u32, mut request: Request) -> Heard {
        let limits = self.assignment.limits;
        if Some(request.number) != self.last_call.checked_add(1) {
            return Heard::End(ending::lost(format!("call {} after call {}", request.number, self.last_call)));
        }
        self.last_call = request.number;
        if request.number > limits.calls_max {
            return Heard::End(End::Stopped(Stop::Calls { limit: limits.calls_max }));
        }
        let bytes = request.arguments.len();
        self.argument_bytes = self.argument_bytes.saturating_add(bytes);
        if self.argument_bytes > limits.argument_bytes_total_max {
            return Heard::End(End::Stopped(Stop::Traffic {
                what: Traffic::Arguments,
                limit: limits.argument_bytes_total_max,
            }));
        }
        // An answer that the guest does not read stays in this process, and its call in flight.
        if self.in_flight + self.outgoing.waiting_answers() >= usize::try_from(limits.calls_in_flight_max).unwrap_or(usize::MAX)
        {
            return Heard::End(ending::lost("more calls in flight than the isolate lets out".to_owned()));
        }
        request.held.shrink_to(bytes);
        self.in_flight += 1;
        self.call(line, request).map_or(Heard::More, Heard::End)
    }

    /// Makes a call. One that is answered at once costs no task; others are really parallel.
    fn call(&mut self, line: u32, request: Request) -> Option<End> {
        let record = self.records.len();
        self.records.push(self.caller.record(request.number, request.index, line, request.arguments.len()));
        let (number, index) = (request.number, request.index);
        let answer = Arc::clone(&self.caller).answer(request);
        let mut answer = Box::pin(async move { Answered { record, number, index, result: answer.await } });
        match (&mut answer).now_or_never() {
            Some(answered) => self.answer(answered),
            None => {
                self.answers.spawn(answer);
                self.processor.wait(self.assignment.slot);
                None
            }
        }
    }

    /// Notes the answer of a call. It is written with others of the same turn, and then checked against the tool's schema: the
    /// program does not wait for that.
    pub(super) fn answer(&mut self, answered: Answered) -> Option<End> {
        let Answered { record, number, index, result } = answered;
        self.in_flight -= 1;
        self.processor.wake(self.assignment.slot);
        self.records[record].answer(&result);
        let budget = &self.assignment.budget;
        let bytes = match result {
            Ok(reply) => {
                self.tell_of_blocks(index, &reply);
                let beside = self.assignment.start.keeps_content.then(|| reply_content::beside_value(&reply));
                // The whole result is for classic clients.
                let reply = reply.without_result();
                let sent = beside.as_ref().unwrap_or(&reply);
                let bytes = sent.as_json().len();
                self.outgoing.push_reply(number, sent, budget.hold(bytes));
                self.unchecked.push((record, index, reply));
                bytes
            }
            Err(error) => {
                self.note_authorization(&error);
                let text = error_text(&error);
                self.outgoing.push_error(number, &text, budget.hold(text.len()));
                text.len()
            }
        };
        self.reply_bytes = self.reply_bytes.saturating_add(bytes);
        let limit = self.assignment.limits.reply_bytes_total_max;
        if self.reply_bytes > limit {
            return Some(End::Stopped(Stop::Traffic { what: Traffic::Replies, limit }));
        }
        if self.outgoing.waiting_bytes() > WRITTEN_AT_ONCE_BYTES {
            self.outgoing.write(&self.stream);
        }
        None
    }

    /// Keeps what the user has to authorize: the outcome says it, whatever the program does with the error.
    fn note_authorization(&mut self, error: &ToolError) {
        let Some(authorization) = error.authorization() else { return };
        let known = self.authorizations.iter_mut().find(|known| known.server == authorization.server);
        if let Some(known) = known {
            // The last link may be the only one that still holds.
            known.clone_from(authorization);
        } else if self.authorizations.len() < AUTHORIZATIONS_MAX {
            self.authorizations.push(authorization.clone());
        }
    }

    /// Notes once that a reply has more than its value, for a program that has not asked for it.
    fn tell_of_blocks(&mut self, index: u32, reply: &ToolReply) {
        if self.assignment.start.keeps_content || self.has_told_of_blocks {
            return;
        }
        if let (Some(what), Some(tool)) = (reply.beside(), self.assignment.scope.tool(index)) {
            let path = tool.path();
            self.has_told_of_blocks = true;
            let read = if what == "a link to a resource" { ", and `await tools.read(block)` what is linked" } else { "" };
            self.caller.note(vec![format!(
                "the reply of `{path}` has {what} beside its value: `const call = {path}(...); const blocks = await tools.content(call);` gives all{read}"
            )]);
        }
    }

    pub(super) fn check_replies(&mut self) {
        for (record, index, reply) in std::mem::take(&mut self.unchecked) {
            let bytes = reply.as_json().len();
            let Some(check) = self.caller.check(&mut self.records[record], index, reply) else { continue };
            if self.checks.len() >= CHECKS_WAITING_MAX {
                self.records[record].close_unchecked("too many long ones at a time");
                continue;
            }
            let (caller, held) = (Arc::clone(&self.caller), self.assignment.budget.hold(bytes));
            self.checks.spawn(async move {
                let _held = held;
                (record, caller.warnings(check).await)
            });
        }
    }
}

fn error_text(error: &ToolError) -> String {
    serde_json::json!({ "code": error.code.as_str(), "message": error.message, "retryable": error.retryable }).to_string()
}
