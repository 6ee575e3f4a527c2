//! How long the steps of a build take, for the estimate: measured once, per kind of step.

use std::time::Duration;

/// How long a whole build takes on two cores, minutes: `xtask/README.md` says how it was measured.
pub(crate) const WHOLE_MINUTES_ON_TWO_CORES: u64 = 20;

/// Kinds of steps by a part of their description, and the compiler time that one takes on average, milliseconds.
const KINDS: [(&str, u64); 14] = [
    ("PRECOMPILE ", 13_000),
    ("obj/v8/v8_base_without_compiler/", 9_000),
    ("obj/v8/v8_compiler/", 18_000),
    ("obj/v8/torque_generated_initializers/", 10_000),
    ("obj/v8/torque_generated_definitions/", 2_000),
    ("obj/v8/v8_initializers/", 10_000),
    ("obj/v8/cppgc_base/", 12_000),
    ("obj/v8/torque_base/", 5_000),
    ("obj/third_party/icu/", 600),
    ("obj/third_party/highway/", 15_000),
    ("obj/third_party/simdutf/", 20_000),
    ("obj/rusty_v8/", 10_000),
    ("obj/v8/", 2_500),
    ("CXX ", 1_500),
];

/// The compiler time that a step takes, milliseconds; 100 for steps that are not known to be slow.
pub(crate) fn weight(step: &str) -> u64 {
    KINDS.iter().find(|(part, _)| step.contains(part)).map_or(100, |(_, milliseconds)| *milliseconds)
}

/// The time that is left, if the rest goes as fast as what was done.
pub(crate) fn remaining(elapsed: Duration, done: u64, all: u64) -> Duration {
    let left = u128::from(all.saturating_sub(done));
    let milliseconds = elapsed.as_millis() * left / u128::from(done.max(1));
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

/// A duration in the words of a progress line.
pub(super) fn minutes(duration: Duration) -> String {
    let minutes = duration.as_secs().div_ceil(60);
    if minutes < 60 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_the_weight_of_its_own_kind() {
        assert_eq!(weight("CXX obj/v8/v8_compiler/v8_compiler-cluster-3.o"), 18_000);
        assert_eq!(weight("CXX obj/v8/v8_libbase/platform.o"), 2_500);
        assert_eq!(weight("CXX obj/third_party/abseil-cpp/absl/hash/hash/hash.o"), 1_500);
        assert_eq!(weight("STAMP obj/any.stamp"), 100);
    }

    #[test]
    fn the_rest_is_estimated_from_what_was_done() {
        assert_eq!(remaining(Duration::from_secs(60), 100, 400), Duration::from_secs(180));
        assert_eq!(remaining(Duration::from_secs(60), 400, 400), Duration::ZERO);
        assert_eq!(remaining(Duration::ZERO, 0, 400), Duration::ZERO);
    }
}
