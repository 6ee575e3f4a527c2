//! What a program has written to its console, within the limits of its run.

use super::limits::Limits;
use super::outcome::{ConsoleLine, Stop};

/// The console of one run.
#[derive(Debug, Default)]
pub(crate) struct Console {
    lines: Vec<ConsoleLine>,
    bytes: usize,
}

impl Console {
    /// Adds a line. An error if there is no room for it.
    pub(crate) fn add(&mut self, line: ConsoleLine, limits: &Limits) -> Result<&ConsoleLine, Stop> {
        self.bytes = self.bytes.saturating_add(line.text.len());
        if self.bytes > limits.console_bytes_max {
            return Err(Stop::Output { what: format!("the console's limit is {} bytes", limits.console_bytes_max) });
        }
        if self.lines.len() >= usize::try_from(limits.console_lines_max).unwrap_or(usize::MAX) {
            return Err(Stop::Output { what: format!("the console's limit is {} lines", limits.console_lines_max) });
        }
        let index = self.lines.len();
        self.lines.push(line);
        Ok(&self.lines[index])
    }

    /// All lines, in their order.
    pub(crate) fn into_lines(self) -> Vec<ConsoleLine> {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::outcome::Level;

    fn line(text: &str) -> ConsoleLine {
        ConsoleLine { level: Level::Log, text: text.to_owned() }
    }

    #[test]
    fn the_last_byte_and_the_last_line_fit_and_no_other() {
        let limits = Limits { console_bytes_max: 4, console_lines_max: 2, ..Limits::default() };
        let mut console = Console::default();
        assert!(console.add(line("ab"), &limits).is_ok() && console.add(line("cd"), &limits).is_ok());
        assert!(matches!(console.add(line(""), &limits), Err(Stop::Output { what }) if what.ends_with("2 lines")));
        assert!(matches!(console.add(line("e"), &limits), Err(Stop::Output { what }) if what.ends_with("4 bytes")));
        assert_eq!(console.into_lines(), [line("ab"), line("cd")]);
    }
}
