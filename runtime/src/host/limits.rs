//! What one run may consume.

use std::time::Duration;

/// Below this V8 cannot finish to boot and load a program (found by bisection with the test binary's `cases`).
pub const HEAP_BYTES_MIN: usize = 8 << 20;

/// Above this a heap is more than V8 reserves addresses for.
const HEAP_BYTES_MAX: usize = 4 << 30;

/// V8's longest string, bytes: what a program is given, or gives, is one.
const TEXT_BYTES_MAX: usize = (1 << 29) - 24;

/// Makes `Limits`, `LowerLimits` and what goes over all fields, from one list: name, type, default, the least and the most that can be held.
macro_rules! limits {
    ($($(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr, $least:expr, $most:expr;)*) => {
        /// What one run may consume. Every field is a hard ceiling, enforced from outside of the guest's program.
        ///
        /// These are the limits of a [`Runtime`](crate::Runtime), for all of its runs; one run lowers what it names: [`LowerLimits`].
        #[non_exhaustive]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        /// The limits of one run that are lower than those of its runtime. What is `None` stays as it is there, and so does what is higher.
        ///
        /// ```
        /// let short = Some(std::time::Duration::from_millis(200));
        /// let options = isolet::RunOptions::default().with(|options| options.limits.wall_max = short);
        /// ```
        #[non_exhaustive]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct LowerLimits {
            $(#[doc = concat!("At most [`Limits::", stringify!($field), "`].")] pub $field: Option<$type>,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// The same, changed by `set`.
            ///
            /// ```
            /// let limits = isolet::Limits::default().with(|limits| limits.calls_max = 10);
            /// assert_eq!(limits.calls_max, 10);
            /// ```
            #[must_use]
            pub fn with(mut self, set: impl FnOnce(&mut Self)) -> Self {
                set(&mut self);
                self
            }

            /// These limits, each lowered to what `lower` says where that is less, and to no less than a run can do with.
            #[must_use]
            pub fn lowered_by(&self, lower: &LowerLimits) -> Self {
                Self { $($field: lower.$field.map_or(self.$field, |lower| self.$field.min(lower.max($least))),)* }
            }

            /// Why these limits cannot be held: the first field that is out of its range, and the range.
            pub(crate) fn fault(&self) -> Option<String> {
                $(if !($least..=$most).contains(&self.$field) {
                    let (field, value, least, most) = (stringify!($field), self.$field, $least, $most);
                    return Some(format!("`limits.{field}` is {value:?}: it can be {least:?} to {most:?}"));
                })*
                None
            }

            /// Limits whose fields are what `choose` says, which gets the least and the most that a type can say, and the default.
            #[cfg(test)]
            fn chosen(mut choose: impl FnMut() -> Choice) -> Self {
                let default = Self::default();
                Self { $($field: <$type as Extremes>::chosen(choose(), default.$field),)* }
            }
        }

        #[cfg(test)]
        impl From<Limits> for LowerLimits {
            fn from(limits: Limits) -> Self {
                Self { $($field: Some(limits.$field),)* }
            }
        }
    };
}

limits! {
    /// Time on the wall, tool calls included, from the start of the program's process. Default 30 s. Past it the process is
    /// killed: [`Stop::Wall`](crate::Stop::Wall). Calls that are in flight are cancelled at their next await.
    wall_max: Duration = Duration::from_secs(30), Duration::ZERO, Duration::MAX;
    /// Time for which a program that has returned waits for calls that it did not await, within `wall_max`. Default 10 s. Past it its value is
    /// made, the calls are cancelled at their next await, and the outcome's notes say so.
    drain_max: Duration = Duration::from_secs(10), Duration::ZERO, Duration::MAX;
    /// Time on a processor, waiting not included, type stripping and compilation included, and what this process does for the run:
    /// [`Cost::host_cpu`](crate::Cost::host_cpu). Default 5 s. Past it the process is killed: [`Stop::Cpu`](crate::Stop::Cpu).
    cpu_max: Duration = Duration::from_secs(5), Duration::ZERO, Duration::MAX;
    /// V8's heap, bytes, snapshot included. Default 64 MiB, from [`HEAP_BYTES_MIN`] to 4 GiB. Reaching it ends the
    /// run: [`Stop::Heap`](crate::Stop::Heap). Contents of `ArrayBuffer`s live outside of it.
    heap_bytes_max: usize = 64 << 20, HEAP_BYTES_MIN, HEAP_BYTES_MAX;
    /// Contents of all `ArrayBuffer`s, bytes. Default 32 MiB. A buffer beyond it is a `RangeError` in the program, which goes
    /// on. Resizable and shared buffers are refused whatever their size.
    buffer_bytes_max: usize = 32 << 20, 0, usize::MAX;
    /// Private memory of the process that V8's heap does not count, bytes, beyond heap and buffers. Default 128 MiB. The kernel
    /// refuses more, V8 gives up: [`Stop::Data`](crate::Stop::Data) or [`Stop::GuestLost`](crate::Stop::GuestLost).
    data_bytes_max: usize = 128 << 20, 0, usize::MAX;
    /// The program's text, bytes. Default 256 KiB, at most 512 MiB. A longer one is never parsed: the outcome is a thrown `RangeError`.
    source_bytes_max: usize = 256 << 10, 0, TEXT_BYTES_MAX;
    /// Depth of brackets in the program's text. Default 256. A deeper one is never parsed: the outcome is a `SyntaxError`.
    source_nesting_max: usize = 256, 0, usize::MAX;
    /// Tool calls of one run. Default 1,000. One more ends the run: [`Stop::Calls`](crate::Stop::Calls).
    calls_max: u32 = 1000, 0, u32::MAX;
    /// Tool calls that the host works on at a time. Default 128, at least 1. Further ones wait inside the isolate.
    calls_in_flight_max: u32 = 128, 1, u32::MAX;
    /// Arguments of one call, bytes of JSON. Default 1 MiB, at most 512 MiB. Longer ones are a `ToolError` with code `too_large`.
    argument_bytes_max: usize = 1 << 20, 0, TEXT_BYTES_MAX;
    /// Arguments of all calls of one run together, bytes of JSON. Default 256 MiB. More end the run:
    /// [`Stop::Traffic`](crate::Stop::Traffic).
    argument_bytes_total_max: usize = 256 << 20, 0, usize::MAX;
    /// The reply to one call, bytes of JSON. Default 8 MiB, at most 512 MiB. A longer one is a `ToolError` with code `too_large`.
    reply_bytes_max: usize = 8 << 20, 0, TEXT_BYTES_MAX;
    /// The replies to all calls of one run together, bytes of JSON. Default 256 MiB. More end the run:
    /// [`Stop::Traffic`](crate::Stop::Traffic).
    reply_bytes_total_max: usize = 256 << 20, 0, usize::MAX;
    /// What this process holds for the run at a time, bytes: arguments until their call is answered, replies until the program has read
    /// them. Default 64 MiB. Beyond it further calls wait. What a run holds is also a part of
    /// [`Config::held_bytes_total_max`](crate::Config::held_bytes_total_max).
    held_bytes_max: usize = 64 << 20, 0, usize::MAX;
    /// The program's result, bytes of JSON. Default 1 MiB, at most 512 MiB. A longer one ends the run:
    /// [`Stop::Output`](crate::Stop::Output).
    result_bytes_max: usize = 1 << 20, 0, TEXT_BYTES_MAX;
    /// Console lines together, bytes. Default 256 KiB. More end the run: [`Stop::Output`](crate::Stop::Output).
    console_bytes_max: usize = 256 << 10, 0, usize::MAX;
    /// Console lines. Default 10,000. More end the run: [`Stop::Output`](crate::Stop::Output).
    console_lines_max: u32 = 10_000, 0, u32::MAX;
}

/// A value of a field in a test.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
enum Choice {
    Zero,
    One,
    Default,
    Max,
}

#[cfg(test)]
trait Extremes: Sized {
    const ZERO: Self;
    const ONE: Self;
    const MAX: Self;

    fn chosen(choice: Choice, default: Self) -> Self {
        match choice {
            Choice::Zero => Self::ZERO,
            Choice::One => Self::ONE,
            Choice::Default => default,
            Choice::Max => Self::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::codec::{Decoder, Maxima as _};
    use crate::contract::run::{FromRun, RunMaxima};

    macro_rules! extremes {
        ($type:ty, $zero:expr, $one:expr, $max:expr) => {
            impl Extremes for $type {
                const ZERO: Self = $zero;
                const ONE: Self = $one;
                const MAX: Self = $max;
            }
        };
    }
    extremes!(usize, 0, 1, usize::MAX);
    extremes!(u32, 0, 1, u32::MAX);
    extremes!(Duration, Duration::ZERO, Duration::from_nanos(1), Duration::MAX);

    #[test]
    fn a_run_lowers_what_it_names_and_nothing_else() {
        let host = Limits { calls_max: 10_000, ..Limits::default() };
        let lower = LowerLimits { wall_max: Some(Duration::from_millis(200)), ..LowerLimits::default() };
        assert_eq!(host.lowered_by(&lower), Limits { wall_max: Duration::from_millis(200), ..host.clone() });
        assert_eq!(host.lowered_by(&LowerLimits::default()), host);
    }

    #[test]
    fn a_run_never_raises_a_limit_and_keeps_what_it_needs() {
        let host = Limits::default();
        let lower = LowerLimits {
            calls_max: Some(u32::MAX),
            heap_bytes_max: Some(0),
            calls_in_flight_max: Some(0),
            ..LowerLimits::default()
        };
        let expected = Limits { heap_bytes_max: HEAP_BYTES_MIN, calls_in_flight_max: 1, ..host.clone() };
        assert_eq!(host.lowered_by(&lower), expected);
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        let fault = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            limits.fault()
        };
        assert_eq!(fault(|_| {}), None);
        assert_eq!(
            fault(|limits| limits.calls_in_flight_max = 0).as_deref(),
            Some("`limits.calls_in_flight_max` is 0: it can be 1 to 4294967295")
        );
        assert_eq!(fault(|limits| limits.reply_bytes_max = TEXT_BYTES_MAX), None);
        assert_eq!(
            fault(|limits| limits.reply_bytes_max = TEXT_BYTES_MAX + 1).as_deref(),
            Some("`limits.reply_bytes_max` is 536870889: it can be 0 to 536870888")
        );
        assert!(fault(|limits| limits.heap_bytes_max = HEAP_BYTES_MIN - 1).is_some());
    }

    /// Limits at their defaults but for a few fields, which are at one end of their type.
    fn choices() -> impl Strategy<Value = Limits> {
        let choice =
            prop_oneof![1 => Just(Choice::Zero), 1 => Just(Choice::One), 20 => Just(Choice::Default), 1 => Just(Choice::Max)];
        proptest::collection::vec(choice, 32).prop_map(|choices| {
            let mut choices = choices.into_iter();
            Limits::chosen(|| choices.next().unwrap_or(Choice::Default))
        })
    }

    proptest! {
        #[test]
        fn whatever_a_run_names_can_be_held(limits in choices(), lower in choices()) {
            prop_assume!(limits.fault().is_none());
            let lowered = limits.lowered_by(&lower.into());
            prop_assert_eq!(lowered.fault(), None);
            prop_assert_eq!(limits.lowered_by(&lowered.clone().into()), lowered);
        }

        #[test]
        fn frames_have_a_maximum_whatever_the_limits(limits in choices()) {
            let maxima = RunMaxima { argument_bytes_max: limits.argument_bytes_max, result_bytes_max: limits.result_bytes_max };
            for kind in 0..=u8::MAX {
                // Of limits that can be held a frame's length can be said; those that cannot are refused before.
                let can_be_said = maxima.bytes_max(kind).is_none_or(|bytes| u32::try_from(bytes).is_ok());
                prop_assert!(can_be_said || limits.fault().is_some());
            }
            let mut decoder = Decoder::default();
            decoder.buffer().extend_from_slice(&[0xff; 9]);
            prop_assert!(decoder.next::<FromRun>(&maxima).is_err());
        }
    }
}
