//! What a task tells the person at the terminal: on standard error, so that standard output stays the program's own.

use std::fmt::Display;

/// Writes one line to standard error.
#[expect(clippy::print_stderr, reason = "a task's words are for the person who called it")]
pub(crate) fn say(line: impl Display) {
    eprintln!("{line}");
}

/// Writes one line to standard output: what was asked for, and nothing else.
#[expect(clippy::print_stdout, reason = "the answer of a task, which another program may read")]
pub(crate) fn answer(line: impl Display) {
    println!("{line}");
}
