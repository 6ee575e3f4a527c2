//! The V8 flags of every process that makes or uses a snapshot, set before V8 starts.
//!
//! Makers and users must agree: a flag that changes the layout of the heap makes a snapshot unreadable, and V8 aborts
//! instead of saying so.

use deno_core::v8;

/// Whether V8 may compile JavaScript to machine code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jit {
    /// Interpreter only. The default: it removes the largest class of V8 bugs, and the jail can refuse executable memory.
    #[default]
    Off,
    /// Baseline and optimising compilers. Three to ten times faster in hot loops.
    On,
}

/// `--no-extensible-ro-snapshot`: every snapshot keeps V8's own read-only heap, so that two of them cannot corrupt one
/// process (ENGINE.md §1.2). `--single-threaded`: no background threads, which fork would lose.
/// `--stack-size` (kB): far below the 8 MB of a main thread, so that native frames have room.
const ALWAYS: &str = "--no-extensible-ro-snapshot --single-threaded --stack-size=984";

/// Sets the flags of this process. Call it once, before anything else of V8.
pub fn set(jit: Jit) {
    v8::V8::set_flags_from_string(&text(jit));
}

/// The flags as one text, part of the key of every snapshot.
#[must_use]
pub fn text(jit: Jit) -> String {
    match jit {
        Jit::Off => format!("{ALWAYS} --jitless"),
        Jit::On => ALWAYS.to_owned(),
    }
}
