//! One run's conversation: frames in, calls out, until the program ends or is ended.
//!
//! Every frame is hostile. The host never waits for the guest's goodwill: what it waits for has a deadline, and every ending
//! but the program's own is a kill.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use isolet_bindings::{Scope, ToolError, ToolReply};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::claim::Claim;
use super::gate::{self, Authorised};
use super::limits::Limits;
use super::outcome::{CallEnd, CallRecord, ConsoleLine, Cost, End, GuestError, Level, Outcome, Stop};
use super::outgoing::Outgoing;
use super::process::Exit;
use super::processor::Processor;
use super::reply_check::{self, Check};
use super::run_error::RunError;
use super::stream::{Ready, Stream};
use super::tool_host::{self, AnyToolHost};
use crate::frame::{Decoder, Ending, FromRun, RunMaxima, Start, ToRun, Walls};
use crate::guest;
use crate::socket::ReadSize;

/// Bytes read at a time, at most.
const CHUNK_BYTES_MAX: usize = 64 << 10;
/// While more answers than this wait to be read, bytes, no further frame is taken: a guest that makes calls and reads no answer
/// keeps so much of this process's memory, and the replies to calls that were under way, at most those in flight.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// Answers of this length together are written before others are noted.
const WRITTEN_AT_ONCE_BYTES: usize = 64 << 10;
/// How long the end of a process that has closed its socket may take to be reported. It is killed before.
const REPORT_MAX: Duration = Duration::from_secs(2);
/// The deepest result that JSON readers bear.
const RESULT_DEPTH_MAX: usize = 120;
/// How long one run keeps a thread of the application while others wait for it: then frames that have come wait.
const TURN_MAX: Duration = Duration::from_millis(1);

/// What happens in a run, as it happens.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event {
    /// The program said something.
    Console(ConsoleLine),
    /// A tool call was made: its path.
    Called(String),
    /// A tool call has ended.
    Answered(CallRecord),
}

/// What a run is to do.
pub(crate) struct Assignment<'run> {
    pub(crate) scope: &'run Scope,
    pub(crate) host: &'run Arc<dyn AnyToolHost>,
    pub(crate) source: &'run str,
    pub(crate) limits: &'run Limits,
    pub(crate) start: Start,
    /// Who listens: to this run, and to all of its session.
    pub(crate) events: [Option<&'run mpsc::Sender<Event>>; 2],
    pub(crate) cancel: &'run CancellationToken,
    pub(crate) strict: bool,
    pub(crate) requested: Instant,
}

/// An answer that a task has got: the call's place in the records.
type Answered = (usize, u32, Result<ToolReply, ToolError>);

struct Conversation<'run> {
    assignment: Assignment<'run>,
    claim: Claim,
    processor: Processor,
    stream: Stream,
    decoder: Decoder,
    read_size: ReadSize,
    maxima: RunMaxima,
    outgoing: Outgoing,
    answers: JoinSet<Answered>,
    /// Replies that are to be checked once they are written, each with the place of its record.
    unchecked: Vec<(usize, ToolReply)>,
    checks: JoinSet<(usize, Vec<String>)>,
    started: Vec<Instant>,
    records: Vec<CallRecord>,
    in_flight: usize,
    last_call: u32,
    console: Vec<ConsoleLine>,
    console_bytes: usize,
    heap_bytes: u64,
}

/// Runs a program in the process that was claimed.
pub(crate) async fn converse(assignment: Assignment<'_>, mut claim: Claim) -> Result<Outcome, RunError> {
    let (socket, preamble) = claim.take_socket().map_err(|error| RunError::bug(error.to_string()))?;
    let stream = Stream::new(socket).map_err(RunError::system("epoll_ctl"))?;
    let mut outgoing = Outgoing::new(preamble);
    outgoing.push(&ToRun::Start { start: assignment.start.clone(), source: assignment.source.to_owned() });
    let limits = assignment.limits;
    let maxima = RunMaxima { argument_bytes_max: limits.argument_bytes_max, result_bytes_max: limits.result_bytes_max };
    let mut conversation = Conversation {
        processor: Processor::new(limits.cpu_max, claim.owes_walls()),
        assignment,
        claim,
        stream,
        decoder: Decoder::default(),
        read_size: ReadSize::up_to(CHUNK_BYTES_MAX),
        maxima,
        outgoing,
        answers: JoinSet::new(),
        unchecked: Vec::new(),
        checks: JoinSet::new(),
        started: Vec::new(),
        records: Vec::new(),
        in_flight: 0,
        last_call: 0,
        console: Vec::new(),
        console_bytes: 0,
        heap_bytes: 0,
    };
    let end = conversation.until_end().await?;
    Ok(conversation.outcome(end).await)
}

