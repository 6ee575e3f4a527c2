//! The guest process behind the ops: what it does with what JavaScript says.

use std::cell::RefCell;

use crate::stack::Position;

/// How a program ended, as the isolate says it.
#[expect(clippy::exhaustive_enums, reason = "made for the runtime of the same version")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It returned; the text is the JSON of its result.
    Returned,
    /// It returned what JSON has no word for: `undefined`.
    Nothing,
    /// It threw; the text is JSON of strings: `name`, `message`, and where there are any `code`, `stack`, `causes`.
    Threw,
}

/// Receives what the isolate says, on the one thread of a guest process.
pub trait Door {
    /// A console line. `level`: 0 debug, 1 log, 2 info, 3 warn, 4 error.
    fn say(&mut self, level: u8, text: &str);

    /// A tool call. `call`: the id under which JavaScript keeps the promise. `tool`: a place in the run's scope.
    /// `arguments`: JSON text.
    fn call(&mut self, call: u32, tool: u32, position: Position, arguments: &str);

    /// Something that a reader of the outcome is to know, one sentence.
    fn note(&mut self, text: &str);

    /// The program has returned, and calls of it are not answered: its value is made when they are.
    fn waits(&mut self);

    /// The longest result, bytes: a longer one is not copied out of the isolate.
    fn result_bytes_max(&self) -> usize;

    /// The program has ended.
    fn done(&mut self, ended: Ended, text: &str, position: Option<Position>);

    /// The program has returned more than [`Door::result_bytes_max`].
    fn result_too_large(&mut self, bytes: usize);
}

thread_local! {
    static DOOR: RefCell<Option<Box<dyn Door>>> = const { RefCell::new(None) };
}

/// Puts the door in place. Before that, and while a snapshot is made, the ops do nothing.
pub fn open(door: Box<dyn Door>) {
    DOOR.with_borrow_mut(|place| *place = Some(door));
}

/// Takes the door away: the ops do nothing again.
pub fn close() {
    DOOR.with_borrow_mut(Option::take);
}

/// Does something with the door, if there is one.
pub(crate) fn with<Answer>(act: impl FnOnce(&mut dyn Door) -> Answer) -> Option<Answer> {
    DOOR.with_borrow_mut(|place| place.as_mut().map(|door| act(door.as_mut())))
}
