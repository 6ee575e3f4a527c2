//! The limits of runs, as a caller names them: numbers, times in milliseconds.

use std::time::Duration;

use isolet::{Limits, LowerLimits};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A limit as a number.
trait Number {
    fn of(number: u64) -> Self;
    fn number(&self) -> u64;
}

impl Number for Duration {
    fn of(number: u64) -> Self {
        Self::from_millis(number)
    }

    fn number(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Number for usize {
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }

    fn number(&self) -> u64 {
        *self as u64
    }
}

impl Number for u32 {
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }

    fn number(&self) -> u64 {
        u64::from(*self)
    }
}

/// Makes [`NamedLimits`] and what goes over all of them from one list: the name for a caller, and the field of [`Limits`].
macro_rules! named_limits {
    ($($name:ident: $field:ident;)*) => {
        /// Limits that a caller has named; none of another name.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct NamedLimits {
            $($name: Option<u64>,)*
        }

        impl NamedLimits {
            /// Sets what is named.
            pub(super) fn set(&self, limits: &mut Limits) {
                $(if let Some(number) = self.$name {
                    limits.$field = Number::of(number);
                })*
            }

            /// What is named, for one run.
            pub(super) fn lower(&self) -> LowerLimits {
                let mut lower = LowerLimits::default();
                $(lower.$field = self.$name.map(Number::of);)*
                lower
            }
        }

        /// All limits under their names.
        pub(super) fn as_json(limits: &Limits) -> Value {
            let mut named = Map::new();
            $(named.insert(stringify!($name).to_owned(), limits.$field.number().into());)*
            Value::Object(named)
        }
    };
}

named_limits! {
    wall_max_ms: wall_max;
    drain_max_ms: drain_max;
    cpu_max_ms: cpu_max;
    heap_bytes_max: heap_bytes_max;
    buffer_bytes_max: buffer_bytes_max;
    data_bytes_max: data_bytes_max;
    source_bytes_max: source_bytes_max;
    source_nesting_max: source_nesting_max;
    calls_max: calls_max;
    calls_in_flight_max: calls_in_flight_max;
    argument_bytes_max: argument_bytes_max;
    argument_bytes_total_max: argument_bytes_total_max;
    reply_bytes_max: reply_bytes_max;
    reply_bytes_total_max: reply_bytes_total_max;
    held_bytes_max: held_bytes_max;
    result_bytes_max: result_bytes_max;
    console_bytes_max: console_bytes_max;
    console_lines_max: console_lines_max;
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn every_limit_has_a_name_and_no_other_name_is_taken() {
        let named = as_json(&Limits::default());
        // `Limits { a: 1, b: 2 }` has a colon a field.
        assert_eq!(named.as_object().unwrap().len(), format!("{:?}", Limits::default()).matches(": ").count());
        assert!(serde_json::from_value::<NamedLimits>(named).is_ok());
        for wrong in
            [json!({ "wall_max": 1 }), json!({ "wall_max_ms": -1 }), json!({ "calls_max": 1.5 }), json!({ "calls_max": "1" })]
        {
            assert!(serde_json::from_value::<NamedLimits>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_named_is_set_and_nothing_else() {
        let named: NamedLimits = serde_json::from_value(json!({ "wall_max_ms": 1500, "calls_max": 7 })).unwrap();
        let mut limits = Limits::default();
        named.set(&mut limits);
        let expected = Limits::default().with(|limits| {
            limits.wall_max = Duration::from_millis(1500);
            limits.calls_max = 7;
        });
        assert_eq!(limits, expected);
        assert_eq!(Limits::default().lowered_by(&named.lower()), expected);
    }
}
