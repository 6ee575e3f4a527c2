//! One run's conversation: frames in, calls out, until the program ends or is ended.
//!
//! Every frame is hostile. The host never waits for the guest's goodwill: what it waits for has a deadline, and every ending
//! but the program's own is a kill.

mod calls;
mod closing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use isolet_bindings::{Authorization, Listener, ToolError, ToolReply, visible};
use tokio::task::{JoinError, JoinSet};

use super::advice;
use super::assignment::Assignment;
use super::call::{Caller, Request};
use super::console::Console;
use super::ending::{self, Known, LastWord};
use super::estimate::{self, MOMENT_STEPS_MAX, Work};
use super::event::Event;
use super::findings::Finding;
use super::held::Held;
use super::outcome::{ConsoleLine, End, Level, Outcome, Stop};
use super::outgoing::Outgoing;
use super::pool::claim::Claim;
use super::process::Exit;
use super::processor::Processor;
use super::record::OpenRecord;
use super::run_error::RunError;
use super::stream::{Ready, Stream};
use crate::contract::boot::Walls;
use crate::contract::codec::Decoder;
use crate::contract::facts::{FACTS_MAX, Fact};
use crate::contract::run::{Ending, FromRun, RunMaxima, ToRun};
use crate::contract::socket::ReadSize;

/// Bytes read at a time, at most.
const CHUNK_BYTES_MAX: usize = 64 << 10;
/// While more answers than this wait to be read, bytes, no further frame is taken: a guest that makes calls and reads no answer
/// keeps so much of this process's memory, and the replies to calls that were under way, at most those in flight.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How long the end of a process that has closed its socket may take to be reported. It is killed before.
const REPORT_MAX: Duration = Duration::from_secs(2);
/// How long one run keeps a thread of the application while others wait for it: then frames that have come wait.
const TURN_MAX: Duration = Duration::from_millis(1);
/// How often it is looked whether somebody is still being asked, once the run's own time is over.
const ASKED_LOOK: Duration = Duration::from_millis(100);
/// The most notes of a run: it has fewer.
const NOTES_MAX: usize = 16;
/// The most characters of one note.
const NOTE_CHARACTERS_MAX: usize = 500;
/// What it takes to compare a name with one of the scope, in steps of `estimate`.
const STEPS_OF_A_NAME: u64 = 10_000;

/// The answer of a call that a task has got.
struct Answered {
    /// The index of its record.
    record: usize,
    number: u32,
    index: u32,
    result: Result<ToolReply, ToolError>,
}

struct Conversation<'run> {
    assignment: &'run Assignment<'run>,
    claim: Claim,
    stream: Stream,
    decoder: Decoder,
    read_size: ReadSize,
    maxima: RunMaxima,
    /// What the next frame takes, once its length is known and there is room for it.
    incoming: Option<Held>,
    outgoing: Outgoing,
    caller: Arc<Caller>,
    records: Vec<OpenRecord>,
    authorizations: Vec<Authorization>,
    answers: JoinSet<Answered>,
    /// Replies that are to be checked once they are written: the index of the record, the tool.
    unchecked: Vec<(usize, u32, ToolReply)>,
    checks: JoinSet<(usize, Vec<String>)>,
    in_flight: usize,
    last_call: u32,
    argument_bytes: usize,
    reply_bytes: usize,
    console: Console,
    notes: Vec<String>,
    has_facts: bool,
    has_told_of_blocks: bool,
    heap_bytes: u64,
    deadline: tokio::time::Instant,
    /// How much of the time for which somebody was asked is in the deadline already.
    asked: Duration,
    processor: Processor,
}

/// Runs a program in the process that was claimed. `None`: that process never started, and nothing has happened.
///
/// The program is sent to one that is still to be forked as well, and waits in its socket: to hear first that it is there would cost two
/// switches between threads.
pub(crate) async fn converse<'run>(assignment: &'run Assignment<'run>, mut claim: Claim) -> Result<Option<Outcome>, RunError> {
    let (socket, preamble) = claim.take_socket().map_err(|error| RunError::bug(error.to_string()))?;
    let stream = Stream::new(socket).map_err(RunError::system("epoll_ctl"))?;
    let mut outgoing = Outgoing::new(preamble, assignment.frame_tap.clone());
    outgoing.push(&ToRun::Start { start: assignment.start.clone(), source: assignment.source.to_owned() });
    let limits = assignment.limits;
    let maxima = RunMaxima { argument_bytes_max: limits.argument_bytes_max, result_bytes_max: limits.result_bytes_max };
    let (work, listeners) = (Arc::clone(&assignment.work), assignment.listeners.clone());
    let kept_results = assignment.kept_results.clone();
    let mut conversation = Conversation {
        caller: Caller::new(Some(assignment.run), assignment.scope, assignment.host, limits, work, kept_results, listeners),
        // Further away than any clock goes is never.
        deadline: tokio::time::sleep(limits.wall_max).deadline(),
        asked: Duration::ZERO,
        processor: Processor::new(limits.cpu_max, claim.owes_walls()),
        assignment,
        claim,
        stream,
        decoder: Decoder::default(),
        read_size: ReadSize::up_to(CHUNK_BYTES_MAX),
        maxima,
        incoming: None,
        outgoing,
        records: Vec::new(),
        authorizations: Vec::new(),
        answers: JoinSet::new(),
        unchecked: Vec::new(),
        checks: JoinSet::new(),
        in_flight: 0,
        last_call: 0,
        argument_bytes: 0,
        reply_bytes: 0,
        console: Console::default(),
        notes: Vec::new(),
        has_facts: false,
        has_told_of_blocks: false,
        heap_bytes: 0,
    };
    match conversation.until_end().await? {
        Some(end) => Ok(Some(conversation.outcome(end).await)),
        None => Ok(None),
    }
}