impl Conversation<'_> {
    async fn until_end(&mut self) -> Result<End, RunError> {
        let wall = tokio::time::sleep(self.assignment.limits.wall_max);
        let deadline = wall.deadline();
        let cpu = tokio::time::sleep(self.processor.first_look());
        tokio::pin!(wall, cpu);
        loop {
            let mut turn = tokio::time::Instant::now();
            while !self.is_clogged()
                && let Some(frame) = self.next_frame()
            {
                let end = match frame {
                    Ok(frame) => self.hear(frame)?,
                    Err(violation) => Some(lost(violation)),
                };
                if let Some(end) = end {
                    return Ok(end);
                }
                // Frames may come as fast as they are taken, and a tool may take its time before its first await.
                let now = tokio::time::Instant::now();
                if now >= deadline {
                    return Ok(self.out_of_time());
                }
                if now >= turn + TURN_MAX {
                    tokio::task::yield_now().await;
                    turn = tokio::time::Instant::now();
                }
            }
            let was_clogged = self.is_clogged();
            self.outgoing.write(&self.stream);
            self.check_replies();
            if was_clogged && !self.is_clogged() {
                continue; // frames that have come still wait to be taken
            }
            let (reads, wants_room) = (!self.is_clogged(), self.outgoing.waiting_bytes() > 0);
            tokio::select! {
                ready = self.stream.ready(reads, wants_room) => {
                    if ready.map_err(RunError::system("epoll_wait"))? == Ready::Readable && !self.read() {
                        return self.ended_without_word().await;
                    }
                }
                Some(answered) = self.answers.join_next(), if !self.answers.is_empty() => {
                    if let Ok((record, call, result)) = answered {
                        self.answer(record, call, result);
                    }
                }
                () = &mut wall => return Ok(self.out_of_time()),
                () = &mut cpu => match self.processor.look(&self.claim.process) {
                    Some(next) => cpu.as_mut().reset(tokio::time::Instant::now() + next),
                    None => return Ok(End::Stopped(Stop::Cpu { limit: self.assignment.limits.cpu_max })),
                },
                () = self.assignment.cancel.cancelled() => return Ok(End::Stopped(Stop::Cancelled)),
            }
        }
    }

    /// Whether the guest has to read before more of it is taken.
    fn is_clogged(&self) -> bool {
        self.outgoing.waiting_bytes() > WAITING_BYTES_MAX
    }

    fn out_of_time(&self) -> End {
        End::Stopped(Stop::Wall { limit: self.assignment.limits.wall_max, pending: self.in_flight })
    }

    /// Reads what has come. False at the end of the stream.
    fn read(&mut self) -> bool {
        match self.stream.try_read_into(self.decoder.buffer(), self.read_size.bytes()) {
            Ok(bytes) => {
                self.read_size.note(bytes);
                bytes > 0
            }
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }

    fn next_frame(&mut self) -> Option<Result<FromRun, String>> {
        self.decoder.next(&self.maxima).map_err(|error| error.to_string()).transpose()
    }

    /// Takes one frame; the end, if it is the last.
    fn hear(&mut self, frame: FromRun) -> Result<Option<End>, RunError> {
        match frame {
            FromRun::Refused { reason } if self.claim.owes_walls() => Err(RunError::Refused { reason }),
            FromRun::Jailed { walls } if self.claim.owes_walls() => self.hear_walls(walls),
            FromRun::Refused { .. } | FromRun::Jailed { .. } => Ok(Some(out_of_order())),
            _ if self.claim.owes_walls() => Ok(Some(out_of_order())),
            FromRun::Say { level, text } => Ok(self.hear_say(level, text)),
            FromRun::Call { call, tool, line, column: _, arguments } => Ok(self.hear_call(call, tool, line, &arguments)),
            FromRun::End { ending, line, column, heap_bytes, text } => {
                self.heap_bytes = heap_bytes;
                Ok(Some(self.hear_end(ending, line, column, &text)))
            }
        }
    }

    fn hear_walls(&mut self, walls: Walls) -> Result<Option<End>, RunError> {
        let missing = walls.missing_for_strict();
        self.claim.note_walls(&walls);
        self.processor.note_booted(&self.claim.process);
        match missing {
            Some(missing) if self.assignment.strict => Err(RunError::NotIsolated { missing }),
            _ => Ok(None),
        }
    }

    fn hear_say(&mut self, level: u8, text: String) -> Option<End> {
        let limits = self.assignment.limits;
        self.console_bytes += text.len();
        if self.console_bytes > limits.console_bytes_max {
            return Some(End::Stopped(Stop::Output {
                what: format!("the console's limit is {} bytes", limits.console_bytes_max),
            }));
        }
        if self.console.len() >= usize::try_from(limits.console_lines_max).unwrap_or(usize::MAX) {
            return Some(End::Stopped(Stop::Output {
                what: format!("the console's limit is {} lines", limits.console_lines_max),
            }));
        }
        let line = ConsoleLine { level: Level::from_number(level), text };
        self.tell(|| Event::Console(line.clone()));
        self.console.push(line);
        None
    }

    /// Tells who listens. One that is slow misses events and delays nothing; the outcome has them all.
    fn tell(&self, event: impl FnOnce() -> Event) {
        if self.assignment.events.iter().any(Option::is_some) {
            let event = event();
            for events in self.assignment.events.iter().flatten() {
                let _ = events.try_send(event.clone());
            }
        }
    }

    fn hear_call(&mut self, call: u32, index: u32, line: u32, arguments: &str) -> Option<End> {
        let limits = self.assignment.limits;
        if call != self.last_call + 1 {
            return Some(lost(format!("call {call} after call {}", self.last_call)));
        }
        self.last_call = call;
        if call > limits.calls_max {
            return Some(End::Stopped(Stop::Calls { limit: limits.calls_max }));
        }
        // An answer that the guest does not read stays in this process, and its call in flight.
        if self.in_flight + self.outgoing.waiting_answers() >= usize::try_from(limits.calls_in_flight_max).unwrap_or(usize::MAX)
        {
            return Some(lost("more calls in flight than the isolate lets out".to_owned()));
        }
        self.in_flight += 1;
        let authorised = gate::authorise(self.assignment.scope, call, index, arguments, limits.argument_bytes_max);
        let record = self.records.len();
        self.records.push(gate::record_of(&authorised, line, arguments.len()));
        self.started.push(Instant::now());
        self.tell(|| Event::Called(self.records[record].path.clone()));
        match authorised {
            Ok(Authorised::Tool(_, tool_call)) => self.call_tool(record, call, tool_call),
            Ok(Authorised::Scope(_, value)) => {
                self.answer(record, call, tool_host::within(Ok(ToolReply::from(value)), limits.reply_bytes_max));
            }
            Err((_, error)) => self.answer(record, call, Err(error)),
        }
        None
    }

    /// Calls the tool. One that answers at once costs no task; others are really parallel.
    fn call_tool(&mut self, record: usize, call: u32, tool_call: isolet_bindings::ToolCall) {
        let host = Arc::clone(self.assignment.host);
        let reply_bytes_max = self.assignment.limits.reply_bytes_max;
        let span = tracing::debug_span!("call", path = %tool_call.path, id = call);
        let mut answer =
            Box::pin(async move { (record, call, tool_host::call(&*host, tool_call, reply_bytes_max).await) }.instrument(span));
        match (&mut answer).now_or_never() {
            Some((record, call, result)) => self.answer(record, call, result),
            None => {
                self.answers.spawn(answer);
            }
        }
    }

    /// Notes the answer of a call. It is written with others of the same turn, and then checked against the tool's schema: the
    /// program does not wait for that.
    fn answer(&mut self, record: usize, call: u32, result: Result<ToolReply, ToolError>) {
        self.in_flight -= 1;
        let text = match &result {
            Ok(reply) => std::borrow::Cow::Borrowed(reply.as_json()),
            Err(error) => error_text(error).into(),
        };
        self.outgoing.push_answer(call, result.is_ok(), &text);
        if self.outgoing.waiting_bytes() > WRITTEN_AT_ONCE_BYTES {
            self.outgoing.write(&self.stream);
        }
        self.records[record].settle(self.started[record].elapsed(), text.len(), result.as_ref().err());
        match result {
            Ok(reply) => self.unchecked.push((record, reply)),
            Err(_) => self.tell(|| Event::Answered(self.records[record].clone())),
        }
    }

    fn check_replies(&mut self) {
        for (record, reply) in std::mem::take(&mut self.unchecked) {
            match reply_check::check(self.assignment.scope, &self.records[record].path, reply.as_json()) {
                Check::Done(warnings) => self.records[record].warnings = warnings,
                Check::Running(warnings) => {
                    self.checks.spawn(async move { (record, warnings.await.unwrap_or_default()) });
                }
            }
            self.tell(|| Event::Answered(self.records[record].clone()));
        }
    }

    fn hear_end(&self, ending: Ending, line: u32, column: u32, text: &str) -> End {
        let limits = self.assignment.limits;
        match ending {
            Ending::Returned if text.len() > limits.result_bytes_max => lost("a result beyond its limit".to_owned()),
            Ending::Returned => returned(text),
            Ending::Threw => match serde_json::from_str(text) {
                Ok(facts) => End::Threw(self.error_of(facts, line, column)),
                Err(_) => lost("an error that is not well formed".to_owned()),
            },
            Ending::TooLarge => {
                let bytes = text.parse::<u64>().unwrap_or_default();
                let what = format!("the result has {bytes} bytes, the limit is {} bytes", limits.result_bytes_max);
                End::Stopped(Stop::Output { what })
            }
            Ending::Deadlock => End::Stopped(Stop::Deadlock {
                answered: self.records.iter().filter(|record| record.end != CallEnd::Cancelled).count(),
                last_call: self.records.last().map(|record| format!("`{}` at line {}", record.path, record.line)),
            }),
        }
    }

    fn error_of(&self, facts: ErrorFacts, line: u32, column: u32) -> GuestError {
        let source_line = usize::try_from(line).ok().and_then(|line| self.assignment.source.lines().nth(line.checked_sub(1)?));
        let source_line: Option<String> = source_line.map(|text| text.chars().take(SOURCE_LINE_CHARACTERS_MAX).collect());
        let nearest = if facts.name == "TypeError" { self.nearest(source_line.as_deref()) } else { Vec::new() };
        GuestError {
            name: facts.name,
            message: facts.message,
            code: facts.code,
            stack: facts.stack,
            line: (line > 0).then_some(line),
            column: (line > 0).then_some(column),
            source_line,
            causes: facts.causes.into_iter().map(|cause| format!("{}: {}", cause.name, cause.message)).collect(),
            nearest,
        }
    }

    /// The names of this scope nearest to one that is not there: of each `namespace.tool(` on the line that failed.
    fn nearest(&self, source_line: Option<&str>) -> Vec<String> {
        let scope = self.assignment.scope;
        let words = source_line
            .unwrap_or_default()
            .split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '$' | '.')));
        let missing = words.filter_map(|word| {
            let (namespace, _) = word.split_once('.')?;
            let known = scope.manifest().namespaces.iter().any(|known| known.name == namespace);
            (known && scope.find(word).is_none()).then_some(word)
        });
        missing.take(NEAREST_MAX).flat_map(|word| scope.nearest(word)).take(NEAREST_MAX).collect()
    }

    /// The process has closed its socket without an end: it is dead, or will be.
    async fn ended_without_word(&self) -> Result<End, RunError> {
        let killed_by_us = match tokio::time::timeout(REPORT_MAX / 20, self.claim.process.ended()).await {
            Ok(_) => false,
            Err(_) => {
                self.claim.process.kill();
                true
            }
        };
        let exit = tokio::time::timeout(REPORT_MAX, self.claim.process.ended()).await;
        match exit {
            // Who should report its end is stopped, or gone.
            Ok(Exit::WithZygote | Exit::NotAnswered) | Err(_) => Err(RunError::ZygoteLost),
            Ok(Exit::NotStarted { call, error }) => Err(RunError::refused(call, error)),
            Ok(Exit::Interrupted) => Err(RunError::Interrupted),
            // No program has run in it.
            Ok(Exit::Code(code)) if self.claim.owes_walls() => {
                let reason = format!("it ended before it was ready ({}): `isolet doctor` says more", how(code));
                Err(RunError::Refused { reason })
            }
            Ok(Exit::Code(code)) => Ok(self.classified(code, killed_by_us)),
        }
    }

    fn classified(&self, code: i32, killed_by_us: bool) -> End {
        match code {
            guest::EXIT_HEAP => End::Stopped(Stop::Heap { limit: self.assignment.limits.heap_bytes_max }),
            guest::EXIT_DATA => End::Stopped(Stop::Data),
            // The kernel's own limit, which stands behind ours.
            code if code == -libc::SIGXCPU => End::Stopped(Stop::Cpu { limit: self.assignment.limits.cpu_max }),
            code if code == -libc::SIGKILL && !killed_by_us => End::Stopped(Stop::Data),
            code => lost(how(code)),
        }
    }

    async fn outcome(mut self, end: End) -> Outcome {
        let cpu = self.claim.process.cpu_time().unwrap_or_default();
        self.claim.process.kill();
        self.check_replies();
        // Calls in flight are cancelled at their next await.
        self.answers.abort_all();
        for record in 0..self.records.len() {
            if self.records[record].end == CallEnd::Cancelled {
                self.records[record].duration = self.started[record].elapsed();
                self.tell(|| Event::Answered(self.records[record].clone()));
            }
        }
        // A run that was stopped is told of at once: nobody waits for what is only a warning.
        while !matches!(end, End::Stopped(_))
            && let Some(checked) = self.checks.join_next().await
        {
            if let Ok((record, warnings)) = checked {
                self.records[record].warnings = warnings;
            }
        }
        let wall = self.assignment.requested.elapsed();
        let cost = Cost { wall, cpu, heap_bytes: self.heap_bytes, origin: self.claim.origin };
        Outcome { end, console: std::mem::take(&mut self.console), calls: std::mem::take(&mut self.records), cost }
    }
}

