//! How much work it is to read and check a text, before it is begun: that decides where it is done.
//!
//! In steps, of which one is about a nanosecond of one core.

/// Up to here work is done at once, and too little to be measured: reading the clock takes as long.
const TRIFLE_STEPS_MAX: u64 = 20_000;
/// Up to here work is done at once. More of it would keep others on this thread waiting.
pub(crate) const MOMENT_STEPS_MAX: u64 = 300_000;
/// To read a byte of JSON into a tree, at the most: where nearly each begins a value of its own.
const STEPS_OF_A_BYTE: u64 = 20;

/// The most memory that the tree of one text may take, bytes: what takes more is not read into one.
pub(crate) const TREE_BYTES_MAX: usize = 256 << 20;

/// What an object takes in a tree beside its members, and a value beside its text, bytes (measured: 413 for `{"a":0}` in an array).
const OBJECT_BYTES: usize = 340;
const VALUE_BYTES: usize = 144;

/// How much work something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Too little to be measured.
    Trifle,
    /// It can be done where its caller is.
    Moment,
    /// It is to be done aside.
    More,
}

impl Work {
    /// That of so many steps.
    pub(crate) fn of_steps(steps: u64) -> Self {
        if steps <= TRIFLE_STEPS_MAX {
            Self::Trifle
        } else if steps <= MOMENT_STEPS_MAX {
            Self::Moment
        } else {
            Self::More
        }
    }

    /// That of reading so many bytes of JSON.
    pub(crate) fn of_reading(bytes: usize) -> Self {
        Self::of_steps(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(STEPS_OF_A_BYTE))
    }
}

/// About the most memory that the tree of a JSON text takes, bytes.
pub(crate) fn tree_bytes(json: &str) -> usize {
    let count = |wanted: u8| json.bytes().filter(|byte| *byte == wanted).count();
    let values = count(b',').saturating_add(count(b'['));
    values.saturating_mul(VALUE_BYTES).saturating_add(count(b'{').saturating_mul(OBJECT_BYTES)).saturating_add(json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_read_at_once_and_long_ones_aside() {
        for (bytes, work) in [
            (0, Work::Trifle),
            (1000, Work::Trifle),
            (1001, Work::Moment),
            (15_000, Work::Moment),
            (15_001, Work::More),
            (usize::MAX, Work::More),
        ] {
            assert_eq!(Work::of_reading(bytes), work, "{bytes} bytes");
        }
    }

    #[test]
    fn a_tree_is_fifty_times_its_text_at_the_most_and_a_string_no_more_than_its_own() {
        let objects = format!("[{}0]", "{\"a\":0},".repeat(100_000));
        assert!((40..=70).contains(&(tree_bytes(&objects) / objects.len())), "{}", tree_bytes(&objects));
        let text = format!("\"{}\"", "x".repeat(100_000));
        assert_eq!(tree_bytes(&text), text.len());
    }
}