/// What came of one frame.
enum Heard {
    /// The run goes on.
    More,
    /// The program provably says this.
    Facts(Vec<Fact>),
    /// The program has ended, in these words.
    Last(LastWord),
    /// The run is ended.
    End(End),
}

impl Conversation<'_> {
    /// How the run ended; `None`: its process never started.
    async fn until_end(&mut self) -> Result<Option<End>, RunError> {
        let wall = tokio::time::sleep_until(self.deadline);
        let look = tokio::time::sleep(self.processor.first_look());
        tokio::pin!(wall, look);
        let budget = self.assignment.budget.clone();
        loop {
            // From here on nothing is missed that is freed.
            let freed = budget.freed();
            let mut turn = tokio::time::Instant::now();
            while self.has_room()
                && let Some(frame) = self.next_frame()
            {
                match frame {
                    Ok(frame) => match self.hear(frame)? {
                        Heard::More => {}
                        Heard::Facts(facts) => {
                            if let Some(end) = self.judge(facts).await? {
                                return Ok(Some(end));
                            }
                        }
                        Heard::Last(word) => return self.end_of(word).await.map(Some),
                        Heard::End(end) => return Ok(Some(end)),
                    },
                    Err(violation) => return Ok(Some(ending::lost(violation))),
                }
                // Frames may come as fast as they are taken, and a tool may take its time before its first await.
                let now = tokio::time::Instant::now();
                if now >= self.deadline {
                    match self.late_deadline() {
                        Some(deadline) => self.deadline = deadline,
                        None => return Ok(Some(self.out_of_time())),
                    }
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
            if let Some(end) = self.end_of_work() {
                return Ok(Some(end));
            }
            let (reads, lacks_room) = (self.has_room(), self.incoming.is_none() && !self.is_clogged());
            let wants_to_write = self.outgoing.waiting_bytes() > 0;
            let is_there = self.claim.process.alive_since().is_some();
            tokio::select! {
                ready = self.stream.ready(reads, wants_to_write), if reads || wants_to_write => {
                    if ready.map_err(RunError::system("epoll_wait"))? == Ready::Readable && !self.read() {
                        return self.ended_without_word().await;
                    }
                }
                () = self.claim.process.never_there(), if !is_there => return self.ended_without_word().await,
                () = freed, if !reads && lacks_room => {}
                Some(answered) = self.answers.join_next(), if !self.answers.is_empty() => {
                    if let Some(end) = self.answer(answered.map_err(lost_task)?) {
                        return Ok(Some(end));
                    }
                }
                Some(checked) = self.checks.join_next(), if !self.checks.is_empty() => {
                    let (record, warnings) = checked.map_err(lost_task)?;
                    self.records[record].close(warnings);
                }
                () = &mut wall => match self.late_deadline() {
                    Some(deadline) => {
                        self.deadline = deadline;
                        wall.as_mut().reset(deadline);
                    }
                    None => return Ok(Some(self.out_of_time())),
                },
                () = &mut look => match self.look() {
                    Some(next) => look.as_mut().reset(tokio::time::Instant::now() + next),
                    None => return Ok(Some(self.out_of_cpu())),
                },
                () = self.assignment.cancel.cancelled() => return Ok(Some(End::Stopped(Stop::Cancelled))),
            }
        }
    }

    /// Whether the guest has to read before more of it is taken.
    fn is_clogged(&self) -> bool {
        self.outgoing.waiting_bytes() > WAITING_BYTES_MAX
    }

    /// Whether more may be taken of the guest: it reads, and what it sends next, as far as that is known, is within the budget.
    fn has_room(&mut self) -> bool {
        if self.is_clogged() {
            return false;
        }
        if self.incoming.is_none()
            && let Ok(Some(bytes)) = self.decoder.next_bytes(&self.maxima)
        {
            self.incoming = self.assignment.budget.try_hold(bytes);
            return self.incoming.is_some();
        }
        true
    }

    /// The end of the run's time, where the process was not there yet when that time began, or where somebody was asked meanwhile.
    fn late_deadline(&mut self) -> Option<tokio::time::Instant> {
        let (process, asker) = (&self.claim.process, &self.assignment.asker);
        let asked = asker.waited();
        let since_begun = || {
            let begun = if process.is_starting() { Instant::now() } else { process.alive_since()? };
            begun.checked_add(self.assignment.limits.wall_max)?.checked_add(asked).map(tokio::time::Instant::from_std)
        };
        let of_asking = self.deadline.checked_add(asked.saturating_sub(self.asked));
        let now = tokio::time::Instant::now();
        // While somebody is asked there is no end; it is looked at again soon.
        let not_yet = asker.is_open().then(|| now + ASKED_LOOK);
        let deadline = [since_begun(), of_asking].into_iter().flatten().max().filter(|deadline| *deadline > now);
        self.asked = asked;
        deadline.max(not_yet)
    }

    fn out_of_time(&self) -> End {
        End::Stopped(Stop::Wall { limit: self.assignment.limits.wall_max, pending: self.in_flight })
    }

    fn out_of_cpu(&self) -> End {
        End::Stopped(Stop::Cpu { limit: self.assignment.limits.cpu_max })
    }

    /// When to look next at what the run takes of the processor, or `None` if its limit is reached.
    fn look(&mut self) -> Option<Duration> {
        self.processor.look(&self.claim.process, &self.assignment.work, self.assignment.slot)
    }

    /// The end, if what this process did for the run since the last look has used up its processor time.
    fn end_of_work(&mut self) -> Option<End> {
        let is_used_up = self.processor.is_used_up_by_work(&self.claim.process, &self.assignment.work);
        is_used_up.then(|| self.out_of_cpu())
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

    /// Takes one frame.
    fn hear(&mut self, frame: FromRun) -> Result<Heard, RunError> {
        let held = self.incoming.take();
        match frame {
            FromRun::Refused { reason } if self.claim.owes_walls() => Err(RunError::Refused { reason }),
            FromRun::Jailed { walls } if self.claim.owes_walls() => self.hear_walls(walls),
            FromRun::Refused { .. } | FromRun::Jailed { .. } => Ok(Heard::End(ending::out_of_order())),
            _ if self.claim.owes_walls() => Ok(Heard::End(ending::out_of_order())),
            FromRun::Say { level, text } => Ok(self.hear_say(level, text)),
            FromRun::Facts { .. } if self.has_facts || self.last_call > 0 => Ok(Heard::End(ending::out_of_order())),
            FromRun::Facts { facts } => {
                self.has_facts = true;
                Ok(Heard::Facts(facts))
            }
            FromRun::Note { text } => Ok(self.hear_note(&text)),
            FromRun::Call { call, tool, line, column: _, arguments } => {
                let held = held.ok_or_else(|| RunError::bug("a frame was taken that is not held"))?;
                Ok(self.hear_call(
                    line,
                    Request {
                        number: call,
                        index: tool,
                        arguments,
                        listener: Listener::default(),
                        asker: self.assignment.asker.clone(),
                        held,
                    },
                ))
            }
            FromRun::End { ending, line, column, heap_bytes, text } => {
                self.heap_bytes = heap_bytes;
                Ok(Heard::Last(LastWord { ending, line, column, text }))
            }
        }
    }

    fn hear_walls(&mut self, walls: Walls) -> Result<Heard, RunError> {
        let missing = walls.missing_for(self.assignment.demand);
        self.claim.note_walls(&walls);
        self.processor.note_booted(&self.claim.process);
        match missing {
            Some(missing) => Err(RunError::NotIsolated { missing }),
            None => Ok(Heard::More),
        }
    }

    fn hear_say(&mut self, level: u8, text: String) -> Heard {
        let line = ConsoleLine { level: Level::from_number(level), text };
        match self.console.add(line, self.assignment.limits) {
            Ok(line) => {
                self.assignment.listeners.tell(|| Event::Console { run: self.assignment.run, line: line.clone() });
                Heard::More
            }
            Err(stop) => Heard::End(End::Stopped(stop)),
        }
    }

    fn hear_note(&mut self, text: &str) -> Heard {
        if self.notes.len() >= NOTES_MAX {
            return Heard::End(ending::lost("more notes than a run has".to_owned()));
        }
        self.notes.push(visible::line_within(text, NOTE_CHARACTERS_MAX).into_owned());
        Heard::More
    }

    /// The end of a program that provably goes wrong, before it has called anything.
    async fn judge(&self, facts: Vec<Fact>) -> Result<Option<End>, RunError> {
        let Assignment { scope, source, work, .. } = &self.assignment;
        if facts.len() > FACTS_MAX {
            return Ok(Some(ending::lost("more facts than a program has".to_owned())));
        }
        let Some(finding) = work.here(|| Finding::first(scope, &facts, MOMENT_STEPS_MAX)) else { return Ok(None) };
        let source_line = ending::source_line(source, finding.fact.line);
        let steps = self.steps_of_names().saturating_add(scope.search_work(advice::TOOLS_MAX));
        if Work::of_steps(steps) != Work::More {
            return Ok(Some(End::Threw(work.here(|| finding.error(scope, source_line)))));
        }
        let scope = (*scope).clone();
        let error = move || Finding::first(&scope, &facts, MOMENT_STEPS_MAX).map(|found| found.error(&scope, source_line));
        self.aside(0, move || error().map(End::Threw)).await
    }

    /// How much it takes to compare a name with all of the scope.
    fn steps_of_names(&self) -> u64 {
        u64::try_from(self.assignment.scope.tools().len()).unwrap_or(u64::MAX).saturating_mul(STEPS_OF_A_NAME)
    }

    /// Does what takes long aside, within the time of the run.
    async fn aside(
        &self,
        tree_bytes: usize,
        act: impl FnOnce() -> Option<End> + Send + 'static,
    ) -> Result<Option<End>, RunError> {
        let Assignment { work, cancel, .. } = &self.assignment;
        tokio::select! {
            end = work.aside(tree_bytes, act) => end.map_err(|_| RunError::bug("the end of a run could not be read")),
            () = tokio::time::sleep_until(self.deadline) => Ok(Some(self.out_of_time())),
            () = cancel.cancelled() => Ok(Some(End::Stopped(Stop::Cancelled))),
        }
    }

    /// The end that the program's last words are: read here, or aside where that takes long. The clock runs on.
    async fn end_of(&mut self, word: LastWord) -> Result<End, RunError> {
        let Assignment { scope, source, limits, work, .. } = &self.assignment;
        let known = Known {
            scope: (*scope).clone(),
            result_bytes_max: limits.result_bytes_max,
            source_line: word.source_line(source),
            answered: self.records.iter().filter(|record| !record.is_under_way()).count(),
            last_call: self.records.last().map(OpenRecord::place),
        };
        let steps = || self.steps_of_names().saturating_add(scope.search_work(advice::TOOLS_MAX));
        let is_moment = Work::of_reading(word.text.len()) != Work::More
            && (word.ending != Ending::Threw || Work::of_steps(steps()) != Work::More);
        if is_moment {
            return Ok(work.here(|| word.end(known)));
        }
        let tree_bytes = estimate::tree_bytes(&word.text);
        let end = self.aside(tree_bytes, move || Some(word.end(known))).await?;
        let end = end.ok_or_else(|| RunError::bug("a run has ended without an end"))?;
        Ok(self.end_of_work().unwrap_or(end))
    }

    /// The process has closed its socket without an end: it is dead, or will be.
    async fn ended_without_word(&self) -> Result<Option<End>, RunError> {
        let killed_by_us = match tokio::time::timeout(REPORT_MAX / 20, self.claim.process.ended()).await {
            Ok(_) => false,
            Err(_) => {
                self.claim.process.kill();
                true
            }
        };
        let exit = tokio::time::timeout(REPORT_MAX, self.claim.process.ended()).await;
        match exit {
            Ok(Exit::NotAnswered) => Ok(None),
            // Who should report its end is stopped, or gone.
            Ok(Exit::WithZygote) | Err(_) => Err(RunError::ZygoteLost),
            Ok(Exit::NotStarted { call, error }) => Err(RunError::refused(call, error)),
            Ok(Exit::Interrupted) => Err(RunError::Interrupted),
            // No program has run in it.
            Ok(Exit::Code(code)) if self.claim.owes_walls() => {
                let reason = format!("it ended before it was ready ({}): `isolet doctor` says more", ending::how(code));
                Err(RunError::Refused { reason })
            }
            Ok(Exit::Code(code)) => Ok(Some(ending::of_exit(code, killed_by_us, self.assignment.limits))),
        }
    }
}

/// Why a task of a call or a check was lost: the application's own runtime ended, or it panicked, which all that it calls is kept from.
fn lost_task(error: JoinError) -> RunError {
    if error.is_cancelled() { RunError::ShutDown } else { RunError::bug(format!("a task of a run was lost: {error}")) }
}
