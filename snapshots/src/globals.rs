//! The names that a program finds in the global object, beside the namespaces of its scope.

/// The names, a line each, sorted.
pub const NAMES: &str = include_str!("globals.txt");

/// Whether there is a global of this name.
#[must_use]
pub fn has(name: &str) -> bool {
    NAMES.lines().any(|known| known == name)
}
