//! What a check of a value against a schema came to, and what it took.

use crate::validation::Violation;

/// The most steps that a check takes unless its caller allows less. A step is about a nanosecond of one core, so this is about a quarter
/// of a second.
pub const CHECK_STEPS_MAX: u64 = 250_000_000;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The value matches, as far as the schema is checked: [`crate::Catalog::unchecked`] lists what is not.
    Matches,
    /// The value differs from the schema in these ways, the first eight.
    Differs(Vec<Violation>),
    /// The check was given up: it would take more steps than allowed, or nests too deep. The value may match or not.
    Excessive,
}

/// A check that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it came to.
    pub verdict: Verdict,
    /// The steps that it took, whatever it came to; a step is about a nanosecond of one core.
    pub steps: u64,
}
