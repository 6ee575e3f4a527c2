//! The V8 flags of every process that makes or uses a snapshot, set before V8 starts.

use deno_core::v8;

/// Sets the flags of this process. Call it once, before anything else of V8.
pub fn set(flags: &str) {
    v8::V8::set_flags_from_string(flags);
}
