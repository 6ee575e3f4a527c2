//! One run: read the program, start it, and turn the loop until it ends.
//!
//! The loop blocks when nothing can run. It settles calls as their answers come, fires timers that are due, and reports at
//! once when nothing is left that could settle the program.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use isolet_snapshots::door;
use isolet_snapshots::stack::Position;
use serde_json::value::RawValue;

use super::assumption::Assumption;
use super::channel::Channel;
use super::exit::exit;
use super::isolate::Isolate;
use super::outbox::{Outbox, OutboxDoor, RunEnd};
use super::program::Program;
use super::syntax::SyntaxError;
use super::{exact, jail, parsing};
use crate::contract::codec::HostMaxima;
use crate::contract::facts::{Fact, Said};
use crate::contract::guest_process::{EXIT_DONE, EXIT_HOST_GONE};
use crate::contract::run::{Ending, RunStart, ToRun};

/// What is told of replies with such integers.
const EXACT: &str = "integers beyond 2^53 in replies came as strings of their digits, which JavaScript would have rounded as numbers; an \
                     integer argument takes such a string";

/// Serves one run on its socket, then ends the process.
pub(super) fn serve(mut isolate: Isolate, channel: Channel) -> ! {
    perform(&mut isolate, channel);
    exit(EXIT_DONE)
}

/// Reads a program and runs it until it has ended and that is sent.
pub(super) fn perform(isolate: &mut Isolate, mut channel: Channel) {
    let (start, source) = loop {
        match channel.receive(&HostMaxima) {
            Ok(ToRun::Install { manifest }) => isolate.install(&manifest),
            Ok(ToRun::Start { start, source }) => break (start, source),
            Ok(ToRun::Boot(_) | ToRun::Answer { .. }) | Err(_) => exit(EXIT_HOST_GONE),
        }
    };
    jail::limit_data(start.data_bytes_max);
    jail::limit_processor(start.cpu_seconds_max);
    let channel = Rc::new(RefCell::new(channel));
    let outbox = Rc::new(RefCell::new(Outbox::new(Rc::clone(&channel), start.result_bytes_max)));
    door::open(Box::new(OutboxDoor(Rc::clone(&outbox))));
    isolate.begin(&start);

    let parsed = parsing::parse(&channel.borrow(), &source, start.source_nesting_max);
    match parsed {
        Ok(program) => {
            let assumed_of_value =
                program.assumptions().iter().copied().filter(|assumption| assumption.is_of_value()).collect();
            let program = Rc::new(program);
            let (clock, patience, keeps_content) = (Clock::new(&start), Patience::new(&start), start.keeps_content);
            let mut run =
                Run { isolate, channel, outbox, clock, patience, program, keeps_content, assumed_of_value, has_texts: false };
            run.start();
            let end = run.turn_until_end();
            run.end(end);
        }
        Err(error) => {
            let mut outbox = outbox.borrow_mut();
            let Position { line, column } = error.position.unwrap_or_default();
            outbox.say_facts(
                error.said.iter().map(|said| Fact { line, column, is_reached: true, said: Said::clone(said) }).collect(),
            );
            outbox.send_end(refused(&error), isolate.heap_bytes());
        }
    }
}

/// The guest's clock: the host's origin, and the time that has passed since.
struct Clock {
    origin_ms: u64,
    started: Instant,
}

impl Clock {
    fn new(start: &RunStart) -> Self {
        Self { origin_ms: start.clock_ms, started: Instant::now() }
    }

    fn now_ms(&self) -> u64 {
        self.origin_ms + u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0)
    }
}

/// How long a program that has returned waits for its calls.
struct Patience {
    drain_max: Duration,
    /// A moment before the host ends the run: the value is still to be said.
    wall: Option<Instant>,
    /// When there is no waiting any more, once the program has returned.
    until: Option<Instant>,
}

/// What a run leaves of its time for its value.
const LEFT_OF_WALL: Duration = Duration::from_millis(100);

impl Patience {
    fn new(start: &RunStart) -> Self {
        let wall = Duration::from_millis(start.wall_ms_max);
        let wall = wall.saturating_sub(LEFT_OF_WALL.min(wall / 4));
        Self { drain_max: Duration::from_millis(start.drain_ms_max), wall: Instant::now().checked_add(wall), until: None }
    }

    /// When it ends, for a program that has returned by now.
    fn until(&mut self) -> Option<Instant> {
        if self.until.is_none() {
            let drained = Instant::now().checked_add(self.drain_max);
            self.until = drained.into_iter().chain(self.wall).min();
        }
        self.until
    }
}

struct Run<'isolate> {
    isolate: &'isolate mut Isolate,
    channel: Rc<RefCell<Channel>>,
    outbox: Rc<RefCell<Outbox>>,
    clock: Clock,
    patience: Patience,
    program: Rc<Program>,
    /// Answers are `[value, content blocks]`.
    keeps_content: bool,
    /// Replies had integers that came as texts.
    has_texts: bool,
    /// What is told if the program returns a value.
    assumed_of_value: Vec<Assumption>,
}

