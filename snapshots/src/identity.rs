//! What every snapshot depends on besides its bindings, as one text: two builds that differ in it must not share snapshots.

use std::fmt::Write as _;

use deno_core::v8;

use crate::flags::{self, Jit};
use crate::{bootstrap, ops};

/// The version of deno_core that this crate is built with, which names itself nowhere.
pub const DENO_CORE_VERSION: &str = "0.413.0";

/// The versions of V8 and deno_core, V8's flags with JIT off and on, the ops in their order, and the bootstrap JavaScript.
#[must_use]
pub fn text() -> String {
    let mut text = format!("v8 {}\ndeno_core {DENO_CORE_VERSION}\n", v8::V8::get_version());
    for jit in [Jit::Off, Jit::On] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "flags {}", flags::text(jit));
    }
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
    fn the_text_names_versions_flags_ops_and_each_file() {
        let text = text();
        for part in ["v8 15.", "deno_core 0.413.0", "--no-extensible-ro-snapshot", "--jitless", "op_call", "isolet:seal"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
