//! What one run may consume.

use std::time::Duration;

/// What one run may consume. Every field is a hard ceiling, enforced from outside of the guest's program.
///
/// A client may lower limits and never raise them: see [`Limits::lowered_to`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time on the wall, tool calls included, from the start of the program's process. Default 30 s. Past it the process is
    /// killed: [`Stop::Wall`](crate::Stop::Wall). Calls that are in flight are cancelled at their next await.
    pub wall_max: Duration,
    /// Time on a processor, waiting not included, type stripping and compilation included. Default 5 s. Past it the process is
    /// killed: [`Stop::Cpu`](crate::Stop::Cpu).
    pub cpu_max: Duration,
    /// V8's heap, bytes, snapshot included. Default 64 MiB, at most that of [`Config`](crate::Config). Reaching it ends the
    /// run: [`Stop::Heap`](crate::Stop::Heap). Contents of `ArrayBuffer`s live outside of it.
    pub heap_bytes_max: usize,
    /// Contents of all `ArrayBuffer`s, bytes. Default 32 MiB. A buffer beyond it is a `RangeError` in the program, which goes
    /// on. Resizable and shared buffers are refused whatever their size.
    pub buffer_bytes_max: usize,
    /// Private memory of the process that V8's heap does not count, bytes, beyond heap and buffers. Default 128 MiB. The kernel
    /// refuses more, V8 gives up: [`Stop::Data`](crate::Stop::Data) or [`Stop::GuestLost`](crate::Stop::GuestLost).
    pub data_bytes_max: usize,
    /// The program's text, bytes. Default 256 KiB. A longer one is never parsed: the outcome is a thrown `RangeError`.
    pub source_bytes_max: usize,
    /// Depth of brackets in the program's text. Default 256. A deeper one is never parsed: the outcome is a `SyntaxError`.
    pub source_nesting_max: usize,
    /// Tool calls of one run. Default 1,000. One more ends the run: [`Stop::Calls`](crate::Stop::Calls).
    pub calls_max: u32,
    /// Tool calls that the host works on at a time. Default 128. Further ones wait inside the isolate.
    pub calls_in_flight_max: u32,
    /// Arguments of one call, bytes of JSON. Default 1 MiB. Longer ones are a `ToolError` with code `too_large`.
    pub argument_bytes_max: usize,
    /// The reply to one call, bytes of JSON. Default 8 MiB. A longer one is a `ToolError` with code `too_large`.
    pub reply_bytes_max: usize,
    /// The program's result, bytes of JSON. Default 1 MiB. A longer one ends the run: [`Stop::Output`](crate::Stop::Output).
    pub result_bytes_max: usize,
    /// Console lines together, bytes. Default 256 KiB. More end the run: [`Stop::Output`](crate::Stop::Output).
    pub console_bytes_max: usize,
    /// Console lines. Default 10,000. More end the run: [`Stop::Output`](crate::Stop::Output).
    pub console_lines_max: u32,
}

/// Below this V8 cannot finish to boot and load a program (found by bisection with the test binary's `cases`).
pub const HEAP_BYTES_MIN: usize = 8 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall_max: Duration::from_secs(30),
            cpu_max: Duration::from_secs(5),
            heap_bytes_max: 64 << 20,
            buffer_bytes_max: 32 << 20,
            data_bytes_max: 128 << 20,
            source_bytes_max: 256 << 10,
            source_nesting_max: 256,
            calls_max: 1000,
            calls_in_flight_max: 128,
            argument_bytes_max: 1 << 20,
            reply_bytes_max: 8 << 20,
            result_bytes_max: 1 << 20,
            console_bytes_max: 256 << 10,
            console_lines_max: 10_000,
        }
    }
}

impl Limits {
    /// These limits, each lowered to that of `wanted` where that is less.
    #[must_use]
    pub fn lowered_to(&self, wanted: &Self) -> Self {
        Self {
            wall_max: self.wall_max.min(wanted.wall_max),
            cpu_max: self.cpu_max.min(wanted.cpu_max),
            heap_bytes_max: self.heap_bytes_max.min(wanted.heap_bytes_max).max(HEAP_BYTES_MIN),
            buffer_bytes_max: self.buffer_bytes_max.min(wanted.buffer_bytes_max),
            data_bytes_max: self.data_bytes_max.min(wanted.data_bytes_max),
            source_bytes_max: self.source_bytes_max.min(wanted.source_bytes_max),
            source_nesting_max: self.source_nesting_max.min(wanted.source_nesting_max),
            calls_max: self.calls_max.min(wanted.calls_max),
            calls_in_flight_max: self.calls_in_flight_max.min(wanted.calls_in_flight_max).max(1),
            argument_bytes_max: self.argument_bytes_max.min(wanted.argument_bytes_max),
            reply_bytes_max: self.reply_bytes_max.min(wanted.reply_bytes_max),
            result_bytes_max: self.result_bytes_max.min(wanted.result_bytes_max),
            console_bytes_max: self.console_bytes_max.min(wanted.console_bytes_max),
            console_lines_max: self.console_lines_max.min(wanted.console_lines_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_lowers_and_never_raises() {
        let host = Limits::default();
        let wanted = Limits { wall_max: Duration::from_millis(200), calls_max: u32::MAX, ..Limits::default() };
        let limits = host.lowered_to(&wanted);
        assert_eq!((limits.wall_max, limits.calls_max), (Duration::from_millis(200), host.calls_max));
    }
}
