//! What the isolate has said and the host has not been sent yet.
//!
//! The first call of a turn is sent at once; those after it gather, which makes a batch of calls few writes, and are sent a
//! millisecond later at the latest if the program goes on to call, and at the end of the turn. A console line sends everything
//! before it returns. So what a program does before it is killed has arrived, but for calls of its last millisecond.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use isolet_snapshots::door::{Door, Ended};
use isolet_snapshots::stack::Position;

use super::channel::Channel;
use crate::contract::codec::Encode as _;
use crate::contract::facts::Fact;
use crate::contract::run::{Ending, FACTS_BYTES_MAX, FromRun, NOTE_BYTES_MAX};

/// The longest that a call waits for further ones while its program makes some.
const GATHERING_MAX: Duration = Duration::from_millis(1);
/// How much is kept of each reply, bytes.
const REPLY_BYTES_KEPT: usize = 1 << 10;
/// Calls that wait for further ones, bytes.
const GATHERED_BYTES_MAX: usize = 32 << 10;

/// The end of a program, before the frame of it is written.
#[derive(Debug)]
pub(super) struct RunEnd {
    pub(super) ending: Ending,
    pub(super) position: Option<Position>,
    pub(super) text: String,
    /// The program returned `undefined`.
    pub(super) is_nothing: bool,
}

impl RunEnd {
    /// Whether the program gave something: JSON has one word for what is nothing and for `null`.
    pub(super) fn has_value(&self) -> bool {
        match self.ending {
            Ending::Returned => self.text != "null",
            Ending::TooLarge => true,
            Ending::Threw | Ending::Deadlock => false,
        }
    }
}

/// Shared between the ops (as the door) and the loop.
pub(super) struct Outbox {
    channel: Rc<RefCell<Channel>>,
    frames: Vec<u8>,
    /// When frames were sent in this turn of the loop; `None` before the first.
    sent: Option<Instant>,
    result_bytes_max: usize,
    /// Calls that were sent and not answered.
    pub(super) calls_waiting: u32,
    /// Maps a place in the JavaScript that V8 runs to one in the program.
    pub(super) position: Box<dyn Fn(Position) -> Position>,
    /// The program has returned, and its value is to be made when its calls are answered.
    pub(super) waits: bool,
    /// Where calls were made, by their numbers from 1 on, and how their replies begin.
    pub(super) calls: Vec<MadeCall>,
    pub(super) end: Option<RunEnd>,
}

/// A call that was made.
#[derive(Debug)]
pub(super) struct MadeCall {
    pub(super) position: Position,
    /// The beginning of its reply, JSON, once it is there.
    pub(super) reply: Option<String>,
}

impl Outbox {
    pub(super) fn new(channel: Rc<RefCell<Channel>>, result_bytes_max: usize) -> Self {
        Self {
            channel,
            frames: Vec::new(),
            sent: None,
            result_bytes_max,
            calls_waiting: 0,
            position: Box::new(|position| position),
            waits: false,
            calls: Vec::new(),
            end: None,
        }
    }

    /// Sends what has gathered.
    fn flush(&mut self) {
        if !self.frames.is_empty() {
            self.channel.borrow_mut().send_bytes(&self.frames);
            self.frames.clear();
        }
    }

    /// Sends what has gathered, unless more is to come soon.
    fn flush_if_due(&mut self) {
        let waited = self.sent.is_none_or(|sent| sent.elapsed() >= GATHERING_MAX);
        if waited || self.frames.len() >= GATHERED_BYTES_MAX {
            self.flush();
            self.sent = Some(Instant::now());
        }
    }

    /// Ends a turn of the loop: sends what has gathered.
    pub(super) fn end_turn(&mut self) {
        self.flush();
        self.sent = None;
    }

    /// Says what the program provably says: it goes out with whatever comes next.
    pub(super) fn say_facts(&mut self, facts: Vec<Fact>) {
        if facts.is_empty() {
            return;
        }
        let before = self.frames.len();
        FromRun::Facts { facts }.encode(&mut self.frames);
        // More than the host would take is not said: it is only worth a better message.
        if self.frames.len() - before > FACTS_BYTES_MAX {
            self.frames.truncate(before);
        }
    }

    /// Sends what was assumed of the program.
    pub(super) fn send_note(&mut self, text: &str) {
        self.add_note(text);
        self.flush();
    }

    /// Says something that goes out with what comes next.
    pub(super) fn add_note(&mut self, text: &str) {
        FromRun::note(beginning(text, NOTE_BYTES_MAX), &mut self.frames);
    }

    /// Keeps how the reply to a call begins.
    pub(super) fn keep_reply(&mut self, call: u32, succeeded: bool, text: &str) {
        let place = usize::try_from(call).ok().and_then(|call| call.checked_sub(1));
        if let Some(made) = place.and_then(|place| self.calls.get_mut(place)).filter(|_| succeeded) {
            made.reply = Some(beginning(text, REPLY_BYTES_KEPT).to_owned());
        }
    }

    /// Sends what has gathered and the end of the program.
    pub(super) fn send_end(&mut self, end: RunEnd, heap_bytes: u64) {
        let Position { line, column } = end.position.map(&self.position).unwrap_or_default();
        FromRun::End { ending: end.ending, line, column, heap_bytes, text: end.text }.encode(&mut self.frames);
        self.flush();
    }
}

/// As many whole characters of a text as fit into so many bytes.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// The door that the ops see.
pub(super) struct OutboxDoor(pub(super) Rc<RefCell<Outbox>>);

impl Door for OutboxDoor {
    fn say(&mut self, level: u8, text: &str) {
        let mut outbox = self.0.borrow_mut();
        FromRun::say(level, text, &mut outbox.frames);
        outbox.flush();
    }

    fn call(&mut self, call: u32, tool: u32, position: Position, arguments: &str) {
        let mut outbox = self.0.borrow_mut();
        let Position { line, column } = (outbox.position)(position);
        FromRun::call(call, tool, [line, column], arguments, &mut outbox.frames);
        outbox.calls.push(MadeCall { position: Position { line, column }, reply: None });
        outbox.calls_waiting += 1;
        outbox.flush_if_due();
    }

    fn note(&mut self, text: &str) {
        self.0.borrow_mut().add_note(text);
    }

    fn waits(&mut self) {
        self.0.borrow_mut().waits = true;
    }

    fn result_bytes_max(&self) -> usize {
        self.0.borrow().result_bytes_max
    }

    fn done(&mut self, ended: Ended, text: &str, position: Option<Position>) {
        let ending = match ended {
            Ended::Returned | Ended::Nothing => Ending::Returned,
            Ended::Threw => Ending::Threw,
        };
        self.0.borrow_mut().end.get_or_insert(RunEnd {
            ending,
            position,
            text: text.to_owned(),
            is_nothing: ended == Ended::Nothing,
        });
    }

    fn result_too_large(&mut self, bytes: usize) {
        let text = bytes.to_string();
        self.0.borrow_mut().end.get_or_insert(RunEnd { ending: Ending::TooLarge, position: None, text, is_nothing: false });
    }
}
