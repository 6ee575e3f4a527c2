//! Where in the guest's program something happened, taken from V8's own records and never from text of the guest.

use std::fmt::Write as _;

use deno_core::v8;

/// The name of the guest's program in V8, in stack traces and in messages.
pub const PROGRAM_NAME: &str = "main.ts";

/// The longest stack that is shown, frames.
const FRAMES_MAX: usize = 16;

/// The longest name of a function that is shown, UTF-16 units.
const NAME_LENGTH_MAX: usize = 256;

/// A position in the guest's program, both from 1; `line` 0 means unknown.
#[expect(clippy::exhaustive_structs, reason = "a line and a column")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column, in UTF-16 units.
    pub column: u32,
}

/// The position in the program that is running now: the innermost frame that is the guest's.
pub fn current(scope: &mut v8::PinScope<'_, '_>) -> Position {
    v8::StackTrace::current_stack_trace(scope, FRAMES_MAX).and_then(|stack| innermost(scope, stack)).unwrap_or_default()
}

/// The position in the program that an exception comes from. Runs no code of the guest.
pub fn of_exception<'scope>(scope: &mut v8::PinScope<'scope, '_>, exception: v8::Local<'scope, v8::Value>) -> Option<Position> {
    let message = v8::Exception::create_message(scope, exception);
    of_message(scope, message)
}

/// The position in the program that a message of V8 is about.
pub fn of_message<'scope>(scope: &mut v8::PinScope<'scope, '_>, message: v8::Local<'scope, v8::Message>) -> Option<Position> {
    if let Some(stack) = message.get_stack_trace(scope)
        && let Some(position) = innermost(scope, stack)
    {
        return Some(position);
    }
    let name = message.get_script_resource_name(scope)?;
    if !is_program(scope, v8::Local::<v8::String>::try_from(name).ok()?) {
        return None;
    }
    let line = message.get_line_number(scope)?;
    Some(position(line, message.get_start_column() + 1))
}

/// The frames of an error that are the guest's, as the lines of its `stack`, in V8's form.
pub fn frames_of<'scope>(scope: &mut v8::PinScope<'scope, '_>, error: v8::Local<'scope, v8::Value>) -> Vec<(String, Position)> {
    let mut frames = Vec::new();
    let Some(stack) = v8::Exception::get_stack_trace(scope, error) else {
        return frames;
    };
    for place in 0..stack.get_frame_count().min(FRAMES_MAX) {
        let Some(frame) = stack.get_frame(scope, place) else { break };
        if is_frame_of_program(scope, frame) {
            let name = frame.get_function_name(scope).map(|name| shown_name(scope, name));
            frames.push((name.unwrap_or_default(), position(frame.get_line_number(), frame.get_column())));
        }
    }
    frames
}

/// Frames as the text that follows an error's message.
#[must_use]
pub fn frames_text(frames: &[(String, Position)]) -> String {
    let mut text = String::new();
    for (name, Position { line, column }) in frames {
        // Writing to a string cannot fail.
        let _ = if name.is_empty() {
            write!(text, "\n    at {PROGRAM_NAME}:{line}:{column}")
        } else {
            write!(text, "\n    at {name} ({PROGRAM_NAME}:{line}:{column})")
        };
    }
    text
}

/// A name may be as long as a string can be, and stands in each frame.
fn shown_name(scope: &mut v8::PinScope<'_, '_>, name: v8::Local<'_, v8::String>) -> String {
    if name.length() <= NAME_LENGTH_MAX {
        return name.to_rust_string_lossy(scope);
    }
    let mut units = [0_u16; NAME_LENGTH_MAX];
    name.write_v2(scope, 0, &mut units, v8::WriteFlags::empty());
    String::from_utf16_lossy(&units) + "…"
}

fn innermost<'scope>(scope: &mut v8::PinScope<'scope, '_>, stack: v8::Local<'scope, v8::StackTrace>) -> Option<Position> {
    (0..stack.get_frame_count()).find_map(|place| {
        let frame = stack.get_frame(scope, place)?;
        is_frame_of_program(scope, frame).then(|| position(frame.get_line_number(), frame.get_column()))
    })
}

fn is_frame_of_program<'scope>(scope: &mut v8::PinScope<'scope, '_>, frame: v8::Local<'scope, v8::StackFrame>) -> bool {
    frame.get_script_name(scope).is_some_and(|name| is_program(scope, name))
}

fn is_program(scope: &mut v8::PinScope<'_, '_>, name: v8::Local<'_, v8::String>) -> bool {
    name.length() == PROGRAM_NAME.len() && name.to_rust_string_lossy(scope) == PROGRAM_NAME
}

fn position(line: usize, column: usize) -> Position {
    Position { line: u32::try_from(line).unwrap_or(0), column: u32::try_from(column).unwrap_or(0) }
}
