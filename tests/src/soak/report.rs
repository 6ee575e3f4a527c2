//! What a soak says: how far it is, and at the end what it has found.

use std::fmt::Display;

use serde_json::Value;

/// What was found: a table, or JSON if that was asked for.
#[expect(clippy::print_stdout, reason = "a command that reports")]
pub(super) fn report(table: &impl Display, json: Option<Value>) {
    match json {
        Some(json) => println!("{json}"),
        None => println!("{table}"),
    }
}

#[expect(clippy::print_stderr, reason = "how far it is, for whoever waits")]
pub(super) fn say(line: &str) {
    eprintln!("{line}");
}