const SOURCE_LINE_CHARACTERS_MAX: usize = 200;
const NEAREST_MAX: usize = 5;

/// What a program threw, as the isolate describes it.
#[derive(serde::Deserialize)]
struct ErrorFacts {
    name: String,
    message: String,
    code: Option<String>,
    stack: Option<String>,
    #[serde(default)]
    causes: Vec<ErrorFacts>,
}

/// What an exit code says: minus a signal, or what the process itself said.
fn how(code: i32) -> String {
    if code < 0 { format!("signal {}", -code) } else { format!("exit code {code}") }
}

fn lost(how: String) -> End {
    End::Stopped(Stop::GuestLost { how })
}

/// The end of a process that says its walls twice, or anything else before them: only its own code runs there until then.
fn out_of_order() -> End {
    lost("a frame out of its order".to_owned())
}

fn error_text(error: &ToolError) -> String {
    serde_json::json!({ "code": error.code.as_str(), "message": error.message, "retryable": error.retryable }).to_string()
}

/// The result of a program, or why it is none.
fn returned(text: &str) -> End {
    if depth_of(text) > RESULT_DEPTH_MAX {
        return End::Threw(GuestError {
            name: "RangeError".to_owned(),
            message: format!("the result is nested deeper than {RESULT_DEPTH_MAX} levels: return a flatter value"),
            ..GuestError::default()
        });
    }
    serde_json::from_str(&without_lone_surrogates(text))
        .map_or_else(|_| lost("a result that is not JSON".to_owned()), End::Returned)
}

