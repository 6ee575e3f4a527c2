//! What every snapshot depends on besides its bindings, as one text: two builds that differ in it must not share snapshots.

use std::fmt::Write as _;

use deno_core::v8;

use crate::{bootstrap, ops};

/// The version of deno_core that this crate is built with, which names itself nowhere.
pub const DENO_CORE_VERSION: &str = "0.413.0";

/// The versions of V8 and deno_core, the ops in their order, and the bootstrap JavaScript.
#[must_use]
pub fn text() -> String {
    let mut text = format!("v8 {}\ndeno_core {DENO_CORE_VERSION}\n", v8::V8::get_version());
    // Writing to a string cannot fail.
    let _ = writeln!(text, "ops {}", ops::NAMES.join(" "));
    for (file, source) in bootstrap::FILES {
        let _ = writeln!(text, "{file} {}\n{source}", source.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_versions_ops_and_each_file() {
        let text = text();
        for part in ["v8 15.", "deno_core 0.413.0", "op_call", "isolet:seal"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
