//! What is going on in a soak.

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The good tenants ask, and nothing is measured.
    Settle,
    /// The good tenants ask.
    Calm,
    /// The hostile one does what it can beside them.
    Hostile,
    /// And processes are killed.
    Kills,
    /// Nobody asks.
    Rest,
}
