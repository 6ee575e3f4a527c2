//! The V8 flags of every process that makes or uses a snapshot. The build script, which makes the base snapshots, includes this file.
//!
//! Makers and users must agree: a flag that changes the layout of the heap makes a snapshot unreadable, and V8 aborts
//! instead of saying so.

/// Whether V8 may compile JavaScript to machine code.
#[allow(clippy::exhaustive_enums, reason = "on or off; the build script has it too, where it is not exported")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Jit {
    /// Interpreter only. The default: it removes the largest class of V8 bugs, and the jail can refuse executable memory.
    #[default]
    Off,
    /// Baseline and optimising compilers. Three to ten times faster in hot loops.
    On,
}

impl Jit {
    /// The flags of V8, as one text: part of the key of every snapshot.
    ///
    /// `--no-extensible-ro-snapshot`: every snapshot keeps V8's own read-only heap, so that two of them cannot corrupt one
    /// process. `--single-threaded`: no background threads, which fork would lose. `--stack-size` (kB): far below the 8 MB of a
    /// main thread, so that native frames have room.
    #[must_use]
    pub fn v8_flags(self) -> &'static str {
        match self {
            Self::Off => "--no-extensible-ro-snapshot --single-threaded --stack-size=984 --jitless",
            Self::On => "--no-extensible-ro-snapshot --single-threaded --stack-size=984",
        }
    }
}