impl Run<'_> {
    fn start(&mut self) {
        let program = Rc::clone(&self.program);
        self.outbox.borrow_mut().say_facts(program.facts());
        for assumption in program.assumptions().iter().filter(|assumption| !assumption.is_of_value()) {
            self.outbox.borrow_mut().send_note(assumption.sentence());
        }
        let mapped = Rc::clone(&program);
        self.outbox.borrow_mut().position = Box::new(move |position: Position| mapped.position(position));
        let mapped = Rc::clone(&program);
        self.isolate.start(&program.javascript, move |position| mapped.position(position));
    }

    /// Turns the loop until the program has ended or can never end.
    fn turn_until_end(&mut self) -> RunEnd {
        loop {
            self.isolate.drain_microtasks();
            if let Some(end) = self.outbox.borrow_mut().end.take() {
                return end;
            }
            self.outbox.borrow_mut().end_turn();
            let until = self.waits().then(|| self.patience.until()).flatten();
            let is_over = until.is_some_and(|until| until <= Instant::now());
            if self.waits() && (is_over || self.outbox.borrow().calls_waiting == 0) {
                self.outbox.borrow_mut().waits = false;
                self.isolate.finish(is_over);
                continue;
            }
            // Answers that came while something was written have been read with it: nothing more need come.
            if self.settle_answers() {
                self.fire_timers();
                continue;
            }
            let timer = self.isolate.next_timer();
            if timer.is_none() && self.outbox.borrow().calls_waiting == 0 {
                return RunEnd { ending: Ending::Deadlock, position: None, text: String::new(), is_nothing: false };
            }
            self.wait(timer, until);
            self.settle_answers();
            self.fire_timers();
        }
    }

    /// Whether the program has returned and waits for its calls.
    fn waits(&self) -> bool {
        self.outbox.borrow().waits
    }

    /// Blocks until an answer comes, the next timer is due or nothing is waited for any more.
    fn wait(&mut self, timer: Option<u64>, until: Option<Instant>) {
        let mut channel = self.channel.borrow_mut();
        let due = timer.map(|due| Duration::from_millis(due.saturating_sub(self.clock.now_ms())));
        let patience = until.map(|until| until.saturating_duration_since(Instant::now()));
        let readable = match due.into_iter().chain(patience).min() {
            None => Ok(true),
            Some(wait) => channel.wait(wait),
        };
        if !readable.is_ok_and(|readable| !readable || channel.fill().is_ok()) {
            exit(EXIT_HOST_GONE);
        }
    }

    /// Settles the calls whose answers have been read; whether there were any.
    fn settle_answers(&mut self) -> bool {
        let mut has_settled = false;
        loop {
            let received = self.channel.borrow_mut().received(&HostMaxima);
            match received {
                Ok(Some(ToRun::Answer { call, succeeded, text })) => {
                    self.outbox.borrow_mut().calls_waiting -= 1;
                    self.isolate.move_clock(self.clock.now_ms());
                    let exact = exact::with_texts(&text);
                    self.has_texts |= exact.is_some();
                    let text = exact.unwrap_or(text);
                    let value = if succeeded && self.keeps_content { first_of_pair(&text) } else { &text };
                    self.outbox.borrow_mut().keep_reply(call, succeeded, value);
                    self.isolate.settle(call, succeeded, &text);
                    has_settled = true;
                }
                Ok(None) => return has_settled,
                Ok(Some(_)) | Err(_) => exit(EXIT_HOST_GONE),
            }
        }
    }

    /// Fires the timers that are due, each with its microtasks.
    fn fire_timers(&mut self) {
        let now = self.clock.now_ms();
        while self.isolate.next_timer().is_some_and(|due| due <= now) && self.outbox.borrow().end.is_none() {
            self.isolate.move_clock(now);
            if !self.isolate.fire_timer() {
                return;
            }
            self.isolate.drain_microtasks();
        }
    }

    /// The end of a program that threw, with the reply that it took for something else.
    fn blamed(&self, mut end: RunEnd) -> RunEnd {
        let is_of_a_value =
            end.text.starts_with("{\"name\":\"TypeError\"") || end.text.starts_with("{\"name\":\"SyntaxError\"");
        let outbox = self.outbox.borrow();
        let place = end.position.filter(|_| end.ending == Ending::Threw && is_of_a_value).map(&outbox.position);
        if let Some(blamed) = place.and_then(|place| self.program.blamed(place, &outbox.calls))
            && let Ok(blamed) = serde_json::to_string(&blamed)
            && end.text.pop() == Some('}')
        {
            end.text.push_str(&format!(",\"blamed\":{blamed}}}"));
        }
        end
    }

    fn end(self, end: RunEnd) {
        let end = self.blamed(end);
        self.isolate.say_unhandled_rejections();
        let heap_bytes = self.isolate.heap_bytes();
        let mut outbox = self.outbox.borrow_mut();
        if self.has_texts {
            outbox.add_note(EXACT);
        }
        if end.is_nothing {
            let sentence = self.program.why_nothing(&outbox.calls);
            outbox.add_note(&sentence);
        }
        // A member of a promise is undefined, of which JSON makes null.
        if end.has_value()
            && end.text.contains("null")
            && let Some(sentence) = self.program.awaited_array()
        {
            outbox.add_note(&sentence);
        }
        if end.has_value() {
            self.assumed_of_value.iter().for_each(|assumption| outbox.add_note(assumption.sentence()));
        }
        outbox.send_end(end, heap_bytes);
    }
}

/// The end of a program that was never started.
fn refused(error: &SyntaxError) -> RunEnd {
    RunEnd { ending: Ending::Threw, position: error.position, text: error.facts(), is_nothing: false }
}

/// The JSON text of the first element of an array.
fn first_of_pair(json: &str) -> &str {
    let mut elements = serde_json::Deserializer::from_str(json.get(1..).unwrap_or_default()).into_iter::<&RawValue>();
    elements.next().and_then(Result::ok).map_or("null", RawValue::get)
}
