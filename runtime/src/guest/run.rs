//! One run: read the program, start it, and turn the loop until it ends.
//!
//! The loop blocks when nothing can run. It settles calls as their answers come, fires timers that are due, and reports at
//! once when nothing is left that could settle the program.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use isolet_snapshots::door;
use isolet_snapshots::stack::Position;

use super::assumption::Assumption;
use super::channel::Channel;
use super::exit::exit;
use super::isolate::Isolate;
use super::outbox::{End, Outbox, OutboxDoor};
use super::program::Program;
use super::syntax::SyntaxError;
use super::{jail, parsing};
use crate::contract::codec::HostMaxima;
use crate::contract::guest_process::{EXIT_DONE, EXIT_HOST_GONE};
use crate::contract::run::{Ending, Start, ToRun};

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
            let mut run = Run { isolate, channel, outbox, clock: Clock::new(&start), assumed_of_value };
            run.start(program);
            let end = run.turn_until_end();
            run.end(end);
        }
        Err(error) => outbox.borrow_mut().send_end(refused(&error), isolate.heap_bytes()),
    }
}

/// The guest's clock: the host's origin, and the time that has passed since.
struct Clock {
    origin_ms: u64,
    started: Instant,
}

impl Clock {
    fn new(start: &Start) -> Self {
        Self { origin_ms: start.clock_ms, started: Instant::now() }
    }

    fn now_ms(&self) -> u64 {
        self.origin_ms + u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0)
    }
}

struct Run<'isolate> {
    isolate: &'isolate mut Isolate,
    channel: Rc<RefCell<Channel>>,
    outbox: Rc<RefCell<Outbox>>,
    clock: Clock,
    /// What is told if the program returns a value.
    assumed_of_value: Vec<Assumption>,
}

impl Run<'_> {
    fn start(&mut self, program: Program) {
        for assumption in program.assumptions().iter().filter(|assumption| !assumption.is_of_value()) {
            self.outbox.borrow_mut().send_note(assumption.sentence());
        }
        let program = Rc::new(program);
        let mapped = Rc::clone(&program);
        self.outbox.borrow_mut().position = Box::new(move |position: Position| mapped.position(position));
        let mapped = Rc::clone(&program);
        self.isolate.start(&program.javascript, move |position| mapped.position(position));
    }

    /// Turns the loop until the program has ended or can never end.
    fn turn_until_end(&mut self) -> End {
        loop {
            self.isolate.drain_microtasks();
            if let Some(end) = self.outbox.borrow_mut().end.take() {
                return end;
            }
            self.outbox.borrow_mut().end_turn();
            // Answers that came while something was written have been read with it: nothing more need come.
            if self.settle_answers() {
                self.fire_timers();
                continue;
            }
            let timer = self.isolate.next_timer();
            if timer.is_none() && self.outbox.borrow().calls_waiting == 0 {
                return End { ending: Ending::Deadlock, position: None, text: String::new() };
            }
            self.wait(timer);
            self.settle_answers();
            self.fire_timers();
        }
    }

    /// Blocks until an answer comes or the next timer is due.
    fn wait(&mut self, timer: Option<u64>) {
        let mut channel = self.channel.borrow_mut();
        let readable = match timer {
            None => Ok(true),
            Some(due) => channel.wait(Duration::from_millis(due.saturating_sub(self.clock.now_ms()))),
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

    fn end(self, end: End) {
        self.isolate.say_unhandled_rejections();
        let heap_bytes = self.isolate.heap_bytes();
        let mut outbox = self.outbox.borrow_mut();
        if end.has_value() {
            self.assumed_of_value.iter().for_each(|assumption| outbox.send_note(assumption.sentence()));
        }
        outbox.send_end(end, heap_bytes);
    }
}

/// The end of a program that was never started.
fn refused(error: &SyntaxError) -> End {
    End { ending: Ending::Threw, position: error.position, text: error.facts() }
}