/// JSON text with each lone surrogate as U+FFFD: `JSON.stringify` escapes those and only those, and a Rust string cannot hold one.
fn without_lone_surrogates(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        replaced.push_str(before);
        let surrogate = escape.get(..6).is_some_and(|escape| escape.starts_with("\\ud") && escape.as_bytes()[3] >= b'8');
        let taken = if surrogate { 6 } else { escape.len().min(2) };
        replaced.push_str(if surrogate { "\\ufffd" } else { escape.get(..taken).unwrap_or(escape) });
        rest = escape.get(taken..).unwrap_or_default();
    }
    replaced.push_str(rest);
    replaced
}

/// How deep arrays and objects are nested in JSON text.
fn depth_of(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(depth_of(r#"{"a":"[[[\"[","b":[[1]]}"#), 3);
        assert_eq!(depth_of("1"), 0);
    }

    #[test]
    fn a_result_at_the_depth_limit_is_a_value_and_one_beyond_is_an_error() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(matches!(returned(&nested(RESULT_DEPTH_MAX)), End::Returned(_)));
        assert!(matches!(returned(&nested(RESULT_DEPTH_MAX + 1)), End::Threw(_)));
    }

    #[test]
    fn a_result_that_is_no_json_is_the_end_of_its_process() {
        assert!(matches!(returned("{"), End::Stopped(Stop::GuestLost { .. })));
    }
}
