//! Whom the walls are closed around.

/// Who is behind the walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    /// A zygote of a scope: it forks runs and reaps them.
    Zygote,
    /// A run.
    Run,
}
