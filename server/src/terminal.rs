//! Standard output and standard error of the program: the one place that writes there, so that text of strangers is shown and never obeyed.
//!
//! Results go to standard output and nothing else does; what is said about them goes to standard error.

use std::io::{self, IsTerminal as _, Write as _};

use isolet::visible;
use isolet_rpc::standard_streams::{self, Writer};

/// The most characters of one thing that is said: more than an error quotes.
const SAID_CHARACTERS_MAX: usize = 20_000;

/// Writes a result that people read, line by line.
pub(crate) fn print(text: &str) -> io::Result<()> {
    write!(io::stdout(), "{}", visible::lines(text))
}

/// Writes a result that is JSON, and a line feed. The same value as `json` says, with what is not seen in it as escapes.
pub(crate) fn print_json(json: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{}", visible::json(json))
}

/// Writes the text that a program returned, and a line feed: on a terminal visibly, into a file or a pipe as it is.
pub(crate) fn print_returned(text: &str) -> io::Result<()> {
    if io::stdout().is_terminal() {
        return writeln!(io::stdout(), "{}", visible::lines(text));
    }
    writeln!(io::stdout(), "{text}")
}

/// Writes a script of ours as it is.
pub(crate) fn print_script(script: &[u8]) -> io::Result<()> {
    io::stdout().write_all(script)
}

/// Says something about a result, on one line.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "isolet: {}", visible::line_within(text, SAID_CHARACTERS_MAX));
}

/// Shows what a program said, or why it ended, line by line.
pub(crate) fn show(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible::lines(text));
}

/// Tells people what is going on, in a line that the next one replaces; only on a terminal. An empty text takes it away.
pub(crate) fn show_progress(text: &str) {
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        let dots = if text.is_empty() { "" } else { " ..." };
        let _ = write!(terminal, "\r\x1b[K{}{dots}", visible::line(text));
        let _ = terminal.flush();
    }
}

/// Asks for something on a terminal. Without one nobody agrees.
pub(crate) fn agrees(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(io::stderr(), "isolet: {}? [y/N] ", visible::line(question))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Where the messages of a protocol go, in place of results.
pub(crate) fn line_out() -> Writer {
    standard_streams::output()
}

/// Where lines of the log are written.
pub(crate) fn log() -> io::Stderr {
    io::stderr()
}
