//! Messages among what else servers write to standard output: prompts before them, colours, JSON that is laid out over several lines.
//!
//! The protocol allows none of that, and servers do it all the same. A line that is a message is never taken for anything else.

use std::borrow::Cow;

/// The longest noise before a message on its line, bytes: a prompt, a word. What is longer is a line of a log that quotes something.
const PREFIX_BYTES_MAX: usize = 64;

/// Finds the messages of one server, line by line.
pub(super) struct Sieve {
    /// The beginning of an object that goes on in the next lines.
    begun: String,
    bytes_max: usize,
}

impl Sieve {
    /// Messages have at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { begun: String::new(), bytes_max }
    }

    /// What ends with `line` and may be a message: an object, by its first and last character. `is_indented`: there was space before it.
    pub(super) fn pass<'line>(&mut self, line: &'line str, is_indented: bool) -> Option<Cow<'line, str>> {
        // A part of an object that is laid out may be an object.
        let is_part = is_indented && !self.begun.is_empty() && !line.contains("\"jsonrpc\"");
        if line.starts_with('{') && !is_part {
            self.begun.clear();
            if line.ends_with('}') {
                return Some(Cow::Borrowed(line));
            }
            self.begun.push_str(line);
            return None;
        }
        if let Some(message) = after_prefix(line).filter(|_| !is_part) {
            self.begun.clear();
            return Some(Cow::Borrowed(message));
        }
        if self.begun.is_empty() || self.begun.len() + line.len() + 1 >= self.bytes_max {
            self.begun.clear();
            return None;
        }
        self.begun.push('\n');
        self.begun.push_str(line);
        // Laid out, an object ends with the first bracket that is not moved in.
        (line.starts_with('}') && !is_indented).then(|| Cow::Owned(std::mem::take(&mut self.begun)))
    }
}

/// The message that ends `line` after a little noise.
fn after_prefix(line: &str) -> Option<&str> {
    let (prefix, message) = line.split_at(line.find('{')?);
    let is_message = line.ends_with('}') && prefix.len() <= PREFIX_BYTES_MAX && !prefix.contains('"');
    (is_message && message.contains("\"jsonrpc\"")).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sift(lines: &[&str]) -> Vec<String> {
        let mut sieve = Sieve::new(100);
        lines.iter().filter_map(|line| sieve.pass(line.trim(), line.starts_with(' ')).map(Cow::into_owned)).collect()
    }

    #[test]
    fn messages_are_found_among_noise() {
        let message = r#"{"jsonrpc":"2.0","id":1}"#;
        let prompt = format!("> {message}");
        let coloured = format!("\u{1b}[32mready\u{1b}[0m {message}");
        let lines =
            ["Welcome", "", message, "{ starting", &prompt, "[1]", &coloured, "{", " \"a\": [", " {", " }", " ]", "}", message];
        assert_eq!(sift(&lines), [message, message, message, "{\n\"a\": [\n{\n}\n]\n}", message]);
    }

    #[test]
    fn a_log_that_quotes_a_message_is_none() {
        let message = r#"{"jsonrpc":"2.0","id":1}"#;
        assert!(sift(&[&format!("{} {message}", "x".repeat(PREFIX_BYTES_MAX)), &format!("said \"{message}")]).is_empty());
        assert_eq!(sift(&[&format!("{}{message}", "x".repeat(PREFIX_BYTES_MAX))]).len(), 1);
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut sieve = Sieve::new(100);
        assert!(sieve.pass("{", false).is_none());
        for _ in 0..1000 {
            assert!(sieve.pass("0123456789", true).is_none());
            assert!(sieve.begun.len() < 100);
        }
    }
}
